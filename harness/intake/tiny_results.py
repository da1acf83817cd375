"""Figures that the results of an MLPerf Tiny run print: energy and latency, and those of the other runs of its task.

A figure that is printed several times with different values is none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from harness.errors import UsageError

_NUMBER: Final = r"\s*([0-9]{1,12}(?:\.[0-9]{1,16})?)"
_MEDIAN: Final = re.compile(rf"Median energy cost is{_NUMBER} uJ/inf", re.ASCII)
_THROUGHPUT: Final = re.compile(rf"Median throughput is{_NUMBER} inf", re.ASCII)
_WINDOW: Final = re.compile(rf"Elapsed time *:{_NUMBER}\s+Inferences *:\s*([0-9]{{1,9}})\s", re.ASCII)
"""Window of an energy run from v1.3 on: seconds, and inferences in them."""
_TOP_1: Final = re.compile(rf"(?:Top-1:|Top 1% =){_NUMBER}", re.ASCII)
_AUC: Final = re.compile(rf"AUC(?::| =){_NUMBER}", re.ASCII)
_RESULTS: Final = "results.txt"
_ENERGY, _PERFORMANCE, _ACCURACY = "energy", "performance", "accuracy"


@dataclass(frozen=True, slots=True)
class PrintedResults:
    """What the results of an energy run print.

    Attributes:
        median_uj: median energy of one inference in µJ; None where none is printed.
        throughput: median throughput in inferences per second; None where none is printed.
        windows: seconds and inferences of the windows, where those are printed.
    """

    median_uj: str | None
    throughput: str | None
    windows: tuple[tuple[float, int], ...] = ()

    @property
    def latency_ms(self) -> str | None:
        """Reciprocal of the median throughput; otherwise the median over the windows of seconds by inferences.

        >>> PrintedResults(None, "100.000").latency_ms, PrintedResults(None, None, ((10.936, 60),)).latency_ms
        ('10', '182.267')
        """
        if self.throughput is not None:
            return _reciprocal_ms(self.throughput)
        each = [seconds / count for seconds, count in self.windows if seconds and count]
        return f"{1000 * median(each):.6g}" if each else None


def read_printed(results: Path | None) -> PrintedResults:
    """Figures of an energy run.

    Args:
        results: its results; None where there are none.

    Raises:
        UsageError: they cannot be read.
    """
    text = text_of(results)
    windows = tuple((float(seconds), int(count)) for seconds, count in _WINDOW.findall(text))
    return PrintedResults(one_of(_MEDIAN.findall(text)), one_of(_THROUGHPUT.findall(text)), windows)


def beside(energy: Path) -> dict[str, str]:
    """Columns from the accuracy run and the performance run beside an energy run, as their results print them.

    Args:
        energy: folder of the energy run; without the name `energy` it has no other runs beside it.

    Raises:
        UsageError: results are there and cannot be read.
    """
    if energy.name != _ENERGY:
        return {}
    accuracy, performance = (text_of(energy.parent / run / _RESULTS) for run in (_ACCURACY, _PERFORMANCE))
    throughput = one_of(_THROUGHPUT.findall(performance))
    cells = {
        "accuracy_percent": one_of(_TOP_1.findall(accuracy)),
        "auc": one_of(_AUC.findall(accuracy)),
        "latency_unmetered_ms": None if throughput is None else _reciprocal_ms(throughput),
    }
    return {name: cell for name, cell in cells.items() if cell is not None}


def text_of(path: Path | None) -> str:
    """Text of a file that need not be there.

    Raises:
        UsageError: it is there and cannot be read.
    """
    if path is None or not path.is_file():
        return ""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {(error.strerror or '').lower()}") from error


def one_of(found: Sequence[str]) -> str | None:
    """What is found, where it is the same throughout."""
    return found[0] if len(set(found)) == 1 else None


def _reciprocal_ms(throughput: str) -> str | None:
    return f"{1000 / float(throughput):.6g}" if float(throughput) else None
