"""Every version that follows the code, and the modules that it follows."""

import ast
from functools import cache
from pathlib import Path

import pytest

from harness import code_version as versions
from harness import splits
from harness.code_version import N_DIGITS, code_of, code_version
from harness.evaluation import network_results, results
from harness.simulation import estimator
from tests.test_layers import MODULES, imports_of

VERSIONS = {
    "split": (splits.split_version, splits.DECIDING_MODULES),
    "evaluation": (results.evaluation_version, results.DECIDING_MODULES),
    "networks": (network_results.networks_version, network_results.DECIDING_MODULES),
    "simulation": (estimator.settings_version, estimator.DECIDING_MODULES),
}
"""Besides these, `harness.predictor.registry.predictor_version` follows the files of each predictor."""

OF_ROWS = "it makes rows, whose content a result pins"
OF_OTHER_VERSION = "a result pins the version of what it decides"
OF_LAYERS = "an estimate is of a layer, which its key holds"
OF_RUN = "it decides how and when code runs, never a figure"
NOT_DECIDING = {
    "evaluation": {
        "harness.arrays": "it names types",
        "harness.budget": "it limits what is read, and makes no figure",
        "harness.children": OF_RUN,
        "harness.code_version": OF_RUN,
        "harness.defaults": OF_RUN,
        "harness.errors": OF_RUN,
        "harness.evaluation.result_files": OF_RUN,
        "harness.evaluation.result_layout": "it has a version of its own, schema_version",
        "harness.evaluation.results": OF_RUN,
        "harness.seal": OF_RUN,
        "harness.evaluation.tracks": "it chooses rows, whose content a result pins",
        "harness.files": OF_RUN,
        "harness.files.faults": OF_RUN,
        "harness.files.left_overs": OF_RUN,
        "harness.files.locks": OF_RUN,
        "harness.files.writing": OF_RUN,
        "harness.issues": "it words messages",
        "harness.parallel": OF_RUN,
        "harness.predictor.conformance": "it checks the protocol and makes no figure",
        "harness.predictor.declaration": OF_OTHER_VERSION,
        "harness.predictor.loading": OF_RUN,
        "harness.predictor.network_conformance": "it checks the protocol and makes no figure",
        "harness.predictor.networks": "no kernel is predicted from it; the version of networks follows it",
        "harness.predictor.persistence": "it makes files of what is fitted, and no figure",
        "harness.predictor.pins": OF_RUN,
        "harness.predictor.plain": "it makes arrays of what is fitted, for predictions",
        "harness.predictor.registry": OF_OTHER_VERSION,
        "harness.predictor.subjects": "it chooses rows, whose content a result pins",
        "harness.releases": OF_ROWS,
        "harness.sandbox.kernel": OF_RUN,
        "harness.sandbox.semaphores": OF_RUN,
        "harness.sandbox.watch": OF_RUN,
        "harness.schema.annotations": OF_ROWS,
        "harness.schema.campaign": OF_ROWS,
        "harness.schema.columns": OF_ROWS,
        "harness.schema.cost": OF_ROWS,
        "harness.schema.licences": "it knows identifiers of licences, and no figure",
        "harness.schema.facts": OF_ROWS,
        "harness.schema.protocol": OF_ROWS,
        "harness.schema.identity": OF_OTHER_VERSION,
        "harness.schema.configuration": OF_ROWS,
        "harness.schema.kernel_costs": OF_ROWS,
        "harness.schema.kernel_types": OF_ROWS,
        "harness.schema.network_names": OF_OTHER_VERSION,
        "harness.schema.networks": OF_ROWS,
        "harness.schema.older_columns": OF_ROWS,
        "harness.schema.quantities": OF_ROWS,
        "harness.schema.quantity": OF_ROWS,
        "harness.schema.records": OF_ROWS,
        "harness.schema.run_quantities": OF_ROWS,
        "harness.schema.results": "a result holds what it declares",
        "harness.schema.system_names": OF_ROWS,
        "harness.schema.systems": OF_ROWS,
        "harness.schema.vocabulary": OF_ROWS,
        "harness.splits": OF_OTHER_VERSION,
    },
    "simulation": {
        "harness.code_version": OF_RUN,
        "harness.errors": OF_RUN,
        "harness.issues": "it words messages",
        "harness.schema.cost": OF_LAYERS,
        "harness.schema.configuration": OF_LAYERS,
        "harness.schema.kernel_costs": OF_LAYERS,
        "harness.schema.kernel_types": OF_LAYERS,
        "harness.schema.networks": OF_LAYERS,
        "harness.schema.quantities": OF_LAYERS,
        "harness.schema.quantity": OF_LAYERS,
        "harness.schema.vocabulary": OF_LAYERS,
        "harness.simulation.accelerators": "the key of an estimate holds what it gives",
    },
}
OF_KERNELS = "it decides results of kernels, and none of networks"
NOT_DECIDING["networks"] = {
    **{name: why for name, why in NOT_DECIDING["evaluation"].items() if name not in network_results.DECIDING_MODULES},
    **{name: OF_KERNELS for name in results.DECIDING_MODULES if name not in network_results.DECIDING_MODULES},
    "harness.evaluation.network_results": OF_RUN,
}
ROOTS = {
    "evaluation": ("harness.evaluation.runner", "harness.evaluation.tracks"),
    "networks": ("harness.evaluation.network_runner", "harness.evaluation.tracks"),
    "simulation": ("harness.simulation.estimator",),
}


