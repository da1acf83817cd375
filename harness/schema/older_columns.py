"""Columns under the names that they had before, so that tables that were written with them stay valid.

What is read is in the columns of today; nothing is written under an older name.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Final

from pydantic import AfterValidator

from harness.schema.columns import Column
from harness.schema.quantity import Quantity
from harness.schema.vocabulary import EnergyKind

ENERGY_KIND: Final = "energy_kind"
"""Column that an older one is another spelling of."""
KINDS: Final[Mapping[str, EnergyKind]] = {"false": "absolute", "true": "idle-subtracted"}
"""Kind of energy that each truth value of the older column states."""
IDLE_SUBTRACTED: Final = Column(
    name="is_idle_subtracted",
    python_type=bool,
    quantity=Quantity(
        "",
        "Whether the idle power was subtracted; absolute and idle-subtracted energies are different quantities.",
        "boolean",
        "Write true or false.",
    ),
    is_required=True,
    is_list=False,
    element=None,
    default=None,
    choices=(),
)
"""The older column: whether the idle power was subtracted."""


def is_older(names: Collection[str]) -> bool:
    """Whether a table states the kind of energy by the older column alone."""
    return IDLE_SUBTRACTED.name in names and ENERGY_KIND not in names


def kind_of(cell: str) -> str:
    """Kind of energy that a cell of the older column states; the cell itself where it is no truth value."""
    return KINDS.get(cell.strip().lower(), cell)


def in_columns_of_today(cells: Mapping[str, str]) -> dict[str, str]:
    """Cells by column, of which the older one is written as the one of today.

    Raises:
        ValueError: both are there.

    >>> in_columns_of_today({"model": "M1", "is_idle_subtracted": "false"})
    {'model': 'M1', 'energy_kind': 'absolute'}
    """
    if IDLE_SUBTRACTED.name not in cells:
        return dict(cells)
    if ENERGY_KIND in cells:
        raise ValueError(f"either {ENERGY_KIND} or {IDLE_SUBTRACTED.name}, which is its older spelling")
    return {
        ENERGY_KIND if name == IDLE_SUBTRACTED.name else name: kind_of(cell) if name == IDLE_SUBTRACTED.name else cell
        for name, cell in cells.items()
    }


RowSelection = Annotated[dict[str, str], AfterValidator(in_columns_of_today)]
"""Cells by column that select a row, under names of today or older ones."""
