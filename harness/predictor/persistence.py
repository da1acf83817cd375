"""Fitted predictors as files: skops, never pickle, with a stamp of what they were trained on.

A file is loaded only if everything in it is of a type that is known to be harmless; nothing in it is run. A predictor
is made into bytes and loaded from them within the sandbox, where its own code is; elsewhere only its stamp is read.
"""

import importlib
import io
import json
import zipfile
from collections.abc import Iterable
from types import FunctionType
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.issues import quoted
from harness.predictor.loading import load_model
from harness.predictor.protocol import Predictor, PredictorError
from harness.predictor.registry import PACKAGE
from harness.schema.results import Sha256, Subject
from harness.schema.vocabulary import Kernel

STAMP_FILE: Final = "stamp.json"
"""Entry of the stamp in the file, which is a ZIP archive."""
_SCHEMA_FILE: Final = "schema.json"
_MOST_BYTES: Final = 1 << 30
_COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LONGEST_STAMP: Final = 1 << 20
_ENTRY: Final = b"PK\x01\x02"
"""What every entry of an archive's directory begins with, each of which takes memory before any is read."""
_MOST_ENTRIES: Final = 100_000
DAMAGED: Final = "damaged"
"""First word of what is said of a file that cannot be loaded."""
_ANY_TIME: Final = (1980, 1, 1, 0, 0, 0)

_GAUSSIAN_PROCESS_KERNELS: Final = (
    "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation", "Matern", "Product", "RBF",
    "RationalQuadratic", "Sum", "WhiteKernel",
)  # fmt: skip
TRUSTED_TYPES: Final = frozenset(
    {
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        *(f"sklearn.gaussian_process.kernels.{name}" for name in _GAUSSIAN_PROCESS_KERNELS),
    }
)
"""Types that a file may hold besides those that skops trusts (plain values, NumPy arrays, estimators of scikit-learn)
and those that the predictor's own package defines."""


class DamagedError(PredictorError):
    """A file is no saved predictor, or a damaged one; the message says how."""


