"""Arguments that several functions of the Python interface take."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.errors import UsageError
from harness.issues import unknown

AnyPath = str | os.PathLike[str]
Paths = AnyPath | Iterable[AnyPath]

OnStep = Callable[[str, int | None], None]
"""Called at every step with its name, and with the number of steps where that is known beforehand."""


def silent(name: str, n_steps: int | None) -> None:
    """Show no progress."""


def as_paths(paths: Paths) -> list[Path]:
    """One path or several, as a list.

    Raises:
        UsageError: neither, or none.

    Examples:
        >>> as_paths("submissions") == as_paths([Path("submissions")])
        True
    """
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    if not isinstance(several, Iterable):
        raise UsageError(f"{several!r} is not a path; expected a path, or several")
    found = [Path(path) for path in several]
    if not found:
        raise UsageError("no path is given; expected a path, or several")
    return found


def as_names(names: str | Iterable[str]) -> list[str]:
    """One name or several, as a list.

    Examples:
        >>> as_names("ResNet18") == as_names(["ResNet18"])
        True
    """
    return [names] if isinstance(names, str) else list(names)


def check_known(kind: str, names: Iterable[str], known: Sequence[str]) -> None:
    """Check names.

    Raises:
        UsageError: one is unknown; the message has the nearest.
    """
    for name in names:
        if name not in known:
            raise unknown(kind, name, known)


def check_at_least(name: str, value: float, least: float) -> None:
    """Check a number.

    Raises:
        UsageError: it is less, or NaN.
    """
    if not value >= least:
        raise UsageError(f"{name} = {value:g}; expected at least {least:g}")


def check_within(name: str, value: float, least: float, most: float) -> None:
    """Check a number.

    Args:
        name: name of the argument.
        value: its value.
        least: least value that is allowed.
        most: greatest value that is allowed.

    Raises:
        UsageError: it is outside, or NaN.

    Examples:
        >>> check_within("coverage", 90, 0.01, 0.999)
        Traceback (most recent call last):
        harness.errors.UsageError: coverage = 90; expected 0.01 to 0.999
    """
    if not least <= value <= most:
        raise UsageError(f"{name} = {value:g}; expected {least:g} to {most:g}")