def imported_by(roots):
    """Modules that some modules import, and what those import in turn; with themselves."""
    found, pending = set(), list(roots)
    while pending:
        module = pending.pop()
        if module not in found:
            found.add(module)
            pending += imports_of(module)
    return found


@pytest.mark.parametrize("name", VERSIONS)
def test_version_is_that_of_the_code_of_its_modules(name):
    version, modules = VERSIONS[name]
    salt = f"{splits.CURRENT}-" if name == "split" else ""
    assert version() == salt + code_version(modules)
    assert len(code_version(modules)) == N_DIGITS


@pytest.mark.parametrize("name", ROOTS)
def test_every_module_that_is_imported_decides_or_is_named_as_not_deciding(name):
    deciding, others = set(VERSIONS[name][1]), set(NOT_DECIDING[name])
    imported = imported_by(ROOTS[name])
    missing, gone = sorted(imported - deciding - others), sorted((deciding | others) - imported)
    assert not missing, f"add to DECIDING_MODULES of {name}, or to NOT_DECIDING here with the reason: {missing}"
    assert not gone, f"{name} no longer imports these; remove them: {gone}"
    assert not deciding & others


@pytest.mark.parametrize("name", VERSIONS)
def test_code_moves_the_version_and_words_do_not(name, monkeypatch):
    modules = VERSIONS[name][1]
    # Each version differs from the others in one module.
    monkeypatch.setattr(versions, "code_of", cache(code_of))
    before = code_version(modules)
    for module in modules:
        source = MODULES[module].read_text(encoding="utf-8")
        for change, is_same in (("\n\n# A comment.\n", True), ("\nNEW = 1\n", False)):
            monkeypatch.setattr(
                versions,
                "_source_of",
                lambda name, module=module, new=source + change: (
                    new if name == module else MODULES[name].read_text(encoding="utf-8")
                ),
            )
            assert (code_version(modules) == before) == is_same, module


WORDS = '''"""Module."""

LIMIT = 2  # a comment
"""Docstring of a constant."""


class Empty:
    """A class."""

    def method(self):
        r"""Longer,

        over lines é."""; return "# no comment"


TEXT = """  kept

  # as it is~
"""
JOINED = (
    "a"  # one

    f"{LIMIT}"
)
'''.replace("~", "  ")
"""An editor would remove the trailing space."""


def test_comments_docstrings_and_blank_lines_are_no_code():
    assert code_of(WORDS) == (
        'LIMIT = 2\nclass Empty:\n    def method(self):\n        ; return "# no comment"\n'
        'TEXT = """  kept\n\n  # as it is  \n"""\nJOINED = (\n    "a"\n    f"{LIMIT}"\n)\n'
    )


@pytest.mark.parametrize("module", ["harness.evaluation.bootstrap", "harness.splits", "harness.simulation.orders"])
def test_what_remains_is_the_same_program(module):
    def statements(source):
        tree = ast.parse(source)
        for node in ast.walk(tree):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    is_words = [isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) for each in block]
                    setattr(node, name, [each for each, word in zip(block, is_words, strict=True) if not word])
        return ast.dump(tree)

    source = Path(MODULES[module]).read_text(encoding="utf-8")
    assert statements(code_of(source)) == statements(source)


def test_order_of_modules_does_not_matter():
    one, other = "harness.splits", "harness.schema.identity"
    assert code_version([one, other]) == code_version([other, one])
