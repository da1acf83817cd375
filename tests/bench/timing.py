"""Wall time of the best of several runs."""

import time
from collections.abc import Callable


def best_time(run: Callable[[], object], n_runs: int) -> float:
    """Shortest wall time in seconds; the other runs met something else on the machine."""
    times = []
    for _ in range(n_runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)
