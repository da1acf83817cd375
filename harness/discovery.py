"""Finds what the modules of a folder declare: adding one touches no list, and one without it fails for everyone."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Protocol, TypeVar


class Named(Protocol):
    """Something with a name of its own."""

    @property
    def name(self) -> str:
        """Name that people write."""
        ...


Declared = TypeVar("Declared", bound=Named)


def declared_formats(package: ModuleType, kind: type[Declared]) -> Mapping[str, Declared]:
    """`FORMAT` of every module of a package, by its name.

    Raises:
        TypeError: a module declares none of this kind, or a name twice.
    """
    formats: dict[str, Declared] = {}
    for module in pkgutil.iter_modules(package.__path__):
        found = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "FORMAT", None)
        if not isinstance(found, kind) or found.name in formats:
            raise TypeError(f"{package.__name__}.{module.name} must hold a FORMAT with a name of its own")
        formats[found.name] = found
    return formats
