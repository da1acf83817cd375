"""What is published: datasets, fitted predictors and the site."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from harness.api.arguments import AnyPath, OnStep, silent
from harness.api.evaluations import TrackBoard, evaluate
from harness.api.submissions import read_release
from harness.defaults import EVALUATION
from harness.evaluation.results import CheckedResults
from harness.files.left_overs import scratch_folder
from harness.files.locks import only_writer
from harness.files.swap import replacing_parts
from harness.packaging.build import NAMESPACE, BuiltDataset, build_datasets
from harness.packaging.predictors_build import PREDICTORS, BuiltPredictor, build_predictors
from harness.packaging.release_plan import plan_release
from harness.packaging.texts import read_texts
from harness.pages.board_rows import read_boards
from harness.pages.build import build_site, serve_site
from harness.pages.rules import RuleDoc
from harness.pages.write import write_pages
from harness.predictor.registry import list_predictors
from harness.releases import Release
from harness.schema.results import Track
from harness.scoring.ratings import Rating, rate
from harness.scoring.suite import suites
from harness.validation import RULES

SITE: Final = "site"
"""Folder below `dist` that holds the built site."""


@dataclass(frozen=True, slots=True)
class Build:
    """Datasets and fitted predictors that were written.

    Attributes:
        datasets: one outcome per level.
        predictors: one outcome per predictor, device and way of running; None where no results of an evaluation
            were there.
    """

    datasets: Sequence[BuiltDataset]
    predictors: Sequence[BuiltPredictor] | None


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that was published.

    Attributes:
        ratings: ratings of the devices.
        built: datasets and fitted predictors.
        site: folder of the built site.
        boards: boards of the evaluation by track; none where it was not asked for.
    """

    ratings: Sequence[Rating]
    built: Build
    site: Path
    boards: Mapping[Track, TrackBoard]


def build(root: AnyPath = ".", submissions: AnyPath | None = None, *, on_step: OnStep = silent) -> Build:
    """Package all valid submissions as datasets under `dist/deepen`, and the evaluated predictors beside them.

    Args:
        root: checkout with submissions/ and dataset_cards/; what is built goes to its dist/.
        submissions: folder of submissions, where it is another one.
        on_step: called with the name of every step.

    Returns:
        Where each dataset and predictor lies, or why it was not built.

    Raises:
        InvalidSubmissionsError: a submission has an error; nothing was written.
        ReleaseError: a published version would change, the texts of the cards are not as declared, or another run is
            writing.
        UsageError: it cannot be written.

    Examples:
        >>> from harness import api
        >>> api.build(submissions="no-such-folder")
        Traceback (most recent call last):
        harness.errors.UsageError: no-such-folder does not exist
    """
    release = _release(root, submissions, on_step)
    with _publishing(Path(root), (NAMESPACE, PREDICTORS)) as fresh:
        return _build(Path(root), release, fresh, CheckedResults(Path(root, EVALUATION)), on_step)


def site(root: AnyPath = ".", submissions: AnyPath | None = None, *, on_step: OnStep = silent) -> Path:
    """Write the pages of all valid submissions and build the site.

    Args:
        root: checkout with submissions/, dataset_cards/, site/ and mkdocs.yml.
        submissions: folder of submissions, where it is another one.
        on_step: called with the name of every step.

    Returns:
        Folder of the built site.

    Raises:
        InvalidSubmissionsError: a submission has an error; nothing was written.
        SiteError: MkDocs refused the pages.
        ReleaseError: another run is writing.
        UsageError: it cannot be written.

    Examples:
        >>> from harness import api
        >>> api.site(submissions="no-such-folder")
        Traceback (most recent call last):
        harness.errors.UsageError: no-such-folder does not exist
    """
    release = _release(root, submissions, on_step)
    places = suites(release)
    version = plan_release(release, read_texts(Path(root, "dataset_cards"))).version.version
    rated = _Rated(release, places, rate(release, places), version)
    with _publishing(Path(root), (SITE,)) as fresh:
        return _site(Path(root), rated, fresh, CheckedResults(Path(root, EVALUATION)), on_step)


