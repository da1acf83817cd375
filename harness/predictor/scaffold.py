"""A new predictor as files that work and pass conformance as they stand, with comments about what to change."""

import keyword
import re
import shutil
from pathlib import Path
from typing import Final

from harness.errors import UsageError
from harness.issues import quoted
from harness.predictor.declaration import FILE
from harness.predictor.protocol import KEY_PATTERN
from harness.predictor.registry import PACKAGE

MOST_CHARACTERS: Final = 40

_INIT: Final = '''"""{title}: what it is, in a sentence."""
'''

_DECLARATION: Final = """# What the predictor declares of itself. The harness reads this file alone.
key = "{key}"
# The name that the board shows, and who is behind it.
name = "{title}"
authors = ["Your Name"]
# SPDX identifier of the licence of your code.
licence = "Apache-2.0"
# Kernel types that it supports, such as ["conv-bn-relu", "fc"]; it is given no others, and the board says how much of
# each test it covers.
kernels = "all"
# Anything that it was trained on besides the rows given to fit, in a sentence; leave it empty if there is nothing.
trained_on = ""
# Modules beyond the harness's own, each with what pip installs, such as {{ lightgbm = "lightgbm>=4" }}.
extras = {{}}
"""

_MODEL: Final = '''"""{title}: the logarithm of the energy, linear in the logarithms of the cost."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.utils.validation import check_is_fitted


class Model(RegressorMixin, BaseEstimator):
    """Ridge regression of log energy on log cost and kernel type.

    Args:
        alpha: strength of the regularisation.
    """

    # Every parameter has a default, and __init__ only stores it.
    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def fit(self, kernels):
        """Fit on kernels with their energies.

        Args:
            kernels: DataFrame with the columns `harness.predictor.features.FEATURES` and `energy_mj`. It is one
                device, delegate and data type, so it may have few rows: even a single one has to do.
        """
        # Attributes that end in _ are fitted. Keep them in numbers, lists, arrays and estimators of
        # scikit-learn, so that the predictor can be saved without pickle.
        self.types_ = sorted(set(kernels["kernel"]))
        # Errors are judged relative to the energy, so the logarithm is fitted.
        self.ridge_ = Ridge(alpha=self.alpha).fit(self._features(kernels), np.log(kernels["energy_mj"].to_numpy()))
        return self

    def predict(self, kernels):
        """Energy in mJ of every kernel; finite and positive, also far from the rows that it was fitted on.

        Args:
            kernels: DataFrame with the columns `FEATURES`, and no energies. All are of types that it was fitted on.
        """
        check_is_fitted(self)
        return np.exp(self.ridge_.predict(self._features(kernels)))

    # With a method predict_interval(kernels, coverage), which returns an array (n, 2) of bounds in mJ, the board
    # shows their empirical coverage.

    def _features(self, kernels):
        # Start here. Extents that a kernel type does not have are NaN; `groups` NaN means 1. Change nothing in place.
        costs = np.log1p(kernels[["flops", "params", "bytes_moved"]].to_numpy(dtype=np.float64))
        is_type = kernels["kernel"].to_numpy()[:, None] == np.array(self.types_)
        return np.hstack([costs, is_type.astype(np.float64)])
'''


def write_predictor(root: Path, key: str, package: str = PACKAGE) -> list[Path]:
    """Write the folder of a new predictor.

    Args:
        root: checkout that holds the package.
        key: name of the predictor.
        package: package that it goes into.

    Returns:
        The files written.

    Raises:
        UsageError: the key is not one, or is taken; or the package is not there.
    """
    if not re.fullmatch(KEY_PATTERN, key) or len(key) > MOST_CHARACTERS:
        raise UsageError(
            f"{quoted(key)!r} is no key; expected lower-case letters and digits joined by hyphens, at most "
            f"{MOST_CHARACTERS} characters, such as my-forest"
        )
    name = key.replace("-", "_")
    if keyword.iskeyword(name):
        raise UsageError(f"{key!r} is a word of Python itself, which no module can be named by; choose another")
    home = root / package
    if not home.is_dir():
        raise UsageError(f"{home.as_posix()} is not there; run this at the root of the checkout, or name it by --root")
    folder = home / name
    title = key.replace("-", " ").capitalize()
    texts = {"__init__.py": _INIT, "model.py": _MODEL, FILE: _DECLARATION}
    try:
        folder.mkdir()
        for file, text in texts.items():
            (folder / file).write_text(text.format(key=key, title=title), encoding="utf-8", newline="\n")
    except FileExistsError as error:
        raise UsageError(f"{key!r} is taken: {folder.as_posix()} exists; nothing was written") from error
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UsageError(f"{folder.as_posix()} cannot be written: {error.strerror}") from error
    return [folder / file for file in texts]
