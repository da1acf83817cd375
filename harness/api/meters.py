"""What a caller states of a meter and its log: limits of error, and the layout of a table."""

from pathlib import Path

from harness.api.arguments import AnyPath, check_at_least
from harness.intake.mapping import mapping_document
from harness.schema.facts import MeterAccuracy, TableLayout


def stated_accuracy(gain_percent: float | None, offset_mw: float | None) -> MeterAccuracy | None:
    """Limits of error of a meter as a caller states them; None where neither is stated.

    Raises:
        UsageError: one is below 0.
    """
    if gain_percent is None and offset_mw is None:
        return None
    gain, offset = gain_percent or 0.0, offset_mw or 0.0
    check_at_least("meter_gain_percent", gain, 0)
    check_at_least("meter_offset_mw", offset, 0)
    return MeterAccuracy(gain_percent=gain, offset_mw=offset, stated_by="the caller")


def read_layout(path: AnyPath | None) -> TableLayout | None:
    """Layout of a table from its YAML file; None where none is named.

    Raises:
        UsageError: there is no such file.
        ForeignSourceError: it has faults.
    """
    return None if path is None else mapping_document(Path(path), TableLayout, "")[0].fact
