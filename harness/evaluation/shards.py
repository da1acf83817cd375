"""Shards of an evaluation: parts that any queue can run, each into a folder of its own, and one evaluation out of all.

A part is one predictor on one subject of a track, or on the measured networks; parts are dealt to the shards in turn.
What a shard states beside its results, in `shard.json`, is what all shards of one evaluation share.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, NamedTuple

from pydantic import ValidationError

from harness.errors import UsageError
from harness.evaluation.network_results import (
    NetworkEvaluation,
    current_network_result,
    networks_version,
    write_network_result,
)
from harness.evaluation.network_track import NetworkPlan
from harness.evaluation.plans import Plan
from harness.evaluation.results import Evaluation, current_result, evaluation_version, write_result
from harness.evaluation.runner import RunSettings, broken
from harness.files import write_file
from harness.predictor.pins import fit_pins
from harness.predictor.registry import Listing, predictor_version
from harness.schema.results import Sha256, Strict, Track

FILE: Final = "shard.json"
_MOST_NAMED: Final = 5
"""Parts that a message lists."""

NETWORKS: Final = -1
"""Number of the measured networks among the plans of a part."""


class Part(NamedTuple):
    """One predictor on one plan, by its number; `NETWORKS` for the measured networks."""

    predictor: str
    plan: int


class Shard(NamedTuple):
    """One of several shards.

    Attributes:
        number: from 1 on.
        n_shards: shards of the evaluation.
    """

    number: int
    n_shards: int

    def __str__(self) -> str:
        return f"{self.number}/{self.n_shards}"

    @property
    def folder(self) -> str:
        """Name of the folder that it is written to.

        >>> Shard(2, 3).folder
        'shard-2-of-3'
        """
        return f"shard-{self.number}-of-{self.n_shards}"


def parse_shard(text: str) -> Shard:
    """Shard from its name.

    Raises:
        UsageError: there is no such shard.

    >>> parse_shard("2/3")
    Shard(number=2, n_shards=3)
    """
    number, _, count = text.partition("/")
    is_whole = all(part.isascii() and part.isdigit() for part in (number, count))
    if not is_whole or not 1 <= int(number) <= int(count):
        raise UsageError(f"shard {text!r}; expected i/n with i from 1 to n, such as 2/3")
    return Shard(int(number), int(count))


class ShardManifest(Strict):
    """Contents of `shard.json`.

    Attributes:
        schema_version: version of this layout.
        shard: number of the shard.
        of: count of shards.
        seed: seed of folds and resamples.
        tracks: what is evaluated.
        predictors: version of every predictor by its key.
        data_sha256: content of all rows.
        code: versions of the code and of the libraries that decide figures.
    """

    schema_version: Literal[1]
    shard: int
    of: int
    seed: int
    tracks: list[Track]
    predictors: dict[str, str]
    data_sha256: Sha256
    code: dict[str, str]


_WHAT: Final[Mapping[str, str]] = {
    "of": "count of shards",
    "seed": "--seed",
    "tracks": "--track",
    "predictors": "predictors",
    "data_sha256": "rows (--data)",
    "code": "version of the program or its libraries",
}
"""Fields that all shards of an evaluation share, in words."""


@dataclass(frozen=True, eq=False)
class Work:
    """Everything that an evaluation is made of.

    Attributes:
        tracks: tracks, in order.
        plans: plans of predictors of kernels.
        networks: measured networks; None where there are none.
        predictors: predictors.
        package: package that they are in.
        seed: seed of folds and resamples.
        notes: sentences by track about the rows that cannot be evaluated on.
    """

    tracks: Sequence[Track]
    plans: Sequence[Plan]
    networks: NetworkPlan | None
    predictors: Listing
    package: str
    seed: int
    notes: Mapping[Track, Sequence[str]] = field(default_factory=dict)

    @property
    def parts(self) -> list[Part]:
        """Every predictor on every plan, one predictor after the other, then those of networks."""
        infos = self.predictors.infos
        of_kernels = [
            Part(key, number) for key in self.predictors.of_kernels.infos for number in range(len(self.plans))
        ]
        of_networks = [Part(key, NETWORKS) for key in infos if infos[key].learns_networks and self.networks is not None]
        return [*of_kernels, *of_networks]

    def of_shard(self, shard: Shard) -> list[Part]:
        """Parts of one shard."""
        return self.parts[shard.number - 1 :: shard.n_shards]

    def name_of(self, part: Part) -> str:
        """Part in words."""
        if part.plan == NETWORKS:
            return f"{part.predictor} on measured networks"
        plan = self.plans[part.plan]
        return f"{part.predictor} on {plan.subject.system_id} ({plan.track})"

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """Version of every predictor by its key."""
        return {key: predictor_version(key, self.package) for key in self.predictors.infos}

    def manifest(self, shard: Shard) -> ShardManifest:
        """What a shard of this evaluation states."""
        contents = [plan.data_sha256 for plan in self.plans]
        contents += [self.networks.data_sha256] if self.networks is not None else []
        packages = fit_pins("0" * 64, "", "", self.seed).packages
        return ShardManifest(
            schema_version=1,
            shard=shard.number,
            of=shard.n_shards,
            seed=self.seed,
            tracks=list(self.tracks),
            predictors=dict(self.versions),
            data_sha256=hashlib.sha256("\n".join(contents).encode()).hexdigest(),
            code=packages | {"evaluation": evaluation_version(), "networks": networks_version()},
        )


def write_manifest(work: Work, shard: Shard, folder: Path) -> None:
    """Write `shard.json`, which says that all results of the shard are beside it.

    Raises:
        UsageError: it cannot be written there.
    """
    write_file(folder / FILE, f"{work.manifest(shard).model_dump_json(indent=1)}\n")


def merged(
    work: Work, folders: Sequence[Path], settings: RunSettings, on_done: Callable[[str], None] = lambda _: None
) -> tuple[list[Evaluation], list[NetworkEvaluation]]:
    """Results of all shards, sealed here and written to one folder; in the order of an evaluation in one run.

    Every result is checked like one that is used again: its pins, its rows and its measures. The seal alone is not,
    because other machines have other keys: the results are as trustworthy as the folders that are named.

    Args:
        work: what was evaluated.
        folders: one per shard, in any order.
        settings: folder to write to, and whether predictors may have run unconfined.
        on_done: called with the name of every part.

    Raises:
        UsageError: a shard is missing, is there twice, is of other rows or versions, or lacks a result.
    """
    of_shard = _folders_of_shards(work, folders)
    found: dict[Part, Evaluation | NetworkEvaluation] = {}
    faults: list[str] = []
    lacking: list[str] = []
    for shard, folder in of_shard.items():
        for part in work.of_shard(shard):
            result = _result_of(work, part, folder, settings, faults.append)
            if result is None:
                lacking.append(f"{folder.as_posix()} lacks {work.name_of(part)}")
            else:
                found[part] = result
    if lacking or faults:
        raise UsageError(_listed([*faults, *lacking]) + "; run these shards again")
    for part in work.parts:
        _write(found[part], settings.folder)
        on_done(work.name_of(part))
    return _in_order(work, found)


def _in_order(
    work: Work, found: Mapping[Part, Evaluation | NetworkEvaluation]
) -> tuple[list[Evaluation], list[NetworkEvaluation]]:
    of_kernels = work.predictors.of_kernels
    evaluations: list[Evaluation] = []
    for number, plan in enumerate(work.plans):
        own = (found[Part(key, number)] for key in of_kernels.infos)
        evaluations += [one for one in own if isinstance(one, Evaluation)]
        evaluations += [broken(plan, key, fault, work.seed) for key, fault in of_kernels.faults.items()]
    networks = [one for part, one in found.items() if isinstance(one, NetworkEvaluation)]
    order = list(work.predictors.infos)
    return evaluations, sorted(networks, key=lambda one: order.index(one.predictor))


def _write(result: Evaluation | NetworkEvaluation, folder: Path) -> None:
    if isinstance(result, Evaluation):
        write_result(result, folder)
    else:
        write_network_result(result, folder)


def _result_of(
    work: Work, part: Part, folder: Path, settings: RunSettings, on_fault: Callable[[str], None]
) -> Evaluation | NetworkEvaluation | None:
    """Result of a part in the folder of its shard; None where there is none of these rows and versions."""
    version = work.versions[part.predictor]
    allowed = settings.limits.is_unconfined_allowed
    if part.plan == NETWORKS and work.networks is not None:
        info = work.predictors.infos[part.predictor]
        return current_network_result(
            folder, work.networks, info, version, is_unconfined_allowed=allowed, on_fault=on_fault, is_sealed_here=False
        )
    return current_result(
        folder, work.plans[part.plan], part.predictor, version, work.seed,
        is_unconfined_allowed=allowed, on_fault=on_fault, is_sealed_here=False,
    )  # fmt: skip


def _folders_of_shards(work: Work, folders: Sequence[Path]) -> dict[Shard, Path]:
    """Folder of every shard.

    Raises:
        UsageError: one is missing, is there twice, or is of another evaluation.
    """
    stated = {folder: _read_manifest(folder) for folder in folders}
    found: dict[Shard, Path] = {}
    for folder, manifest in stated.items():
        shard = Shard(manifest.shard, manifest.of)
        if shard in found:
            raise UsageError(
                f"{folder.as_posix()} and {found[shard].as_posix()} are both shard {shard}; name one of them"
            )
        _check_same(manifest, work.manifest(Shard(shard.number, next(iter(stated.values())).of)), folder)
        found[shard] = folder
    count = next(iter(found)).n_shards
    missing = [str(Shard(number, count)) for number in range(1, count + 1) if Shard(number, count) not in found]
    if missing:
        raise UsageError(
            f"shards {', '.join(missing)} are missing; name the folders of all {count}, or run them: "
            f"deepen evaluate --shard {missing[0]}"
        )
    return found


def _check_same(found: ShardManifest, expected: ShardManifest, folder: Path) -> None:
    for name, what in _WHAT.items():
        one, other = getattr(found, name), getattr(expected, name)
        if one != other:
            raise UsageError(
                f"{folder.as_posix()} is a shard of another evaluation: other {what}: found {_short(one)}; expected "
                f"{_short(other)}. Merge with the options that the shards were run with, or run the shard again"
            )


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {version[:12]}" for key, version in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)[:12]


def _read_manifest(folder: Path) -> ShardManifest:
    """What a shard states.

    Raises:
        UsageError: the folder holds no shard that has ended.
    """
    path = folder / FILE
    try:
        return ShardManifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path.as_posix()}: {error.strerror}; expected the folder of a shard that has ended, as deepen evaluate "
            "--shard writes it"
        ) from error
    except ValidationError as error:
        raise UsageError(f"{path.as_posix()} does not describe a shard; run the shard again") from error


def _listed(sentences: Iterable[str]) -> str:
    every = list(sentences)
    more = [f"and {len(every) - _MOST_NAMED} more"] if len(every) > _MOST_NAMED else []
    return "; ".join([*every[:_MOST_NAMED], *more])
