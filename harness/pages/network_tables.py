"""Tables of predictors on measured networks: every split, and the families and systems of the one that is hardest."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from harness.evaluation.network_scores import NetworkScore, NetworkShare
from harness.evaluation.network_splits import ONE_FAMILY
from harness.pages.markup import MISSING, fixed, plain
from harness.pages.tables import Cell, Table, TableColumn, link, number, text
from harness.predictor.protocol import PredictorInfo
from harness.schema.results import Interval

_HEADS: Final = (
    TableColumn("split", "Split"), TableColumn("known", "Known on"), TableColumn("predictor", "Predictor"),
    TableColumn("given", "Given"),
)  # fmt: skip
_Value = Callable[[NetworkScore], float | None]
_FIGURES: Final[Sequence[tuple[TableColumn, _Value]]] = (
    (TableColumn("within_10_percent", "Within ±10 %", "%", is_number=True), lambda score: _percent(score.within_10)),
    (TableColumn("within_10_low_percent", "95 % low", "%", is_number=True), lambda score: _bound(score, 0)),
    (TableColumn("within_10_high_percent", "95 % high", "%", is_number=True), lambda score: _bound(score, 1)),
    (TableColumn("within_5_percent", "Within ±5 %", "%", is_number=True), lambda score: _percent(score.within_5)),
    (
        TableColumn("mean_within_10_percent", "Mean within ±10 %", "%", is_number=True),
        lambda score: _percent(score.mean_within_10),
    ),
    (TableColumn("median_ape_percent", "Median error", "%", is_number=True), lambda score: score.median_ape),
)


def network_tables(scores: Sequence[NetworkScore], infos: Mapping[str, PredictorInfo]) -> list[Table]:
    """Tables of the section on measured networks; none where there are no scores.

    Args:
        scores: scores by split, as `network_scores` orders them.
        infos: predictors that have a page, by key.
    """
    if not scores:
        return []
    hardest = [score for score in scores if score.is_headline and score.within_10 is not None]
    tables = [splits_table("predictors/models/networks", scores, infos)]
    for what, shares in (("family", [one.families for one in hardest]), ("system", [one.systems for one in hardest])):
        tables += [_shares(what, hardest, shares)] if hardest else []
    return tables


def splits_table(name: str, scores: Sequence[NetworkScore], infos: Mapping[str, PredictorInfo]) -> Table:
    """Table of scores by split.

    Args:
        name: name of the table among the downloads.
        scores: scores, in the order of the rows.
        infos: predictors that have a page, by key.
    """
    columns = [*_HEADS, *(column for column, _ in _FIGURES), TableColumn("n_systems", "Systems", is_number=True)]
    rows = [
        [
            text(score.split), text(score.scope.replace("-", " ")), _predictor(score.predictor, infos),
            text("; ".join(filter(None, ("latency" * score.uses_latency, score.reason and f"failed: {score.reason}")))),
            *(_cell(value(score)) for _, value in _FIGURES), number(score.n_systems or None),
        ]
        for score in scores
    ]  # fmt: skip
    caption = "Measured networks: medians over the systems, by split"
    return Table(name, caption, columns, rows, header_column=2)


def _shares(what: str, scores: Sequence[NetworkScore], shares: Sequence[Sequence[NetworkShare]]) -> Table:
    """NetworkShare within ±10 % of each family or system, one row for each, with its interval."""
    columns = [TableColumn(what, what.capitalize())]
    for score in scores:
        name, title = f"{score.predictor}_{score.scope}", f"{score.predictor}, {score.scope.replace('-', ' ')}"
        for ending, heading in (("", title), ("_low", "95 % low"), ("_high", "95 % high")):
            columns.append(TableColumn(f"{name}{ending}_percent", heading, "%", is_number=True))
    rows = [
        [text(of_one[0].name), *(cell for share in of_one for cell in _share_cells(share))]
        for of_one in zip(*shares, strict=True)
    ]
    caption = f"Measured networks: {ONE_FAMILY}, within ±10 %, by {what}"
    return Table(f"predictors/models/networks-by-{what}", caption, columns, rows)


def _share_cells(share: NetworkShare) -> list[Cell]:
    low, high = share.ci95 or (None, None)
    cells = [_cell(_percent(value)) for value in (share.value, low, high)]
    if not share.count:
        return cells
    return [Cell(cell.value, plain(shown)) for cell, shown in zip(cells, (share.count, MISSING, MISSING), strict=True)]


def _predictor(key: str, infos: Mapping[str, PredictorInfo]) -> Cell:
    return link(key, f"../about/{key}/") if key in infos else text(key)


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _bound(score: NetworkScore, side: int) -> float | None:
    bounds: Interval | None = score.within_10_ci95
    return None if bounds is None else _percent(bounds[side])


def _cell(value: float | None) -> Cell:
    return Cell(value, plain(fixed(value)))
