import pytest

from tests.generated import DOCUMENTS
from tests.test_layers import ROOT


@pytest.mark.parametrize("name", DOCUMENTS)
def test_committed_document_is_what_the_code_makes_of_it(name):
    committed = (ROOT / name).read_text(encoding="utf-8")
    assert committed == DOCUMENTS[name](), f"{name} is stale; run: make regenerate"
