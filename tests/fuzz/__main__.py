"""Fuzzes every reader for minutes or hours, each input within 20 s and 1 GB, and keeps what breaks one.

    python -m tests.fuzz --seed 1 --minutes 60
    python -m tests.fuzz --seed 1 --inputs 10000
    python -m tests.fuzz --seed 1 --only 4711

Nothing foreign is needed. A folder of other files (--corpus) gives parts to splice in. Inputs that break a reader are
made small and written below dist/fuzz/; each becomes a golden case or a small test, and then the reader is fixed.
"""

import argparse
import itertools
import json
import multiprocessing
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.fuzz.inputs import Damaged, damaged
from tests.fuzz.worker import MOST_BYTES, MOST_S, Outcome, serve

OUT = Path("dist/fuzz")
SHRINKING_S = 20.0


class Reader:
    """A process that reads inputs; a new one where an input ended the one before."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._connection, other = self._context.Pipe()
        self._process = self._context.Process(target=serve, args=(other,), daemon=True)
        self._process.start()
        other.close()

    def read(self, damage: Damaged) -> Outcome:
        """What came of an input."""
        start = time.monotonic()
        self._connection.send(damage)
        try:
            if self._connection.poll(MOST_S + 10):
                return self._connection.recv()
            problem = "over time"
        except EOFError:
            problem = "process ended"
        self.close()
        problem += f" (exit {self._process.exitcode})" if problem == "process ended" else ""
        self._start()
        return Outcome((problem,), time.monotonic() - start, 0)

    def close(self) -> None:
        self._connection.close()
        self._process.join(0.5)
        self._process.kill()
        self._process.join()


def kinds_of(outcome: Outcome) -> list[str]:
    """Names of what an outcome breaks, for the counts."""
    kinds = []
    if outcome.seconds > MOST_S:
        kinds.append("over 20 s")
    text = "\n".join(outcome.problems)
    if outcome.n_bytes > MOST_BYTES or "MemoryError" in text:
        kinds.append("over 1 GB")
    if "accepted" in text or "not finite" in text:
        kinds.append("bad energy accepted")
    if any(word in text for word in ("Traceback", "internal-fault", "process ended")) and "MemoryError" not in text:
        kinds.append("traceback")
    return kinds


def shrunk(damage: Damaged, kinds: list[str], reader: Reader) -> Damaged:
    """The same fault from less: parts of the largest file are left out as long as it stays."""
    name = max(damage.files, key=lambda each: len(damage.files[each]))
    until = time.monotonic() + SHRINKING_S
    width = len(damage.files[name]) // 2
    while width and time.monotonic() < until:
        place = 0
        while place < len(damage.files[name]) and time.monotonic() < until:
            content = damage.files[name]
            smaller = replace(damage, files=damage.files | {name: content[:place] + content[place + width :]})
            if kinds_of(reader.read(smaller)) == kinds:
                damage = smaller
            else:
                place += width
        width //= 2
    return damage


def keep(folder: Path, damage: Damaged, outcome: Outcome) -> None:
    """Write an input and what it breaks."""
    damage.lay_down(folder)
    figures = f"{outcome.seconds:.1f} s, {outcome.n_bytes} bytes"
    (folder / "PROBLEM.txt").write_text("\n".join((damage.target, damage.damage, figures, *outcome.problems)))


def say(line: str) -> None:
    """Show a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=None, help="how long; without it and --inputs one minute")
    parser.add_argument("--inputs", type=int, default=None, help="how many")
    parser.add_argument("--only", type=int, default=None, help="number of the one input to read")
    parser.add_argument("--corpus", type=Path, default=None, help="folder of files to splice in")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    corpus = (
        ()
        if options.corpus is None
        else tuple(path.read_bytes()[:1_000_000] for path in sorted(options.corpus.rglob("*")) if path.is_file())
    )
    minutes = options.minutes if options.minutes is not None or options.inputs is not None else 1.0
    until = time.monotonic() + 60 * minutes if minutes is not None else float("inf")
    numbers = itertools.count() if options.inputs is None else iter(range(options.inputs))
    numbers = numbers if options.only is None else iter([options.only])
    counts, slowest, largest = Counter(), (0.0, -1), (0, -1)

    def work(_: int) -> None:
        nonlocal slowest, largest
        reader = Reader()
        for number in numbers:
            if time.monotonic() > until:
                break
            damage = damaged(options.seed, number, corpus=corpus)
            outcome = reader.read(damage)
            counts["inputs"] += 1
            slowest, largest = max(slowest, (outcome.seconds, number)), max(largest, (outcome.n_bytes, number))
            kinds = kinds_of(outcome)
            counts.update(kinds)
            if kinds:
                say(f"{number}: {damage.target}: {damage.damage}: {', '.join(kinds)}")
                small = shrunk(damage, kinds, reader) if "over 20 s" not in kinds else damage
                keep(OUT / f"{options.seed}-{number}", small, outcome)
        reader.close()

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(work, range(options.jobs)))
    summary = {"seed": options.seed, **counts, "slowest_s": slowest, "largest_bytes": largest}
    say(json.dumps(summary))
    return int(len(counts) > 1)


if __name__ == "__main__":
    sys.exit(main())
