"""What the sides of a split share: a report of what could leak from the test side into training.

It assigns no row to a side.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.arrays import Mask, Whole
from harness.schema.identity import canonical_configurations, configuration_ids
from harness.schema.records import KEYS
from harness.schema.vocabulary import Level, Split
from harness.splits import GROUPS, assign_splits

_NEAR: Final = 0.10
"""Relative difference of one extent up to which two configurations are near duplicates."""
_NEARLY_SAME: Final = 0.9
"""Share of common kernels from which two networks are nearly the same; networks of two families that the harness builds
have at most 0.4, as EfficientNet-Lite and MobileNetV2 do."""
_FIELDS: Final = KEYS["kernels"]
_INPUT: Final = ("input_h", "input_w")
_SQUARES: Final = tuple(
    (name, f"{name[:-1]}w") for name in _FIELDS if name.endswith("_h") and f"{name[:-1]}w" in _FIELDS
)
"""Heights and widths that are one extent where they are equal, as of a square input."""
_EXTENTS: Final = (
    *((position,) for position in range(1, len(_FIELDS))),
    *((_FIELDS.index(height), _FIELDS.index(width)) for height, width in _SQUARES),
)
"""Places of what two configurations may differ in to be one extent apart."""
_Configuration = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What train and test share.

    Attributes:
        n_train: rows in train.
        n_test: rows in test.
        shared_groups: values of the group column, names of networks, and pairs of networks with one kernel list,
            that are on both sides; a release with any is refused.
        shared_record_ids: record ids on both sides.
        near_duplicates: pairs of train and test configurations that differ in one extent by at most 10 %
            (kernels only); they are allowed, and counted here. Height and width of a square are one extent.
        n_network_configurations: kernel configurations in the kernel lists of the test side's networks; on the
            level of kernels, of the networks of test families.
        shared_configurations: of those, the ones that networks of the train side hold as well (models), or that
            are training rows (kernels); they are allowed, and counted likewise.
        twins: test rows with a training row one extent apart, by whatever amount (kernels only); they are allowed.
        near_networks: pairs of networks of two families, one on each side, that have 90 % of their kernels in common,
            not counting the height and width of inputs (models only); they are allowed, and a maintainer looks at them.
    """

    n_train: int
    n_test: int
    shared_groups: tuple[str, ...]
    shared_record_ids: tuple[str, ...]
    near_duplicates: int
    n_network_configurations: int = 0
    shared_configurations: int = 0
    twins: int = 0
    near_networks: tuple[str, ...] = ()

    @property
    def twin_share(self) -> float:
        """Share of the test rows that are twins of training rows; 0 without test rows.

        >>> LeakReport(1, 4, (), (), 0, twins=1).twin_share
        0.25
        """
        return self.twins / max(self.n_test, 1)

    @property
    def shared_share(self) -> float:
        """Share of the test networks' kernel configurations that a predictor has seen; 0 where there are none.

        >>> LeakReport(1, 1, (), (), 0, n_network_configurations=8, shared_configurations=2).shared_share
        0.25
        """
        return self.shared_configurations / max(self.n_network_configurations, 1)


def leak_report(table: pa.Table, level: Level, splits: list[Split], networks: pa.Table | None = None) -> LeakReport:
    """Count what a predictor could see of the test side in the train side.

    Args:
        table: release table of the level.
        splits: side of every row, in order.
        networks: release table of the models level, whose test families a predictor of kernels is tested on;
            None where there is none.
    """

    def both_sides(column: str) -> tuple[str, ...]:
        sides: dict[str, set[str]] = defaultdict(set)
        for value, side in zip(table.column(column).to_pylist(), splits, strict=True):
            sides[value].add(side)
        return tuple(sorted(value for value, seen in sides.items() if len(seen) > 1))

    # A network under two families would be seen in training as one and tested as the other.
    names = (*both_sides("model"), *_shared_lists(table, splits)) if level == "models" else ()
    seen, tested = _network_configurations(table, level, splits, networks)
    is_kernels = level == "kernels"
    train, test = (table.filter(pc.equal(pa.array(splits, pa.string()), side)) for side in ("train", "test"))
    return LeakReport(
        n_train=splits.count("train"),
        n_test=splits.count("test"),
        shared_groups=(*both_sides(GROUPS[level]), *names),
        shared_record_ids=both_sides("record_id"),
        near_duplicates=_near_duplicates(table, splits) if is_kernels else 0,
        n_network_configurations=len(tested),
        shared_configurations=len(seen & tested),
        twins=int(has_twin(train, test).sum()) if is_kernels else 0,
        near_networks=_near_networks(table, splits) if level == "models" else (),
    )


