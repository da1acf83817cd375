"""All read-outs of a release: their rows, and the same as Arrow tables with units."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pyarrow as pa

from harness.readouts.cheapest import cheapest_networks
from harness.readouts.fronts import fronts
from harness.readouts.idle_shares import idle_shares
from harness.readouts.runtime_ratios import runtime_ratios
from harness.releases import Release
from harness.schema.columns import arrow_schema
from harness.schema.readouts import READ_OUTS, ReadOut

_MAKERS: Final[Mapping[str, Callable[[Release], Sequence[ReadOut]]]] = {
    "fronts": fronts,
    "runtime_ratios": runtime_ratios,
    "cheapest": cheapest_networks,
    "idle_shares": idle_shares,
}
if set(_MAKERS) != set(READ_OUTS):
    raise TypeError("every read-out needs its rows declared in READ_OUTS")


def read_outs(release: Release) -> dict[str, Sequence[ReadOut]]:
    """Rows of every read-out, by its name."""
    return {name: make(release) for name, make in _MAKERS.items()}


def read_out_tables(release: Release) -> dict[str, pa.Table]:
    """Arrow table of every read-out, by its name; fields have their unit and meaning, and a table may be empty."""
    return {
        name: pa.Table.from_pylist([row.model_dump() for row in rows], schema=arrow_schema(READ_OUTS[name]))
        for name, rows in read_outs(release).items()
    }
