"""What a job says of itself, taken for what it is: bytes of code that nobody vouches for."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from harness.issues import printable

_LONGEST_TEXT: Final = 400
_Seconds = Annotated[float, Field(ge=0)]


class Header(BaseModel):
    """Header of an answer; a field that is none of these is passed over.

    Attributes:
        is_loaded: whether the predictor was loaded.
        has_intervals: whether figures of intervals follow.
        has_networks: whether figures of networks follow.
        reason: what the predictor did wrong, in words; null where it did nothing.
        fit_s: time of the fit in seconds.
        predict_s: time of the predictions in seconds.
        batch_s: time of the prediction of the timed batch in seconds.
        peak_mb: most memory that the process held.
        faults: faults that the checks of conformance found.
    """

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)

    is_loaded: bool
    has_intervals: bool
    has_networks: bool
    reason: str | None
    fit_s: _Seconds | None = None
    predict_s: _Seconds | None = None
    batch_s: _Seconds | None = None
    peak_mb: _Seconds | None = None
    faults: list[str] = Field(default_factory=list)


def read_header(content: bytes, elapsed_s: float) -> Header:
    """Header of an answer.

    Args:
        content: JSON, of any content and depth.
        elapsed_s: seconds that the job took, which bound what it may say of its times.

    Raises:
        ValueError: it is none.
    """
    said = Header.model_validate_json(content)
    if sum(time or 0 for time in (said.fit_s, said.predict_s, said.batch_s)) > elapsed_s:
        raise ValueError("it took longer than it ran")
    return said


def harmless(text: str) -> str:
    r"""Text of a job on one line: nothing that steers a terminal or a log, and no command to continuous integration.

    >>> harmless("no rows\n::error::all is lost\x1b[2J")
    'no rows\\n: :error: :all is lost\\x1b[2J'
    """
    shown = printable(text[:_LONGEST_TEXT])
    while "::" in shown:
        shown = shown.replace("::", ": :")
    return shown.replace("##[", "## [") + ("…" if len(text) > _LONGEST_TEXT else "")
