"""The card of one fitted predictor: a header with its results that the Hub reads, and a body from a template.

What stands in the body's prose is written in `dataset_cards/predictor.md.j2`, not here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from harness.evaluation.kernel_track import CROSS_VALIDATION, PUBLISHED
from harness.evaluation.metrics import METRICS
from harness.packaging.sources import attributions_of, bibtex_of, licences_of, sources_table
from harness.packaging.templates import hub_licence, render_card
from harness.prediction.extrapolation import KernelRange, Ranges
from harness.predictor.persistence import Stamp
from harness.predictor.protocol import PredictorInfo
from harness.schema.export import Markdown, code_span
from harness.schema.results import Interval, Result, Score, SplitResult, Subject, Track
from harness.schema.vocabulary import TIER_TITLES, UNSTATED_LICENCE

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

TEMPLATE: Final = "predictor.md.j2"
_METRIC_NAMES: Final = {
    "within_5": "share within ±5 %",
    "within_10": "share within ±10 %",
    "within_15": "share within ±15 %",
    "mape": "mean absolute error (%)",
    "rmspe": "root mean square error (%)",
    "rmse_mj": "root mean square error (mJ)",
    "spearman": "rank correlation (Spearman)",
}
_SPLITS: Final = {PUBLISHED: "test"}
"""Splits of evaluation that the dataset has under another name."""
_DATASETS: Final[dict[Track, str]] = {"kernels": "deepen/kernels", "models": "deepen/models"}


@dataclass(frozen=True)
class PredictorFacts:
    """What a card is made of.

    Attributes:
        info: what the predictor declares of itself.
        stamp: what it was trained on.
        ranges: what it learnt from, by kernel type.
        results: its results on the same rows, by track.
        rows: its rows of the kernels level of a release.
        submissions: submissions that they are of.
        device_name: name of the device.
        citations: BibTeX entries by address of the work.
    """

    info: PredictorInfo
    stamp: Stamp
    ranges: Ranges
    results: Mapping[Track, Result]
    rows: pa.Table
    submissions: pa.Table
    device_name: str
    citations: Mapping[str, str]

    @property
    def subject(self) -> Subject:
        """Device and way of running that it speaks for."""
        return self.stamp.subjects[0]


def predictor_card(facts: PredictorFacts, cards: Path) -> str:
    """Text of `README.md`; the same facts give the same bytes.

    Args:
        facts: what to say.
        cards: folder of the templates.

    Raises:
        ReleaseError: the template is missing or broken.
    """
    from huggingface_hub import ModelCard

    header = Markdown(predictor_header(facts).to_yaml())
    return str(ModelCard(render_card(cards, TEMPLATE, {"card_data": header, **_template_facts(facts)})))


def predictor_header(facts: PredictorFacts) -> "ModelCardData":
    """Metadata of the card: licences of the rows that it learnt from, dataset, tags, results as a model index."""
    from huggingface_hub import ModelCardData

    licences = [hub_licence(licence) for licence in licences_of(facts.submissions)]
    evaluated = list(_eval_results(facts))
    return ModelCardData(
        license=licences[0] if len(licences) == 1 else "other",
        license_name=None if len(licences) == 1 else "-and-".join(licences),
        library_name="sklearn",
        pipeline_tag="tabular-regression",
        datasets=[facts.stamp.dataset],
        metrics=list(METRICS),
        tags=["energy", "energy-efficiency", "edge-computing", "skops", facts.info.key, facts.subject.device_id],
        model_name=f"{facts.info.name}, {facts.device_name}, {facts.subject.delegate}, {facts.subject.dtype}",
        eval_results=evaluated or None,
    )


def _eval_results(facts: PredictorFacts) -> Iterator["EvalResult"]:
    """One entry a track, split and measure, over all kernel types."""
    from huggingface_hub import EvalResult

    for track, split, score in _scored(facts.results):
        for metric in METRICS:
            value = getattr(score, metric)
            if value is None:
                continue
            interval = score.ci95.get(metric)
            yield EvalResult(
                task_type="tabular-regression",
                task_name="Energy per inference",
                dataset_type=_DATASETS[track],
                dataset_name=f"DeepEn {track}, {facts.device_name}",
                dataset_config=facts.subject.device_id,
                dataset_split=_SPLITS.get(split.split, split.split),
                dataset_args={"data_sha256": facts.results[track].pins.data_sha256},
                metric_type=metric,
                metric_name=_METRIC_NAMES[metric],
                metric_value=_rounded(value),
                metric_args=None if interval is None else {"ci95": [_rounded(bound) for bound in interval]},
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
    """What the template may name; every table is a list of rows whose keys are its header."""
    stamp, subject = facts.stamp, facts.subject
    scored = list(_scored(facts.results))
    kernels = [(split, score) for track, split, score in scored if track == "kernels"]
    return {
        "info": facts.info,
        "stamp": stamp,
        "subject": subject,
        "device_name": facts.device_name,
        "evidence": TIER_TITLES[subject.tier],
        "learnt": [_learnt_row(kernel, learnt) for kernel, learnt in facts.ranges.kernels.items()],
        "splits": [_score_row("split", split.split, score) for split, score in kernels],
        "types": [
            _score_row("kernel", score.kernel, score)
            for split, _ in kernels
            if split.split == CROSS_VALIDATION
            for score in split.scores[1:]
        ],
        "networks": [_network_row(split.split, score) for track, split, score in scored if track == "models"],
        "unscored": _unscored_rows(facts.results),
        "intervals": _interval_rows(kernels),
        "licences": licences_of(facts.submissions),
        "is_unlicensed": UNSTATED_LICENCE in licences_of(facts.submissions),
        "sources": sources_table(facts.submissions, facts.rows),
        "attributions": attributions_of(facts.submissions),
        "citations": bibtex_of(facts.submissions, facts.citations),
    }


def _learnt_row(kernel: str, learnt: KernelRange) -> dict[str, object]:
    least, most = learnt.ranges.get("flops", (None, None))
    return {
        "kernel": code_span(kernel),
        "rows": learnt.n_rows,
        "FLOPs": "" if least is None else f"{least:,.0f} to {most:,.0f}",
        **{name: ", ".join(learnt.seen.get(name, ())) for name in ("kernel size", "stride")},
    }


def _score_row(heading: str, name: str, score: Score) -> dict[str, object]:
    return {
        heading: code_span(name),
        "n": score.n,
        "coverage": _share(score.coverage),
        "within ±10 %": _share(score.within_10, score.ci95.get("within_10")),
        "within ±5 %": _share(score.within_5),
        "within ±15 %": _share(score.within_15),
        "MAPE (%)": _number(score.mape, score.ci95.get("mape")),
        "RMSPE (%)": _number(score.rmspe),
        "RMSE (mJ)": _number(score.rmse_mj),
        "Spearman": "" if score.spearman is None else f"{score.spearman:.3f}",
    }


def _network_row(split: str, score: Score) -> dict[str, object]:
    return {
        "split": code_span(split),
        "networks": score.n,
        "coverage of FLOPs": _share(score.coverage_flops),
        "within ±10 %": _share(score.within_10, score.ci95.get("within_10")),
        "MAPE (%)": _number(score.mape, score.ci95.get("mape")),
        "kernel error (%)": _number(score.kernel_error),
        "not covered (%)": _number(score.coverage_error),
    }


def _interval_rows(kernels: Sequence[tuple[SplitResult, Score]]) -> list[dict[str, object]]:
    """How often the energy lay within the predictor's own intervals; none where it gives none."""
    return [
        {
            "split": code_span(split.split),
            **{
                f"{nominal} % intervals hold": f"{100 * held:.1f} %"
                for nominal, held in score.interval_coverage.items()
            },
        }
        for split, score in kernels
        if score.interval_coverage
    ]


def _unscored_rows(results: Mapping[Track, Result]) -> list[dict[str, object]]:
    """Splits without measures, and why; skipped or failed."""
    return [
        {"track": track, "split": code_span(split.split), "outcome": split.status, "reason": split.reason}
        for track, result in results.items()
        for split in result.splits
        if split.status != "ok"
    ]


def _share(value: float | None, interval: Interval | None = None) -> str:
    if value is None:
        return ""
    return f"{100 * value:.1f} %" + (
        "" if interval is None else f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
    )


def _number(value: float | None, interval: Interval | None = None) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" + ("" if interval is None else f" ({interval[0]:.3g} to {interval[1]:.3g})")