def _network_configurations(
    table: pa.Table, level: Level, splits: list[Split], networks: pa.Table | None
) -> tuple[set[str], set[str]]:
    """Ids of the kernel configurations that a predictor is trained on, and of those in the networks it is tested on."""
    sides = pa.array(splits, pa.string())
    if level == "models":
        seen, tested = (configurations_in(table.filter(pc.equal(sides, side))) for side in ("train", "test"))
        return seen, tested
    if level == "kernels" and networks is not None:
        seen = set(table.filter(pc.equal(sides, "train")).column("configuration_id").to_pylist())
        of_test = pa.array(assign_splits(networks, "models"), pa.string())
        return seen, configurations_in(networks.filter(pc.equal(of_test, "test")))
    return set(), set()


def _shared_lists(networks: pa.Table, splits: list[Split]) -> tuple[str, ...]:
    """Names of networks on both sides that run the same kernels in the same order, whatever they are called."""
    sides: dict[bytes, dict[Split, str]] = defaultdict(dict)
    lists = _kernel_codes(networks, _FIELDS)
    for codes, model, side in zip(lists, networks.column("model").to_pylist(), splits, strict=True):
        if len(codes):
            sides[codes.tobytes()].setdefault(side, model)
    return tuple(
        sorted(" = ".join(sorted(models.values())) for models in sides.values() if len(set(models.values())) > 1)
    )


