"""The card of one fitted predictor: a header with its results that the Hub reads, and a body from a template.

The prose of the body is in `dataset_cards/predictor.md.j2`, not here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from harness.evaluation.kernel_track import CROSS_VALIDATION, PUBLISHED
from harness.evaluation.metrics import FEWEST_FOR_PERCENT, METRIC, METRICS, RANKED, Form, Metric, in_count
from harness.evaluation.result_layout import Result, Score, SplitResult
from harness.packaging.licences import hub_header
from harness.packaging.sources import attributions_of, bibtex_of, licences_of, sources_table
from harness.packaging.templates import render_card
from harness.prediction.extrapolation import KernelRange, Ranges
from harness.predictor.persistence import Stamp
from harness.predictor.protocol import PredictorInfo
from harness.schema.export import Markdown, code_span
from harness.schema.licences import joined_licences
from harness.schema.results import Interval, Subject, Track
from harness.schema.vocabulary import ENERGY_KIND_TITLES, TIER_TITLES, UNSTATED_LICENCE, evidence_of

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

TEMPLATE: Final = "predictor.md.j2"
_SPLITS: Final = {PUBLISHED: "test"}
"""Splits that have another name in the dataset."""
_DATASETS: Final[dict[Track, str]] = {"kernels": "deepen/kernels", "models": "deepen/models"}


@dataclass(frozen=True)
class PredictorFacts:
    """Facts of one card.

    Attributes:
        info: what the predictor declares of itself.
        stamp: what it was trained on.
        ranges: ranges of the rows that it was trained on, by kernel type.
        results: its results on the same rows, by track.
        rows: its rows of the kernels level of a release.
        submissions: submissions that the rows belong to.
        system_name: name of the system.
        citations: BibTeX entries by address of the work.
    """

    info: PredictorInfo
    stamp: Stamp
    ranges: Ranges
    results: Mapping[Track, Result]
    rows: pa.Table
    submissions: pa.Table
    system_name: str
    citations: Mapping[str, str]

    @property
    def subject(self) -> Subject:
        """Device and way of running that it predicts for."""
        return self.stamp.subjects[0]


def predictor_card(facts: PredictorFacts, cards: Path) -> str:
    """Text of `README.md`; the same facts give the same bytes.

    Args:
        facts: facts of the card.
        cards: folder of the templates.

    Raises:
        ReleaseError: the template is missing or broken.
    """
    from huggingface_hub import ModelCard

    header = Markdown(predictor_header(facts).to_yaml())
    return str(ModelCard(render_card(cards, TEMPLATE, {"card_data": header, **_template_facts(facts)})))


def predictor_header(facts: PredictorFacts) -> "ModelCardData":
    """Metadata of the card: licences of the rows that it was trained on, dataset, tags, results as a model index."""
    from huggingface_hub import ModelCardData

    licence = hub_header(licences_of(facts.submissions))
    eval_results = list(_eval_results(facts))
    return ModelCardData(
        license=licence["license"],
        license_name=licence.get("license_name"),
        library_name="sklearn",
        pipeline_tag="tabular-regression",
        datasets=[facts.stamp.dataset],
        metrics=list(METRIC),
        tags=["energy", "energy-efficiency", "edge-computing", "skops", facts.info.key, facts.subject.device_id],
        model_name=f"{facts.info.name}, {facts.system_name}, {facts.subject.delegate}, {facts.subject.dtype}",
        eval_results=eval_results or None,
    )


def _eval_results(facts: PredictorFacts) -> Iterator["EvalResult"]:
    """One entry per track, split and metric, over all kernel types."""
    from huggingface_hub import EvalResult

    for track, split, score in _scored(facts.results):
        for metric in METRICS:
            value, interval = score.measures.get(metric.key), score.ci95.get(metric.key)
            if value is None:
                continue
            yield EvalResult(
                task_type="tabular-regression",
                task_name="Energy per inference",
                dataset_type=_DATASETS[track],
                dataset_name=f"DeepEn {track}, {facts.system_name}",
                dataset_config=evidence_of(facts.subject.tier),
                dataset_split=_SPLITS.get(split.split, split.split),
                dataset_args={
                    "device_id": facts.subject.device_id,
                    "data_sha256": facts.results[track].pins.data_sha256,
                },
                metric_type=metric.key,
                metric_name=metric.name,
                metric_value=_rounded(value),
                metric_args={
                    "n": score.n_of(metric.rows),
                    **({} if interval is None else {"ci95": [_rounded(bound) for bound in interval]}),
                },
            )


def _scored(results: Mapping[Track, Result]) -> Iterator[tuple[Track, SplitResult, Score]]:
    """Every split with measures, and those over all kernel types."""
    for track in _DATASETS:
        for split in results[track].splits if track in results else ():
            if split.status == "ok" and split.scores:
                yield track, split, split.scores[0]


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _template_facts(facts: PredictorFacts) -> dict[str, Any]:
    """Values for the template; every table is a list of rows whose keys are its header."""
    stamp, subject = facts.stamp, facts.subject
    scored = list(_scored(facts.results))
    kernels = [(split, score) for track, split, score in scored if track == "kernels"]
    return {
        "info": facts.info,
        "stamp": stamp,
        "subject": subject,
        "system_name": facts.system_name,
        "packages": ", ".join(f"{name} {version}" for name, version in sorted(stamp.packages.items())),
        "energy_kind_title": ENERGY_KIND_TITLES[subject.energy_kind],
        "evidence": TIER_TITLES[subject.tier],
        "trained_on": [_range_row(kernel, found) for kernel, found in facts.ranges.kernels.items()],
        "splits": [_score_row("split", split.split, score) for split, score in kernels],
        "types": [
            _score_row("kernel", score.kernel, score)
            for split, _ in kernels
            if split.split == CROSS_VALIDATION
            for score in split.scores[1:]
        ],
        "networks": [_network_row(split.split, score) for track, split, score in scored if track == "models"],
        "of_covered": [metric.title for metric in METRICS if metric.rows == "covered"],
        "unscored": _unscored_rows(facts.results),
        "intervals": _interval_rows(kernels),
        "licences": joined_licences(licences_of(facts.submissions)),
        "is_unlicensed": UNSTATED_LICENCE in licences_of(facts.submissions),
        "sources": sources_table(facts.submissions, facts.rows),
        "attributions": attributions_of(facts.submissions),
        "citations": bibtex_of(facts.submissions, facts.citations),
    }


def _range_row(kernel: str, found: KernelRange) -> dict[str, object]:
    least, most = found.ranges.get("flops", (None, None))
    return {
        "kernel": code_span(kernel),
        "rows": found.n_rows,
        "FLOPs": "" if least is None else f"{least:,.0f} to {most:,.0f}",
        **{name: ", ".join(found.seen.get(name, ())) for name in ("kernel size", "stride")},
    }


def _score_row(heading: str, name: str, score: Score) -> dict[str, object]:
    return {
        heading: code_span(name),
        "rows": score.n_test,
        "covered": score.n,
        "coverage": _share(score.coverage, n=score.n_test),
        **_metric_cells(score, (RANKED, *(metric for metric in METRICS if metric is not RANKED))),
    }


def _metric_cells(score: Score, metrics: Sequence[Metric]) -> dict[str, str]:
    """Measures by heading; empty where undefined."""
    cells = {}
    for metric in metrics:
        unit = f" ({metric.unit})" if metric.unit and metric.form != "share" else ""
        interval = score.ci95.get(metric.key) if metric.shows_interval else None
        value, n = score.measures.get(metric.key), score.n_of(metric.rows)
        cells[f"{metric.title}{unit}"] = _SHOWN[metric.form](value, interval, n)
    return cells


def _network_row(split: str, score: Score) -> dict[str, object]:
    return {
        "split": code_span(split),
        "networks": score.n_test,
        "covered": score.n,
        "coverage of FLOPs": _share(score.coverage_flops),
        **_metric_cells(score, [metric for metric in METRICS if metric.shows_interval]),
        "kernel error (%)": _number(score.kernel_error),
        "not covered (%)": _number(score.coverage_error),
    }


def _interval_rows(kernels: Sequence[tuple[SplitResult, Score]]) -> list[dict[str, object]]:
    """Empirical coverage of the predictor's own intervals; empty where it gives none."""
    return [
        {
            "split": code_span(split.split),
            **{
                f"empirical coverage of {nominal} % intervals": _share(coverage, n=score.n)
                for nominal, coverage in score.interval_coverage.items()
            },
        }
        for split, score in kernels
        if score.interval_coverage
    ]


