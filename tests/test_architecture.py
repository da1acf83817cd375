"""ARCHITECTURE.md names what exists, and nobody has to look for a room that it leaves out."""

import ast

import pytest

from tests.architecture import direct_arrows, drawn_arrows, room_imports
from tests.documents import links, section
from tests.test_layers import ROOT

DOCUMENT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
NAMED = sorted(
    {(link.words, link.address) for link in links(DOCUMENT) if link.is_code and link.address.endswith(".py")}
)
WALKS = ("A row to a page", "A trace to a row", "A model file to an energy", "A predictor to the board")


def names_in(path):
    """Functions, classes and constants of a module, not those that it imports."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize(("name", "file"), NAMED, ids=[f"{name}-{file}" for name, file in NAMED])
def test_every_function_that_is_named_is_in_its_file(name, file):
    path = ROOT / file
    assert name == path.name or name in names_in(path), f"{file} has no {name}"


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_goes_through_several_rooms(walk):
    files = [link.address for link in links(section(DOCUMENT, walk)) if link.is_code]
    assert len(files) >= 5
    assert len({file.split("/")[1] for file in files}) >= 2


def test_picture_leaves_out_no_room_but_the_foundation_and_no_import_that_nothing_replaces():
    imports = room_imports()
    drawn = drawn_arrows()

    def reached(room):
        return drawn[room].union(*(reached(below) for below in drawn[room]))

    for room, arrows in drawn.items():
        assert arrows <= imports[room]
        assert imports[room] & drawn.keys() <= reached(room)


def test_an_arrow_that_a_longer_way_replaces_is_left_out():
    graph = {"a": {"b", "c", "d"}, "b": {"c"}, "c": {"d"}, "d": set()}
    assert direct_arrows(graph) == {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": set()}


MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 40


def lines_of(function):
    """Lines of a function without its docstring."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    n_words = 0 if docstring is None else docstring.end_lineno - docstring.lineno + 1
    return function.end_lineno - function.lineno + 1 - n_words


@pytest.mark.parametrize("package", ["harness", "predictors"])
def test_modules_and_functions_stay_small(package):
    large = []
    for path in sorted((ROOT / package).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if len(source.splitlines()) > MOST_LINES:
            large.append(path.name)
        functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
        large += [f"{path.name}: {each.name}" for each in functions if lines_of(each) > MOST_LINES_OF_A_FUNCTION]
    assert large == []
