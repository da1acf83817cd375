"""Files of predictors, found and read without importing any of them.

A package of predictors has one folder per predictor. Modules beside the folders whose name begins with an underscore
are helpers. What a predictor may be made of is its own folder, the helpers that its code imports, and the `__init__.py`
of the package; its version covers all of these files, and the sandbox lets it read no others of the package. Links
are listed as what they are and lead nowhere.
"""

import ast
import contextlib
import hashlib
import importlib.util
import os
import stat
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from harness.issues import printable
from harness.predictor.protocol import PredictorError

INIT: Final = "__init__.py"
CACHE: Final = "__pycache__"
"""Folder of compiled code; a predictor may not read its own, so it is no part of it."""
LONGEST_SOURCE: Final = 1 << 18
"""Bytes beyond which a file of Python is not searched for imports."""
_CHUNK: Final = 1 << 20


def package_folders(package: str) -> list[Path]:
    """Folders of a package, found as Python finds them or in the current folder; nothing of it is run.

    Args:
        package: full name.

    Raises:
        PredictorError: there is no such package.
    """
    top, *inner = package.split(".")
    if not all(part.isidentifier() for part in (top, *inner)):
        raise PredictorError(f"{package!r} is no name of a package; expected one such as predictors")
    found = [Path(folder, *inner) for folder in _top_folders(top)]
    folders = [folder for folder in found if folder.is_dir()]
    if not folders:
        raise PredictorError(
            f"no package {package}: expected a folder {package.replace('.', '/')} here or where Python finds packages"
        )
    # Of a package with a file of its own there is only the first folder, as for Python.
    return folders[:1] if (folders[0] / INIT).exists() else folders


def _top_folders(name: str) -> list[str]:
    """Folders of a package without a parent, whose search imports nothing."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:
        # A module that has none, such as the main one.
        spec = None
    if spec is None or spec.submodule_search_locations is None:
        spec = PathFinder.find_spec(name, [str(Path.cwd())])
    return list(spec.submodule_search_locations or ()) if spec else []


def own_folder(folder: str, package: str) -> Path:
    """Folder of one predictor, the first of its name.

    Raises:
        PredictorError: there is none.
    """
    for home in package_folders(package):
        if (home / folder).is_dir():
            return home / folder
    raise PredictorError(f"{package_path(package)}/{folder} is not there")


def package_path(package: str) -> str:
    """Path of a package as messages show it, which is the same on every machine."""
    return package.replace(".", "/")


def parts_of(folder: str, package: str) -> Mapping[str, Path]:
    """Folders and files that a predictor is made of, by their path in the package.

    Args:
        folder: folder of the predictor.
        package: package that it is in.
    """
    homes = package_folders(package)
    parts = {folder: own_folder(folder, package)}
    if (homes[0] / INIT).exists():
        parts[INIT] = homes[0] / INIT
    pending = list(parts)
    while pending:
        part = pending.pop()
        names = _imports_of_part(part, parts[part], package)
        helpers = {name.removeprefix(package).split(".")[1] for name in names if name.startswith(f"{package}._")}
        for helper in sorted(helpers):
            places = (path for home in homes for path in (home / helper, home / f"{helper}.py"))
            found = next((path for path in places if path.exists() and not path.is_symlink()), None)
            if found is not None and found.name not in parts:
                parts[found.name] = found
                pending.append(found.name)
    return parts


def files_of(folder: str, package: str) -> Mapping[str, Path]:
    """All files of these parts, by their path in the package, sorted; links are listed and not followed."""
    found: dict[str, Path] = {}
    for name, part in parts_of(folder, package).items():
        found |= {"/".join((name, *inner)): path for inner, path in _below(part)}
    return {name: found[name] for name in sorted(found)}


def _below(part: Path) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Files of a part, with their path in it."""
    if part.is_symlink() or not part.is_dir():
        yield (), part
        return
    pending: list[tuple[str, ...]] = [()]
    while pending:
        inside = pending.pop()
        # A job reads what is listed here and nothing else, so a folder that cannot be read holds nothing.
        with contextlib.suppress(OSError), os.scandir(part.joinpath(*inside)) as entries:
            for entry in entries:
                path = (*inside, entry.name)
                if not entry.is_dir(follow_symlinks=False):
                    yield path, Path(entry.path)
                elif entry.name != CACHE:
                    pending.append(path)


def file_digest(path: Path) -> str:
    """SHA-256 of what a file is: content, target of a link, or kind of anything else, which is not opened.

    Raises:
        PredictorError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        mode = path.lstat().st_mode
        digest.update(f"{stat.S_IFMT(mode)}\0".encode())
        if stat.S_ISLNK(mode):
            digest.update(os.fsencode(path.readlink()))
        elif stat.S_ISREG(mode):
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
    except OSError as error:
        raise PredictorError(
            f"{printable(path.as_posix())}: {error.strerror}; expected a file that can be read. Let it be read"
        ) from error
    return digest.hexdigest()


def imports_of(folder: str, package: str) -> list[str]:
    """Full names of what the code of a predictor imports, sorted; what is no Python imports nothing."""
    parts = parts_of(folder, package)
    return sorted({name for part, path in parts.items() for name in _imports_of_part(part, path, package)})


def _imports_of_part(name: str, part: Path, package: str) -> set[str]:
    names: set[str] = set()
    for inner, path in _below(part):
        if path.suffix == ".py" and path.is_file() and not path.is_symlink():
            inside = ".".join((package, *(name, *inner)[:-1]))
            names.update(names_imported(_source_of(path), inside))
    return names


def _source_of(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(LONGEST_SOURCE + 1)
    return content if len(content) <= LONGEST_SOURCE else b""


@lru_cache(maxsize=256)
def names_imported(source: str | bytes, inside: str = "") -> frozenset[str]:
    """Full names of what a module imports: modules, and names that may be modules of a package or be in a module.

    Args:
        source: the module; what is no Python imports nothing.
        inside: package that the module is in.

    >>> sorted(names_imported("import os.path\\nfrom scipy import stats\\nfrom . import own", "a.b"))
    ['a.b', 'a.b.own', 'os.path', 'scipy', 'scipy.stats']
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = inside.split(".")[: len(inside.split(".")) - node.level + 1] if node.level else []
            module = ".".join(filter(None, (*above, node.module)))
            names.update(filter(None, (module, *(f"{module}.{alias.name}" for alias in node.names))))
    return frozenset(names)
