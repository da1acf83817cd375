"""Networks: kernels of a model file, and networks of the model families.

The families are imported where they are built, because they take as long to import as a small file to be listed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.api.arguments import AnyPath, OnStep, as_names, check_at_least, silent
from harness.defaults import FAMILIES, RUNTIME
from harness.graphs.model_kernels import ModelKernels, kernels_of_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.graphs.families.files import WrittenFamilies


def kernels(
    model: AnyPath,
    runtime: str | None = None,
    inputs: Sequence[str] = (),
    *,
    batch: int | None = None,
    values: Sequence[str] = (),
    signature: str | None = None,
) -> ModelKernels:
    """Kernels that a runtime executes for a model file, with FLOPs, parameters and bytes moved of each.

    Args:
        model: ONNX or TFLite file.
        runtime: fusion rules, one of `runtime_names()`; those of the file's format by default.
        inputs: extents of network inputs that the file leaves open, each as `name=1x3x224x224`.
        batch: first extent of the inputs that is the batch, by which all counts are divided; None where the file
            names it, or has none.
        values: values of network inputs of one element, each as `name=value`; they settle which branches run, and how
            often loops do.
        signature: which of the networks of a TFLite file; the one that a runtime takes where none is named by default.

    Returns:
        The kernel list in order of execution, with the operators that have no kernel type.

    Raises:
        UsageError: there is no such runtime, input, batch or signature.
        ModelFileError: the file is no model, is broken, or leaves extents open.

    Examples:
        >>> from harness import api
        >>> found = api.kernels("net.onnx").kernels
        >>> [kernel.kernel for kernel in found.kernels], found.flops
        (['fc'], 400)
    """
    return kernels_of_file(Path(model), runtime, as_names(inputs), batch, values=as_names(values), signature=signature)


def families(
    names: Sequence[str] = (),
    *,
    networks: Sequence[str] = (),
    n_variants: int = 50,
    n_kernels: int | None = None,
    seed: int = 0,
    runtime: str = RUNTIME,
    out: AnyPath = FAMILIES,
    on_step: OnStep = silent,
) -> WrittenFamilies:
    """Write networks of the model families as ONNX files without weights, and kernel configurations drawn from them.

    Args:
        names: families that variants are drawn of; all nine where neither a family nor a network is named.
        networks: networks by family and name, such as `MobileNetV3/large-alpha-1.0-224`.
        n_variants: networks of each family, the published one among them.
        n_kernels: configurations to draw; as many as SEC 2023 measured by default.
        seed: seed of both draws.
        runtime: fusion rules that make kernels of networks, one of `runtime_names()`.
        out: folder to write into.
        on_step: called with each network's name before it is built, and with the number of networks.

    Returns:
        Kernel list of every network, and the drawn configurations.

    Raises:
        UsageError: a family, a network or the runtime is unknown, a number is below 1, or a file cannot be written.

    Examples:
        >>> from harness import api
        >>> written = api.families(["ResNet18"], n_variants=1, n_kernels=16, out="families")
        >>> [variant.model for variant in written.kernels]
        ['ResNet18']
    """
    from harness.graphs.families.files import write_families
    from harness.graphs.families.phone import PHONE_FAMILIES
    from harness.graphs.families.variants import Variant, variants_of
    from harness.graphs.sampler import COUNTS

    n_drawn = sum(COUNTS.values()) if n_kernels is None else n_kernels
    check_at_least("n_variants", n_variants, 1)
    check_at_least("n_kernels", n_drawn, 1)
    named = [Variant.parsed(network) for network in as_names(networks)]
    drawn_of = as_names(names) or ([] if named else PHONE_FAMILIES)
    return write_families(
        list(dict.fromkeys([*variants_of(drawn_of, n_variants, seed), *named])),
        n_drawn,
        seed,
        runtime=runtime,
        out=Path(out),
        on_variant=on_step,
    )
