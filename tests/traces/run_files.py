"""Files of a run with invented power, as `deepen reduce` finds them."""

from pathlib import Path

from tests.validation.bound import power_csv, windows_csv


def write_run(folder: Path, name: str = "a", power: bytes | None = None, inferences: bytes | None = None) -> None:
    """Write `NAME_power.csv` and `NAME_inference_time.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_power.csv").write_bytes(power_csv() if power is None else power)
    (folder / f"{name}_inference_time.csv").write_bytes(windows_csv() if inferences is None else inferences)
