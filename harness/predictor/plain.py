"""Fitted predictors as plain values and arrays, which are read at once and without the libraries that fitted them.

A predictor whose model has a method `plain` can be written so: the method gives an object that predicts as the model
does and is made of numbers, words, lists, dicts, NumPy arrays and objects of the predictor's own classes, each of which
may have a method `plain` itself. What is read runs in this process, so it is done for `ANSWERED_HERE` alone; all others
are read within the sandbox, from the files of `harness.predictor.persistence`.
"""

import importlib
import json
import math
from typing import Any, Final

import numpy as np

from harness.issues import quoted
from harness.predictor.package_files import package_folders
from harness.predictor.protocol import PredictorError
from harness.predictor.registry import HARNESS, PACKAGE

ANSWERED_HERE: Final = frozenset({"roofline-residual"})
"""Predictors whose code is reviewed as that of the harness is, so that it may run in this process and unconfined."""
_ALIGNED: Final = 16
_KINDS: Final = "biuf"
"""Kinds of arrays that are written: numbers and truth values."""


def is_answered_here(key: str, package: str = PACKAGE) -> bool:
    """Whether a predictor is answered in this process: one of `ANSWERED_HERE` that came with this program.

    Args:
        key: predictor.
        package: package that it is in.
    """
    if key not in ANSWERED_HERE or package != PACKAGE:
        return False
    (home,) = package_folders(HARNESS)
    return package_folders(package) == [home.parent / PACKAGE]


def plain_bytes(model: Any, package: str = PACKAGE) -> bytes:
    """A fitted predictor as a line of JSON that says what it is, and the arrays that this refers to.

    Args:
        model: fitted predictor with a method `plain`.
        package: package that it is in.

    Raises:
        PredictorError: it holds something that is not plain.
    """
    arrays: list[bytes] = []
    root = json.dumps(_Writer(package, arrays).described(model))
    head = f"{root}\n".encode()
    return b"".join([head.rstrip(b"\n"), b" " * (-len(head) % _ALIGNED), b"\n", *arrays])


def from_plain_bytes(content: bytes, package: str = PACKAGE) -> Any:
    """The fitted predictor that `plain_bytes` wrote; its modules are imported, and nothing else is.

    Args:
        content: what was written, by this program and unchanged since.
        package: package that the predictor is in.
    """
    head, _, arrays = content.partition(b"\n")
    return _made(json.loads(head), memoryview(arrays), package)


class _Writer:
    """Describes objects, and collects their arrays."""

    def __init__(self, package: str, arrays: list[bytes]) -> None:
        self.package, self.arrays, self.n_bytes = package, arrays, 0

    def described(self, value: Any) -> Any:
        """A value as JSON; what is no word, number or truth value as a dict with one key that says what it is."""
        value = value.plain() if hasattr(value, "plain") else value
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": str(value)}
        if isinstance(value, (list, tuple)):
            return {type(value).__name__: [self.described(each) for each in value]}
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {"dict": {key: self.described(each) for key, each in value.items()}}
        if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS:
            return {"array": self._kept(value)}
        kind = type(value)
        if kind.__module__.startswith(f"{self.package}.") and hasattr(value, "__dict__"):
            state = {name: self.described(each) for name, each in vars(value).items()}
            return {"object": [kind.__module__, kind.__qualname__, state]}
        raise PredictorError(f"cannot be written as plain arrays: it holds a {quoted(kind.__name__)}")

    def _kept(self, array: Any) -> list[Any]:
        content = np.ascontiguousarray(array).tobytes()
        start = self.n_bytes
        padded = content + b"\0" * (-len(content) % _ALIGNED)
        self.arrays.append(padded)
        self.n_bytes += len(padded)
        return [array.dtype.str, list(array.shape), start]


def _made(described: Any, arrays: memoryview, package: str) -> Any:
    """The value that was described."""
    if not isinstance(described, dict):
        return described
    ((kind, content),) = described.items()
    if kind == "float":
        return float(content)
    if kind in {"list", "tuple"}:
        parts = [_made(each, arrays, package) for each in content]
        return tuple(parts) if kind == "tuple" else parts
    if kind == "dict":
        return {key: _made(each, arrays, package) for key, each in content.items()}
    if kind == "array":
        dtype, shape, start = content
        return np.frombuffer(arrays, np.dtype(dtype), math.prod(shape), start).reshape(shape)
    module, name, state = content
    if not module.startswith(f"{package}."):
        raise ValueError(f"{module} is not in {package}")
    of_class = getattr(importlib.import_module(module), name)
    if not isinstance(of_class, type) or of_class.__module__ != module:
        raise ValueError(f"{module} defines no class {name}")
    found: Any = object.__new__(of_class)
    found.__dict__.update({key: _made(each, arrays, package) for key, each in state.items()})
    return found
