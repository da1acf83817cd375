"""Finds the predictors of a package, one per folder; a broken one is an error for everyone."""

import ast
import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from harness.code_version import code_digest
from harness.defaults import PREDICTORS
from harness.discovery import declared, modules_in
from harness.issues import unknown
from harness.predictor.protocol import Predictor, PredictorError, PredictorInfo

PACKAGE: Final = PREDICTORS
"""Package of the predictors of this project."""
HARNESS: Final = "harness"
"""Package that predictors may import from."""


def predictors_in(package: str = PACKAGE) -> Mapping[str, PredictorInfo]:
    """What every predictor of a package declares, by key in alphabetical order; imports no model.

    Every folder and module of the package must be a predictor, except those whose name begins with an underscore.

    Raises:
        PredictorError: a folder is no predictor, or two have one key; the message names the file.
    """
    found: dict[str, PredictorInfo] = {}
    for module in modules_in(_package(package), "info"):
        folder = module.split(".")[-2]
        if folder.startswith("_"):
            continue
        info = _info(module)
        file = _file_of(module)
        if info.key in found:
            raise PredictorError(f"{file}: key {info.key!r} is that of {package}/{info.folder}; expected its own")
        if info.folder != folder:
            raise PredictorError(
                f"{file}: key {info.key!r} in folder {folder}; expected folder {info.folder}, or key "
                f"{folder.replace('_', '-')!r}"
            )
        if _spec(f"{package}.{folder}.model") is None:
            raise PredictorError(f"{file}: no model.py beside it; expected one that holds the class Model")
        found[info.key] = info
    return {key: found[key] for key in sorted(found)}


def predictor_info(key: str, package: str = PACKAGE) -> PredictorInfo:
    """What a predictor declares of itself.

    Raises:
        UsageError: there is none of this key; the message names the nearest.
        PredictorError: a predictor of the package is broken.
    """
    known = predictors_in(package)
    if key not in known:
        raise unknown("predictor", key, known)
    return known[key]


def load_model(key: str, package: str = PACKAGE) -> type[Predictor]:
    """Class `Model` of a predictor, to be called without arguments.

    Raises:
        UsageError: there is none of this key; the message names the nearest.
        PredictorError: its `model.py` cannot be imported or holds no estimator, or an extra is missing; the message
            names the file, or how to install what is missing.
    """
    info = predictor_info(key, package)
    for module, requirement in info.extras.items():
        if _spec(module) is None:
            raise PredictorError(
                f"predictor {key} needs {module}, which is not installed: python -m pip install '{requirement}'"
            )
    name = f"{package}.{info.folder}.model"
    model: Any = getattr(_imported(name), "Model", None)
    if not isinstance(model, type):
        raise PredictorError(f"{_file_of(name)}: no class Model; expected one, a scikit-learn estimator")
    lacking = [method for method in ("fit", "predict", "get_params", "set_params") if not hasattr(model, method)]
    if lacking:
        raise PredictorError(
            f"{_file_of(name)}: Model has no {' and no '.join(lacking)}; expected a class derived from "
            "sklearn.base.BaseEstimator with fit and predict"
        )
    return model


def predictor_version(key: str, package: str = PACKAGE) -> str:
    """Version of the code of a predictor (`harness.code_version`).

    Its code is `info.py` and `model.py`, the modules of its package that these import, and the modules of the harness
    that any of them imports; what the harness imports in turn does not belong to it.

    Raises:
        UsageError: there is none of this key; the message names the nearest.
        PredictorError: a module of it is not Python.
    """
    info = predictor_info(key, package)
    pending = [f"{package}.{info.folder}.{part}" for part in ("info", "model")]
    sources: dict[str, str] = {}
    while pending:
        name = pending.pop()
        if name not in sources:
            sources[name] = _source_of(name)
            if name.startswith(f"{package}."):
                pending += (found for found in names_imported(sources[name]) if _is_code(found, package))
    return code_digest(sources)


def _source_of(module: str) -> str:
    try:
        source = Path(_file_of(module)).read_text(encoding="utf-8")
        ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise PredictorError(f"{_file_of(module)}: {_in_words(error)}") from error
    return source


def names_imported(source: str | bytes) -> Iterator[str]:
    """Full names of what a module imports: modules, and names that may be modules of a package or be in a module.

    >>> list(names_imported("import os.path\\nfrom scipy import stats"))
    ['os.path', 'scipy', 'scipy.stats']

    Raises:
        SyntaxError: it is not Python.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def _is_code(name: str, package: str) -> bool:
    """Whether a name is that of a module of the package or the harness."""
    if not name.startswith((f"{package}.", f"{HARNESS}.")):
        return False
    try:
        found = _spec(name)
    except PredictorError:
        return False
    return found is not None and found.has_location


def _package(name: str) -> ModuleType:
    module = _imported(name)
    if not hasattr(module, "__path__"):
        raise PredictorError(f"{_file_of(name)}: a module; expected a package with a folder for every predictor")
    for folder in (child for path in module.__path__ for child in sorted(Path(path).iterdir()) if child.is_dir()):
        if folder.name.startswith(("_", ".")) or (folder / "__init__.py").exists():
            continue
        # Python passes over such a folder silently; one that holds nothing but leftovers of another branch is none.
        if any(entry.name != "__pycache__" for entry in folder.iterdir()):
            raise PredictorError(f"{folder.as_posix()}: no __init__.py; expected it beside info.py and model.py")
    return module


def _info(module: str) -> PredictorInfo:
    folder = module.rpartition(".")[0]
    if getattr(_spec(folder), "submodule_search_locations", None) is None:
        raise PredictorError(f"{_file_of(folder)}: a module; expected a folder with info.py and model.py")
    if _spec(module) is None:
        raise PredictorError(f"{_path_of(folder)}: no info.py; expected one that holds INFO, a PredictorInfo")
    try:
        return declared(module, PredictorInfo, "INFO")
    except Exception as error:
        raise PredictorError(f"{_file_of(module)}: {_in_words(error)}") from error


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == name
        where = _path_of(name) if is_missing else _file_of(name)
        raise PredictorError(f"{where}: {_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    """Exception on one line."""
    faults = getattr(error, "errors", None)
    if callable(faults):
        return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults())
    return f"{type(error).__name__}: {error}"


def _spec(name: str) -> Any:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    except Exception as error:
        raise PredictorError(f"{_path_of(name)}: {_in_words(error)}") from error


def _file_of(name: str) -> str:
    return getattr(_spec(name), "origin", None) or _path_of(name)


def _path_of(name: str) -> str:
    return name.replace(".", "/")
