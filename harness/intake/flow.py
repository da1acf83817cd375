"""A foreign source into a submission folder that validates, with the rows that it cannot hold beside it.

How a source is laid out is known to the formats; what is right in a row, to validation.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Final

from harness.errors import DeepenError, InvalidSubmissionsError, UsageError
from harness.files.left_overs import scratch_folder
from harness.files.locks import only_writer
from harness.files.swap import lay_down, write_folder
from harness.intake.candidates import columns_given, csv_bytes, table_bytes
from harness.intake.facts import IntakeFacts, declared_device, manifest_bytes, read_facts
from harness.intake.fixes import chosen_fixes
from harness.intake.foreign import ForeignSourceError, ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.formats import intake_format
from harness.intake.names import require_folder_names
from harness.intake.selection import QuarantinedRow, RowSelection, select_rows
from harness.intake.stated import OpenFact, StatedFacts, require_declared
from harness.intake.traced import kept_traces
from harness.issues import Issue, Report, as_text, internal_fault, printable
from harness.traces.store import ReductionStore
from harness.validation.faults import Faults
from harness.validation.layout import DEVICE_FILE, MANIFEST_FILE, QUARANTINE_FILE, SHARED_FOLDER
from harness.validation.table import IDENTIFIER
from harness.validation.text import report_unreadable
from harness.validation.tree import validate

TRACES_FOLDER: Final = "traces"
_NOTHING_STATED: Final = StatedFacts()
_LONGEST_CELL: Final = 1000
"""Characters of a cell that the quarantine shows; longer ones are cut, and say so."""


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What an intake did; rows read are rows accepted plus rows quarantined.

    Attributes:
        n_read: rows of the source.
        n_accepted: rows that the submission holds.
        n_quarantined: rows that it does not.
        n_corrected: corrections that accepted rows needed; each is an erratum.
        folder: campaign folder; None where no row could be used, so that at most the quarantine was written.
        files: what was written, sorted.
        report: warnings about the accepted rows.
        reasons: how many quarantined rows break each rule, most frequent first; a row counts under each of its rules.
        quarantined: the quarantined rows with everything that is wrong with them.
        open_facts: what neither the files nor the caller state, and what a reader of the submission will miss.
    """

    n_read: int
    n_accepted: int
    n_quarantined: int
    n_corrected: int
    folder: Path | None
    files: tuple[Path, ...]
    report: Report
    reasons: Counter[str]
    quarantined: tuple[QuarantinedRow, ...]
    open_facts: tuple[OpenFact, ...] = ()


def take_in(
    format_name: str,
    source: Path,
    device_id: str | None = None,
    campaign: str | None = None,
    *,
    out: Path = Path("submissions"),
    fixes: Sequence[str] = (),
    mapping: Path | None = None,
    stated: StatedFacts = _NOTHING_STATED,
) -> IntakeResult:
    """Turn a foreign source into a campaign folder.

    Args:
        format_name: which format the source is in.
        source: file or folder.
        device_id: name of the device folder; a device.yaml in it is used as it is. None takes that of the source.
        campaign: name of the campaign folder. None takes that of the source.
        out: folder of all submissions.
        fixes: rules whose corrections are wanted.
        mapping: file that maps columns or describes runs, for formats that need one.
        stated: what the caller states about runs; it goes before the mapping.

    Raises:
        UsageError: a name is missing, not known or cannot be used, or the campaign folder holds what no intake wrote.
        ForeignSourceError: the source cannot be read as a whole; nothing was written.
        InvalidSubmissionsError: the device that is there already has errors; nothing was written.
        ReleaseError: another run is writing to the folder of the device.
    """
    chosen = chosen_fixes(fixes)
    form = intake_format(format_name)
    if not source.exists():
        raise UsageError(f"{source.as_posix()} does not exist")
    with _refusing(source):
        device_id, campaign = _folder_names(form, source, device_id, campaign)
    require_folder_names(device_id, campaign)
    folder = out / device_id / campaign
    declared = folder.parent / DEVICE_FILE
    if surplus := [name for name in stated.given if name not in form.facts]:
        raise UsageError(f"{format_name} takes no facts such as {surplus[0]}; its files or its mapping state them")
    with only_writer(folder.parent):
        if (device := declared_device(declared if declared.exists() else None)) is not None:
            require_declared(stated, device)
        with _refusing(source):
            table = form.read(source, IntakeOptions(mapping, declared if declared.exists() else None, stated))
        with ExitStack() as stack:
            if table.scratch is not None:
                stack.callback(table.scratch.cleanup)
            _refuse_other_files(folder, table)
            with _refusing(source):
                facts = read_facts(table, folder.parent)
                rows = select_rows(table, facts.device, facts.manifest, chosen)
            return _written(table, rows, facts, folder)


