"""Rules about what a pull request changes, as declared in the registry; the checks are in `harness.review`."""

from typing import Final

from harness.issues import Severity

REVIEWED: Final = ("reach", "identity", "suite", "copies", "evidence", "choice")
"""Subjects of these rules, in the order of their worth."""

REVIEW_RULES: Final[tuple[tuple[str, Severity, tuple[tuple[str, str, str], ...]], ...]] = (
    ("reach", "error", (
        ("published-removed", "Published campaigns and devices stay.",
         "One pull request removed the best device of a ranking, and nobody was told."),
        ("published-figure", "A published figure changes only with an erratum that states both values and why.",
         "Energies of another submitter's phone were divided by 2.5 and took its first place."),
        ("path-hidden", "A submission holds no hidden file.", "Nobody sees such a file in a review."),
    )),
    ("reach", "warning", (
        ("published-changed", "What changes in a published campaign or device is shown, with whose it is.",
         "A TDP, a tier or a boundary moves scores and places of everybody."),
        ("device-shared", "A campaign on a device that others published is shown to a reviewer.",
         "It replaces or joins their figures under the name of their device."),
        ("harness-changed", "A pull request changes submissions or the code that validates them, not both.",
         "A changed rule would pass what it was changed for."),
    )),
    ("identity", "error", (
        ("name-taken", "No two devices have one name, whatever its case, width and spaces.",
         "Rankings show names; two devices of one name are one to a reader."),
        ("name-confusable", "No name looks like that of another device or contributor.",
         "A Cyrillic o in the name of a phone took the place of the real one."),
        ("name-characters", "Names are written in one alphabet, with characters that are seen.",
         "Letters of two alphabets in a word, or invisible ones, are there to mislead."),
        ("text-blank", "Titles, names, runtime and citation hold at least two letters or digits.",
         "Nobody can tell what was measured by whom."),
        ("licence-unknown", "The licence is an identifier of the SPDX list, or NOASSERTION.",
         "A licence of the submitter's own words gives nobody any right."),
        ("date-impossible", "The date is a day of the calendar, not to come, and not before there was such a device.",
         "A date that cannot be is not when the measurement was made."),
        ("publication-missing", "Figures that are published come with the address or identifier of their publication.",
         "Energies that nobody printed were ranked among those of papers."),
        ("scores-unpublished", "Published scores come with the address of their publication.",
         "A score of the submitter's own stands on pages beside the one that is computed."),
    )),
    ("identity", "warning", (
        ("name-similar", "Names of devices differ in letters or digits, not only in punctuation.",
         "The same device under a second folder is ranked twice."),
        ("contributor-known", "A contributor who published before is asked whether the submission is theirs.",
         "Anybody can write the name of another into a file."),
        ("publication-check", "The figures of a publication are compared with it by a reviewer.",
         "Nothing here reads the publication."),
    )),
)  # fmt: skip
"""Subject, severity, and id, requirement and reason of every rule."""
