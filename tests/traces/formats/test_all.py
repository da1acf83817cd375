"""What holds for every format: it knows its own files, and no bytes bring it down."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.schema.facts import TableLayout
from harness.traces.formats import TraceOptions, open_trace, trace_formats
from harness.traces.trace import TraceFormatError
from tests.traces.formats.samples import PIECES, samples

CASES = sorted(folder for folder in (Path(__file__).parent / "golden").iterdir() if folder.is_dir())
"""A folder for each case, named FORMAT or FORMAT.VARIANT, with a file `trace.*` and what is read from it."""


RULES = {
    *("trace-channel", "trace-counter", "trace-format", "trace-gap", "trace-order"),
    *("trace-time-unit", "trace-unit", "trace-zone"),
}
"""Rules that a reader reports under."""


def file_of(case: Path) -> Path:
    (path,) = case.glob("trace.*")
    return path


def format_of(case: Path) -> str:
    return case.name.partition(".")[0]


LAYOUT = TableLayout(
    time="Zeit",
    time_unit="date",
    current="Strom",
    current_unit="mA",
    voltage="Spannung",
    voltage_unit="V",
    meaning="mean-before",
    separator=";",
    decimal=",",
    skip_lines=1,
)
OPTIONS = {
    "ppk2": TraceOptions(voltage_v=3.0),
    "ppk2.bits": TraceOptions(voltage_v=3.0),
    "otii.channel": TraceOptions("Main power"),
    "table": TraceOptions(timezone="Europe/Berlin", layout=LAYOUT),
}
"""What the files of some cases cannot say of themselves."""
NEVER_RECOGNISED = {"table"}
FILES = {
    name: [file_of(case).read_bytes() for case in CASES if format_of(case) == name] for name in map(format_of, CASES)
}


def reading(path: Path, name: str | None, options: TraceOptions) -> str:
    """What a format reads from a file, one line per sample and per fault."""
    try:
        trace = open_trace(path, name, options)
        chunk = samples(trace)
    except TraceFormatError as error:
        return f"refused: {error}\n"
    stated = "no rate" if trace.stated_hz is None else f"{trace.stated_hz:g} Hz"
    lines = [f"{trace.clock} clock, {stated} stated, starts at {trace.start_s!r} s"]
    lines += [f"{stamp:.9g} s, {power:.9g} mW" for stamp, power in zip(chunk.stamps_s, chunk.power_mw, strict=True)]
    lines += [f"{fault.rule}: {fault.found}; expected {fault.expected}. {fault.fix}" for fault in trace.faults]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", trace_formats())
def test_every_format_has_a_golden_case(name):
    assert name in FILES, f"add tests/traces/formats/golden/{name}/ with a short trace.* and run with --update-golden"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_format_reads_what_the_golden_case_expects(case, update_golden):
    text = reading(file_of(case), format_of(case), OPTIONS.get(case.name, TraceOptions()))
    if update_golden:
        (case / "expected.txt").write_text(text, encoding="utf-8")
    assert text == (case / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_looks_like_its_own_format_alone(case):
    content = file_of(case).read_bytes()
    found = [known.name for known in trace_formats().values() if known.looks_like(content)]
    assert found == ([] if format_of(case) in NEVER_RECOGNISED else [format_of(case)])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compressed_file_is_read_as_what_it_holds(case, tmp_path):
    if format_of(case) == "energyrunner":
        pytest.skip("a binary trace is read by its size")
    options = OPTIONS.get(case.name, TraceOptions())
    path = tmp_path / file_of(case).name
    path.write_bytes(gzip.compress(file_of(case).read_bytes()))
    name = format_of(case) if format_of(case) in NEVER_RECOGNISED else None
    assert reading(path, name, options) == reading(file_of(case), format_of(case), options)


@st.composite
def mangled(draw):
    """A format, bytes that once were a file of it, and options."""
    name = draw(st.sampled_from(sorted(FILES)))
    content = draw(st.sampled_from(FILES[name]))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 12)))
        content = content[:start] + draw(st.sampled_from(PIECES) | st.binary(max_size=6)) + content[end:]
    content = content[: draw(st.integers(0, len(content)) | st.just(len(content)))]
    channel = draw(st.sampled_from([None, None, "total", "GPU0", "VDD_SOC", "pp0", "Main power", "A+B", "pkg+ram", ""]))
    hz, volts = draw(st.sampled_from([None, 1.0, 10.0])), draw(st.sampled_from([None, 3.0]))
    return name, content, TraceOptions(channel, hz, voltage_v=volts, layout=LAYOUT)


@settings(max_examples=400)
@given(mangled())
def test_mangled_bytes_are_refused_or_read_as_numbers(tmp_path_factory, case):
    name, content, options = case
    path = tmp_path_factory.getbasetemp() / "mangled"
    path.write_bytes(content)
    for known in trace_formats().values():
        assert known.looks_like(content) in (True, False)
    try:
        trace = open_trace(path, name, options)
        chunks = list(trace.chunks())
    except TraceFormatError as error:
        faults, chunks = [error.fault], []
    else:
        faults = trace.faults
        assert np.isfinite(trace.start_s)
    assert {fault.rule for fault in faults} <= RULES
    for chunk in chunks:
        assert len(chunk.stamps_s) == len(chunk.power_mw) > 0
        assert chunk.stamps_s.dtype == chunk.power_mw.dtype == np.float64
        assert np.isfinite(chunk.stamps_s).all()
        assert np.isfinite(chunk.power_mw).all()
