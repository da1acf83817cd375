"""Wall time of the best of several runs, and processor time of a command."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence


def best_time(run: Callable[[], object], n_runs: int) -> float:
    """Shortest wall time in seconds; the other runs met something else on the machine."""
    times = []
    for _ in range(n_runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def processor_time(command: Sequence[str], n_runs: int) -> float:
    """Least processor time in seconds of a command and all that it starts; other work on the machine is not in it."""

    def spent() -> float:
        times = os.times()
        return times.children_user + times.children_system

    times = []
    for _ in range(n_runs):
        before = spent()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(spent() - before)
    return min(times)
