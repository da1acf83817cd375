"""DeepEn2023, kernel tier: folders of JSON files with energy, latency, power and configuration by kernel and id.

Nothing is joined by guess: a row without a configuration of its own id has none.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from harness.budget import MOST_SOURCE_BYTES, MOST_SOURCE_LINES
from harness.errors import UsageError
from harness.intake.foreign import ForeignRow, ForeignSourceError, ForeignTable, IntakeFormat, IntakeOptions
from harness.intake.stated import StatedFacts, open_facts
from harness.issues import quoted
from harness.schema.vocabulary import KERNEL_ALLOWS, KERNEL_REQUIRES
from harness.validation.faults import Faults
from harness.validation.text import read_bytes

_FIGURES: Final = {
    "Kernel_energy": ("energy", "energy_mj"),
    "Kernel_latency": ("latency", "latency_ms"),
    "Kernel_power": ("power", "power_mw"),
}
"""Key and column of each folder of figures; the first must be there. Figures are in mJ, ms and mW."""
_CONFIGURATIONS: Final = "Kernel_config"
_EXTENTS: Final = {
    "HW": ("input_h", "input_w"),
    "CIN": ("cin",),
    "COUT": ("cout",),
    "KERNEL_SIZE": ("kernel_h", "kernel_w"),
    "STRIDES": ("stride_h", "stride_w"),
    "CIN1": ("cin",),
    "CIN2": ("cin2",),
    "CIN3": ("cin3",),
    "CIN4": ("cin4",),
}
"""Columns of each key of a configuration; inputs, kernels and strides are square."""
_ABSENT_AS_ZERO: Final = ("CIN3", "CIN4")
"""Inputs that a concat does not have are written as 0 channels."""
_FACTS: Final = ("delegate", "dtype", "runtime", "date", "licence", "device_name", "device_class")
_NEEDED: Final = {
    "delegate": "--delegate NAME, such as CPU4, GPU or NNAPI=npu",
    "dtype": "--dtype, such as fp32",
    "runtime": "--runtime NAME, such as 'TensorFlow Lite 2.4'",
}
"""What was run, which no file states and nothing can be taken for, with its option."""

_SUBMISSION: Final[dict[str, Any]] = {
    "title": "DeepEn2023, kernel tier",
    "contributors": [
        "Xiaolong Tu", "Anik Mallik", "Dawei Chen", "Kyungtae Han", "Onur Altintas", "Haoxin Wang", "Jiang Xie",
    ],
    "date": "2023-12",
    "method": "published",
    "licence": "NOASSERTION",
    "source": {
        "citation": "Tu et al., Unveiling Energy Efficiency in Deep Learning: Measurement, Prediction, and Scoring "
        "across Edge Devices, ACM/IEEE Symposium on Edge Computing (SEC), 2023.",
        "url": "https://arxiv.org/abs/2310.18329",
        "identifier": "arXiv 2310.18329",
    },
    "notes": "Figures as the files print them. The files state neither device, meter, delegate, runtime, data type, "
    "threads, idle subtraction, date nor licence: device, delegate, runtime and data type are as whoever imported them "
    "stated them; the date is that of the paper, unless it was stated; energies are taken as absolute.",
}  # fmt: skip

_Key = tuple[str, str]


class _Members(tuple[tuple[str, Any], ...]):
    """Members of a JSON object in their order, a repeated name as often as it stands."""

    __slots__ = ()


def _read(source: Path, options: IntakeOptions) -> ForeignTable:
    if options.mapping is not None:
        raise UsageError("deepen2023 takes no mapping; its columns are known")
    first = next(iter(_FIGURES))
    if not (source / first).is_dir():
        raise UsageError(f"{source.as_posix()} holds no folder {first}; name the folder that has it")
    stated = options.stated
    if needed := [option for name, option in _NEEDED.items() if getattr(stated, name) is None]:
        raise UsageError(f"files of DeepEn2023 do not state what was run; give {', and '.join(needed)}")
    faults = Faults()
    figures = {column: _entries(source / folder, faults) for folder, (_, column) in _FIGURES.items()}
    configurations = _entries(source / _CONFIGURATIONS, faults)
    if not faults.issues and not any(figures.values()):
        faults.add(
            "foreign-file",
            first,
            found="no row",
            expected="*_energy.json with rows",
            fix="Name the folder above Kernel_energy.",
        )
    n_rows = max(sum(map(len, entries.values())) for entries in (*figures.values(), configurations))
    if n_rows > MOST_SOURCE_LINES:
        expected, fix = f"at most {MOST_SOURCE_LINES} rows", "Import some kernels at a time, each as a campaign."
        faults.add("file-size", first, found=f"{n_rows} rows", expected=expected, fix=fix)
    if faults.issues:
        raise ForeignSourceError(faults.issues)
    device = {
        **({"name": stated.device_name} if stated.device_name else {}),
        "device_class": stated.device_class or "unstated",
        "delegates": stated.delegates,
    }
    missing = open_facts(device if options.device is None else None, _SUBMISSION, [])
    return ForeignTable(
        level="kernels",
        rows=list(_rows(figures, configurations, _cells(stated))),
        submission=_submission(stated),
        device=device,
        open_facts=[fact for fact in missing if fact.field == "device_class"],
    )


def _cells(stated: StatedFacts) -> dict[str, str]:
    """Cells that all rows have."""
    return {**stated.delegate_cell, "dtype": str(stated.dtype), "energy_kind": "absolute"}


def _submission(stated: StatedFacts) -> dict[str, Any]:
    """Contents of submission.yaml."""
    names = ("date", "runtime", "licence")
    return _SUBMISSION | {name: value for name in names if (value := getattr(stated, name)) is not None}


def _entries(folder: Path, faults: Faults) -> dict[_Key, list[Any]]:
    """Entries of every JSON file of a folder, by kernel and id; several where an id stands twice."""
    entries: dict[_Key, list[Any]] = {}
    for path in sorted(folder.glob("*.json")):
        shown = f"{folder.name}/{path.name}"
        data = read_bytes(path, shown, MOST_SOURCE_BYTES, faults)
        content = None if data is None else _parsed(data, shown, faults)
        if content is None:
            continue
        for kernel, rows in content:
            if not isinstance(rows, _Members):
                _report(shown, _text(rows), f"an object of ids under {quoted(kernel)}", faults)
                continue
            for identifier, entry in rows:
                entries.setdefault((kernel, identifier), []).append(entry)
    return entries


def _parsed(data: bytes, shown: str, faults: Faults) -> _Members | None:
    """Kernels of a file; numbers stay the text that is printed."""
    try:
        content = json.loads(
            data.decode("utf-8"), object_pairs_hook=_Members, parse_float=str, parse_int=str, parse_constant=str
        )
    except json.JSONDecodeError as error:
        _report(shown, f"{error.msg.lower()} in column {error.colno}", "JSON", faults, error.lineno)
        return None
    except RecursionError:
        _report(shown, "brackets nested beyond reading", "JSON", faults)
        return None
    if not isinstance(content, _Members):
        _report(shown, _text(content), "an object of kernels", faults)
        return None
    return content


def _report(shown: str, found: str, expected: str, faults: Faults, line: int | None = None) -> None:
    fix = "Download the file again; DeepEn2023 has {kernel: {id: {...}}} in each."
    faults.add("foreign-file", shown, line=line, found=found or "nothing", expected=expected, fix=fix)


def _rows(
    figures: Mapping[str, dict[_Key, list[Any]]], configurations: dict[_Key, list[Any]], common: Mapping[str, str]
) -> Iterator[ForeignRow]:
    """Rows by kernel and id. Whatever has a figure is a row; a configuration that nobody measured is none."""
    keys: Iterable[_Key] = {key for entries in figures.values() for key in entries}
    for key in sorted(keys):
        n_rows = max(len(entries.get(key, ())) for entries in figures.values())
        for position in range(n_rows):
            yield _row(key, position, figures, configurations, common)


def _row(
    key: _Key,
    position: int,
    figures: Mapping[str, dict[_Key, list[Any]]],
    configurations: dict[_Key, list[Any]],
    common: Mapping[str, str],
) -> ForeignRow:
    kernel, identifier = key
    faults = Faults()
    cells = {"kernel": kernel, **common}
    for folder, (name, column) in _FIGURES.items():
        entries = figures[column].get(key, [])
        if position < len(entries):
            shown = f"{folder} of {kernel} {identifier}"
            cells[column] = _text(_member(entries[position], name, shown, faults))
    config = _Members()
    given = configurations.get(key, [])
    if given:
        shown = f"{_CONFIGURATIONS} of {kernel} {identifier}"
        member = _member(given[min(position, len(given) - 1)], "config", shown, faults)
        config = member if isinstance(member, _Members) else config
    extents, surplus = _extents(kernel, config)
    return ForeignRow(identifier, f"{kernel} {identifier}", cells | extents, surplus, tuple(faults.issues))


def _member(entry: Any, name: str, shown: str, faults: Faults) -> Any:
    """Member of an entry, the last of that name; reported where there is none."""
    value = dict(entry).get(name) if isinstance(entry, _Members) else None
    if value is None:
        fix = "Look for the row in another copy of the files."
        faults.add("foreign-file", shown, found=_text(entry), expected=f"an object with {name}", fix=fix)
    return value


def _extents(kernel: str, config: _Members) -> tuple[dict[str, str], dict[str, str]]:
    """Configuration columns of a kernel, and the keys that it has no column for or writes as absent."""
    has_columns = {*KERNEL_REQUIRES.get(kernel, ()), *KERNEL_ALLOWS.get(kernel, ())}  # type: ignore[call-overload]
    cells, surplus = {}, {}
    for name, value in config:
        columns = _EXTENTS.get(name, ())
        text = _text(value)
        if not has_columns.issuperset(columns) or not columns or (name in _ABSENT_AS_ZERO and text == "0"):
            surplus[name] = text
        else:
            cells.update(dict.fromkeys(columns, text))
    return cells, surplus


def _text(value: Any) -> str:
    """JSON value as text: itself where it is text or a number, in words where it holds others."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, _Members):
        return f"an object of {len(value)}"
    return f"a list of {len(value)}" if isinstance(value, list) else json.dumps(value)


FORMAT = IntakeFormat("deepen2023", "DeepEn2023 kernel tier, a folder of JSON files", _read, facts=_FACTS)
