"""Columns of a board, each declared once: pages, downloads and the terminal show these.

The metrics among them come from `METRICS`; how a form is printed is decided where it is shown. Those of the rows that a
predictor covers stand beside its coverage.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from harness.evaluation.board import BoardRow
from harness.evaluation.comparison import BASELINE, Standing
from harness.evaluation.metrics import FEWEST_FOR_PERCENT, METRICS, RANKED, Form, Metric, in_count
from harness.evaluation.plans import COVERAGES
from harness.evaluation.ranks import Difference
from harness.schema.results import Interval

Value = float | str | None
ColumnForm = Form | Literal["count", "text", "prose", "seconds", "rate"]


@dataclass(frozen=True, eq=False)
class BoardColumn:
    """One column.

    Attributes:
        key: header in downloads, without the ending `_percent` of shares and percentages.
        title: heading on pages, where the unit stands below it.
        short: heading in the terminal; empty where the terminal does not show the column.
        unit: symbol of the unit as it is shown; empty where there is none.
        form: how it is shown; a share is shown in percent, and prose is text that needs room.
        value: value in a row; None where it is not defined.
        n: count of the rows that a share is of; None where it is no share of rows.
        interval: 95 % interval of the value; None where none is shown.
        has_bound_columns: whether pages show the interval in columns of its own; otherwise they leave it out.
    """

    key: str
    title: str
    short: str
    unit: str
    form: ColumnForm
    value: Callable[[BoardRow], Value]
    n: Callable[[BoardRow], float | None] = lambda _: None
    interval: Callable[[BoardRow], Interval | None] | None = None
    has_bound_columns: bool = False

    def is_of_few(self, row: BoardRow) -> bool:
        """Whether it is a share of so few rows that percent would say more than is known."""
        n = self.n(row)
        return self.form in ("share", "mean-share") and n is not None and n < FEWEST_FOR_PERCENT

    def in_count(self, value: float, row: BoardRow) -> str:
        """Share of few rows in words; empty where it is a mean of shares, which no count gives."""
        return "" if self.form == "mean-share" else in_count(value, self.n(row) or 0)


def _metric(metric: Metric) -> BoardColumn:
    return BoardColumn(
        key=metric.key,
        title=f"{metric.title} (covered)" if metric.rows == "covered" else metric.title,
        short=metric.short,
        unit=metric.unit,
        form=metric.form,
        value=lambda row: row.score.measures.get(metric.key),
        n=lambda row: row.score.n_of(metric.rows),
        interval=(lambda row: row.score.ci95.get(metric.key)) if metric.shows_interval else None,
        has_bound_columns=metric is RANKED,
    )


def _difference(key: str, title: str, short: str, found: Callable[[Standing], Difference | None]) -> BoardColumn:
    """Difference in the ranked metric."""

    def value(row: BoardRow) -> float | None:
        difference = found(row.standing)
        return None if difference is None else difference.value

    def interval(row: BoardRow) -> Interval | None:
        difference = found(row.standing)
        return None if difference is None else difference.ci95

    return BoardColumn(key, title, short, RANKED.unit, RANKED.form, value, _n_test, interval, has_bound_columns=True)


def _n_test(row: BoardRow) -> int:
    return row.score.n_test


def _n_kernels(row: BoardRow) -> int | None:
    """Kernels that were held out, where rows are kernels; those of networks are never few."""
    return None if row.track == "models" else row.score.n_test


def _empirical_coverage(nominal: int) -> BoardColumn:
    return BoardColumn(
        key=f"interval_{nominal}",
        title=f"Empirical coverage of {nominal} % intervals",
        short=f"cov. {nominal} %",
        unit="%",
        form="share",
        value=lambda row: row.score.interval_coverage.get(str(nominal)),
        n=lambda row: row.score.n,
    )


def _outcome(row: BoardRow) -> str:
    status, reason = row.result.status, row.result.reason
    return status if status == "ok" else f"{status}: {reason}"


def _confinement(row: BoardRow) -> str | None:
    return None if row.confinement is None else row.confinement.in_words


OUTCOME: Final = BoardColumn("outcome", "Run", "", "", "prose", _outcome)
RANK: Final = BoardColumn("rank", "Rank", "rank", "", "count", lambda row: row.standing.rank)
RANKED_COLUMN: Final = _metric(RANKED)
_OF_HELD_OUT: Final = [metric for metric in METRICS if metric.rows != "covered" and metric is not RANKED]
_OF_COVERED: Final = [metric for metric in METRICS if metric.rows == "covered"]


def _count(key: str, title: str, short: str, n: Callable[[BoardRow], int]) -> BoardColumn:
    return BoardColumn(key, title, short, "", "count", lambda row: n(row) if row.result.status == "ok" else None)


COLUMNS: Final = (
    OUTCOME,
    RANK,
    RANKED_COLUMN,
    BoardColumn("ties", "Tied with", "", "", "text", lambda row: ", ".join(row.standing.ties) or None),
    _difference("above_baseline", f"Above {BASELINE}", f"+{BASELINE}", lambda standing: standing.to_baseline),
    _difference("to_best", "To the best", "-best", lambda standing: standing.to_best),
    *map(_metric, _OF_HELD_OUT),
    _count("n_test", "Rows", "n", _n_test),
    BoardColumn("coverage", "Coverage", "coverage", "%", "share", lambda row: row.score.coverage, _n_kernels),
    BoardColumn("coverage_flops", "of FLOPs", "of FLOPs", "%", "share", lambda row: row.score.coverage_flops),
    _count("n", "Covered rows", "covered", lambda row: row.score.n),
    *map(_metric, _OF_COVERED),
    *map(_empirical_coverage, COVERAGES),
    BoardColumn("kernel_error", "Kernel error", "kernel error %", "%", "percent", lambda row: row.score.kernel_error),
    BoardColumn("coverage_error", "Not covered", "not covered %", "%", "percent", lambda row: row.score.coverage_error),
    BoardColumn("fit_s", "Fit", "fit s", "s", "seconds", lambda row: row.result.fit_s),
    BoardColumn("predict_rows_per_s", "Predict", "rows/s", "rows/s", "rate", lambda row: row.result.predict_rows_per_s),
    BoardColumn("confinement", "Confined by", "", "", "prose", _confinement),
)
"""Columns in the order in which they are shown."""
