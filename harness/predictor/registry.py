"""Finds the predictors of a package, one per folder, by their declarations; no module of any of them is imported."""

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from harness.code_version import N_DIGITS, code_digest
from harness.defaults import PREDICTORS
from harness.issues import quoted, unknown
from harness.predictor.declaration import FILE, read_declaration
from harness.predictor.package_files import (
    CACHE,
    INIT,
    file_digest,
    files_of,
    imports_of,
    own_folder,
    package_folders,
    package_path,
)
from harness.predictor.protocol import PredictorError, PredictorInfo

PACKAGE: Final = PREDICTORS
"""Package of the predictors of this project."""
HARNESS: Final = "harness"
"""Package that predictors may import from."""


class Listing(NamedTuple):
    """Predictors of a package, by key in alphabetical order.

    Attributes:
        infos: what each declares of itself.
        faults: what is wrong with each of the others, in words with the file and how to fix it.
    """

    infos: Mapping[str, PredictorInfo]
    faults: Mapping[str, str]

    @property
    def of_kernels(self) -> "Listing":
        """The same without those that support no kernel type."""
        return Listing({key: info for key, info in self.infos.items() if info.kernel_types}, self.faults)


def list_predictors(package: str = PACKAGE) -> Listing:
    """All predictors of a package; a broken one is a fault of its own and hides no other.

    Every folder and module of the package must be a predictor, except those whose name begins with an underscore.

    Raises:
        PredictorError: there is no such package.
    """
    infos: dict[str, PredictorInfo] = {}
    broken: dict[Path, str] = {}
    for entry in _entries(package):
        try:
            info = _info(entry, package)
            infos[info.key] = info
        except PredictorError as error:
            broken[entry] = str(error)
    faults: dict[str, str] = {}
    for entry, fault in broken.items():
        key = quoted((entry.name if entry.is_dir() else entry.stem).replace("_", "-"))
        is_taken = key in infos or key in faults
        faults[f"{package_path(package)}/{quoted(entry.name)}" if is_taken else key] = fault
    return Listing(dict(sorted(infos.items())), dict(sorted(faults.items())))


def predictors_in(package: str = PACKAGE) -> Mapping[str, PredictorInfo]:
    """What every sound predictor of a package declares, by key in alphabetical order.

    Raises:
        PredictorError: there is no such package.
    """
    return list_predictors(package).infos


def predictor_info(key: str, package: str = PACKAGE) -> PredictorInfo:
    """What a predictor declares of itself.

    Raises:
        UsageError: there is none of this key; the message names the nearest.
        PredictorError: it is broken, or there is no such package.
    """
    own = _info_in_its_folder(key, package)
    if own is not None:
        return own
    infos, faults = list_predictors(package)
    if key in faults:
        raise PredictorError(faults[key])
    if key not in infos:
        raise unknown("predictor", key, {*infos, *faults})
    return infos[key]


def predictor_files(key: str, package: str = PACKAGE) -> Mapping[str, Path]:
    """Every file of a predictor, by its path in the package: its folder, and the helpers that it imports.

    Raises:
        UsageError: there is none of this key; the message names the nearest.
        PredictorError: it is broken.
    """
    return files_of(predictor_info(key, package).folder, package)


def readable_files(key: str, package: str = PACKAGE) -> list[Path]:
    """Files of a predictor's package that it may read: those of its version, without links."""
    paths = predictor_files(key, package).values()
    return [path for path in paths if stat.S_ISREG(path.lstat().st_mode)]


def predictor_version(key: str, package: str = PACKAGE) -> str:
    """Version of a predictor: a digest of every file of it, and of the modules of the harness that it imports.

    Its files are those of `predictor_files`, data included, as they are. Modules of the harness count as code
    (`harness.code_version`); what they import in turn does not belong to the predictor.

    Raises:
        UsageError: there is none of this key; the message names the nearest.
        PredictorError: it is broken.
    """
    folder = predictor_info(key, package).folder
    digest = hashlib.sha256(code_digest(_harness_sources(folder, package)).encode())
    for name, path in files_of(folder, package).items():
        digest.update(f"{name.encode(errors='surrogateescape')!r}\0{file_digest(path)}\0".encode())
    return digest.hexdigest()[:N_DIGITS]


def libraries_of(key: str, package: str = PACKAGE) -> list[str]:
    """What a predictor's code imports that belongs to no predictor; found without running it.

    Raises:
        UsageError: there is none of this key; the message names the nearest.
        PredictorError: it is broken.
    """
    homes = tuple(f"{home}." for home in {package, PACKAGE})
    names = imports_of(predictor_info(key, package).folder, package)
    return [name for name in names if not f"{name}.".startswith(homes)]


def _harness_sources(folder: str, package: str) -> dict[str, str]:
    """Sources of the modules of the harness that a predictor imports, by name."""
    (home,) = package_folders(HARNESS)
    names = (name.split(".")[1:] for name in imports_of(folder, package) if name.startswith(f"{HARNESS}."))
    bases = [home.joinpath(*parts) for parts in names]
    paths = [path for base in bases for path in (base / INIT, base.with_name(f"{base.name}.py"))]
    return {path.relative_to(home).as_posix(): path.read_text(encoding="utf-8") for path in paths if path.is_file()}


def _entries(package: str) -> list[Path]:
    """Folders and modules that have to be predictors; of two with one name the first, as for Python."""
    found: dict[str, Path] = {}
    for entry in (entry for home in package_folders(package) for entry in sorted(home.iterdir())):
        is_meant = entry.suffix == ".py" or (entry.is_dir() and not _is_left_over(entry))
        if is_meant and not entry.name.startswith(("_", ".")):
            found.setdefault(entry.name, entry)
    return list(found.values())


def _info_in_its_folder(key: str, package: str) -> PredictorInfo | None:
    """What the folder that a key is the name of declares, without a look at the others; None where it is not sound."""
    folder = key.replace("-", "_")
    for entry in _entries(package):
        if entry.name == folder:
            try:
                info = _info(entry, package)
            except PredictorError:
                return None
            return info if info.key == key else None
    return None


def _is_left_over(folder: Path) -> bool:
    """Whether a folder holds compiled code alone; a link holds nothing, and where it leads may be closed."""
    try:
        return not folder.is_symlink() and all(inner.name == CACHE for inner in folder.iterdir())
    except OSError:
        return False


def _info(entry: Path, package: str) -> PredictorInfo:
    """What a folder declares.

    Raises:
        PredictorError: it is no predictor; the message names the file and how to fix it.
    """
    place = f"{package_path(package)}/{quoted(entry.name)}"
    if entry.is_symlink():
        raise PredictorError(f"{place}: a link; expected a folder. Put the folder itself there")
    if not entry.is_dir():
        raise PredictorError(
            f"{place}: a module; expected a folder with {FILE} and model.py. Name a helper with an underscore in front"
        )
    info = read_declaration(entry, place)
    if info.folder != entry.name:
        raise PredictorError(
            f"{place}/{FILE}: key = {info.key} in folder {quoted(entry.name)}; expected one name for both. "
            f"Rename the folder to {info.folder}, or write its own name as key"
        )
    for name, what in ((INIT, "an empty one will do"), ("model.py", "one that holds the class Model")):
        if not (entry / name).is_file():
            raise PredictorError(f"{place}: no {name}; expected it beside {FILE}. Add it: {what}")
    if own_folder(info.folder, package) != entry:
        raise PredictorError(f"{place}: another folder of this name comes first; expected one. Rename one of them")
    return info
