"""Results side by side: every predictor on every subject, split and kernel type, best first.

Pure functions of results; they run no predictor and print nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

from harness.evaluation.comparison import BASELINE, Standing, compare
from harness.evaluation.device_track import N_CALIBRATION, calibrated_with
from harness.evaluation.kernel_track import CROSS_VALIDATION
from harness.evaluation.metrics import METRICS, RANKED
from harness.evaluation.model_track import ALL_FAMILIES
from harness.evaluation.result_layout import Score, SplitResult
from harness.evaluation.results import Evaluation
from harness.evaluation.scores import ScoredRows, by_kernel
from harness.issues import quoted
from harness.predictor.protocol import KERNELS
from harness.sandbox.confinement import Confinement
from harness.schema.results import Interval, Subject, Track

HEADLINES: Final[Mapping[Track, str]] = {
    "kernels": CROSS_VALIDATION,
    "models": ALL_FAMILIES,
    "devices": calibrated_with(max(N_CALIBRATION)),
}
"""Split of each track that is shown where only one is."""


@dataclass(frozen=True)
class BoardRow:
    """One predictor on one subject, split and kernel type, beside the others.

    Attributes:
        track: track.
        predictor: its key.
        subject: rows that it was tested on.
        result: result of the split.
        score: its measures; empty where the split failed.
        standing: its standing among the others.
        confinement: what confined the predictor; None where it had nothing to predict.
    """

    track: Track
    predictor: str
    subject: Subject
    result: SplitResult
    score: Score
    standing: Standing
    confinement: Confinement | None = None

    @property
    def within_10_ci95(self) -> Interval | None:
        """Interval of the metric that ranks go by."""
        return self.score.ci95.get(RANKED.key)

    @property
    def is_above_baseline(self) -> bool:
        """Whether it is significantly better than the baseline."""
        difference = self.standing.to_baseline
        return difference is not None and difference.is_above

    def as_json(self) -> dict[str, Any]:
        """Row as `deepen evaluate --format json` prints it; null where undefined."""
        facts, leaks = self.subject.model_dump(), self.result.leaks
        return {
            "predictor": self.predictor,
            "device_id": facts.pop("device_id"),
            "kernel": self.score.kernel,
            "split": self.result.split,
            **_figures(self.score),
            "within_10_ci95": self.within_10_ci95,
            "fit_s": self.result.fit_s,
            "predict_rows_per_s": self.result.predict_rows_per_s,
            "resolution_mj": self.result.resolution_mj,
            "status": self.result.status,
            "reason": self.result.reason,
            "rank": self.standing.rank,
            "ties": self.standing.ties,
            "differences": [
                {"to": key, RANKED.key: difference.value, "ci95": difference.ci95}
                for key, difference in self.standing.differences.items()
            ],
            "leaks": None if leaks is None else leaks.model_dump(),
            "label_files": self.result.label_files,
            "confinement": None if self.confinement is None else asdict(self.confinement),
            "track": self.track,
            **facts,
        }


def _figures(score: Score) -> dict[str, Any]:
    """Figures of a score with its measures among them, by their keys."""
    figures: dict[str, Any] = {}
    for name, value in score.model_dump(exclude={"kernel"}).items():
        figures |= {metric.key: value.get(metric.key) for metric in METRICS} if name == "measures" else {name: value}
    return figures


def board(evaluations: Sequence[Evaluation]) -> list[BoardRow]:
    """Rows of one track: subjects and splits in their order, `all` kernels before each type, best predictors first.

    Those without a measure come last.

    Args:
        evaluations: results of predictors on the subjects of one track, those of one subject one after the other.
    """
    rows: list[BoardRow] = []
    for _, group in groupby(evaluations, key=lambda one: one.result.subject):
        of_subject = list(group)
        for split in dict.fromkeys(found.split for one in of_subject for found in one.result.splits):
            rows += _split_rows(split, of_subject)
    return rows


def _split_rows(split: str, evaluations: Sequence[Evaluation]) -> list[BoardRow]:
    parts: dict[str, dict[str, ScoredRows]] = {kernel: {} for kernel in ("all", *KERNELS)}
    for one in evaluations:
        for kernel, part in by_kernel(one.rows[one.rows["split"] == split]):
            if len(part.actual_mj):
                parts[kernel][one.result.pins.predictor] = part
    rows: list[BoardRow] = []
    for kernel, of_kernel in parts.items():
        standings = compare(of_kernel)
        found = {one.result.pins.predictor: _row(one, split, kernel, standings) for one in evaluations}
        in_order = (found[key] for key in dict.fromkeys((*standings, *sorted(found))))
        rows += [row for row in in_order if row is not None]
    return rows


def _row(evaluation: Evaluation, split: str, kernel: str, standings: Mapping[str, Standing]) -> BoardRow | None:
    """Row of one predictor; None where no kernel of the type was held out."""
    result = evaluation.result
    of_split = next(found for found in result.splits if found.split == split)
    score = next((score for score in of_split.scores if score.kernel == kernel), None)
    if score is None and kernel == "all":
        score = Score(kernel="all", n=0, n_test=0)
    if score is None:
        return None
    key = result.pins.predictor
    standing = standings.get(key, Standing())
    return BoardRow(result.track, key, result.subject, of_split, score, standing, result.confinement)


def headlines(rows: Iterable[BoardRow]) -> list[BoardRow]:
    """Rows over all kernels of the split that is shown for its track: `HEADLINES`."""
    return [row for row in rows if row.result.split == HEADLINES[row.track] and row.score.kernel == "all"]


def notes_on(rows: Iterable[BoardRow]) -> list[str]:
    """Sentences about what a reader has to know of runs and files, and where none is better than the baseline."""
    rows = list(rows)
    notes = list(dict.fromkeys(note for row in rows for note in (*_confinement_notes(row), *_label_notes(row))))
    ranked = [row for row in rows if row.score.kernel == "all" and row.standing.rank is not None]
    for (subject, split), group in groupby(ranked, key=lambda row: (row.subject, row.result.split)):
        members = list(group)
        is_compared = any(row.predictor == BASELINE for row in members) and len(members) > 1
        if is_compared and not any(row.is_above_baseline for row in members):
            notes.append(f"{_where(subject)}, {split}: no predictor is significantly better than {BASELINE}")
    return notes


def _confinement_notes(row: BoardRow) -> Iterator[str]:
    if row.confinement is not None and row.confinement.missing:
        yield f"{row.predictor} on {row.subject.system_id} ran {row.confinement.in_words}"


def _label_notes(row: BoardRow) -> Iterator[str]:
    for name, count in row.result.label_files.items():
        yield (
            f"{_where(row.subject)}: file {quoted(name)} of {row.predictor} holds {count} of the energies that it is "
            "tested on"
        )


def _where(subject: Subject) -> str:
    return f"{subject.system_id}, {subject.delegate}, {subject.dtype}"
