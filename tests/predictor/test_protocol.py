import subprocess
import sys

import pytest
from pydantic import ValidationError

from harness.predictor.protocol import KERNELS, PredictorInfo

FACTS = {"key": "my-forest", "name": "My forest", "authors": ("A. Author",), "licence": "Apache-2.0", "kernels": "all"}


def test_all_kernels_are_every_kernel_type():
    assert PredictorInfo(**FACTS).kernel_types == KERNELS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "My Forest"),
        ("key", "my_forest"),
        ("key", "my-forest\n"),
        ("key", "x" * 41),
        ("name", " "),
        ("authors", ()),
        ("kernels", ("conv",)),
        ("kernels", ("fc", "fc")),
        ("kernels", ()),
        ("is_cross_device", "yes"),
        ("colour", "red"),
    ],
)
def test_declaration_that_says_nothing_usable_is_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        PredictorInfo(**FACTS | {field: value})


def test_declaring_a_predictor_imports_no_number_cruncher():
    code = "import sys, harness.predictor.protocol; print({'numpy', 'pandas', 'sklearn', 'pyarrow'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
