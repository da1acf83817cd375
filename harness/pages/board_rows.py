"""Results of predictors that the site shows: those of the release's own rows, by the code that is there now.

It evaluates nothing: what has no result, or one of other rows or other code, is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.evaluation.board import BoardRow, board
from harness.evaluation.plans import Plan
from harness.evaluation.results import Evaluation, make_pins, read_result, result_path
from harness.evaluation.tracks import TRACKS, plans_of
from harness.predictor.protocol import PredictorInfo
from harness.predictor.registry import PACKAGE, predictor_version, predictors_in
from harness.releases import Release
from harness.schema.results import Track


@dataclass(frozen=True)
class Boards:
    """What is known of predictors.

    Attributes:
        infos: what each declares of itself, by key.
        rows: rows of the board of each track, as `board` orders them; tracks without results are absent.
        notes: by track, sentences about what it cannot be asked.
    """

    infos: Mapping[str, PredictorInfo] = field(default_factory=dict)
    rows: Mapping[Track, Sequence[BoardRow]] = field(default_factory=dict)
    notes: Mapping[Track, Sequence[str]] = field(default_factory=dict)


def read_boards(release: Release, folder: Path, *, seed: int = 0, package: str = PACKAGE) -> Boards:
    """Boards of the predictors of a package on the rows of a release.

    Results of other rows may lie in the same folder, such as those of private measurements; they stay there.

    Args:
        release: rows that the site describes.
        folder: where `deepen evaluate` keeps its results; it may be absent.
        seed: seed that they were made with.
        package: package that the predictors are in.

    Raises:
        PredictorError: a predictor of the package is broken.
    """
    infos = predictors_in(package)
    versions = {key: predictor_version(key, package) for key in infos}
    rows, notes = {}, {}
    for track in TRACKS:
        if not (folder / track).is_dir():
            continue
        planned = plans_of(track, release, seed)
        found = [one for plan in planned.plans for one in _evaluated(plan, versions, folder, seed)]
        if found:
            rows[track] = board(found, seed)
            notes[track] = planned.notes
    return Boards(infos, rows, notes)


def _evaluated(plan: Plan, versions: Mapping[str, str], folder: Path, seed: int) -> Iterator[Evaluation]:
    for key, version in versions.items():
        found = read_result(result_path(folder, plan.track, key, plan.subject))
        if found is not None and found.result.pins == make_pins(plan.data_sha256, key, version, seed):
            yield found
