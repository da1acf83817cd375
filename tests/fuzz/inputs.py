"""Damaged inputs, each made again from its number and the seed alone."""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.mutators import SMALL, grow
from tests.fuzz.readers import TARGETS, Target

GROWN = 0.01
"""Share of inputs of which a file is made large, where that is wanted."""


@dataclass(frozen=True)
class Damaged:
    """A damaged input.

    Attributes:
        target: name of the reader.
        files: its files by their path.
        damage: what was done, in words.
    """

    target: str
    files: dict[str, bytes]
    damage: str

    def lay_down(self, root: Path) -> None:
        """Write the files below a folder."""
        for name, content in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    @property
    def reader(self) -> Target:
        return TARGETS[self.target]


def damaged(seed: int, number: int, *, may_grow: bool = True, corpus: tuple[bytes, ...] = ()) -> Damaged:
    """The input of a number."""
    rng = random.Random(f"{seed}:{number}")
    names = list(TARGETS)
    # The traces are many and small; the others come more often.
    wide = [name for name in names if not name.startswith("trace.")]
    target = rng.choice(wide if rng.random() < 0.6 else names)
    files = dict(TARGETS[target].files)
    chosen = rng.choice([name for name in sorted(files) if name.endswith(TARGETS[target].suffixes)])
    others = [*files.values(), *corpus]
    before = files[chosen]
    content, done = before, []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        mutator = grow if may_grow and rng.random() < GROWN else rng.choice(SMALL)
        content = mutator(content, rng, others)
        done.append(mutator.__name__)
    files[chosen] = content
    return Damaged(target, _bound_again(files, before, content), f"{chosen}: {', '.join(done)}")


def _bound_again(files: dict[str, bytes], before: bytes, content: bytes) -> dict[str, bytes]:
    """The files, with the digest of the new content wherever that of the old one stands."""
    old, new = (hashlib.sha256(each).hexdigest().encode() for each in (before, content))
    return {name: each.replace(old, new) for name, each in files.items()}