def _unscored_rows(results: Mapping[Track, Result]) -> list[dict[str, object]]:
    """Splits that were skipped or failed, with the reason."""
    return [
        {"track": track, "split": code_span(split.split), "outcome": split.status, "reason": split.reason}
        for track, result in results.items()
        for split in result.splits
        if split.status != "ok"
    ]


def _share(value: float | None, interval: Interval | None = None, n: float | None = None) -> str:
    """Share in percent, or as a count where it is of few rows."""
    if value is None:
        return ""
    if n is not None and n < FEWEST_FOR_PERCENT:
        bounds = "" if interval is None else f" ({n * interval[0]:.1f} to {n * interval[1]:.1f})"
        return f"{in_count(value, n)}{bounds}"
    bounds = "" if interval is None else f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
    return f"{100 * value:.1f} %{bounds}"


def _mean_share(value: float | None, interval: Interval | None, n: float | None) -> str:
    """Mean of shares in percent; empty where it is of few rows, as no count gives it."""
    return "" if n is not None and n < FEWEST_FOR_PERCENT else _share(value, interval)


def _number(value: float | None, interval: Interval | None = None, _n: float | None = None, digits: str = ".3g") -> str:
    if value is None:
        return ""
    bounds = "" if interval is None else f" ({interval[0]:{digits}} to {interval[1]:{digits}})"
    return f"{value:{digits}}{bounds}"


_SHOWN: Final[Mapping[Form, Callable[[float | None, Interval | None, float | None], str]]] = {
    "share": _share,
    "mean-share": _mean_share,
    "percent": _number,
    "figure": _number,
    "correlation": partial(_number, digits=".3f"),
}
