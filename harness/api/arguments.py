"""Arguments that several functions of the Python interface take."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

AnyPath = str | os.PathLike[str]
Paths = AnyPath | Iterable[AnyPath]

OnStep = Callable[[str, int | None], None]
"""Called at every step with its name, and with the number of steps where that is known beforehand."""


def silent(name: str, n_steps: int | None) -> None:
    """Show no progress."""


def as_paths(paths: Paths) -> list[Path]:
    """One path or several, as a list.

    Examples:
        >>> as_paths("submissions") == as_paths([Path("submissions")])
        True
    """
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    return [Path(path) for path in several]
