"""Imports the model of a predictor; called only within the sandbox, because importing runs the predictor's code."""

import importlib
import importlib.util
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.issues import quoted
from harness.predictor.declaration import FILE
from harness.predictor.package_files import package_folders, package_path
from harness.predictor.protocol import Predictor, PredictorError
from harness.predictor.registry import PACKAGE, predictor_info


def load_model(key: str, package: str = PACKAGE) -> type[Predictor]:
    """Class `Model` of a predictor, to be called without arguments; its code runs in this process.

    Raises:
        UsageError: there is none of this key; the message names the nearest.
        PredictorError: its `model.py` cannot be imported or holds no estimator, or an extra is missing; the message
            names the file, or how to install what is missing.
    """
    info = predictor_info(key, package)
    for module, requirement in info.extras.items():
        if not _is_installed(module):
            raise PredictorError(
                f"predictor {key} needs {module}, which is not installed: python -m pip install '{requirement}'"
            )
    place = f"{package_path(package)}/{info.folder}/model.py"
    model: Any = getattr(_imported(f"{package}.{info.folder}.model", place, package), "Model", None)
    if not isinstance(model, type):
        raise PredictorError(f"{place}: no class Model; expected one, a scikit-learn estimator")
    predicting = [*["predict"] * bool(info.kernel_types), *["predict_networks"] * info.learns_networks]
    lacking = [method for method in ("fit", *predicting, "get_params", "set_params") if not hasattr(model, method)]
    if lacking:
        raise PredictorError(
            f"{place}: Model has no {' and no '.join(lacking)}; expected a class derived from "
            f"sklearn.base.BaseEstimator with fit and {' and '.join(predicting)}"
        )
    return model


def raised_at(error: BaseException, package: str = PACKAGE) -> str:
    """Last line of a package of predictors that an exception came through, as in `predictors/my_forest/model.py:12`.

    It is empty where there is none.
    """
    places = [
        f"{quoted(f'{package_path(package)}/{file.relative_to(folder).as_posix()}')}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        for folder in package_folders(package)
        if (file := Path(frame.f_code.co_filename)).is_relative_to(folder)
    ]
    return places[-1] if places else ""


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _imported(name: str, place: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        words = f"{raised_at(error, package) or place}: {type(error).__name__}: {quoted(str(error))}"
        if isinstance(error, ModuleNotFoundError):
            words += f"; expected a module that is installed. Install it, and name it under extras in {FILE}"
        raise PredictorError(words) from error
