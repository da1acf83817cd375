import sys
from dataclasses import dataclass

import pytest

from harness.discovery import declared_formats


@dataclass
class Kind:
    name: str


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of format modules, from their source by module name."""

    def made(**modules):
        folder = tmp_path / "formats_on_trial"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for name, source in modules.items():
            (folder / f"{name}.py").write_text(f"from tests.test_discovery import Kind\n{source}\n")
        monkeypatch.syspath_prepend(tmp_path)
        package = __import__(folder.name)
        for name in (folder.name, *(f"{folder.name}.{module}" for module in modules)):
            monkeypatch.delitem(sys.modules, name, raising=False)
        return package

    return made


def test_every_module_is_found_by_being_there(package):
    formats = declared_formats(package(one="FORMAT = Kind('first')", two="FORMAT = Kind('second')"), Kind)
    assert list(formats) == ["first", "second"]


@pytest.mark.parametrize("source", ["", "FORMAT = 'text'", "FORMAT = Kind('first')"], ids=["none", "other", "twice"])
def test_a_broken_module_fails_loudly_and_is_named(package, source):
    with pytest.raises(TypeError, match=r"formats_on_trial\.two must hold FORMAT"):
        declared_formats(package(one="FORMAT = Kind('first')", two=source), Kind)
