"""What can be predicted: the ways of running devices that have kernel rows, and what other devices have instead."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from harness.errors import UsageError
from harness.issues import nearest, quoted
from harness.prediction.rows_runtime import runtime_of_rows
from harness.prediction.training_set import types_of
from harness.predictor.features import kernel_frame
from harness.predictor.subjects import by_subject
from harness.releases import Release
from harness.schema.outputs import Predictable, RowsOfType, Unpredictable

_INSTEAD: Final[dict[Literal["models", "applications"], str]] = {
    "models": "whole networks",
    "applications": "applications",
}
"""Levels of rows from which nothing is predicted, in words."""


def predictable(release: Release) -> Iterator[Predictable]:
    """Ways of running devices of which there are kernel rows of single inferences, by device.

    Args:
        release: release with the devices.
    """
    names = dict(zip(*(release.devices.column(name).to_pylist() for name in ("device_id", "name")), strict=True))
    for subject, rows in by_subject(release.levels["kernels"]).items():
        if subject.batch_size > 1:
            continue
        frame = kernel_frame(rows)
        counts = Counter(frame["kernel"])
        runtime = runtime_of_rows(release, subject.device_id, subject.delegate, subject.system_id)
        yield Predictable(
            **subject.model_dump(exclude={"batch_size"}),
            name=names[subject.device_id],
            processor=rows.column("processor")[0].as_py(),
            runtime=runtime.rules,
            stated_runtime=runtime.stated,
            n_rows=rows.num_rows,
            kernels=[RowsOfType(kernel=kernel, n_rows=counts[kernel]) for kernel in types_of(frame)],
        )


def has_kernels(campaign: Path) -> bool:
    """Whether a campaign has a table of kernel rows."""
    return (campaign / "kernels.csv").is_file()


def unpredictable(campaigns: Iterable[Path]) -> list[Unpredictable]:
    """Devices without kernel rows, with the levels of the rows that they have, by device.

    Args:
        campaigns: campaign folders.
    """
    of_device: dict[str, list[Path]] = {}
    for path in campaigns:
        of_device.setdefault(path.parent.name, []).append(path)
    return [
        Unpredictable(device_id=device_id, levels=levels_of(paths))
        for device_id, paths in sorted(of_device.items())
        if not any(map(has_kernels, paths))
    ]


def levels_of(campaigns: Sequence[Path]) -> list[Literal["models", "applications"]]:
    """Levels of rows that campaigns of a device have besides kernels."""
    return [level for level in _INSTEAD if any((path / f"{level}.csv").is_file() for path in campaigns)]


def not_predictable(device_id: str, campaigns: Sequence[Path]) -> UsageError:
    """Exception about a device of which nothing can be predicted: what it has instead, and what can be predicted.

    Args:
        device_id: device that was asked for.
        campaigns: all campaign folders.
    """
    ready = sorted({path.parent.name for path in campaigns if has_kernels(path)})
    own = [path for path in campaigns if path.parent.name == device_id]
    if own:
        instead = " and ".join(_INSTEAD[level] for level in levels_of(own))
        has = (
            f"it has energies of {instead}: deepen score and its page of the site show them"
            if instead
            else "it has no rows at all"
        )
        found = f"{quoted(device_id)} has no kernel rows, from which a prediction is made; {has}"
    else:
        near = nearest(device_id, {path.parent.name for path in campaigns})
        found = f"'{quoted(device_id)}' is not a known device" + (f"; did you mean {near}?" if near else "")
    return UsageError(f"{found}. {ready_in_words(ready)}")


def ready_in_words(device_ids: Sequence[str]) -> str:
    """Devices that can be predicted, as messages end."""
    if not device_ids:
        return "No device in these submissions has kernel rows; name others with --data"
    return f"Devices that can be predicted: {', '.join(device_ids)}; deepen predict --list shows how"
