"""Fusion rules: which operators each runtime runs as one kernel, read from the data files in `runtimes`.

A rule is data; `fusion` applies it to a network.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.graphs.fusion_patterns import parsed
from harness.graphs.runtime_files import runtime_names, runtime_text
from harness.issues import unknown
from harness.schema.vocabulary import Dtype, Processor, StoredDtype

ANY: Final = "any"
"""Step that takes every operator except views."""
GATE: Final = "gate"
"""Step that takes the product of the chain's output so far and the input of its first operator."""
FACTOR: Final = "factor"
"""Step that takes a multiplication by, or a division by, one number."""
VECTOR: Final = "vector"
"""Step that takes the addition of one number for each column of a matrix product."""

PER_CHANNEL: Final = "per-channel"
"""Step that takes a batch normalisation, a multiplication by or addition of one number for each channel, or a
multiplication by a number without extents."""

HARD_SWISH: Final = "hard-swish"
"""Step that takes a hard swish that the file has as one operator, or as a hard sigmoid of that slope and a product."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C, which takes a tenth of the time; PyYAML has it where it was built with LibYAML."""
_NAMES: Final = r"^([a-z0-9-]+([|][a-z0-9-]+)*)?$"
_SUFFIXES = {"?": (0, 1), "*": (0, None)}


class FusionStep(NamedTuple):
    """One step of a chain.

    Attributes:
        operators: operator names that it takes; `ANY` and `GATE` stand for themselves.
        least: fewest operators that it takes, 0 or 1.
        most: most operators that it takes; None without limit.
    """

    operators: frozenset[str]
    least: int
    most: int | None


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class RuleSource(_Frozen):
    """Documentation or code that a rule is based on."""

    title: str
    url: str = Field(pattern="^https://")


class FusionRule(_Frozen):
    """Operators, one after the other, that run as one kernel.

    Attributes:
        chain: steps, with spaces between them: an operator or the name of a set, alternatives joined by `|`, then
            `?` for at most one or `*` for any number.
        block: name of the block, where kernel datasets measure the whole chain under one name; a block keeps the
            extents of its input.
        when: `latest` where an operator with two activations joins only the kernel that makes the later of them, not
            whichever comes first; `weighted` where the first operator must have one activation, and weights.
        dtypes: data types of its first operator's output for which the rule applies; all where none is stated.
        weights: data types in which its first operator's weights are stored, for which it applies; likewise.
        ranks: extents of its first operator's output, the batch included, for which it applies; likewise.
        layout: `blocked` where all that it reads and makes must be in blocks of channels, but for what its first
            operator reads.
        sources: keys of the runtime's sources.
    """

    chain: str = Field(pattern=r"^[a-z0-9|-]+( [a-z0-9|-]+[?*]?)*$")
    block: str | None = None
    when: Literal["latest", "weighted"] | None = None
    dtypes: tuple[Dtype, ...] = ()
    weights: tuple[StoredDtype, ...] = ()
    ranks: tuple[int, ...] = ()
    layout: Literal["blocked"] | None = None
    sources: tuple[str, ...] = Field(min_length=1)


class BlockedLayout(_Frozen):
    """Layout in memory in which the channels of a tensor stand in blocks.

    Attributes:
        channels: channels of a block.
        aligned: what the channels must be a multiple of that are brought into the layout.
        convolutions: operators that bring their operand into the layout, where their groups allow it.
        poolings: operators that do so where their channels fill the blocks.
        keepers: operators that stay in it where all that they read is; a joining of channels only of whole blocks.
        activations: operators that stay in it only where they join the convolution before them.
        sources: keys of the runtime's sources.
    """

    channels: int = Field(ge=1)
    aligned: int = Field(ge=1)
    convolutions: str = Field(pattern=_NAMES)
    poolings: str = Field(pattern=_NAMES)
    keepers: str = Field(pattern=_NAMES)
    activations: str = Field(pattern=_NAMES)
    sources: tuple[str, ...] = Field(min_length=1)


class PatternRule(_Frozen):
    """Operators that run as one kernel whatever way they branch.

    Attributes:
        block: name of the kernel.
        pattern: expression of `harness.graphs.fusion_patterns`.
        sources: keys of the runtime's sources.
    """

    block: str
    pattern: str
    sources: tuple[str, ...] = Field(min_length=1)


class AbsorptionRule(_Frozen):
    """An operator that runs no kernel, because all operators that read what it makes do its work.

    Attributes:
        operators: the operator, or several joined by `|`.
        when: what holds of it: padding with zeros, a transposition of the last two extents, or one number; whatever it
            is where none is stated.
        into: operators that read it.
        dtypes: data types of its output for which the rule applies; all where none is stated.
        sources: keys of the runtime's sources.
    """

    operators: str = Field(pattern=_NAMES)
    when: Literal["zeros", "matrix", "number"] | None = None
    into: str = Field(pattern=_NAMES)
    dtypes: tuple[Dtype, ...] = ()
    sources: tuple[str, ...] = Field(min_length=1)