class Stamp(BaseModel):
    """What a fitted predictor is, and what it was trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[2] = Field(2, description="Version of this layout.")
    predictor: str = Field(description="Key of the predictor.")
    predictor_version: str = Field(description="Version of its code.")
    subjects: tuple[Subject, ...] = Field(min_length=1, description="System and way of running that it predicts for.")
    dataset: str = Field(description="Dataset that the rows belong to.")
    dataset_version: str | None = Field(description="Version of the dataset; null where it has none.")
    data_sha256: Sha256 = Field(description="Content of the rows that it was fitted on.")
    split: str = Field(description="Part of the dataset that it was fitted on.")
    split_version: str = Field(description="Version of the standard split.")
    n_rows: int = Field(gt=0, description="Rows that it was fitted on.")
    kernels: tuple[Kernel, ...] = Field(min_length=1, description="Kernel types among them.")
    seed: int = Field(description="Seed of the fit.")
    harness_version: str = Field(description="Version of the program that fitted it.")
    packages: dict[str, str] = Field(description="Versions of the libraries that it rests on.")


def saved_bytes(model: Predictor, stamp: Stamp, package: str = PACKAGE) -> bytes:
    """Content of the file of a fitted predictor; the same predictor gives the same bytes.

    Args:
        model: fitted predictor.
        stamp: what it was trained on.
        package: package that the predictor is in.

    Raises:
        PredictorError: it cannot be saved.
    """
    return _stamped(as_bytes(model, package), stamp)


def read_stamp(content: bytes) -> Stamp:
    """What the predictor in a file was trained on; of the rest, only whether it is whole is looked at.

    Args:
        content: content of the file.

    Raises:
        DamagedError: it holds no predictor, or is damaged.
    """
    if content.count(_ENTRY) > _MOST_ENTRIES:
        raise DamagedError(f"an archive of more than {_MOST_ENTRIES} entries")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            n_bytes = sum(entry.file_size for entry in archive.infolist())
            n_stamp = archive.getinfo(STAMP_FILE).file_size
            is_small = n_bytes <= _MOST_BYTES and n_stamp <= _LONGEST_STAMP
            # Every entry has a checksum, so damage is found before anything is made of the rest.
            packed = [entry.filename for entry in archive.infolist() if entry.compress_type not in _COMPRESSIONS]
            broken = next(iter(packed), None) or (archive.testzip() if is_small else None)
            text = archive.read(STAMP_FILE) if is_small and not broken else b""
    except Exception as error:
        # The ZIP reader raises whatever its parts do, such as zlib.error and struct.error.
        raise DamagedError(f"no whole archive with a {STAMP_FILE}: {_in_words(error)}") from error
    if not is_small:
        raise DamagedError(f"unpacks to {n_bytes >> 20} MB; expected at most {_MOST_BYTES >> 20}")
    if broken:
        raise DamagedError(f"{quoted(broken)} in it is not as it was written")
    try:
        return Stamp.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise DamagedError(f"{STAMP_FILE}: {quoted(where)}: {quoted(fault['msg'])}") from error


def load_predictor(content: bytes, key: str, package: str = PACKAGE) -> Predictor:
    """Fitted predictor in a file; its code is imported, so this is called only within the sandbox.

    Args:
        content: content of the file.
        key: predictor that it has to be.
        package: package that the predictor is in.

    Raises:
        UsageError: the predictor is not installed.
        PredictorError: the file is damaged, holds something that is not trusted, or another predictor.
    """
    model_class = load_model(key, package)
    model = from_bytes(content, package)
    if type(model) is not model_class:
        raise PredictorError(
            f"holds a {quoted(type(model).__name__)} of {quoted(type(model).__module__)}; expected that of "
            f"{model_class.__module__}"
        )
    return model


def as_bytes(model: Predictor, package: str = PACKAGE) -> bytes:
    """Fitted predictor as skops writes it, without a stamp.

    Raises:
        PredictorError: it holds something that skops cannot write, or that would not be loaded again.
    """
    import skops.io

    try:
        content: bytes = skops.io.dumps(model)
    except Exception as error:
        raise PredictorError(
            f"cannot be saved: {type(error).__name__}: {error}. Keep what is fitted in numbers, text, lists, NumPy "
            "arrays and estimators of scikit-learn, and no DataFrame"
        ) from error
    untrusted = _untrusted(skops.io.get_untrusted_types(data=content), package)
    if untrusted:
        raise PredictorError(f"cannot be saved: holds {', '.join(untrusted)}, which would not be loaded again")
    return content


def from_bytes(content: bytes, package: str = PACKAGE) -> Predictor:
    """Fitted predictor that `as_bytes` wrote, stamped or not.

    Raises:
        PredictorError: it holds something that is not trusted.
        DamagedError: it is damaged; the message begins with `DAMAGED`.
    """
    import skops.io

    try:
        found = skops.io.get_untrusted_types(data=content)
        untrusted = _untrusted(found, package)
        model: Predictor | None = None if untrusted else skops.io.loads(content, trusted=found)
    except Exception as error:
        raise DamagedError(f"{DAMAGED}: {_in_words(error)}") from error
    if model is None:
        raise PredictorError(f"holds {', '.join(map(quoted, untrusted))}, which is not trusted; nothing was loaded")
    return model


def _in_words(error: Exception) -> str:
    return quoted(f"{type(error).__name__}: {error}")


def _untrusted(found: Iterable[str], package: str) -> list[str]:
    return [name for name in found if name not in TRUSTED_TYPES and not _is_defined_in(package, name)]


def _is_defined_in(package: str, name: str) -> bool:
    """Whether a name is that of a class or function of a package, and not of something that it imports."""
    module, _, attribute = name.rpartition(".")
    if not module.startswith(f"{package}."):
        return False
    try:
        # Models may import what only a fit needs when they are fitted.
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(found, (type, FunctionType)) and found.__module__.startswith(f"{package}.")


def _stamped(content: bytes, stamp: Stamp) -> bytes:
    """What skops wrote with the stamp in it, and without the time and the addresses of this process."""
    numbers: dict[str, int] = {}
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(written, "w") as fresh:
        schema = _renumbered(json.loads(archive.read(_SCHEMA_FILE)), numbers)
        entries = {_file(name, numbers): archive.read(name) for name in archive.namelist() if name != _SCHEMA_FILE}
        entries |= {STAMP_FILE: stamp.model_dump_json(indent=2).encode(), _SCHEMA_FILE: json.dumps(schema).encode()}
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, _ANY_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            fresh.writestr(entry, entries[name])
    return written.getvalue()


def _renumbered(node: Any, numbers: dict[str, int]) -> Any:
    """Schema of skops with its addresses, by which it names objects and files, replaced by counts."""
    if isinstance(node, list):
        return [_renumbered(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    fresh = {key: _renumbered(value, numbers) for key, value in node.items()}
    if isinstance(node.get("__id__"), int):
        fresh["__id__"] = numbers.setdefault(str(node["__id__"]), len(numbers) + 1)
    if isinstance(node.get("file"), str):
        fresh["file"] = _file(node["file"], numbers)
    return fresh


def _file(name: str, numbers: dict[str, int]) -> str:
    stem, dot, suffix = name.partition(".")
    return f"{numbers.setdefault(stem, len(numbers) + 1)}{dot}{suffix}"
