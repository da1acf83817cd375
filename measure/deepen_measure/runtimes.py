"""What runs a network: ONNX Runtime or LiteRT where they are installed, or any program that prints marks.

Adapters are imported when they are asked for. Inputs are seeded and the same in every window.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepen_measure.errors import MeasureError

_LITERT = (("ai_edge_litert.interpreter", "LiteRT"), ("tflite_runtime.interpreter", "TensorFlow Lite"))
_SUFFIXES = {".onnx": "onnxruntime", ".ort": "onnxruntime", ".tflite": "litert"}
_MARK = "deepen-measure"


class Network(ABC):
    """A network that is loaded and can be run.

    Attributes:
        runtime: name and version of what runs it.
        delegate: what it runs on.
        threads: threads that it uses; None where that is not known.
    """

    runtime: str
    delegate: str
    threads: int | None

    @abstractmethod
    def run(self, n: int) -> None:
        """Run so many inferences back to back, and return when the last has ended on the device.

        Raises:
            MeasureError: it fails.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to end
        """End what was started."""


def load(path: Path, runtime: str | None, delegate: str, threads: int, seed: int) -> Network:
    """A network of a file.

    Args:
        path: ONNX or TFLite file.
        runtime: `onnxruntime` or `litert`; by the name of the file where None.
        delegate: CPU or an execution provider of ONNX Runtime.
        threads: threads to run with.
        seed: seed of the inputs.

    Raises:
        MeasureError: the file cannot be run here.
    """
    name = runtime or _SUFFIXES.get(path.suffix)
    if name not in {"onnxruntime", "litert"}:
        raise MeasureError(f"{path.name}", "a file .onnx or .tflite", "Name what runs it after --, as a command.")
    if not path.is_file():
        raise MeasureError(f"{path} is not there", "a model file", "Correct the path.")
    try:
        return _Onnx(path, delegate, threads, seed) if name == "onnxruntime" else _LiteRt(path, threads, seed)
    except MeasureError:
        raise
    except Exception as error:
        # Runtimes raise types of their own for files that they cannot run.
        fix = "Run it with the runtime's own tool first."
        raise MeasureError(f"{path.name}: {type(error).__name__}: {error}", "a network that runs here", fix) from error


class _Onnx(Network):
    def __init__(self, path: Path, delegate: str, threads: int, seed: int) -> None:
        onnxruntime = _imported("onnxruntime")
        numpy = _imported("numpy")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        provider = "CPUExecutionProvider" if delegate == "CPU" else delegate
        if provider not in onnxruntime.get_available_providers():
            there = ", ".join(onnxruntime.get_available_providers())
            raise MeasureError(f"delegate {delegate}", f"CPU or one of {there}", "Install the runtime that has it.")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=[provider])
        self.runtime = f"ONNX Runtime {onnxruntime.__version__}"
        self.delegate, self.threads = delegate, threads
        kinds = {
            "tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64",
            "tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(int8)": "int8", "tensor(uint8)": "uint8",
            "tensor(bool)": "bool",
        }  # fmt: skip
        self._inputs = {
            each.name: _values(numpy, _extents(path, each.name, each.shape), kinds[each.type], seed)
            for each in self._session.get_inputs()
        }

    def run(self, n: int) -> None:
        for _ in range(n):
            self._session.run(None, self._inputs)


class _LiteRt(Network):
    def __init__(self, path: Path, threads: int, seed: int) -> None:
        numpy = _imported("numpy")
        module, title = _litert()
        self._interpreter = module.Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        version = getattr(importlib.import_module(module.__name__.partition(".")[0]), "__version__", "")
        self.runtime, self.delegate, self.threads = f"{title} {version}".strip(), "CPU", threads
        for each in self._interpreter.get_input_details():
            values = _values(numpy, [int(extent) for extent in each["shape"]], numpy.dtype(each["dtype"]).name, seed)
            self._interpreter.set_tensor(each["index"], values)

    def run(self, n: int) -> None:
        for _ in range(n):
            self._interpreter.invoke()


class Command(Network):
    """Any program that runs inferences when it is told to.

    It prints `deepen-measure ready` when it is loaded, reads lines `run N`, and prints `deepen-measure done` when N
    inferences have ended on the device. What else it prints is passed over.

    Args:
        arguments: program with its arguments.
        runtime: name and version of what it runs.
        delegate: what it runs on.
    """

    def __init__(self, arguments: Sequence[str], runtime: str, delegate: str) -> None:
        self.runtime, self.delegate, self.threads = runtime, delegate, None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the caller's own program
                list(arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        except OSError as error:
            raise MeasureError(f"{arguments[0]}: {error.strerror}", "a program", "Correct the command.") from error
        self._await("ready")

    def run(self, n: int) -> None:
        """Tell the program to run, and wait for its mark."""
        try:
            self._process.stdin.write(f"run {n}\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except OSError as error:
            raise self._ended() from error
        self._await("done")

    def close(self) -> None:
        """End the program."""
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _await(self, word: str) -> None:
        for line in self._process.stdout:  # type: ignore[union-attr]
            if line.split() == [_MARK, word]:
                return
        raise self._ended()

    def _ended(self) -> MeasureError:
        status = self._process.wait()
        self.close()
        fix = f"It prints '{_MARK} ready', then '{_MARK} done' after every line 'run N' that it reads."
        return MeasureError(f"the program ended with status {status}", "its marks", fix)


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        fix = f"Install it in this Python: python3 -m pip install {name}"
        raise MeasureError(f"{name} is not installed", "the runtime of the file", fix) from error


def _litert() -> tuple[Any, str]:
    for name, title in _LITERT:
        if _is_there(name):
            return importlib.import_module(name), title
    fix = "Install it in this Python: python3 -m pip install ai-edge-litert"
    raise MeasureError("LiteRT is not installed", "ai-edge-litert or tflite-runtime", fix)


def _is_there(module: str) -> bool:
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def _extents(path: Path, name: str, shape: Sequence[object]) -> list[int]:
    """Extents of an input; an open first one, the batch, is 1."""
    extents = [1 if place == 0 and not isinstance(extent, int) else extent for place, extent in enumerate(shape)]
    if any(not isinstance(extent, int) for extent in extents):
        fix = "Export it with fixed extents."
        raise MeasureError(f"{path.name}: input {name} of {list(shape)}", "extents that are stated", fix)
    return [int(extent) for extent in extents]  # type: ignore[call-overload]


def _values(numpy: Any, shape: Sequence[int], dtype: str, seed: int) -> Any:
    """Seeded values of an input: zeros would let a runtime skip work."""
    draw = numpy.random.RandomState(seed)
    if dtype.startswith("float"):
        return draw.standard_normal(shape).astype(dtype)
    return draw.randint(0, 2 if dtype == "bool" else 64, shape).astype(dtype)


def seed_of(name: str) -> int:
    """Seed that follows from the name of an entry."""
    return random.Random(name).getrandbits(31)  # noqa: S311 - inputs, not secrets