def _folder_names(form: IntakeFormat, source: Path, device_id: str | None, campaign: str | None) -> tuple[str, str]:
    """Names of the folders, those of the source where the caller gives none.

    Raises:
        UsageError: neither gives one.
    """
    if device_id is not None and campaign is not None:
        return device_id, campaign
    if form.names is None:
        raise UsageError(f"{form.name} does not name its device and campaign: --device and --campaign are needed")
    own_device, own_campaign = form.names(source)
    if not (device_id or own_device):
        raise UsageError(f"{source.as_posix()} does not name its device: --device is needed")
    return device_id or own_device, campaign or own_campaign


@contextmanager
def _refusing(source: Path) -> Iterator[None]:
    """Refuse a source that raises what nothing expected.

    Raises:
        ForeignSourceError: it does, or the operating system refuses one of its files.
    """
    faults = Faults()
    try:
        yield
    except DeepenError:
        raise
    except OSError as error:
        report_unreadable(Path(error.filename or source).as_posix(), error, faults)
        raise ForeignSourceError(faults.issues) from error
    except Exception as error:
        faults.add("internal-fault", source.as_posix(), **internal_fault(error))
        raise ForeignSourceError(faults.issues) from error


def _written(table: ForeignTable, rows: RowSelection, facts: IntakeFacts, folder: Path) -> IntakeResult:
    """Write a campaign that validates; of a source without a usable row, its quarantine.

    Raises:
        InvalidSubmissionsError: it has errors.
    """
    if not rows.n_accepted:
        kept = {QUARANTINE_FILE: _quarantine(table, rows.quarantined)} if rows.quarantined else {}
        if (folder / MANIFEST_FILE).exists():
            # An earlier intake succeeded here; a quarantine alone must not take its place.
            kept = {}
        return _result(table, rows, None, _write(kept, None, folder), Report.of(0, ()))
    files = _files(table, rows, facts)
    report = _validated(files, facts, folder, table.reductions)
    return _result(table, rows, folder, _write(files, facts, folder), report)


def _result(
    table: ForeignTable, rows: RowSelection, folder: Path | None, files: tuple[Path, ...], report: Report
) -> IntakeResult:
    counts = Counter(rule for row in rows.quarantined for rule in row.rules)
    return IntakeResult(
        n_read=len(table.rows),
        n_accepted=rows.n_accepted,
        n_quarantined=len(rows.quarantined),
        n_corrected=len(rows.errata),
        folder=folder,
        files=files,
        report=report,
        reasons=Counter(dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))),
        quarantined=tuple(rows.quarantined),
        open_facts=tuple(table.open_facts) if folder is not None else (),
    )


