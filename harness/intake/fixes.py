"""Corrections that an intake makes when asked for them by name: lossless, and recorded row by row as errata.

Which rows are wrong is decided by the rules of validation, never here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.intake.scaling import power_of_ten, scaled
from harness.issues import unknown
from harness.validation.context import RowContext
from harness.validation.rules import find_slips


@dataclass(frozen=True, slots=True)
class Correction:
    """One cell that a fix changes.

    Attributes:
        row: number of the row in the context it was found in.
        column: corrected column.
        printed: cell as the source prints it.
        used: cell as it is used.
        why: reason, with its arithmetic.
    """

    row: int
    column: str
    printed: str
    used: str
    why: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A correction that can be asked for.

    Attributes:
        rule: id of the rule that it makes good, which is also its name.
        title: what it does, in a few words.
        find: corrections of the rows that break the rule.
    """

    rule: str
    title: str
    find: Callable[[RowContext], list[Correction]]


def _slips(context: RowContext) -> list[Correction]:
    corrections = []
    for slip in find_slips(context):
        texts = {name: context.rows.text(slip.row, name) for name in ("energy_mj", "power_mw", "latency_ms")}
        printed = texts[slip.column]
        used = texts[slip.column] = scaled(printed, power_of_ten(slip.exponent))
        arithmetic = "energy_mj {energy_mj} is power_mw {power_mw} x latency_ms {latency_ms} / 1000".format(**texts)
        unit = f"{slip.unit} (or energy_mj like {slip.energy_unit})" if slip.energy_unit else slip.unit
        why = f"{printed} looks like {unit}: {slip.change}, so that {arithmetic} within rounding."
        corrections.append(Correction(slip.row, slip.column, printed, used, why))
    return corrections


FIXES: Final[Mapping[str, Fix]] = {
    fix.rule: fix for fix in (Fix("unit-slip", "move the decimal point of a quantity in another unit", _slips),)
}
"""Fixes by the rule they make good."""


def chosen_fixes(names: Sequence[str]) -> list[Fix]:
    """Fixes of the names given, each once.

    Raises:
        UsageError: a name is no fix; the message lists those there are.
    """
    for name in names:
        if name not in FIXES:
            raise unknown("fix", name, FIXES)
    return [FIXES[name] for name in dict.fromkeys(names)]
