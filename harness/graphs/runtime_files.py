"""The data files of `runtimes`, one per runtime; light, because the help text of the command lists their names."""

from functools import cache
from importlib import resources
from typing import Final

_FOLDER: Final = "runtimes"
_SUFFIX: Final = ".yaml"


@cache
def runtime_names() -> tuple[str, ...]:
    """Names of the runtimes that have fusion rules, in alphabetical order.

    >>> "tflite-cpu" in runtime_names()
    True
    """
    files = [file.name for file in resources.files(__package__).joinpath(_FOLDER).iterdir()]
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX)))


def runtime_text(name: str) -> str:
    """Content of the file of a runtime, by one of `runtime_names()`."""
    return resources.files(__package__).joinpath(_FOLDER, f"{name}{_SUFFIX}").read_text(encoding="utf-8")
