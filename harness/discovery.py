"""Declarations of the modules of a folder: a new module is in no list, and one without its declaration is an error."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Protocol, TypeVar


class Named(Protocol):
    """A declaration with a name."""

    @property
    def name(self) -> str:
        """Name that users write."""
        ...


Declared = TypeVar("Declared")
DeclaredName = TypeVar("DeclaredName", bound=Named)


def modules_in(package: ModuleType, inside: str = "") -> list[str]:
    """Full names of the modules of a package, sorted.

    Args:
        package: package whose modules are wanted.
        inside: module of each sub-package; the modules themselves where empty.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [".".join(filter(None, (package.__name__, name, inside))) for name in names]


def declared(module: str, kind: type[Declared], constant: str) -> Declared:
    """What a module declares under a name.

    Raises:
        TypeError: it declares nothing of this kind.
    """
    found = getattr(importlib.import_module(module), constant, None)
    if not isinstance(found, kind):
        raise TypeError(f"{module} must hold {constant}, a {kind.__name__}")
    return found


def declared_formats(package: ModuleType, kind: type[DeclaredName]) -> Mapping[str, DeclaredName]:
    """`FORMAT` of every module of a package, by its name.

    Raises:
        TypeError: a module declares none of this kind, or a name twice.
    """
    formats: dict[str, DeclaredName] = {}
    for module in modules_in(package):
        found = declared(module, kind, "FORMAT")
        if found.name in formats:
            raise TypeError(f"{module} must hold FORMAT with a name of its own; {found.name!r} is taken")
        formats[found.name] = found
    return formats
