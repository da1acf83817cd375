"""Results of predictors that the site shows: those of exactly the rows of the release, by the code that is installed.

It evaluates nothing; predictors without such a result are left out, and so are results that are damaged or were edited,
which a note names. Results of predictors that ran unconfined are shown, and marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.evaluation.board import BoardRow, board
from harness.evaluation.network_results import current_network_result, network_path
from harness.evaluation.network_scores import NetworkScore, network_notes, network_scores
from harness.evaluation.network_track import network_plan
from harness.evaluation.results import CheckedResults
from harness.evaluation.tracks import TRACKS, plans_of
from harness.predictor.protocol import PredictorInfo
from harness.predictor.registry import PACKAGE, list_predictors, predictor_version
from harness.releases import Release
from harness.schema.results import Track


@dataclass(frozen=True)
class Boards:
    """Predictors and their results.

    Attributes:
        infos: what each declares of itself, by key.
        rows: rows of the board of each track, as `board` orders them; tracks without results are absent.
        notes: by track, sentences about rows that it cannot evaluate, and about files that are no results.
        networks: scores on measured networks.
    """

    infos: Mapping[str, PredictorInfo] = field(default_factory=dict)
    rows: Mapping[Track, Sequence[BoardRow]] = field(default_factory=dict)
    notes: Mapping[Track, Sequence[str]] = field(default_factory=dict)
    networks: Sequence[NetworkScore] = ()


def read_boards(release: Release, results: CheckedResults, *, package: str = PACKAGE) -> Boards:
    """Boards of the predictors of a package on the rows of a release.

    Results of other rows may lie in the same folder, such as those of private measurements; they stay there.

    Args:
        release: rows that the site describes.
        results: what `deepen evaluate` keeps; the folder may be absent.
        package: package that the predictors are in.

    Raises:
        PredictorError: there is no such package.
    """
    listing = list_predictors(package)
    versions = {key: predictor_version(key, package) for key in listing.infos}
    rows, notes = {}, {}
    for track in TRACKS:
        if not (results.folder / track).is_dir():
            continue
        of_track = plans_of(track, release, results.seed)
        faults: list[str] = []
        known = (
            results.of(plan, key, version, faults.append)
            for plan in of_track.plans
            for key, version in versions.items()
            if listing.infos[key].kernel_types
        )
        current = [result for result in known if result is not None]
        if current:
            rows[track] = board(current)
        if current or faults:
            broken = (f"{key} is not evaluated: {fault}" for key, fault in listing.faults.items())
            notes[track] = [*faults, *of_track.notes, *broken]
    networks, faults = _networks(release, results, listing.infos, versions)
    if networks or faults:
        notes["models"] = [*faults, *notes.get("models", ())]
    return Boards(listing.infos, rows, notes, networks)


def _networks(
    release: Release, results: CheckedResults, infos: Mapping[str, PredictorInfo], versions: Mapping[str, str]
) -> tuple[list[NetworkScore], list[str]]:
    """Scores on measured networks, and sentences about files that are no results and about how predictors ran."""
    folder = results.folder
    learning = [info for info in infos.values() if info.learns_networks and network_path(folder, info.key).is_file()]
    plan, notes = network_plan(release, results.seed) if learning else (None, [])
    if plan is None:
        return [], []
    faults: list[str] = []
    found = [
        current_network_result(
            folder, plan, info, versions[info.key], is_unconfined_allowed=True, on_fault=faults.append
        )
        for info in learning
    ]
    current = [one for one in found if one is not None]
    return network_scores(current, plan, infos), [*faults, *notes, *network_notes(current)]
