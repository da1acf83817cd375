"""GPUs by NVIDIA's management library: the counter of energy where the GPU has one, its power now where it has none.

Source:
    NVML API Reference Guide: nvmlDeviceGetTotalEnergyConsumption in mJ since the driver was loaded (Volta and newer),
    nvmlDeviceGetPowerUsage in mW, within 5 % of the power that is drawn, a mean over a second on Ampere and newer. The
    power now is the field 186, NVML_FI_DEV_POWER_INSTANT.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from deepen_measure.errors import MeasureError
from deepen_measure.meter import Meter, MeterFacts, Missing

_LIBRARY = "libnvidia-ml.so.1"
_NAME_BYTES = 96
_POWER_INSTANT = 186
_OK = 0


class _Value(ctypes.Union):
    _fields_ = (("d", ctypes.c_double), ("ui", ctypes.c_uint), ("ull", ctypes.c_ulonglong))


class _FieldValue(ctypes.Structure):
    _fields_ = (
        ("field", ctypes.c_uint),
        ("scope", ctypes.c_uint),
        ("timestamp", ctypes.c_longlong),
        ("latency_us", ctypes.c_longlong),
        ("value_type", ctypes.c_uint),
        ("status", ctypes.c_int),
        ("value", _Value),
    )


class Gpu(Meter):
    """The first GPU of the machine.

    Args:
        library: NVML, initialised.
        handle: the GPU.
        has_counter: whether it counts its energy; its power now is read otherwise.
    """

    def __init__(self, library: ctypes.CDLL, handle: ctypes.c_void_p, has_counter: bool) -> None:
        self._library, self._handle, self._has_counter = library, handle, has_counter
        self.columns = ("energy_mj",) if has_counter else ("power_mw",)
        name = ctypes.create_string_buffer(_NAME_BYTES)
        library.nvmlDeviceGetName(handle, name, ctypes.c_uint(_NAME_BYTES))
        self.facts = MeterFacts(
            name="nvml",
            title="NVML energy counter" if has_counter else "NVML power now",
            kind="counter" if has_counter else "sensor",
            evidence="counter",
            format="plain",
            boundary="board",
            rails=(name.value.decode(errors="replace"),),
            gain_percent=5.0,
            offset_mw=None,
            accuracy_source="NVML API Reference Guide, nvmlDeviceGetPowerUsage",
        )

    def read(self) -> tuple[str, ...]:
        """Energy in mJ, or power in mW."""
        value = _energy_mj(self._library, self._handle) if self._has_counter else _power_mw(self._library, self._handle)
        if value is None:
            raise MeasureError("the GPU no longer answers", "its energy or power", "Look at nvidia-smi and dmesg.")
        return (str(value),)


def find(root: Path, rails: tuple[str, ...] = ()) -> tuple[list[Meter], list[Missing]]:  # noqa: ARG001 - one GPU
    """The GPU of this machine.

    Args:
        root: what `/` is; elsewhere there is no library.
        rails: not asked for, because a GPU has one.
    """
    if root != Path("/"):
        return [], [Missing("nvml", _LIBRARY, f"not looked for below {root}")]
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return [], [Missing("nvml", _LIBRARY, "not there")]
    return gpu_of(library)


def gpu_of(library: ctypes.CDLL) -> tuple[list[Meter], list[Missing]]:
    """The first GPU by a library that was loaded."""
    handle = ctypes.c_void_p()
    if library.nvmlInit_v2() != _OK or library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)) != _OK:
        return [], [Missing("nvml", _LIBRARY, "it names no GPU", "Compare with nvidia-smi.")]
    if _energy_mj(library, handle) is not None:
        return [Gpu(library, handle, has_counter=True)], []
    if _power_mw(library, handle) is not None:
        return [Gpu(library, handle, has_counter=False)], []
    return [], [Missing("nvml", _LIBRARY, "the GPU has neither a counter of energy nor its power now")]


def _energy_mj(library: ctypes.CDLL, handle: ctypes.c_void_p) -> int | None:
    energy = ctypes.c_ulonglong()
    status = library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(energy))
    return energy.value if status == _OK else None


def _power_mw(library: ctypes.CDLL, handle: ctypes.c_void_p) -> int | None:
    """Power now; None where there is only a mean over a second, which windows of a second cannot use."""
    field = _FieldValue(field=_POWER_INSTANT)
    status = library.nvmlDeviceGetFieldValues(handle, 1, ctypes.byref(field))
    return int(field.value.ui) if status == _OK and field.status == _OK else None
