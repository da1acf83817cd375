"""What the sides of a split share: a report of what could leak from the test side into training.

It assigns no row to a side.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from harness.schema.identity import canonical_configurations, configuration_ids
from harness.schema.records import KEYS
from harness.schema.vocabulary import Level, Split
from harness.splits import GROUPS, assign_splits

_NEAR: Final = 0.10
"""Relative difference of one extent up to which two configurations are near duplicates."""


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
            (kernels only); they are allowed, and counted here.
        n_network_configurations: kernel configurations in the kernel lists of the test side's networks; on the
            level of kernels, of the networks of test families.
        shared_configurations: of those, the ones that networks of the train side hold as well (models), or that
            are training rows (kernels); they are allowed, and counted likewise.
    """

    n_train: int
    n_test: int
    shared_groups: tuple[str, ...]
    shared_record_ids: tuple[str, ...]
    near_duplicates: int
    n_network_configurations: int = 0
    shared_configurations: int = 0

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
    return LeakReport(
        n_train=splits.count("train"),
        n_test=splits.count("test"),
        shared_groups=(*both_sides(GROUPS[level]), *names),
        shared_record_ids=both_sides("record_id"),
        near_duplicates=_near_duplicates(table, splits) if level == "kernels" else 0,
        n_network_configurations=len(tested),
        shared_configurations=len(seen & tested),
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
    kernels = networks.column("kernels").combine_chunks()
    fields = pa.table(pc.list_flatten(kernels).flatten(), names=[field.name for field in kernels.type.value_type])
    ids = configuration_ids(fields.select(list(KEYS["kernels"])))
    # A kernel without a type is known by its operators alone.
    named = [
        configuration if kernel is not None else operator
        for configuration, kernel, operator in zip(
            ids, fields.column("kernel").to_pylist(), fields.column("operator").to_pylist(), strict=True
        )
    ]
    sides: dict[tuple[str, ...], dict[Split, str]] = defaultdict(dict)
    start = 0
    for n_kernels, model, side in zip(
        pc.list_value_length(kernels).to_pylist(), networks.column("model").to_pylist(), splits, strict=True
    ):
        if n_kernels:
            sides[tuple(named[start : start + n_kernels])].setdefault(side, model)
            start += n_kernels
    return tuple(
        sorted(" = ".join(sorted(models.values())) for models in sides.values() if len(set(models.values())) > 1)
    )


def configurations_in(networks: pa.Table) -> set[str]:
    """Configuration ids of all kernels in the kernel lists of networks; kernels without a type have none.

    Args:
        networks: rows of the models level of a release.
    """
    kernels = pc.list_flatten(networks.column("kernels").combine_chunks())
    fields = pa.table(kernels.flatten(), names=[field.name for field in kernels.type])
    typed = fields.filter(pc.is_valid(fields.column("kernel"))).select(list(KEYS["kernels"]))
    return set(configuration_ids(typed.group_by(typed.column_names).aggregate([])))


def _near_duplicates(table: pa.Table, splits: list[Split]) -> int:
    """Pairs of train and test configurations that agree in all extents but one, which differs by at most 10 %."""
    rows = canonical_configurations(table).select(list(KEYS["kernels"])).to_pylist()
    configurations = [tuple(row.values()) for row in rows]
    sides = dict(zip(configurations, splits, strict=True))
    pairs: set[tuple[tuple[object, ...], tuple[object, ...]]] = set()
    for position in range(1, len(KEYS["kernels"])):
        alike: dict[tuple[object, ...], list[tuple[object, ...]]] = defaultdict(list)
        for configuration in sides:
            if configuration[position] is not None:
                alike[(*configuration[:position], *configuration[position + 1 :])].append(configuration)
        for members in alike.values():
            train = [member for member in members if sides[member] == "train"]
            for test in (member for member in members if sides[member] == "test"):
                pairs.update((test, near) for near in train if _is_near(test[position], near[position]))
    return len(pairs)


def _is_near(one: object, other: object) -> bool:
    if not isinstance(one, int) or not isinstance(other, int):
        return False
    return abs(one - other) <= _NEAR * max(one, other)
