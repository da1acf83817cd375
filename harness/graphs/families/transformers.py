"""Transformers on images, speech and text, each built of the operators that exporters write."""

import math
from typing import Final

import onnx
from onnx import TensorProto

from harness.graphs.families.phone import CLASSES
from harness.graphs.families.sequences import SequenceBuilder, Value


def vit_tiny(name: str) -> onnx.ModelProto:
    """ViT-Ti with patches of 16 x 16 on 224 x 224 images: 12 layers, width 192, 3 heads.

    Source:
        Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021 (arXiv 2010.11929), for the architecture; Touvron
        et al., Training data-efficient image transformers, ICML 2021 (arXiv 2012.12877), table 1, for the size.
    """
    side, patch, width, depth, heads = 224, 16, 192, 12, 3
    net = SequenceBuilder(name)
    image = net.input("input", 1, 3, side, side)
    n_side = side // patch
    stem = (net.weight(width, 3, patch, patch), net.weight(width))
    x = net.op("Conv", image, *stem, extents=(1, width, n_side, n_side), kernel_shape=[patch] * 2, strides=[patch] * 2)
    x = net.transpose(net.reshape(x, 1, width, n_side**2), 0, 2, 1)
    x = _with_class_token(net, x)
    for _ in range(depth):
        qkv = net.split(net.linear(net.layer_norm(x), 3 * width), 3)
        x = net.op("Add", x, _attention(net, *qkv, heads=heads))
        x = net.op("Add", x, _feed_forward(net, net.layer_norm(x), 4 * width))
    return net.model(net.linear(net.gather(net.layer_norm(x), 0), CLASSES))


def kwt_1(name: str) -> onnx.ModelProto:
    """Keyword Transformer KWT-1 for 12 commands: 98 steps of 40 coefficients, 12 layers, width 64, one head.

    It normalises after each sum, and its queries, keys and values have no biases.

    Source:
        Berg et al., Keyword Transformer, Interspeech 2021 (arXiv 2104.00769), table 1, and its published code.
    """
    steps, coefficients, width, depth = 98, 40, 64, 12
    net = SequenceBuilder(name)
    x = _with_class_token(net, net.linear(net.input("input", 1, steps, coefficients), width))
    for _ in range(depth):
        qkv = (net.linear(x, width, bias=False) for _ in range(3))
        x = net.layer_norm(net.op("Add", x, _attention(net, *qkv, heads=1)))
        x = net.layer_norm(net.op("Add", x, _feed_forward(net, x, 4 * width)))
    return net.model(net.linear(net.gather(x, 0), 12))


_STORIES_WIDTH: Final = 288
_STORIES_HEADS: Final = 6
_STORIES_INNER: Final = 768
_STORIES_LAYERS: Final = 6
_STORIES_VOCABULARY: Final = 32_000
_STORIES_EPSILON: Final = 1e-5


