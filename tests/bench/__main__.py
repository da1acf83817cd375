"""Benchmarks, each beside named alternatives in the same run: `python -m tests.bench [NAME...]`.

Names: validation, reduction, uncertainty, graphs, evaluation, few-shot, intervals, predict, loop, kills, measure,
device-loop, model-files, loading; all where none is given.
"""

import os
import platform
import sys

from rich.console import Console

from tests.bench import (
    device_loop,
    evaluation,
    few_shot,
    graphs,
    intervals,
    kills,
    loading,
    loop,
    measure,
    model_files,
    predict,
    reduction,
    uncertainty,
    validation,
)

BENCHES = {
    "validation": validation.main,
    "reduction": reduction.main,
    "uncertainty": uncertainty.main,
    "graphs": graphs.main,
    "evaluation": evaluation.main,
    "few-shot": few_shot.main,
    "intervals": intervals.main,
    "predict": predict.main,
    "loop": loop.main,
    "kills": kills.main,
    "measure": measure.main,
    "device-loop": device_loop.main,
    "model-files": model_files.main,
    "loading": loading.main,
}


def main() -> None:
    """Run the named benchmarks, or all."""
    console = Console(width=110)
    for name in [each for each in sys.argv[1:] if not each.isdecimal()] or BENCHES:
        if name not in BENCHES:
            raise SystemExit(f"no benchmark {name!r}; there are {', '.join(BENCHES)}")
        BENCHES[name](console)
    machine = platform.processor() or platform.machine()
    console.print(f"{machine}, {os.cpu_count()} cores, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
