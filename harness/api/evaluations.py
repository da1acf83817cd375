"""Predictors evaluated on unseen configurations, model families and devices; and a new predictor to begin with."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.api.arguments import AnyPath, OnStep, Paths, as_names, check_at_least, check_known, silent
from harness.api.submissions import release_of
from harness.defaults import EVALUATION, FIT_MEMORY_MB, FIT_SECONDS, LEAST_FIT_MEMORY_MB, LEAST_FIT_SECONDS, SUBMISSIONS
from harness.errors import UsageError
from harness.evaluation.board import BoardRow, board, notes_on
from harness.evaluation.comparison import BASELINE
from harness.evaluation.network_runner import evaluate_networks
from harness.evaluation.network_scores import NetworkScore, network_notes, network_scores
from harness.evaluation.network_track import NetworkPlan, network_plan
from harness.evaluation.plans import Plan
from harness.evaluation.runner import RunSettings
from harness.evaluation.runner import evaluate as run_evaluation
from harness.evaluation.tracks import TRACKS, TrackPlans, plans_of
from harness.files.locks import only_writer
from harness.files.swap import lay_down, replacing_parts
from harness.predictor.registry import PACKAGE, Listing, list_predictors, predictor_info
from harness.predictor.scaffold import write_predictor
from harness.releases import Release
from harness.sandbox.jobs import Limits
from harness.schema.results import Track


@dataclass(frozen=True, slots=True)
class TrackBoard:
    """Results on one track.

    Attributes:
        rows: every predictor on every subject, split and kernel type, best predictors first.
        notes: sentences about what could not be evaluated, what ran unconfined, and where no predictor beats the
            baseline.
        faults: sentences about results of earlier runs that were damaged or edited, and made anew.
        networks: track `models`: predictors that are fitted on measured networks, by split.
    """

    rows: Sequence[BoardRow]
    notes: Sequence[str]
    faults: Sequence[str] = ()
    networks: Sequence[NetworkScore] = ()


def evaluate(
    source: Release | Paths = SUBMISSIONS,
    *,
    tracks: Sequence[Track] | None = None,
    predictors: Sequence[str] = (),
    seed: int = 0,
    out: AnyPath = EVALUATION,
    fit_seconds: float = FIT_SECONDS,
    fit_memory_mb: int = FIT_MEMORY_MB,
    n_jobs: int = -1,
    backend: str = "threading",
    package: str = PACKAGE,
    allow_unconfined: bool = False,
    on_step: OnStep = silent,
) -> Mapping[Track, TrackBoard]:
    """Evaluate predictors of energy, each in a process of its own, with intervals, coverage and leaks.

    Args:
        source: release, or folders of submissions, to evaluate on.
        tracks: what is unseen: `kernels` (configurations), `models` (model families), `devices`; all where None.
        predictors: keys of predictors; all where none is named. The baseline is always evaluated.
        seed: seed of folds and resamples.
        out: folder of results; those that would come out the same are used again.
        fit_seconds: time limit in seconds for one fit with its predictions.
        fit_memory_mb: memory limit of a predictor in MB.
        n_jobs: predictors that run at once; -1 for one per core.
        backend: joblib's back end: `threading`, `loky`, or `dask` (the cluster at DASK_SCHEDULER_ADDRESS).
        package: package of the predictors.
        allow_unconfined: run predictors also where a part of their confinement cannot be applied; each result says so.
        on_step: called with the name of every predictor and device that is done, and with their number.

    Returns:
        One board per track. Errors are in per cent or mJ, shares and coverages from 0 to 1.

    Raises:
        UsageError: a name is unknown, a limit is too low, or there is nothing to evaluate on.
        InvalidSubmissionsError: a submission has an error.
        PredictorError: a predictor that is named is broken in its declaration, or there is no such package. Of those
            that are not named, a broken one is a failure with its reason, like one that fails when it runs.
        UnconfinedError: predictors cannot be confined on this machine, and `allow_unconfined` is false.
        ReleaseError: another run is writing results to the same folder.

    Examples:
        >>> from harness import api
        >>> boards = api.evaluate("submissions", tracks=["kernels"], predictors=["constant"])
        >>> {row.predictor for row in boards["kernels"].rows}
        {'constant'}
    """
    chosen = TRACKS if tracks is None else as_names(tracks)
    check_known("track", chosen, TRACKS)
    check_at_least("fit_seconds", fit_seconds, LEAST_FIT_SECONDS)
    check_at_least("fit_memory_mb", fit_memory_mb, LEAST_FIT_MEMORY_MB)
    listing = _chosen(as_names(predictors), package)
    release = release_of(source, on_step)
    planned = {track: plans_of(track, release, seed) for track in TRACKS if track in chosen}
    networks, notes = network_plan(release, seed) if "models" in chosen else (None, [])
    _check_any(planned, networks)
    limits = Limits(fit_seconds, fit_memory_mb, is_unconfined_allowed=allow_unconfined)
    settings = RunSettings(Path(out), package, limits, seed, n_jobs, backend)
    with only_writer(settings.folder):
        boards = _boards(planned, (networks, notes), listing, settings, on_step)
        _write_boards(boards, settings.folder)
    return boards


def _boards(
    planned: Mapping[Track, TrackPlans],
    measured: tuple[NetworkPlan | None, list[str]],
    listing: Listing,
    settings: RunSettings,
    on_step: OnStep,
) -> dict[Track, TrackBoard]:
    """Boards of all tracks: predictors of kernels on the plans, and those of networks on the measured networks."""
    networks, notes = measured
    plans = _all_plans(planned)
    of_kernels = listing.of_kernels
    n_units = len(plans) * (len(of_kernels.infos) + len(of_kernels.faults))
    n_units += sum(info.learns_networks for info in listing.infos.values()) if networks else 0
    faults: list[str] = []
    evaluated = run_evaluation(plans, of_kernels, settings, lambda name: on_step(name, n_units), faults.append)
    scores: list[NetworkScore] = []
    if networks is not None:
        on_networks = evaluate_networks(
            networks, listing.infos, settings, lambda name: on_step(name, n_units), faults.append
        )
        scores = network_scores(on_networks, networks, listing.infos)
        notes = [*notes, *network_notes(on_networks)]
    boards = {}
    for track, found in planned.items():
        rows = board([one for one in evaluated if one.result.track == track])
        of_track = [fault for fault in faults if f"/{track}/" in fault]
        more, of_networks = (notes, scores) if track == "models" else ([], [])
        boards[track] = TrackBoard(rows, [*found.notes, *notes_on(rows), *more], of_track, of_networks)
    return boards


def _write_boards(boards: Mapping[Track, TrackBoard], folder: Path) -> None:
    files = {f"{track}.json": board_json(track, board.rows, board.networks).encode() for track, board in boards.items()}
    with replacing_parts(folder, files) as fresh:
        lay_down(files, fresh)


def _chosen(keys: Sequence[str], package: str) -> Listing:
    """Predictors of these keys, or all, and the baseline.

    Raises:
        UsageError: there is none of a key.
        PredictorError: one of these keys is broken, or there is no such package.
    """
    known = list_predictors(package)
    if not keys:
        return known
    infos = {key: predictor_info(key, package) for key in keys}
    return Listing(infos | {BASELINE: known.infos[BASELINE]} if BASELINE in known.infos else infos, {})


def _all_plans(planned: Mapping[Track, TrackPlans]) -> list[Plan]:
    return [plan for found in planned.values() for plan in found.plans]


def _check_any(planned: Mapping[Track, TrackPlans], networks: NetworkPlan | None) -> None:
    if not _all_plans(planned) and networks is None:
        notes = "; ".join(note for found in planned.values() for note in found.notes)
        raise UsageError(f"nothing to evaluate on: {notes}. Name submissions that have such rows with --data")


def board_json(track: str, rows: Iterable[BoardRow], networks: Sequence[NetworkScore] = ()) -> str:
    """Rows of a board as `deepen evaluate --format json` prints them.

    Args:
        track: track, or `all`.
        rows: rows of one board or several.
        networks: scores on measured networks; they stand under `networks`, where there are any.

    Examples:
        >>> from harness import api
        >>> print(api.board_json("kernels", []), end="")
        {
         "track": "kernels",
         "results": []
        }
    """
    content: dict[str, Any] = {"track": track, "results": [row.as_json() for row in rows]}
    if networks:
        content["networks"] = [score.as_json() for score in networks]
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def new_predictor(key: str, root: AnyPath = ".") -> list[Path]:
    """Write the folder of a new predictor, which works as written and marks what to change.

    Args:
        key: name of the predictor, such as `my-forest`.
        root: checkout with predictors/.

    Returns:
        The files written.

    Raises:
        UsageError: the key is not one, or is taken; or the package is not there.

    Examples:
        >>> from harness import api
        >>> [path.as_posix() for path in api.new_predictor("my-forest")]
        ['predictors/my_forest/__init__.py', 'predictors/my_forest/model.py', 'predictors/my_forest/predictor.toml']
    """
    return write_predictor(Path(root), key)