def stories_15m(name: str, n_tokens: int, n_cached: int = 0) -> onnx.ModelProto:
    """Decoder of 15 million parameters in the architecture of Llama 2, for the next token after some.

    It reads tokens, the rotation of each of their positions, and the keys and values of earlier tokens; it gives scores
    for the next token, and keys and values of all tokens. Embedding and scores share one table. Where it reads several
    tokens at once, a mask that it reads hides later ones, and attention is computed in full.

    Args:
        name: name of the network.
        n_tokens: tokens that it reads: those of a prompt (prefill), or the last one (a step of decoding).
        n_cached: earlier tokens whose keys and values it reads.

    Source:
        Touvron et al., Llama 2, 2023 (arXiv 2307.09288), for the architecture; Karpathy, llama2.c, model stories15M,
        for the sizes.
    """
    net = SequenceBuilder(name)
    tokens = net.input("input", 1, n_tokens, kind=TensorProto.INT64)
    half = _STORIES_WIDTH // _STORIES_HEADS // 2
    rotation = (net.input("cosines", n_tokens, half), net.input("sines", n_tokens, half))
    mask = net.input("mask", n_tokens, n_cached + n_tokens) if n_tokens > 1 else None
    table = net.weight(_STORIES_VOCABULARY, _STORIES_WIDTH)
    x = net.embedding(table, tokens)
    kept: list[Value] = []
    for layer in range(_STORIES_LAYERS):
        y = net.rms_norm(x, _STORIES_EPSILON)
        q, k, v = (_by_head(net, net.linear(y, _STORIES_WIDTH, bias=False), _STORIES_HEADS) for _ in range(3))
        q, k = _rotated(net, q, rotation), _rotated(net, k, rotation)
        if n_cached:
            past = (1, _STORIES_HEADS, n_cached, 2 * half)
            k = net.concat(2, net.input(f"past_keys_{layer}", *past), k)
            v = net.concat(2, net.input(f"past_values_{layer}", *past), v)
        kept += [k, v]
        x = net.op("Add", x, net.linear(_attended(net, q, k, v, mask), _STORIES_WIDTH, bias=False))
        x = net.op("Add", x, _gated(net, net.rms_norm(x, _STORIES_EPSILON)))
    last = net.gather(net.rms_norm(x, _STORIES_EPSILON), n_tokens - 1)
    return net.model(net.matmul(last, net.transpose(table, 1, 0)), *kept)


def _with_class_token(net: SequenceBuilder, x: Value) -> Value:
    """Tokens after one that stands for the class, each with its position added."""
    _, n_tokens, width = x.extents
    x = net.concat(1, net.weight(1, 1, width), x)
    return net.op("Add", x, net.weight(1, n_tokens + 1, width))


def _by_head(net: SequenceBuilder, x: Value, heads: int) -> Value:
    """Tokens by width as heads by tokens by their share of the width."""
    _, n_tokens, width = x.extents
    return net.transpose(net.reshape(x, 1, n_tokens, heads, width // heads), 0, 2, 1, 3)


def _attention(net: SequenceBuilder, q: Value, k: Value, v: Value, *, heads: int) -> Value:
    width = q.extents[-1]
    q, k, v = (_by_head(net, x, heads) for x in (q, k, v))
    return net.linear(_attended(net, q, k, v, None), width)


def _attended(net: SequenceBuilder, q: Value, k: Value, v: Value, mask: Value | None) -> Value:
    """Weighted values of all heads, as tokens by width."""
    _, heads, n_tokens, share = q.extents
    scores = net.matmul(q, net.transpose(k, 0, 1, 3, 2))
    scores = net.op("Div", scores, net.number(math.sqrt(share)))
    scores = scores if mask is None else net.op("Add", scores, mask)
    attended = net.matmul(net.op("Softmax", scores, axis=-1), v)
    return net.reshape(net.transpose(attended, 0, 2, 1, 3), 1, n_tokens, heads * share)


def _feed_forward(net: SequenceBuilder, x: Value, inner: int) -> Value:
    return net.linear(net.op("Gelu", net.linear(x, inner)), x.extents[-1])


def _gated(net: SequenceBuilder, x: Value) -> Value:
    """Feed-forward layer whose inner part is gated by SiLU."""
    gate = net.linear(x, _STORIES_INNER, bias=False)
    gate = net.op("Mul", gate, net.op("Sigmoid", gate))
    gated = net.op("Mul", gate, net.linear(x, _STORIES_INNER, bias=False))
    return net.linear(gated, x.extents[-1], bias=False)


def _rotated(net: SequenceBuilder, x: Value, rotation: tuple[Value, Value]) -> Value:
    """Pairs of elements, turned by an angle for each position and pair."""
    cosines, sines = rotation
    left, right = net.split(x, 2)
    turned = (
        net.op("Sub", net.op("Mul", left, cosines), net.op("Mul", right, sines)),
        net.op("Add", net.op("Mul", left, sines), net.op("Mul", right, cosines)),
    )
    return net.concat(3, *turned)
