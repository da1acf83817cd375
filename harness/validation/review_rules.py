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
        ("former-id", "A former id is that of a published submission whose rows these are.",
         "Rows under the record ids of another submission take the place of its rows."),
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
        ("text-blank", "Titles, names, runtime and citation hold two letters or digits, and no word such as TODO.",
         "Nobody can tell what was measured by whom."),
    )),
    ("identity", "warning", (
        ("name-similar", "Names of devices differ in letters or digits, not only in punctuation or the order of words.",
         "The same device under a second folder is ranked twice."),
        ("contributor-known", "A contributor who published before is asked whether the submission is theirs.",
         "Anybody can write the name of another into a file."),
        ("publication-check", "The figures of a publication, and their licence, are compared with it by a reviewer.",
         "Nothing here reads the publication."),
    )),
    ("suite", "error", (
        ("suite-network", "A rated row is of the network that its edition rates under that name.",
         "A smaller network under the name of a larger one wins every ranking."),
        ("suite-dtype", "A rated row is of a data type in which its edition's network is run.",
         "int4 under the name of an fp32 network is another network."),
        ("suite-shape", "A rated row is of the input shape of its edition's network.",
         "Half the width and height need a quarter of the energy."),
        ("suite-flops", "FLOPs of a rated row and of its kernel list are those of its edition's network within 5 %, "
         "parameters within 10 %.",
         "A row with FLOPs of its own makes any energy per FLOP plausible."),
    )),
    ("suite", "warning", (
        ("suite-reference", "A rated energy is within a factor of 3 of those of the edition's founding devices.",
         "A unit, a batch or another network; or a device to be proud of. Nobody removes the row because of it."),
    )),
    ("copies", "warning", (
        ("rows-copied", "Energies differ from those of another device, and of other people on the same one.",
         "Figures of one phone were submitted as those of another, and those of others as one's own."),
        ("rows-scaled", "Energies are not those of another device, or the references, times one factor.",
         "A copy times 0.4 looks like a better device, and no trace is needed to make it."),
        ("networks-alike", "Different networks need different energies.",
         "One figure in every row is typed, not measured."),
        ("network-ratio", "Energies of networks relate as on known devices, within a factor of 2.",
         "One network of another size or batch moves the index of the whole device."),
        ("class-percentile", "A device is not twice as good as the best of its class without anybody asking why.",
         "The first place is where errors and inventions end up."),
        ("dtype-ratio", "A network in fp32 needs more than the same in int8, as on known devices.",
         "An int8 model was run, and its figure submitted as that of the fp32 one."),
    )),
    ("evidence", "error", (
        ("tier-evidence", "Figures of a power analyser come with its traces, serial number and calibration, or a "
         "reason.", "Anybody can write that a figure was measured with an analyser, which ranks it above others."),
        ("trace-copied", "No trace has the noise of another one, shifted, scaled, mirrored, reversed or thinned.",
         "A trace times 0.5 was submitted as that of a better device."),
    )),
    ("evidence", "warning", (
        ("uncertainty-untraced", "An uncertainty without a trace is one that a meter can reach.",
         "The interval of a label rests on it, and anybody can write a small one."),
        ("trace-rate-stated", "The samples per second of a meter are those of its traces.",
         "A rate that nothing shows makes coarse traces look fine."),
        ("tier-reason", "Why figures of an analyser have no traces is read by a reviewer.",
         "A reason is easy to write, and no evidence."),
        ("trace-synthetic", "A trace has the noise of a meter, idle and under load.",
         "A constant or a perfect sine was computed."),
        ("trace-repeated", "The noise of a trace does not repeat.", "A short piece was joined to itself many times."),
        ("trace-windows", "At most a quarter of the time under load is in no window.",
         "Windows were chosen where the power was low."),
    )),
    ("choice", "warning", (
        ("networks-dropped", "A rated campaign has every network of its suite.",
         "The index leaves out what was not run, so that the worst network is best not submitted."),
        ("measured-again", "A campaign that is better than an earlier one of the same people says why.",
         "Repeating until a better figure comes makes any device better."),
        ("campaign-replaced", "What replaces or joins figures of another campaign is shown with the support of both.",
         "A later row without traces took the place of a traced one."),
    )),
)  # fmt: skip
"""Subject, severity, and id, requirement and reason of every rule."""