def _kernel_codes(networks: pa.Table, names: Sequence[str]) -> list[Whole]:
    """Kernel list of every network as numbers, equal where kernels agree in some fields; empty without a list.

    A kernel without a type is known by its operators alone.
    """
    kernels = networks.column("kernels").combine_chunks()
    fields = pa.table(pc.list_flatten(kernels).flatten(), names=[field.name for field in kernels.type.value_type])
    is_typed = pc.is_valid(fields.column("kernel"))
    columns = canonical_configurations(fields.select(list(_FIELDS))).select(list(names)).columns
    columns = [pc.if_else(is_typed, column, pa.scalar(None, column.type)) for column in columns]
    columns.append(pc.if_else(is_typed, pa.scalar(None, pa.string()), fields.column("operator").cast(pa.string())))
    codes = np.zeros(fields.num_rows, dtype=np.int64)
    for column in columns:
        encoded = column.combine_chunks().dictionary_encode("encode")
        # Numbered again after every column, so that the products stay small.
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
        codes = pa.array(codes).dictionary_encode().indices.to_numpy().astype(np.int64)
    lengths = pc.fill_null(pc.list_value_length(kernels), 0).to_numpy()
    ends = np.cumsum(lengths)
    return [codes[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def configurations_in(networks: pa.Table) -> set[str]:
    """Configuration ids of all kernels in the kernel lists of networks; kernels without a type have none.

    Args:
        networks: rows of the models level of a release.
    """
    kernels = pc.list_flatten(networks.column("kernels").combine_chunks())
    fields = pa.table(kernels.flatten(), names=[field.name for field in kernels.type])
    typed = fields.filter(pc.is_valid(fields.column("kernel"))).select(list(KEYS["kernels"]))
    return set(configuration_ids(typed.group_by(typed.column_names).aggregate([])))


def _near_networks(networks: pa.Table, splits: list[Split]) -> tuple[str, ...]:
    """Pairs of networks on both sides and of two families that are nearly the same kernels, whatever their input."""
    lists = _kernel_codes(networks, [name for name in _FIELDS if name not in _INPUT])
    named = zip(*(networks.column(name).to_pylist() for name in ("family", "model")), strict=True)
    sides: dict[Split, dict[tuple[str, str, bytes], Counter[int]]] = {"train": {}, "test": {}}
    for (family, model), codes, side in zip(named, lists, splits, strict=True):
        if len(codes):
            sides[side].setdefault((family, model, codes.tobytes()), Counter(codes.tolist()))
    found = {
        f"{model} ({family}) ~ {other} ({other_family})"
        for (family, model, _), of_train in sides["train"].items()
        for (other_family, other, _), of_test in sides["test"].items()
        if family != other_family and _common_share(of_train, of_test) >= _NEARLY_SAME
    }
    return tuple(sorted(found))


def _common_share(one: Counter[int], other: Counter[int]) -> float:
    """Share of the kernels of two lists that they have in common: twice their number over that of both.

    Source:
        Dice, Measures of the amount of ecologic association between species, Ecology 26(3), 1945.
    """
    return 2 * (one & other).total() / (one.total() + other.total())


def has_twin(train: pa.Table, test: pa.Table) -> Mask:
    """Test rows with a training row one extent apart, by whatever amount, or of the same configuration.

    Args:
        train: kernels to train on, with the columns of a configuration.
        test: kernels held out, likewise.

    Returns:
        Shape `(n_test,)`.
    """
    sides = [side.select(list(_FIELDS)) for side in (train, test)]
    both = canonical_configurations(pa.concat_tables(sides, promote_options="permissive"))
    codes = {name: _codes(both.column(name)) for name in _FIELDS}
    # Sums of random words are equal only where the values are, apart from a chance of 2 ** -64.
    generator = np.random.default_rng(0)
    words = {
        name: generator.integers(2**64, size=int(code.max()) + 1, dtype=np.uint64)[code]
        for name, code in codes.items()
        if code.any()
    }
    of_all = sum(words.values(), np.zeros(both.num_rows, dtype=np.uint64))
    n_train = train.num_rows
    found = np.isin(of_all[n_train:], of_all[:n_train])
    for names in ([_FIELDS[place] for place in places] for places in _EXTENTS):
        varied = [words[name] for name in names if name in words]
        if varied:
            rest = of_all - np.sum(varied, axis=0, dtype=np.uint64)
            is_one = _is_one_extent([both.column(name) for name in names])
            found |= is_one[n_train:] & np.isin(rest[n_train:], rest[:n_train][is_one[:n_train]])
    return found


def _codes(column: pa.ChunkedArray) -> Whole:
    """Values as numbers from 0 on, equal where they are, whether there are any or not."""
    codes: Whole = column.combine_chunks().dictionary_encode("encode").indices.to_numpy().astype(np.int64)
    return codes


def _is_one_extent(columns: Sequence[pa.ChunkedArray]) -> Mask:
    """Rows that have all of some fields, with one number in them."""
    first, *others = columns
    if pa.types.is_string(first.type) or pa.types.is_large_string(first.type):
        return np.zeros(len(first), dtype=np.bool_)
    alike = pc.is_valid(first)
    for other in others:
        alike = pc.and_(alike, pc.fill_null(pc.equal(first, other), fill_value=False))
    rows: Mask = alike.to_numpy()
    return rows


def _near_duplicates(table: pa.Table, splits: list[Split]) -> int:
    """Pairs of configurations, one of each side, that differ in one extent by at most 10 %."""
    rows = canonical_configurations(table).select(list(_FIELDS)).to_pylist()
    places = list({tuple(row.values()): number for number, row in enumerate(rows)}.values())
    is_test = np.array([splits[place] == "test" for place in places], dtype=np.bool_)
    one, other = near_pairs(table.take(pa.array(places, pa.int64()))).T
    return int((is_test[one] != is_test[other]).sum())


def near_pairs(table: pa.Table) -> Whole:
    """Pairs of distinct configurations that differ in one extent by at most 10 %, whatever their sides.

    Args:
        table: rows of the kernels level, each configuration once.

    Returns:
        Places of the rows of each pair, shape `(n, 2)`.
    """
    rows = canonical_configurations(table).select(list(KEYS["kernels"])).to_pylist()
    place = {tuple(row.values()): number for number, row in enumerate(rows)}
    pairs = {
        (place[one], place[other])
        for positions in _EXTENTS
        for members in _alike_but(positions, place).values()
        for (extent, one), (size, other) in combinations(members, 2)
        if _is_near(extent, size)
    }
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _alike_but(
    positions: tuple[int, ...], configurations: Iterable[_Configuration]
) -> dict[_Configuration, list[tuple[int, _Configuration]]]:
    """Configurations that agree in all but some fields, each with the one extent there, by what they agree in."""
    alike: dict[_Configuration, list[tuple[int, _Configuration]]] = defaultdict(list)
    for configuration in configurations:
        first, *others = (configuration[position] for position in positions)
        if isinstance(first, int) and all(other == first for other in others):
            rest = tuple(value for place, value in enumerate(configuration) if place not in positions)
            alike[rest].append((first, configuration))
    return alike


def _is_near(one: int, other: int) -> bool:
    return abs(one - other) <= _NEAR * max(one, other)
