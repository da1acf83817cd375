"""The command `deepen evaluate`: predictors on unseen configurations, model families and devices."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from harness.cli.boards import print_board, print_headlines, print_notes
from harness.cli.files import write_file
from harness.cli.printing import steps
from harness.cli.submissions import validated_release
from harness.errors import UsageError
from harness.evaluation.board import BoardRow, board, notes_on
from harness.evaluation.comparison import BASELINE
from harness.evaluation.runner import RunSettings, evaluate
from harness.evaluation.tracks import TRACKS, TrackPlans, plans_of
from harness.predictor.protocol import PredictorInfo
from harness.predictor.registry import PACKAGE, predictor_info, predictors_in
from harness.sandbox.jobs import Limits
from harness.schema.results import Track

BoardFormat = Literal["text", "summary", "json"]
_LIMITS: Final = Limits(seconds=120)
"""More than a fit takes, so that a busy machine fails no predictor."""


def evaluate_command(
    track: Annotated[Track | None, typer.Option("--track", help="What is unseen; all three by default.")] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option("--predictor", help=f"Predictor, by its key; all by default. {BASELINE} is always there."),
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Folder of submissions, device or campaign; submissions/.")
    ] = None,
    form: Annotated[
        BoardFormat, typer.Option("--format", help="Form of the results; summary: a line a device.")
    ] = "text",
    jobs: Annotated[int, typer.Option("--jobs", help="Predictors at once; -1 for one a core.")] = -1,
    backend: Annotated[
        str,
        typer.Option(
            "--backend", help="joblib back end: threading, loky, or dask (the cluster at DASK_SCHEDULER_ADDRESS)."
        ),
    ] = "threading",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of folds and resamples.")] = 0,
    out: Annotated[Path, typer.Option("--out", help="Folder of results; those it holds are used again.")] = Path(
        "dist/evaluation"
    ),
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=0.1, help="Seconds for one fit with its predictions.")
    ] = _LIMITS.seconds,
    memory_limit: Annotated[
        int, typer.Option("--memory-limit", min=256, help="Memory of a predictor in MB.")
    ] = _LIMITS.memory_mb,
    package: Annotated[str, typer.Option("--predictors", help="Package that holds the predictors.")] = PACKAGE,
) -> None:
    """Evaluate predictors of energy, each in a process of its own, with intervals, coverage and leaks.

    Example: deepen evaluate --track kernels --data submissions/acme-phone --predictor roofline
    """
    # A package beside the data is found as it is by python -m.
    sys.path.append(str(Path.cwd()))
    infos = chosen_predictors(keys or (), package)
    release = validated_release(data or [Path("submissions")])
    planned = {name: plans_of(name, release, seed) for name in ([track] if track else TRACKS)}
    if not any(found.plans for found in planned.values()):
        notes = "; ".join(note for found in planned.values() for note in found.notes)
        raise UsageError(f"nothing to evaluate on: {notes}. Name submissions that have such rows with --data")
    settings = RunSettings(out, package, Limits(time_limit, memory_limit), seed, jobs, backend)
    rows = _rows(planned, infos, settings)
    for name, of_track in rows.items():
        write_file(out / f"{name}.json", _as_json(name, of_track))
    if form == "json":
        typer.echo(_as_json(track or "all", [row for of_track in rows.values() for row in of_track]), nl=False)
        return
    for name, of_track in rows.items():
        (print_headlines if form == "summary" else print_board)(of_track)
        print_notes([*planned[name].notes, *notes_on(of_track)])
    typer.echo(f"results: {out.as_posix()}; every split by kernel type: --format json")


def chosen_predictors(keys: Sequence[str], package: str) -> list[PredictorInfo]:
    """Predictors of these keys, or all, and the one that others are held against.

    Raises:
        UsageError: there is none of a key.
        PredictorError: a predictor of the package is broken.
    """
    known = predictors_in(package)
    wanted = [*keys, *([BASELINE] if BASELINE in known else [])] if keys else list(known)
    return [predictor_info(key, package) for key in dict.fromkeys(wanted)]


def _rows(
    planned: Mapping[Track, TrackPlans], infos: Sequence[PredictorInfo], settings: RunSettings
) -> dict[Track, list[BoardRow]]:
    """Rows of every track's board."""
    plans = [plan for found in planned.values() for plan in found.plans]
    with steps("Evaluating", len(plans) * len(infos)) as step:
        evaluated = evaluate(plans, infos, settings, step)
    return {name: board([one for one in evaluated if one.result.track == name], settings.seed) for name in planned}


def _as_json(track: str, rows: Sequence[BoardRow]) -> str:
    content: dict[str, Any] = {"track": track, "results": [row.as_json() for row in rows]}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
