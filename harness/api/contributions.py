"""New submissions: converted from files of other tools, or blank to be filled in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.api.arguments import AnyPath, as_names, check_known
from harness.api.meters import read_layout
from harness.defaults import SUBMISSIONS
from harness.intake.blank import write_blank
from harness.intake.flow import IntakeResult, take_in
from harness.intake.formats import intake_formats
from harness.intake.stated import StatedFacts
from harness.issues import unknown
from harness.schema.vocabulary import LEVELS, Level


def formats() -> Mapping[str, str]:
    """Formats that `intake` reads: title of each by its name.

    Examples:
        >>> from harness import api
        >>> "csv" in api.formats()
        True
    """
    return {name: known.title for name, known in intake_formats().items()}


def intake(
    format_name: str,
    source: AnyPath,
    device_id: str | None = None,
    campaign: str | None = None,
    *,
    out: AnyPath = SUBMISSIONS,
    fixes: Sequence[str] = (),
    mapping: AnyPath | None = None,
    layout: AnyPath | None = None,
    **facts: Any,
) -> IntakeResult:
    """Convert files of other tools to a submission that validates.

    Rows that cannot be used are kept in quarantine.csv beside the others, with their reasons.

    Args:
        format_name: name of the format, one of `formats()`.
        source: file or folder to import.
        device_id: name of the device folder; a device.yaml in it is used as it is. None takes that of the source.
        campaign: name of the campaign folder. None takes that of the source.
        out: folder of all submissions.
        fixes: rules whose corrections to apply.
        mapping: YAML file that says which column is which, for formats that need one, or what was run.
        layout: YAML file that states the columns of a table of any tool.
        facts: what the files do not state: attributes of `harness.intake.stated.StatedFacts`, such as delegate, dtype,
            runtime or timezone. They go before the mapping. What rows mean nothing without is asked for.

    Returns:
        Files and counts; rows read are rows accepted plus rows quarantined.

    Raises:
        UsageError: a name is missing, unknown or cannot be used, or the campaign folder has other files.
        ForeignSourceError: the source cannot be read as a whole; nothing was written.
        InvalidSubmissionsError: the device that is there already has errors; nothing was written.

    Examples:
        >>> from harness import api
        >>> result = api.intake("csv", "results.csv", "mine", "2026-10", mapping="mapping.yaml")
        >>> result.n_read, result.n_accepted, result.n_quarantined
        (2, 1, 1)
    """
    for name in facts:
        if name not in StatedFacts.__dataclass_fields__:
            raise unknown("fact", name, StatedFacts.__dataclass_fields__)
    return take_in(
        format_name,
        Path(source),
        device_id,
        campaign,
        out=Path(out),
        fixes=as_names(fixes),
        mapping=None if mapping is None else Path(mapping),
        stated=StatedFacts(**({"layout": read_layout(layout)} | facts)),
    )


def new_submission(
    device_id: str, campaign: str, level: Level = "kernels", *, out: AnyPath = SUBMISSIONS
) -> list[Path]:
    """Write the files of a new campaign to fill in, and of its device where that is new.

    Args:
        device_id: name of the device folder.
        campaign: name of the campaign folder.
        level: table that the campaign begins with.
        out: folder of all submissions.

    Returns:
        The files written.

    Raises:
        UsageError: a name cannot be a folder's, or the campaign has such a file already.

    Examples:
        >>> from harness import api
        >>> [path.name for path in api.new_submission("other-phone", "2026-11", "models")]
        ['device.yaml', 'submission.yaml', 'models.csv']
    """
    check_known("level", [level], LEVELS)
    return write_blank(Path(out), device_id, campaign, level)
