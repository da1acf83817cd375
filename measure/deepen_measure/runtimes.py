"""What runs a network: ONNX Runtime or LiteRT where they are installed, or any program that prints marks.

Adapters are imported when they are asked for. Inputs are seeded and the same in every window.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deepen_measure.errors import MeasureError

_LITERT = (("ai_edge_litert.interpreter", "LiteRT"), ("tflite_runtime.interpreter", "TensorFlow Lite"))
_SUFFIXES = {".onnx": "onnxruntime", ".ort": "onnxruntime", ".tflite": "litert"}
_MARK = "deepen-measure"


class Inputs(NamedTuple):
    """Seeded values of inputs: zeros would let a runtime skip work.

    Attributes:
        seed: seed, the same for every input.
        ranges: least and greatest value of inputs, by their names; of others, what most networks take.
    """

    seed: int
    ranges: Mapping[str, Sequence[float]]

    def values(self, name: str, shape: Sequence[int], dtype: str) -> Any:
        """Values of an input as an array of NumPy."""
        draw, known = _imported("numpy").random.RandomState(self.seed), self.ranges.get(name)
        if dtype.startswith("float"):
            values = draw.standard_normal(shape) if known is None else draw.uniform(known[0], known[1], shape)
            return values.astype(dtype)
        low, high = known or (0, 1 if dtype == "bool" else 63)
        return draw.randint(int(low), int(high) + 1, shape).astype(dtype)


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


def installed() -> list[str]:
    """Runtimes that are installed, by their names on the command line."""
    there = {"onnxruntime": _is_there("onnxruntime"), "litert": any(_is_there(name) for name, _ in _LITERT)}
    return [name for name, is_there in there.items() if is_there]


def load(path: Path, runtime: str | None, delegate: str, threads: int, inputs: Inputs) -> Network:
    """A network of a file.

    Args:
        path: ONNX or TFLite file.
        runtime: `onnxruntime` or `litert`; by the name of the file where None.
        delegate: CPU or an execution provider of ONNX Runtime.
        threads: threads to run with.
        inputs: what it is given.

    Raises:
        MeasureError: the file cannot be run here.
    """
    name = runtime or _SUFFIXES.get(path.suffix)
    if name not in {"onnxruntime", "litert"}:
        raise MeasureError(f"{path.name}", "a file .onnx or .tflite", "Name what runs it after --, as a command.")
    if not path.is_file():
        raise MeasureError(f"{path} is not there", "a model file", "Correct the path.")
    try:
        return _Onnx(path, delegate, threads, inputs) if name == "onnxruntime" else _LiteRt(path, threads, inputs)
    except MeasureError:
        raise
    except Exception as error:
        # Runtimes raise types of their own for files that they cannot run.
        fix = "Run it with the runtime's own tool first."
        raise MeasureError(f"{path.name}: {type(error).__name__}: {error}", "a network that runs here", fix) from error


class _Onnx(Network):
    def __init__(self, path: Path, delegate: str, threads: int, inputs: Inputs) -> None:
        onnxruntime = _imported("onnxruntime")
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
            each.name: inputs.values(each.name, _extents(path, each.name, each.shape), kinds[each.type])
            for each in self._session.get_inputs()
        }

    def run(self, n: int) -> None:
        for _ in range(n):
            self._session.run(None, self._inputs)


class _LiteRt(Network):
    def __init__(self, path: Path, threads: int, inputs: Inputs) -> None:
        module, title = _litert()
        self._interpreter = module.Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        version = getattr(importlib.import_module(module.__name__.partition(".")[0]), "__version__", "")
        self.runtime, self.delegate, self.threads = f"{title} {version}".strip(), "CPU", threads
        for each in self._interpreter.get_input_details():
            values = inputs.values(each["name"], [int(extent) for extent in each["shape"]], each["dtype"].__name__)
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


def seed_of(name: str) -> int:
    """Seed that follows from the name of an entry."""
    return random.Random(name).getrandbits(31)  # noqa: S311 - inputs, not secrets
