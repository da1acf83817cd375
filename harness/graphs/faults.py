"""Rules of model files, and the exception that carries the issues of one file."""

from collections.abc import Sequence
from typing import Final

from harness.errors import DeepenError
from harness.issues import Issue, printable, quoted

MODEL_RULES: Final[dict[str, str]] = {
    "model-unreadable": "A model file is a readable, plain file of at most 2 GB.",
    "model-format": "A model file is an ONNX or TFLite model, whole and unchanged.",
    "model-graph": "A model's operators form a graph without cycles in which every tensor has one origin.",
    "model-shape": "Every extent of a model is known, from the file or from --input.",
    "internal-fault": "A model file is read to its end, or refused for a stated reason.",
    "model-weights": "A model declares the extents of its weights, even where it leaves out their values.",
}
"""Rules of model files by id; a fault is reported under one of them."""


class ModelFileError(DeepenError):
    """A model file that cannot be read; `issues` lists every fault."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        super().__init__("\n".join(map(str, issues)))


def model_issue(rule: str, file: str, *, found: str, expected: str, fix: str, tensor: str | None = None) -> Issue:
    """One fault of a model file.

    Args:
        rule: id in `MODEL_RULES`.
        file: path as the user knows it.
        found: what the file has.
        expected: what is right.
        fix: what to do, a sentence.
        tensor: tensor or node, shown as `name: found`.

    Raises:
        KeyError: the rule is not declared.
    """
    MODEL_RULES[rule]  # A rule that is not documented cannot be reported.
    return Issue(
        rule=rule,
        severity="error",
        file=printable(file),
        line=None,
        column=None if tensor is None else quoted(tensor),
        found=quoted(found),
        expected=printable(expected),
        fix=printable(fix),
        is_value=False,
    )
