"""Rooms of the harness, their layers, and the picture of both in ARCHITECTURE.md, drawn from the imports."""

import ast
from collections.abc import Mapping

from tests.test_layers import LAYERS, MODULES, imports_of, room_of

FOUNDATION = LAYERS[0] | LAYERS[1]
"""Modules without a domain of their own, which every room may import."""
BEGIN, END = "<!-- picture: begin -->\n", "<!-- picture: end -->\n"


def room_imports() -> dict[str, set[str]]:
    """Rooms that each room imports, without itself."""
    rooms: dict[str, set[str]] = {room_of(module): set() for module in MODULES if module != "harness"}
    for module in MODULES.keys() - {"harness"}:
        rooms[room_of(module)] |= {room_of(imported) for imported in imports_of(module)}
    return {room: imported - {room} for room, imported in rooms.items()}


def direct_arrows(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Transitive reduction of a graph without circles: an arrow that a longer way replaces is left out.

    >>> direct_arrows({"cli": {"pages", "schema"}, "pages": {"schema"}, "schema": set()})
    {'cli': {'pages'}, 'pages': {'schema'}, 'schema': set()}
    """

    def reached(node: str) -> set[str]:
        return graph[node].union(*(reached(below) for below in graph[node]))

    return {node: below - set().union(*(reached(each) for each in below)) for node, below in graph.items()}


def drawn_arrows() -> dict[str, set[str]]:
    """Arrows of the picture; those to the foundation are left out, because every room may have them."""
    above = {room: below - FOUNDATION for room, below in room_imports().items() if room not in FOUNDATION}
    return direct_arrows(above)


def purpose_of(room: str) -> str:
    """First line of a room's docstring."""
    return str(ast.get_docstring(ast.parse(MODULES[f"harness.{room}"].read_text(encoding="utf-8")))).splitlines()[0]


def picture() -> str:
    """Mermaid graph of the rooms, then their layers from the highest to the lowest as a table."""
    lines = ["```mermaid", "flowchart TB"]
    for room, below in sorted(drawn_arrows().items()):
        lines += [f"  {room} --> {other}" for other in sorted(below)]
    foundation = ", ".join(f"`{room}`" for room in sorted(FOUNDATION))
    lines += ["```", "", f"Every room may also import {foundation}.", ""]
    lines += ["| layer | room | purpose |", "|---|---|---|"]
    for number, rooms in reversed(list(enumerate(LAYERS))):
        lines += [f"| {number} | `{room}` | {purpose_of(room)} |" for room in sorted(rooms)]
    return "\n".join([*lines, ""])


def with_picture(text: str) -> str:
    """The document with the picture of today between its marks."""
    before, after = text.split(BEGIN)
    return f"{before}{BEGIN}\n{picture()}\n{END}{after.split(END)[1]}"