def _refuse_other_files(folder: Path, table: ForeignTable) -> None:
    """Refuse a folder that holds what an intake of this source would not write, and so would delete.

    Raises:
        UsageError: it does.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder.as_posix()} is no folder of its own; give the campaign another name")
    tables = {f"{level}.csv" for level in table.levels}
    own = {MANIFEST_FILE, QUARANTINE_FILE, *tables, *(f"{TRACES_FOLDER}/{name}" for name in table.traces)}
    found = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir()]
    others = [path for path in found if path.relative_to(folder).as_posix() not in own]
    if others:
        raise UsageError(
            f"{others[0].as_posix()} is no file of this intake, which would delete it; "
            "move it away, or give the campaign another name"
        )


def _files(table: ForeignTable, rows: RowSelection, facts: IntakeFacts) -> dict[str, bytes]:
    """Files of the campaign folder by their name in it."""
    submission, traces = kept_traces(facts.submission, table.traces, chain.from_iterable(rows.accepted.values()))
    files = {MANIFEST_FILE: facts.submission_head + manifest_bytes(submission, rows.errata)}
    files |= {f"{level}.csv": table_bytes(level, cells) for level, cells in rows.accepted.items() if cells}
    if rows.quarantined:
        files[QUARANTINE_FILE] = _quarantine(table, rows.quarantined)
    for name, path in traces.items():
        files[f"{TRACES_FOLDER}/{name}"] = path.read_bytes()
    return files


def _quarantine(table: ForeignTable, rows: Sequence[QuarantinedRow]) -> bytes:
    """CSV file with one line per row: its identifier, rules, reasons, cells, and the other values printed."""
    cells = [row.row.cells for row in rows]
    given = dict.fromkeys(name for level in table.levels for name in columns_given(level, cells))
    columns = [name for name in given if name != IDENTIFIER]
    printed = list(dict.fromkeys(name for row in rows for name in row.row.printed))
    header = [IDENTIFIER, "rules", "reasons", *columns, *(f"printed.{_shown(name)}" for name in printed)]
    lines = [
        [
            _shown(row.row.source_id),
            ";".join(row.rules),
            " | ".join([*(issue.message for issue in row.issues), *([row.note] if row.note else [])]),
            *(_shown(row.row.cells.get(name, "")) for name in columns),
            *(_shown(row.row.printed.get(name, "")) for name in printed),
        ]
        for row in rows
    ]
    return csv_bytes(header, lines)


def _shown(text: str) -> str:
    text = printable(text[: _LONGEST_CELL + 1])
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"


def _validated(files: Mapping[str, bytes], facts: IntakeFacts, folder: Path, reductions: ReductionStore) -> Report:
    """Report of a campaign, read as anybody would read it, before it is put in its place.

    Raises:
        InvalidSubmissionsError: it has errors; every row was checked, so they are about the device or the names.
    """
    with scratch_folder() as scratch:
        campaign = Path(scratch, folder.parent.name, folder.name)
        lay_down(files, campaign)
        (campaign.parent / DEVICE_FILE).write_bytes(facts.device_bytes)
        found = validate([campaign], reductions=reductions, shared=folder.parent.parent / SHARED_FOLDER).report
        report = Report.of(found.n_rows, [_in_place(issue, folder) for issue in found.issues])
    if report.n_errors:
        raise InvalidSubmissionsError(as_text(report))
    return report


def _in_place(issue: Issue, folder: Path) -> Issue:
    """Issue about a file as it will be named; the device is one folder up."""
    parts = PurePosixPath(issue.file).parts
    if parts[-1] == DEVICE_FILE:
        return replace(issue, file=printable((folder.parent / DEVICE_FILE).as_posix()))
    start = len(parts) - parts[::-1].index(folder.name) if folder.name in parts else len(parts)
    return replace(issue, file=printable(folder.joinpath(*parts[start:]).as_posix()))


def _write(files: Mapping[str, bytes], facts: IntakeFacts | None, folder: Path) -> tuple[Path, ...]:
    """Put the campaign in its place in one step, together with a new device; nothing where there are no files."""
    device = {DEVICE_FILE: facts.device_bytes} if facts is not None and facts.is_new_device else {}
    if files:
        write_folder(folder, files, device)
    return tuple(sorted([*(folder.parent / name for name in device), *(folder / name for name in files)]))
