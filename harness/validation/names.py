"""The rules of names: networks by their settled spelling, and the shape of an input in one order.

Settled names are in `harness.schema.network_names`, and which of them are held out in `harness.splits`.
"""

from typing import Final

from harness.issues import nearest
from harness.schema.network_names import NAMES, begins_like, settled_name
from harness.schema.vocabulary import Level, plain_word
from harness.splits import HELD_OUT, held_out_like
from harness.validation.context import Mask, RowContext, rows_where, words_with_codes

COLUMNS: Final[dict[Level, str]] = {"models": "family", "applications": "reference_model"}
"""Column that names what splits go by."""
MOST_COLOURS: Final = 4
"""Channels of an image in front of its height, by which channels that come first are told from rows of pixels."""
_VARIANT: Final[dict[Level, str]] = {"models": ", and the rest into variant"}
_NEAR: Final = 0.75
_RANK: Final = 3
"""Extents of an image or of a spectrogram with channels."""


def check_names(context: RowContext) -> None:
    """family-spelling, family-unsettled, family-unknown."""
    column = COLUMNS.get(context.level)
    if column is None:
        return
    for code, name, codes in words_with_codes(context.rows.table.column(column)):
        is_named = codes == code
        if name is None or not is_named.any():
            continue
        settled = settled_name(context.level, name)
        if settled is None:
            _report_unsettled(context, column, name, is_named)
        elif settled != name:
            is_spelling = plain_word(settled) == plain_word(name)
            other = f", of which {name} is another name; ask for a name to be settled if it is another network"
            fix = f"Write {settled}{'' if is_spelling else other}."
            for row in rows_where(is_named):
                context.report("family-spelling", row, column, expected=settled, fix=fix)
    if context.level == "models":
        _check_one_family(context)


def _report_unsettled(context: RowContext, column: str, name: str, is_named: Mask) -> None:
    """Report a name that nobody settled: one that begins like a held-out one is refused, another one stays."""
    level = context.level
    like = held_out_like(level, name)
    if like is not None:
        fix = f"If it is {like}, write {like}{_VARIANT.get(level, '')}; if not, ask for its name to be settled."
        expected = f"{like}, which it is like and which is held out for tests, or another settled name"
        context.report_first("family-unsettled", is_named, column, expected=expected, fix=fix)
        return
    if level == "models" and (model := _held_out_model(context, is_named)) is not None:
        like, has_model = model
        fix = f"If it is {like}, write {like}{_VARIANT[level]}; if not, give the model a name of its own."
        expected = f"{like}, which the name of its model is like and which is held out for tests"
        context.report_first("family-unsettled", has_model, column, expected=expected, fix=fix)
        return
    near = begins_like(level, name) or nearest(name, NAMES[level], cutoff=_NEAR)
    asked = f"If it is {near}, write {near}{_VARIANT.get(level, '')}. " if near else ""
    expected = f"{near or 'one of ' + ', '.join(NAMES[level])}, or a network that is none of them"
    fix = f"{asked}Is it {' or '.join(sorted(HELD_OUT[level]))} by another name? If it is new, nothing is to be done."
    context.report_first("family-unknown", is_named, column, expected=expected, fix=fix)


def _held_out_model(context: RowContext, is_named: Mask) -> tuple[str, Mask] | None:
    """Held-out family that a model of some rows is called like, and the rows of that model; None where none is."""
    for code, model, codes in words_with_codes(context.rows.table.column("model")):
        has_model = (codes == code) & is_named
        if model is None or not has_model.any():
            continue
        family = settled_name("models", model) or held_out_like("models", model)
        if family is not None and family in HELD_OUT["models"]:
            return family, has_model
    return None


def _check_one_family(context: RowContext) -> None:
    table = context.rows.table.select(["model", "family"]).to_pylist()
    first: dict[str, int] = {}
    for row, names in enumerate(table):
        earlier = first.setdefault(names["model"], row)
        if names["family"] != table[earlier]["family"] and None not in (names["model"], names["family"]):
            expected = (
                f"{table[earlier]['family']}, the family of {names['model']} in line {context.rows.line(earlier)}"
            )
            context.report("family-spelling", row, "family", expected=expected, fix="Give a network one family.")


def check_shapes(context: RowContext) -> None:
    """shape-order."""
    if "input_shape" not in context.rows.table.column_names:
        return
    for code, shape, codes in words_with_codes(context.rows.table.column("input_shape")):
        if shape is None or not (codes == code).any():
            continue
        settled = settled_shape(shape)
        if settled != shape:
            fix = f"Write {settled}, if that is what one input is; the batch has a column of its own, batch_size."
            expected = f"{settled}: height, width, channels, without the batch and without a single channel"
            context.report_first("shape-order", codes == code, "input_shape", expected=expected, fix=fix)


def settled_shape(shape: str) -> str:
    """Shape of one input in the order of the schema: no batch of one in front, channels last, and more than one.

    Args:
        shape: whole numbers joined by x.

    >>> settled_shape("1x224x224x3"), settled_shape("3x224x224"), settled_shape("49x10x1"), settled_shape("1x640")
    ('224x224x3', '224x224x3', '49x10', '640')
    """
    extents = shape.split("x")
    while len(extents) > 1 and extents[0] == "1":
        extents = extents[1:]
    if len(extents) == _RANK:
        first, *others = map(int, extents)
        if first <= MOST_COLOURS < min(others):
            extents = [*extents[1:], extents[0]]
    while len(extents) > 1 and extents[-1] == "1":
        extents = extents[:-1]
    return "x".join(extents)