class RepeatRule(_Frozen):
    """Operators that compute again what an earlier one has computed run once.

    Attributes:
        sources: keys of the runtime's sources.
    """

    sources: tuple[str, ...] = Field(min_length=1)


class SplitRule(_Frozen):
    """Operators that run as one split where those of one tensor take all of it, once and along one axis.

    Attributes:
        operators: operators that take a part of a tensor.
        sources: keys of the runtime's sources.
    """

    operators: str = Field(pattern=_NAMES)
    sources: tuple[str, ...] = Field(min_length=1)


class Runtime(_Frozen):
    """Fusion rules of one runtime.

    Attributes:
        name: name of the file.
        title: name in words.
        version: versions that the rules describe, and what they leave out.
        processor: kind of processor that it runs on.
        stated_as: words in small letters by which submissions state it, any of them.
        sources: documents that the rules are based on, by key.
        sets: operators under a common name.
        blocked: layout in blocks of channels; None where it has none.
        repeats: operators that run once; None where every one runs.
        splits: slices that run as one split.
        absorbed: operators that run no kernel of their own.
        patterns: what is replaced by one kernel before any chain is looked for, the first that applies.
        rules: rules; at every operator the rule that takes most operators applies, among equals the first.
    """

    name: str
    title: str
    version: str
    processor: Processor
    stated_as: tuple[str, ...] = Field(min_length=1)
    sources: dict[str, RuleSource]
    sets: dict[str, tuple[str, ...]]
    blocked: BlockedLayout | None = None
    repeats: RepeatRule | None = None
    splits: tuple[SplitRule, ...] = ()
    absorbed: tuple[AbsorptionRule, ...] = ()
    patterns: tuple[PatternRule, ...] = ()
    rules: tuple[FusionRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_sound(self) -> "Runtime":
        cited = {key for rule in self.all_rules() for key in rule.sources}
        if strays := sorted(cited - set(self.sources)):
            raise ValueError(f"a rule cites sources that are not listed: {', '.join(strays)}")
        for pattern in self.patterns:
            parsed(pattern.pattern, self.sets)
        for rule in self.rules:
            if rule.layout is not None and self.blocked is None:
                raise ValueError(f"{rule.chain!r} needs a layout that is not declared")
            steps = self.steps(rule)
            if GATE in steps[0].operators:
                raise ValueError(f"{rule.chain!r} begins with a product of nothing")
            for number, step in enumerate(steps):
                # The next operator alone then decides, and matching never goes back.
                if step.most != step.least and step.operators & _may_follow(steps[number + 1 :]):
                    raise ValueError(f"{rule.chain!r} does not determine which step takes an operator")
        return self

    def all_rules(self) -> Iterator[FusionRule | PatternRule | AbsorptionRule | RepeatRule | SplitRule | BlockedLayout]:
        """Everything that rests on sources."""
        for rules in (self.rules, self.patterns, self.absorbed, self.splits):
            yield from rules
        yield from (rule for rule in (self.repeats, self.blocked) if rule is not None)

    def steps(self, rule: FusionRule) -> tuple[FusionStep, ...]:
        """Steps of a rule, sets resolved."""
        return tuple(self._step(text) for text in rule.chain.split())

    def names(self, text: str) -> frozenset[str]:
        """Operators joined by `|`, sets resolved."""
        return frozenset(name for word in text.split("|") if word for name in self.sets.get(word, (word,)))

    def _step(self, text: str) -> FusionStep:
        least, most = _SUFFIXES.get(text[-1:], (1, 1))
        return FusionStep(self.names(text.rstrip("?*")), least, most)


def _may_follow(steps: tuple[FusionStep, ...]) -> frozenset[str]:
    """Operators that the next step to take one may take."""
    found: frozenset[str] = frozenset()
    for step in steps:
        found |= step.operators
        if step.least:
            break
    return found


@cache
def read_runtime(name: str) -> Runtime:
    """Fusion rules of the runtime of that name.

    Raises:
        UsageError: there are none; the message gives the nearest name and lists all.

    >>> read_runtime("tflite-cpu").title
    'TensorFlow Lite on the CPU'
    """
    if name not in runtime_names():
        raise unknown("runtime", name, runtime_names())
    rules = yaml.load(runtime_text(name), _LOADER)  # noqa: S506 - both loaders are safe
    return Runtime.model_validate({"name": name, **rules})
