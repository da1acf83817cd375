"""A module imports lower layers, or its own room; nothing imports upwards, sideways or in a circle."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = (
    {"arrays", "budget", "children", "defaults", "errors"},
    {"code_version", "discovery", "files", "issues", "numbers", "parallel", "seal"},
    {"schema"},
    {"traces", "splits"},
    {"validation", "graphs", "releases"},
    {"intake", "leaks", "simulation", "split_statements", "predictor", "readouts", "scoring"},
    {"sandbox", "review"},
    {"prediction"},
    {"planning"},
    {"evaluation"},
    {"packaging", "pages"},
    {"api", "regenerate", "supply"},
    {"cli"},
)
LAYER = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "harness").rglob("*.py"))
}


def room_of(module):
    return module.split(".")[1]


def imports_of(module):
    """Modules of the harness that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    # The package itself holds only its version.
    return {name for name in found if name.startswith("harness.")}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"harness"}))
def test_module_imports_lower_layers_or_its_own_room(module):
    assert room_of(module) in LAYER, f"{room_of(module)} has no layer; give it one"
    for imported in imports_of(module):
        is_own_room = room_of(imported) == room_of(module)
        assert is_own_room or LAYER[room_of(imported)] < LAYER[room_of(module)], f"{module} imports {imported}"


COMMAND_NEEDS = {"api", "cli", "defaults", "errors", "files", "issues"}
"""What the command may import: it parses, calls the interface, and prints."""
WORDS = {"harness.schema.vocabulary"}
"""Closed word lists, which options offer."""
BOARDS = "harness.cli.boards"
"""Tables of results, whose columns the evaluation declares."""


@pytest.mark.parametrize("module", sorted(name for name in MODULES if room_of(f"{name}.") == "cli"))
def test_command_calls_the_interface_and_no_room(module):
    rooms = COMMAND_NEEDS | ({"evaluation", "schema"} if module == BOARDS else set())
    found = {name for name in imports_of(module) - WORDS if room_of(name) not in rooms}
    assert not found, f"{module} imports {', '.join(sorted(found))}; call harness.api"


def test_package_imports_nothing_of_itself():
    assert imports_of("harness") == set()


def test_no_module_imports_itself_by_a_detour():
    graph = {module: imports_of(module) & set(MODULES) for module in MODULES}
    done = set()

    def visit(module, above):
        assert module not in above, " imports ".join([*above[above.index(module) :], module])
        if module not in done:
            for imported in sorted(graph[module]):
                visit(imported, [*above, module])
            done.add(module)

    for module in sorted(graph):
        visit(module, [])


WATCHED_IMPORTS = """
import importlib, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        raise SystemExit(f"{event} {arguments}")

sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def test_imports_have_no_effect(tmp_path):
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", WATCHED_IMPORTS, *sorted(MODULES)]
    finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