def publish(
    root: AnyPath = ".",
    submissions: AnyPath | None = None,
    *,
    is_evaluated: bool = False,
    on_step: OnStep = silent,
) -> Publication:
    """Do it all: validate, build datasets and evaluated predictors, score the devices, build the site.

    Everything takes the place of what was published before in one step, at the end.

    Args:
        root: checkout with submissions/, dataset_cards/, site/ and mkdocs.yml; what is built goes to its dist/.
        submissions: folder of submissions, where it is another one.
        is_evaluated: whether to evaluate the predictors first, where results are not up to date.
        on_step: called with the name of every step.

    Raises:
        InvalidSubmissionsError: a submission has an error; nothing was written.
        ReleaseError: a published version would change, the texts of the cards are not as declared, or another run is
            writing.
        UsageError: it cannot be written.
        UnconfinedError: predictors cannot be confined on this machine.
        SiteError: MkDocs refused the pages.

    Examples:
        >>> from harness import api
        >>> api.publish(submissions="no-such-folder")
        Traceback (most recent call last):
        harness.errors.UsageError: no-such-folder does not exist
    """
    release = _release(root, submissions, on_step)
    boards = evaluate(release, out=Path(root, EVALUATION), on_step=on_step) if is_evaluated else {}
    with _publishing(Path(root), (NAMESPACE, PREDICTORS, SITE)) as fresh:
        results = CheckedResults(Path(root, EVALUATION))
        built = _build(Path(root), release, fresh, results, on_step)
        places = suites(release)
        ratings = rate(release, places)
        rated = _Rated(release, places, ratings, built.datasets[0].version)
        return Publication(ratings, built, _site(Path(root), rated, fresh, results, on_step), boards)


def serve(root: AnyPath = ".", port: int = 8000, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve the built site to this machine until interrupted.

    Args:
        root: checkout whose site was built.
        port: port on this machine.
        on_ready: called with the site's address once it can be read.

    Raises:
        UsageError: nothing is built yet, or the port is taken.

    Examples:
        >>> from harness import api
        >>> api.serve()
        Traceback (most recent call last):
        harness.errors.UsageError: dist/site holds no built site; run `deepen site` first
    """
    serve_site(Path(root) / "dist" / SITE, port=port, on_ready=on_ready)


def _release(root: AnyPath, submissions: AnyPath | None, on_step: OnStep) -> Release:
    return read_release(Path(root, "submissions") if submissions is None else submissions, on_step=on_step)


@contextmanager
def _publishing(root: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Folder whose entries take the place of parts of `dist` in one step; no evaluation writes results meanwhile.

    Raises:
        ReleaseError: another run is writing.
        UsageError: it cannot be written.
    """
    results = root / EVALUATION
    with only_writer(results) if results.is_dir() else nullcontext(), replacing_parts(root / "dist", parts) as fresh:
        yield fresh


def _build(root: Path, release: Release, fresh: Path, results: CheckedResults, on_step: OnStep) -> Build:
    cards, dist = root / "dataset_cards", root / "dist"
    datasets = build_datasets(
        release, cards, fresh, lambda level, words: on_step(f"{level}, {words}", None), previous=dist
    )
    if not results.folder.is_dir():
        return Build(datasets, None)
    predictors = build_predictors(
        release,
        list_predictors().of_kernels,
        cards=cards,
        dist=fresh,
        results=results,
        dataset_version=datasets[0].version,
        previous=dist,
        on_done=lambda name: on_step(name, None),
    )
    return Build(datasets, predictors)


@dataclass(frozen=True, slots=True)
class _Rated:
    """A release with what follows from it, computed once.

    Attributes:
        release: rows of the site.
        places: rows of every edition's suite.
        ratings: ratings of the devices.
        dataset_version: version that the site states.
    """

    release: Release
    places: Mapping[str, pd.DataFrame]
    ratings: Sequence[Rating]
    dataset_version: str


def _site(root: Path, rated: _Rated, fresh: Path, results: CheckedResults, on_step: OnStep) -> Path:
    rules = [RuleDoc(rule.rule, rule.severity, rule.summary, rule.why, subject=rule.subject) for rule in RULES.values()]
    on_step("reading results of predictors", None)
    boards = read_boards(rated.release, results)
    on_step("writing pages, charts and labels", None)
    with scratch_folder() as scratch:
        pages = shutil.copytree(root / "site", Path(scratch, "site"))
        write_pages(
            rated.release,
            rated.ratings,
            rated.places,
            pages,
            dataset_version=rated.dataset_version,
            rules=rules,
            boards=boards,
        )
        on_step("running MkDocs", None)
        build_site(root, pages, fresh / SITE)
    return root / "dist" / SITE
