"""How often the expanded uncertainty of an energy covers the true one, over random worlds, and what is refused."""

from collections import Counter
from dataclasses import replace

from rich.console import Console
from rich.progress import track
from rich.table import Table

from harness.traces.reduction import Reduction, reduce_trace
from harness.traces.trace import REFUSING
from tests.traces.worlds import METERS, World, world

N_WORLDS = 200


def by_deepen(drawn: World, *, is_aligned: bool) -> Reduction:
    settings = replace(drawn.settings, is_aligned=is_aligned)
    return reduce_trace(drawn.trace, drawn.inferences, None, settings)


def main(console: Console) -> None:
    """Draw, reduce, compare, print."""
    for is_aligned in (False, True):
        title = f"{N_WORLDS} random worlds, offset {'applied where one is found' if is_aligned else 'not applied'}"
        given: Counter[str] = Counter()
        covered: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        for seed in track(range(N_WORLDS), title, console=console, transient=True):
            drawn = world(seed)
            found = by_deepen(drawn, is_aligned=is_aligned)
            if found.energy_mj is None or found.energy_u_mj is None:
                refused[next(fault.rule for fault in found.faults if fault.rule in REFUSING)] += 1
                continue
            given[drawn.meter] += 1
            covered[drawn.meter] += abs(found.energy_mj - drawn.energy_mj) <= found.energy_u_mj
        table = Table(title=title)
        for heading in ("values of the meter", "energies given", "true energy within U", "share"):
            table.add_column(heading, justify="left" if heading.startswith("values") else "right")
        for meter in METERS:
            share = f"{covered[meter] / given[meter]:.1%}" if given[meter] else ""
            table.add_row(meter, str(given[meter]), str(covered[meter]), share)
        table.add_row("all", str(given.total()), str(covered.total()), f"{covered.total() / given.total():.1%}")
        console.print(table)
        console.print(", ".join(f"{n} refused by {rule}" for rule, n in refused.most_common()))
