"""A blank submission folder whose files state what to fill in; every word comes from the schema."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from harness.errors import UsageError
from harness.files import write_file
from harness.intake.names import require_folder_names
from harness.schema.columns import columns_of
from harness.schema.export import csv_header_help
from harness.schema.facts import Device, Manifest
from harness.schema.records import KEYS, ROWS, SHARED_KEY
from harness.schema.vocabulary import Level

_FIGURES = ("energy_mj", "latency_ms", "power_mw", "n_runs")
"""Figures that most meters give; the other columns are documented and may be added."""
_RARE = ("batch_size", "variant", "groups")

_STARTS = {
    "delegates": ["delegates:  # {meaning}", "  CPU1: cpu", "  CPU4: cpu"],
    "contributors": ["contributors:  # {meaning}", "  - "],
    "schema_version": ["schema_version: 1"],
}

_TRACES = """\
# Power traces belong into the folder traces/. Logs of known tools are bound as they are (deepen intake --list). Layouts
# of DeepEn itself are CSV files: NAME_power.csv with time_s,power_mw or time_s,current_ma,voltage_v, and
# NAME_inference_time.csv with start_us,end_us, one row for every inference. deepen intake writes these lines for you.
# traces:
#   - level: {level}
#     where: {{source_id: "1"}}  # columns that select the row
#     format: plain
#     power: {{file: NAME_power.csv, sha256: ""}}  # what sha256sum prints
#     inferences: {{file: NAME_inference_time.csv, sha256: ""}}
#     baseline: {{file: baseline.csv, sha256: ""}}  # power of the idle device, where there is such a trace
"""


def write_blank(root: Path, device_id: str, campaign: str, level: Level) -> list[Path]:
    """Write the files of a new campaign, and of its device where that is new.

    Args:
        root: folder of all submissions.
        device_id: name of the device folder.
        campaign: name of the campaign folder.
        level: which table the campaign begins with.

    Returns:
        The files written.

    Raises:
        UsageError: a name cannot be a folder's, the campaign has such a file already, or one cannot be written; then
            none is left.
    """
    require_folder_names(device_id, campaign)
    device, folder = root / device_id, root / device_id / campaign
    files = {
        device / "device.yaml": "\n".join(_commented(Device)) + "\n",
        folder / "submission.yaml": "\n".join(
            [*_commented(Manifest), "", _TRACES.format(level=level), *_about_table(level)]
        )
        + "\n",
        folder / f"{level}.csv": ",".join(_header(level)) + "\n",
    }
    if (device / "device.yaml").exists():
        del files[device / "device.yaml"]
    taken = [path for path in files if path.exists()]
    if taken:
        raise UsageError(f"{taken[0].as_posix()} exists; nothing was written")
    try:
        for path, text in files.items():
            write_file(path, text)
    except Exception:
        # Part of a submission is faults in every later validation.
        for path in files:
            path.unlink(missing_ok=True)
        for place in (folder, device):
            with suppress(OSError):
                place.rmdir()
        raise
    return list(files)


def _header(level: Level) -> list[str]:
    required = [name for name, column in columns_of(ROWS[level]).items() if column.is_required]
    ordered = dict.fromkeys((*KEYS[level], *SHARED_KEY, *required, *_FIGURES))
    return [name for name in ordered if name not in _RARE]


def _about_table(level: Level) -> Iterator[str]:
    yield f"# {level}.csv has one row per measurement. Its columns, in any order:"
    yield from csv_header_help(level)


def _commented(model: type[BaseModel]) -> Iterator[str]:
    schema = model.model_json_schema()
    yield from _fields(schema, schema.get("$defs", {}), indent="", is_optional=False)


def _fields(schema: dict[str, Any], definitions: dict[str, Any], indent: str, is_optional: bool) -> Iterator[str]:
    """Lines of a mapping: required fields to fill in, optional ones commented out."""
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        if name in ("errata", "traces"):
            continue
        inner = _resolved(field, definitions)
        meaning = field.get("description") or inner.get("description", "")
        off = is_optional or name not in required
        mark = f"{indent}# " if off else indent
        if name in _STARTS:
            yield from (indent + line.format(meaning=meaning) for line in _STARTS[name])
        elif "properties" in inner:
            yield f"{mark}{name}:  # {meaning}"
            yield from _fields(inner, definitions, f"{indent}  ", off)
        else:
            words = f" One of: {', '.join(map(str, inner['enum']))}." if "enum" in inner else ""
            unit = f" [{inner['unit']}]" if "unit" in inner else ""
            yield f"{mark}{name}:  # {meaning}{unit}{words}"


def _resolved(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Schema that a field stands for, without null and references."""
    for option in field.get("anyOf", [field]):
        if "$ref" in option:
            found: dict[str, Any] = definitions[option["$ref"].rsplit("/", 1)[-1]]
            return found
        if option.get("type") != "null":
            return dict(option)
    return field
