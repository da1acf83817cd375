"""Predictors evaluated on unseen configurations, model families and devices; and a new predictor to begin with."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.api.arguments import AnyPath, OnStep, Paths, as_names, as_paths, check_at_least, check_known, silent
from harness.api.submissions import release_of
from harness.defaults import EVALUATION, FIT_MEMORY_MB, FIT_SECONDS, LEAST_FIT_MEMORY_MB, LEAST_FIT_SECONDS, SUBMISSIONS
from harness.errors import UsageError
from harness.evaluation.board import BoardRow, board, notes_on
from harness.evaluation.comparison import BASELINE
from harness.evaluation.network_results import NetworkEvaluation
from harness.evaluation.network_runner import evaluate_networks
from harness.evaluation.network_scores import NetworkScore, network_notes, network_scores
from harness.evaluation.network_track import network_plan
from harness.evaluation.results import Evaluation
from harness.evaluation.runner import RunSettings
from harness.evaluation.runner import evaluate as run_evaluation
from harness.evaluation.shards import NETWORKS, Shard, Work, merged, parse_shard, write_manifest
from harness.evaluation.tracks import TRACKS, plans_of
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
    shard: str | None = None,
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
        shard: part of the evaluation to run, such as "2/3" for the second of three; `merge_shards` joins them. Its
            results are written to a folder of its own below `out`, such as `shard-2-of-3`.
        on_step: called with the name of every predictor and device that is done, and with their number.

    Returns:
        One board per track; none for a shard. Errors are in per cent or mJ, shares and coverages from 0 to 1.

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
    check_at_least("fit_seconds", fit_seconds, LEAST_FIT_SECONDS)
    check_at_least("fit_memory_mb", fit_memory_mb, LEAST_FIT_MEMORY_MB)
    one = None if shard is None else parse_shard(shard)
    work = _work(source, tracks, predictors, on_step, seed=seed, package=package)
    limits = Limits(fit_seconds, fit_memory_mb, is_unconfined_allowed=allow_unconfined)
    settings = RunSettings(Path(out, one.folder) if one else Path(out), package, limits, seed, n_jobs, backend)
    with only_writer(settings.folder):
        evaluated, on_networks, faults = _results(work, one, settings, on_step)
        if one is not None:
            write_manifest(work, one, settings.folder)
            return {}
        boards = _boards(work, evaluated, on_networks, faults)
        _write_boards(boards, settings.folder)
    return boards


def merge_shards(
    shards: Paths,
    source: Release | Paths = SUBMISSIONS,
    *,
    tracks: Sequence[Track] | None = None,
    predictors: Sequence[str] = (),
    seed: int = 0,
    out: AnyPath = EVALUATION,
    package: str = PACKAGE,
    allow_unconfined: bool = False,
    on_step: OnStep = silent,
) -> Mapping[Track, TrackBoard]:
    """Join the shards of an evaluation: the same results as of one run, except for the measured times and the seal.

    Pins, rows and measures of every result are checked. Seals are not, because other machines have other keys: the
    results are as trustworthy as the folders that are named.

    Args:
        shards: folders of all shards, as `evaluate` writes them; every other argument is as it was there.
        source: release, or folders of submissions, that was evaluated on.
        tracks: tracks that were evaluated; all where None.
        predictors: keys of the predictors that were; all where none is named.
        seed: seed of folds and resamples.
        out: folder of results.
        package: package of the predictors.
        allow_unconfined: whether predictors may have run where a part of their confinement cannot be applied.
        on_step: called with the name of every predictor and device, and with their number.

    Returns:
        One board per track, as `evaluate` returns it.

    Raises:
        UsageError: a shard is missing, is there twice, is of other rows, options or versions, or lacks a result.
        InvalidSubmissionsError: a submission has an error.
        ReleaseError: another run is writing results to the same folder.

    Examples:
        >>> from harness import api
        >>> for shard in ("1/2", "2/2"):
        ...     _ = api.evaluate("submissions", tracks=["kernels"], predictors=["constant"], shard=shard)
        >>> boards = api.merge_shards(["dist/evaluation/shard-1-of-2", "dist/evaluation/shard-2-of-2"], "submissions",
        ...                           tracks=["kernels"], predictors=["constant"])
        >>> {row.predictor for row in boards["kernels"].rows}
        {'constant'}
    """
    work = _work(source, tracks, predictors, on_step, seed=seed, package=package)
    settings = RunSettings(Path(out), package, Limits(is_unconfined_allowed=allow_unconfined), seed)
    with only_writer(settings.folder):
        n_parts = len(work.parts)
        evaluated, on_networks = merged(work, as_paths(shards), settings, lambda name: on_step(name, n_parts))
        boards = _boards(work, evaluated, on_networks, [])
        _write_boards(boards, settings.folder)
    return boards


def _work(
    source: Release | Paths,
    tracks: Sequence[Track] | None,
    predictors: Sequence[str],
    on_step: OnStep,
    *,
    seed: int,
    package: str,
) -> Work:
    """What is evaluated: predictors of kernels on the plans of all tracks, and those of networks on measured networks.

    Raises:
        UsageError: a name is unknown, or there is nothing to evaluate on.
    """
    chosen = TRACKS if tracks is None else as_names(tracks)
    check_known("track", chosen, TRACKS)
    listing = _chosen(as_names(predictors), package)
    release = release_of(source, on_step)
    planned = {track: plans_of(track, release, seed) for track in TRACKS if track in chosen}
    networks, more = network_plan(release, seed) if "models" in chosen else (None, [])
    plans = [plan for found in planned.values() for plan in found.plans]
    notes = {track: [*found.notes, *(more if track == "models" else [])] for track, found in planned.items()}
    if not plans and networks is None:
        every = "; ".join(note for of_track in notes.values() for note in of_track)
        raise UsageError(f"nothing to evaluate on: {every}. Name submissions that have such rows with --data")
    return Work(tuple(planned), plans, networks, listing, package, seed, notes)


def _results(
    work: Work, shard: Shard | None, settings: RunSettings, on_step: OnStep
) -> tuple[list[Evaluation], list[NetworkEvaluation], list[str]]:
    """Results of an evaluation or one shard, and sentences about those of earlier runs that were damaged or edited."""
    parts = work.parts if shard is None else work.of_shard(shard)
    n_units = len(parts) + (len(work.plans) * len(work.predictors.faults) if shard is None else 0)
    faults: list[str] = []
    on_networks: list[NetworkEvaluation] = []
    evaluated = run_evaluation(
        work.plans, work.predictors.of_kernels, settings, lambda name: on_step(name, n_units), faults.append,
        chosen=None if shard is None else frozenset(parts),
    )  # fmt: skip
    if work.networks is not None:
        infos = {part.predictor: work.predictors.infos[part.predictor] for part in parts if part.plan == NETWORKS}
        on_networks = evaluate_networks(
            work.networks, infos, settings, lambda name: on_step(name, n_units), faults.append
        )
    return evaluated, on_networks, faults


def _boards(
    work: Work, evaluated: Sequence[Evaluation], on_networks: Sequence[NetworkEvaluation], faults: Sequence[str]
) -> dict[Track, TrackBoard]:
    """Boards of all tracks: predictors of kernels on the plans, and those of networks on the measured networks."""
    scores: Sequence[NetworkScore] = []
    if work.networks is not None:
        scores = network_scores(on_networks, work.networks, work.predictors.infos)
    boards = {}
    for track in work.tracks:
        rows = board([one for one in evaluated if one.result.track == track])
        of_track = [fault for fault in faults if f"/{track}/" in fault]
        is_models = track == "models"
        notes = [*work.notes[track], *notes_on(rows), *(network_notes(on_networks) if is_models else [])]
        boards[track] = TrackBoard(rows, notes, of_track, scores if is_models else [])
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
