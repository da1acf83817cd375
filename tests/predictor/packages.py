"""Packages of predictors made on the spot, and kernels to try them on."""

import importlib
import itertools
import sys
from textwrap import dedent, indent

import pytest

from harness.predictor.conformance import sample_kernels
from harness.predictor.protocol import KERNELS

_NUMBERS = itertools.count()

INFO = """\
key = "{key}"
name = "On trial"
authors = ["A. Author"]
licence = "Apache-2.0"
kernels = "all"
{more}"""
MODEL = """
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class Model(RegressorMixin, BaseEstimator):
    def fit(self, kernels):
{fit}
        self.mean_ = float(np.exp(np.log(kernels["energy_mj"]).mean()))
        return self

    def predict(self, kernels):
{predict}
        return np.full(len(kernels), self.mean_)
{rest}
"""


def info_source(key, more=""):
    return INFO.format(key=key, more=more)


def model_source(fit="", predict="", rest=""):
    """Source of a predictor of the mean, with statements of ours before its own."""
    inside = (indent(dedent(part), " " * 8) for part in (fit, predict))
    return MODEL.format(**dict(zip(("fit", "predict"), inside, strict=True)), rest=indent(dedent(rest), " " * 4))


class Package:
    """A package of predictors in a temporary folder.

    Attributes:
        name: name to import it by, a different one for every test.
        folder: where it lies.
    """

    def __init__(self, root, name):
        self.name = name
        self.folder = root / name
        self.folder.mkdir()
        (self.folder / "__init__.py").write_text("")

    def add(self, key, *, info=None, model=None, folder=None):
        """Add a predictor; what is None is sound, what is False is left out."""
        home = self.folder / (folder or key.replace("-", "_"))
        home.mkdir()
        sources = {
            "__init__.py": "",
            "predictor.toml": info_source(key) if info is None else info,
            "model.py": model_source() if model is None else model,
        }
        for name, source in sources.items():
            if source is not False:
                (home / name).write_text(source)
        importlib.invalidate_caches()
        return home


def made_package(root):
    """A package of its own, importable while the block runs."""
    name = f"trial_{next(_NUMBERS)}"
    sys.path.insert(0, str(root))
    try:
        yield Package(root, name)
    finally:
        sys.path.remove(str(root))
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            del sys.modules[module]


@pytest.fixture
def package(tmp_path):
    yield from made_package(tmp_path)


def kernels(n=50, seed=0):
    """Kernels of all types in turn, with energies."""
    return sample_kernels([KERNELS[row % len(KERNELS)] for row in range(n)], seed)
