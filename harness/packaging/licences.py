"""Licences of a dataset: the file LICENSE with their texts, and what the header of a card says of them.

The licence of a row is that of its submission. Nothing here decides what a licence permits, and what nobody has
licensed is said to be so.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from harness.errors import ReleaseError
from harness.issues import counted
from harness.packaging.sources import attributions_of, licences_of, pairs_of
from harness.schema.licences import licence_words, spdx_of
from harness.schema.vocabulary import UNSTATED_LICENCE

LICENCE_FILE: Final = "LICENSE"
_TEXTS: Final = "licences"
"""Folder of `dataset_cards` with the text of each licence."""
_SPDX: Final = "https://spdx.org/licenses/"
_HUB_LICENCES: Final = {UNSTATED_LICENCE: "unknown", "ODbL-1.0": "odbl", "ODC-By-1.0": "odc-by", "PDDL-1.0": "pddl"}
"""SPDX identifiers whose name on the Hub is not merely the lower-case one."""
_LINE: Final = "=" * 100


@dataclass(frozen=True, slots=True)
class LicenceShare:
    """Rows and submissions under one licence."""

    licence: str
    n_rows: int
    n_submissions: int


def hub_licence(licence: str) -> str:
    """Name on the Hub of a licence; `other` where the Hub has none.

    Args:
        licence: SPDX identifier, or what stands in its place where there is none.

    >>> hub_licence("CC-BY-4.0"), hub_licence("NOASSERTION"), hub_licence("LicenseRef-Mine")
    ('cc-by-4.0', 'unknown', 'other')
    """
    if licence in _HUB_LICENCES:
        return _HUB_LICENCES[licence]
    return "other" if spdx_of(licence) is None else licence.lower()


def hub_header(licences: list[str]) -> dict[str, Any]:
    """Fields of a card's header: one licence as the Hub names it, otherwise `other` with all of them and the file.

    Source:
        Hugging Face Hub, metadata of dataset cards: `license_name` and `license_link` go with `license: other`.

    >>> hub_header(["CC-BY-4.0"])
    {'license': 'cc-by-4.0'}
    >>> hub_header(["Apache-2.0", "NOASSERTION"])
    {'license': 'other', 'license_name': 'apache-2.0-and-unknown', 'license_link': 'LICENSE'}
    """
    names = [licence.lower() if hub_licence(licence) == "other" else hub_licence(licence) for licence in licences]
    if len(licences) == 1 and hub_licence(licences[0]) != "other":
        return {"license": names[0]}
    return {"license": "other", "license_name": "-and-".join(names), "license_link": LICENCE_FILE}


def licence_address(licence: str) -> str | None:
    """Address of a licence in the SPDX list; None where the list does not have it."""
    return None if spdx_of(licence) is None else f"{_SPDX}{licence}"


def licence_shares(submissions: pa.Table, rows: pa.Table) -> list[LicenceShare]:
    """Rows and submissions under each licence, sorted by licence."""
    of_submission = pairs_of(submissions, "submission_id", "licence")
    n_submissions = Counter(of_submission.values())
    n_rows: Counter[str] = Counter()
    for pair in pc.value_counts(rows.column("submission_id")).to_pylist():
        n_rows[of_submission[pair["values"]]] += pair["counts"]
    return [LicenceShare(licence, n_rows[licence], n_submissions[licence]) for licence in licences_of(submissions)]


def licence_file(name: str, submissions: pa.Table, rows: pa.Table, cards: Path) -> str:
    """Text of LICENSE: which rows are under which licence, whom to name, and the text of each licence.

    Args:
        name: name of the dataset.
        submissions: its submissions.
        rows: its rows.
        cards: folder of the card texts.

    Raises:
        ReleaseError: the text of a licence cannot be read.
    """
    shares = licence_shares(submissions, rows)
    head = [
        f"Licences of {name}",
        "",
        "A row is under the licence of its submission: column `licence` of the table `submissions`, which also states",
        "the source. The texts follow below.",
        "",
        *(f"- {_held(share)}" for share in shares),
    ]
    if attributions := attributions_of(submissions):
        head += ["", "Owners ask for this sentence beside the figures:", "", *(f"- {each}" for each in attributions)]
    texts = [text for share in shares if (text := _text(cards, share.licence))]
    return f"\n\n{_LINE}\n\n".join(["\n".join(head), *texts]) + "\n"


def _held(share: LicenceShare) -> str:
    of = f"{counted(share.n_rows, 'row')} of {counted(share.n_submissions, 'submission')}"
    address = licence_address(share.licence)
    return f"{of}: {licence_words(share.licence)}" + (f", {address}" if address else "")


def _text(cards: Path, licence: str) -> str:
    """Text of a licence; empty where the project keeps none, as its address then stands alone."""
    path = cards / _TEXTS / f"{licence}.txt"
    if spdx_of(licence) is None or not path.is_file():
        return ""
    try:
        return f"{licence}\n\n{path.read_text(encoding='utf-8')}".rstrip()
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{path}: {error}; expected the text of a licence.") from error
