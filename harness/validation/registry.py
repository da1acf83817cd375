"""Every rule that a submission can break, by id; the checks are in the modules that find the faults.

A fault can only be reported under a rule that is declared here, so the documentation is complete.
"""

from dataclasses import dataclass
from typing import Final

from harness.issues import Severity
from harness.schema.columns import columns_of
from harness.schema.records import ROWS
from harness.validation.review_rules import REVIEW_RULES


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule requires, and why.

    Attributes:
        rule: id, which is also the anchor of its documentation.
        severity: whether breaking it keeps the submission out.
        subject: `files`, `text`, `yaml`, `header`, `cells`, `rows`, `networks`, `traces`, `intake`, or, for what a
            pull request changes, one of `REVIEWED`; groups the documentation.
        summary: what the rule requires, a sentence.
        why: what goes wrong where it is broken.
    """

    rule: str
    severity: Severity
    subject: str
    summary: str
    why: str


def _declare(subject: str, severity: Severity, *rules: tuple[str, str, str]) -> list[Rule]:
    return [Rule(rule, severity, subject, summary, why) for rule, summary, why in rules]


_FILES = _declare(
    "files",
    "error",
    ("folder-name", "Device and campaign folders have plain names that differ in more than case.",
     "The names become ids, addresses and dataset configurations, also on file systems that fold case."),
    ("path-symlink", "A submission holds no symbolic link.",
     "A link can point outside the submission and would publish files that nobody submitted."),
    ("path-unknown", "A submission holds only the files of the layout.",
     "A misspelt file name would be ignored, and its rows lost."),
    ("file-unreadable", "Every file can be read.", "A folder in place of a file, or missing permission, hides rows."),
    ("file-size", "YAML files hold at most 200 kB, kernel lists 4 MB, CSV files 200 MB in a million lines, "
     "logs that are read as a whole 100 MB in 300,000 lines or half a million windows.",
     "Larger files are not hand-written facts or tables, and would exhaust memory."),
    ("device-missing", "A device folder holds device.yaml.", "Figures of an unknown device cannot be scored."),
    ("submission-missing", "A campaign folder holds submission.yaml.",
     "Figures without method, meter and source cannot be checked."),
    ("internal-fault", "Every file is read to its end, or refused for a stated reason.",
     "A fault of DeepEn itself; what it kept from being checked cannot be published, and everything else is checked."),
    ("level-missing", "A campaign holds kernels.csv, models.csv or applications.csv.",
     "A campaign without rows has no results."),
)  # fmt: skip

_TEXT = _declare(
    "text",
    "error",
    ("text-encoding", "Files are UTF-8; a byte order mark is allowed.",
     "Spreadsheets export UTF-16 or a national code page, which changes names."),
    ("text-nul", "Files hold no NUL byte.", "A NUL byte means a binary or damaged file."),
    ("line-length", "A line holds at most 1 MB, one of a log that is read line by line 10 kB.",
     "Such a line is a damaged export, not a row."),
    ("csv-quote", "Every quoted cell is closed.", "An open quote swallows the rest of the file into one cell."),
)  # fmt: skip

_YAML = _declare(
    "yaml",
    "error",
    ("yaml-syntax", "YAML files parse.", "A misplaced indent changes what the file declares."),
    ("yaml-alias", "YAML files use no anchors and aliases.", "Nested aliases expand to billions of values."),
    ("yaml-tag", "YAML files use no tags.", "Tags ask the reader to build objects of the writer's choice."),
    ("yaml-duplicate", "A key occurs once in a mapping.", "The first value would be lost."),
    ("yaml-nesting", "YAML files nest at most 20 levels.", "Deeper nesting is an attack or an accident."),
    ("fact-missing", "Every required field of device.yaml, submission.yaml and a kernel list is given.",
     "Figures without method, meter, runtime or licence cannot be published."),
    ("fact-unknown", "Only declared fields are given.", "A misspelt field would be ignored."),
    ("fact-value", "Fields hold what they are declared to hold.", "A wrong type or bound makes the fact unusable."),
    ("boundary-rails", "A boundary of rails comes with their names: one for rail, at least two for sum-of-rails.",
     "Without its name nobody can tell what a rail feeds, and two different rails would be compared."),
    ("accuracy-zero", "The limits of error of a meter are above zero, and ones that a meter can have.",
     "A meter without error makes an uncertainty too small, and narrows the interval of a label."),
    ("licence-unknown", "The licence is an identifier of the SPDX list, or NOASSERTION.",
     "A licence of the submitter's own words gives nobody any right."),
    ("date-impossible", "The date is a day of the calendar, not to come, and not before there was such a device.",
     "A date that cannot be is not when the measurement was made."),
    ("publication-missing", "Figures that are published come with the address or identifier of their publication.",
     "Energies that nobody printed were ranked among those of papers."),
    ("scores-unpublished", "Published scores come with the address of their publication.",
     "A score of the submitter's own stands on pages beside the one that is computed."),
    ("submission-taken", "No submission states the former id of another one, and no two systems have one id.",
     "Rows of both would have the same ids, and ratings would mix them."),
    ("erratum-unmatched", "An erratum selects one row, or one field, whose used value is the one in the data.",
     "An erratum that points nowhere corrects nothing."),
)  # fmt: skip

_UNSTATED = _declare(
    "yaml",
    "warning",
    ("boundary-unstated", "A measured campaign states what its energies are of.",
     "The energy of a rail is a fraction of that of the board; where it is unknown, it is ranked apart from both."),
    ("accuracy-text", "The accuracy of a meter is stated as limits of error, not as a text.",
     "A text does not enter the uncertainty of an energy, which then lacks the meter."),
    ("licence-unstated", "Figures that are measured, simulated or estimated have a licence; NOASSERTION is for facts "
     "quoted from a publication that states none.",
     "Those who made the figures can license them, and without that nobody may pass them on."),
)  # fmt: skip

_HEADER = _declare(
    "header",
    "error",
    ("csv-delimiter", "Cells are separated by commas.", "Semicolons come with decimal commas, and both are misread."),
    ("file-empty", "A CSV file has a header line.", "An empty file is a failed export."),
    ("header-only", "A CSV file has rows below its header.", "A run that recorded nothing was submitted as a result."),
    ("header-duplicate", "A column occurs once.", "One of two equal columns would win by chance."),
    ("header-missing", "Every required column is present.", "Rows without it cannot be identified or used."),
    ("header-unknown", "Only columns of the schema are present.", "A misspelt column would be ignored."),
    ("header-unit", "Quantities come in the unit of the schema: mJ, ms, mW, mV.",
     "A column in another unit reads as figures a thousand times off."),
    ("row-width", "A row has as many cells as the header.", "A shifted row puts figures under the wrong names."),
)  # fmt: skip

_CELLS = _declare(
    "cells",
    "error",
    ("value-missing", "Required cells are filled.", "An empty cell is unknown, and unknown is never zero."),
    ("number-format", "Numbers are plain: digits, a decimal point, perhaps an exponent.",
     "Thousands separators and decimal commas read as other numbers."),
    ("number-finite", "Numbers are finite.", "NaN and infinity are failed measurements."),
    ("boolean", "Truth values are true or false.", "Other words are read differently by different programs."),
    ("vocabulary", "Words of a closed list are spelt as listed.",
     "A second spelling would be counted as another value."),
    ("energy-positive", "Energy per inference is above 0 and at most 1000000000 mJ.",
     "Zero and negative energies come from failed baselines and rounding."),
    ("latency-positive", "Latency is above 0 and at most 100000000 ms.",
     "A latency of zero was rounded away, and the power derived from it is infinite."),
    ("power-positive", "Power is above 0 and at most 100000000 mW.", "Negative power is a swapped probe."),
    ("spread-range", "Spreads are not negative.", "A negative deviation is a sign slip."),
    ("count-positive", "Counts are whole numbers of at least 1.", "A result of zero runs is no result."),
    ("configuration-range", "Extents are whole numbers from 1 to 1000000.", "A size of zero computes nothing."),
    ("cost-range", "FLOPs and parameters are whole numbers of at least 0.", "A negative count is an overflow."),
    ("name-pattern", "Names hold letters, digits, space and . _ + - only.",
     "Names become addresses, file names and headings; markup in them would be executed by readers."),
    ("text-plain", "Free text is one line of at most 200 printable characters without angle brackets.",
     "Control characters and markup break tables and pages."),
    ("dnn-pattern", "Reference networks are DNN1 to DNN12.", "Another spelling would not be scored."),
    ("operator-name", "Operators of a kernel list are names joined by +.",
     "What has no kernel type is known by this name alone."),
    ("shape-pattern", "Shapes are whole numbers joined by x.", "A shape that cannot be read cannot be costed."),
    ("round-pattern", "Rounds look like v1.2 and are joined by semicolons.",
     "The latest round is found by number; another form has no order."),
)  # fmt: skip


def _of_columns() -> list[Rule]:
    """Rules that a single column has, declared with its quantity."""
    quantities = {name: column.quantity for row in ROWS.values() for name, column in columns_of(row).items()}
    return _declare(
        "cells",
        "error",
        *(
            (quantity.rule, f"{quantity.sentence.removesuffix('.')}: {quantity.expected}.", quantity.why)
            for quantity in quantities.values()
            if quantity.why
        ),
    )


_ROWS = [
    *_declare(
        "rows",
        "error",
        ("energy-power-latency",
         "Energy equals power times latency, within 2 % and the rounding of the three; where a row has the 90th "
         "percentile of the latency as well, up to 0.1 ms between two inferences may be in it.",
         "One of the three belongs to another run or another unit."),
        ("unit-slip", "No quantity is a thousand times off against the other two.",
         "Latencies in seconds under a header in milliseconds: 57 rows of one upload."),
        ("header-unit-contradicted", "A column's values are in the unit of its header.",
         "A column that was not converted makes a device look a thousand times better."),
        ("power-limit", "Power stays below twice the device's TDP, or its class's ceiling where the TDP is unknown.",
         "A phone at two kilowatts was published once."),
        ("configuration-missing", "A kernel of a row or kernel list gives every extent of its type.",
         "969 rows of one upload have energies and no configuration, and cannot be used."),
        ("configuration-surplus", "A kernel of a row or kernel list gives no extent that its type does not have.",
         "A stray extent makes the same configuration look like another one."),
        ("configuration-function", "A kernel of a row or kernel list computes one of the functions of its type.",
         "A norm that is stated as a sigmoid is a configuration that no network has."),
        ("id-reused", "A source id names one configuration within a file.",
         "Two configurations under one id were joined wrongly."),
        ("record-duplicate", "Repeats of a configuration have their own source ids.",
         "Two rows with the same key are one record with two energies."),
        ("family-spelling", "A known family or reference network is named as settled, and a network has one family.",
         "Splits hold out families by name: a second spelling trains on what is tested."),
        ("family-unsettled", "No unknown family or reference network, and no model of one, is called like one that "
         "is held out for tests.",
         "ShuffleNetV2x05 was trained on while ShuffleNetV2 was tested."),
        ("shape-order", "The shape of an input is height, width and channels of one input, without a single channel.",
         "One network with 224x224x3, 1x224x224x3 and 3x224x224 is three networks to whoever compares."),
        ("delegate-unknown", "A row's delegate is one that device.yaml declares.",
         "A result on a processor that the device does not have is a mix-up of devices."),
        ("energy-per-flop", "Energy per FLOP lies between 1 fJ and 1 µJ, is no less than arithmetic in the data type "
         "costs on the processor, and not a hundred times more than is known of it.",
         "Outside lie figures that no silicon reaches, up or down: a wrong unit or a wrong configuration."),
        ("power-floor", "Power of an absolute energy is no less than a device of the class draws while it is awake.",
         "A Raspberry Pi at 6.7 mW was submitted: watts in a column of milliwatts."),
        ("flop-rate-implausible", "FLOPs over latency are not a hundred times above the peak of the kind of device.",
         "A latency in seconds, or FLOPs of a whole batch, makes a device faster than its arithmetic units."),
        ("idle-baseline-missing", "Idle-subtracted energies come with an idle baseline in submission.yaml.",
         "A subtraction that cannot be repeated cannot be checked."),
        ("energy-kind-measured", "A measured energy is absolute or idle-subtracted.",
         "No meter separates leakage from what switching takes, so that a dynamic-only energy is none of a meter."),
        ("spread-order", "The energy lies between its lowest and its highest run.",
         "Columns were swapped, or the spread belongs to another row."),
    ),
    *_declare(
        "rows",
        "warning",
        ("energy-kind-simulated", "A simulated or estimated energy is dynamic-only, unless leakage, idle power and "
         "host are modelled.",
         "Most simulators count accesses and operations alone; called absolute, such an energy is a fraction of what a "
         "device draws. One that models the rest may be absolute, which is why this warns."),
        ("accuracy-dataset-missing", "An accuracy says which data set it is on.",
         "90 % of spoken words and 90 % of photographs are different answers, so such a network is never compared."),
        ("rounding-floor", "Energies have digits to spare: rounding is below a tenth of the value.",
         "At the rounding floor a predictor learns the rounding."),
        ("power-unusual", "Power is within what devices of the class are known to draw.",
         "Energy in another unit, or of one rail, reads as a device that needs nothing."),
        ("flop-energy-unusual", "Energy per FLOP is within what is known of the processor and data type.",
         "0.1 GFLOP/J on the GPU of a phone is a factor of ten from any known."),
        ("flop-rate-unusual", "FLOPs over latency are no more than the peak of the kind of device.",
         "The latency is that of a part of the network, or the FLOPs are those of another."),
        ("network-shared", "The kernel lists that a submission takes from those that are shared are there.",
         "Rows without a kernel list have no FLOPs, and no predictor of kernels learns from them."),
        ("family-unknown", "Families and reference networks have settled names.",
         "Nobody has looked whether an unknown name is a tested network; it counts as training data."),
        ("repeat", "Repeats of one configuration are reported.",
         "Averages and splits must treat two rows of one configuration as such."),
        ("repeat-spread", "Repeats of one configuration agree within 10 %; those that do not are kept.",
         "A larger spread shows that something else changed between the runs, or how well they repeat at all. "
         "To remove one because of its energy would make the others look better than they are."),
    ),
]  # fmt: skip

_NETWORKS = _declare(
    "networks",
    "error",
    ("json-syntax", "JSON files parse, and hold no NaN or infinity.", "Part of a list would be read as the whole."),
    ("json-duplicate", "A key occurs once in an object.", "The first value would be lost."),
    ("json-nesting", "JSON files nest at most 20 levels.", "Deeper nesting is an attack or an accident."),
    ("network-model", "A kernel list has the name of one network of models.csv, as its file name and inside.",
     "Kernels of another network would be published with the energy of this one."),
    ("network-runtime", "A shared kernel list is in the folder of the runtime whose rules it follows.",
     "Rows would be published with the kernels of another runtime."),
    ("network-cost", "FLOPs and parameters of a row are the totals of its kernel list, within 1 %.",
     "The list is that of another width, input or data type than the network that was run."),
)  # fmt: skip

_TRACES = [
    *_declare(
        "traces",
        "error",
        ("trace-format", "A trace is in its stated format, and its lines can be read.",
         "A log of another tool would be read as other quantities."),
        ("trace-channel", "The channel of a trace is one that the file has, or a sum of those.",
         "The power of one rail would be taken for that of the board."),
        ("trace-unit", "Header, cells and magnitude of a trace agree on the unit.",
         "Milliwatts under a header of watts make a device a thousand times better."),
        ("trace-order", "The stamps of a trace rise.", "Joined or merged recordings count energy twice."),
        ("trace-counter", "A counter of energy rises, or the range at which it begins again is known.",
         "A wrap-around would be read as a large negative power."),
        ("trace-time-unit", "The stamps of a trace give a rate near the stated one.",
         "Milliseconds read as seconds make every energy a thousand times too large or the power too low."),
        ("trace-zone", "Calendar times are in a zone that the file or an option states, where the other file counts "
         "from 1970.", "Local time read as UTC puts the inferences hours off, onto idle power."),
        ("trace-alignment", "The inferences lie where the trace shows load.",
         "Two clocks that differ put the inferences onto idle power, and the energy is far too low."),
        ("trace-skipped", "At most a quarter of the windows of a trace are left out.",
         "Leaving out the expensive ones would make any device thrifty."),
        ("trace-uncertain", "What a trace leaves open of an energy is at most 10 % of it, expanded (k = 2).",
         "A figure that may be a tenth off says too little, and confirms no row."),
        ("trace-resolution", "An inference lasts longer than the meter takes to follow a change of power.",
         "A gauge that is read more often than it changes gives the power of another moment."),
        ("trace-no-inference", "A trace comes with its inferences.",
         "A run without inferences was submitted as a result."),
        ("trace-window", "Every inference lies inside its trace.", "The two were stamped by different clocks."),
        ("inference-order", "Inferences end after they start, one after the other.",
         "Overlapping windows count energy twice."),
        ("trace-missing", "Every bound file is there.", "A trace that is not there cannot be checked."),
        ("trace-hash", "Every bound file has the bytes that were bound.", "The file was changed after the run."),
        ("trace-unbound", "Every file in traces/ is bound by submission.yaml.", "Unbound files belong to no row."),
        ("trace-row", "A trace is bound to one row.", "The trace is bound to no row, or to several."),
        ("trace-shared", "No two results share the bytes or the samples of a trace.",
         "One run was submitted as two results."),
        ("trace-energy", "The energy of a row is that of its trace, within rounding and the uncertainty of the "
         "reduction without the meter's own part.",
         "A row of 5 mJ with a large spread passed against a trace of 559 mJ."),
        ("trace-runs", "The number of runs of a row is that of the windows or inferences that were used of its trace.",
         "More runs than were measured make a mean look better known than it is."),
        ("trace-latency", "The latency of a row is that of its trace, within 1 % and rounding.",
         "The latency belongs to another run, or to a window of several inferences."),
        ("trace-power", "The power of a row is that of its trace, within 1 % and rounding.",
         "The power belongs to another run, or counts idle power where the energy does not."),
        ("trace-spread", "The spread of a row is that of the windows of its trace: deviation within 10 %, extremes "
         "within 1 %.", "A spread that was typed widens or narrows the class of a label at will."),
        ("trace-uncertainty", "The expanded uncertainty of a row is that of its trace, within 5 %.",
         "Labels and rankings rest on it, and a smaller one claims what was not measured."),
        ("trace-baseline", "A baseline has at most 10 % more power than the idle device shows in the trace itself.",
         "The power of a busier device as baseline takes energy off every inference."),
        ("meter-kind", "A campaign states no better kind of meter than the one that writes its traces.",
         "The log of a gauge on the board would be ranked among those of power analysers."),
        ("boundary-mismatch", "The boundary of a campaign is no wider than what its traces measured, and its rails are "
         "those that were read.", "The energy of one rail would be ranked as that of the board."),
    ),
    *_declare(
        "traces",
        "warning",
        ("trace-gap", "A trace has no gaps; inferences in one are left out.", "Energy in a gap is unknown, not zero."),
        ("trace-rate", "A trace is sampled at the stated rate, within 2 %.",
         "Samples were lost, or the stated rate is wrong."),
        ("trace-time-unusual", "A trace has a sample in 10 s or less, and an inference takes less than 1000 s, or the "
         "unit of the times is asked for.", "Two files in milliseconds under names in seconds agree with each other, "
         "and every energy is a thousand times too large."),
        ("trace-negative", "Power is not negative.", "A probe with an offset, or a device that feeds back."),
        ("trace-clipped", "Peaks stay below the range of the meter.", "A clipped peak hides energy."),
        ("trace-short", "A trace has at least 50 samples.", "Too few to separate a run from noise."),
        ("trace-few-samples", "An inference spans at least 5 changes of the meter's value.",
         "With few samples per inference the uncertainty of its energy is large; windows of many inferences help."),
        ("trace-choice", "Nothing changes the energy of a trace but what its files hold; what does is named.",
         "Windows left out, a median, a voltage or a number of inferences moves the energy without any evidence."),
        ("trace-unsteady", "Latency and power stay the same over a run.",
         "Warm-up and throttling make the mean depend on how long the run was."),
        ("trace-idle", "Idle power comes from at least one second of steady power below that of the inferences.",
         "An idle power that was measured under load makes the energy of an inference too low."),
        ("trace-lag-unknown", "A trace shows power before or after the inferences, so that the clocks can be compared.",
         "Without a change of power, nobody can tell whether the two clocks agree."),
    ),
]  # fmt: skip

_INTAKE = _declare(
    "intake",
    "error",
    ("foreign-file", "A file of a foreign source is in the format that was named.",
     "Part of a source would be published as the whole."),
    ("published-mismatch", "The energy that a trace gives is the published one, within 0.1 %.",
     "The trace is that of another run, or the figure was computed otherwise."),
    ("run-invalid", "A run of a benchmark is one that the benchmark itself calls valid.",
     "A run that was too short, or lost queries, is no result."),
    ("power-missed", "The meter has every sample of the window of a run.",
     "A missed sample stands as -1 W in the logs of PTDaemon, and lowers a mean in silence."),
    ("latency-count", "The mean latency of a run is its duration over its queries, within 2 %.",
     "Energy by latency and energy by count would differ, and the window holds more than the queries."),
    ("system-mismatch", "The description of a system names the board that the name of its folder names.",
     "The figures of one board were published under the name of another."),
)  # fmt: skip

_REVIEW = [rule for subject, severity, rules in REVIEW_RULES for rule in _declare(subject, severity, *rules)]

_SUBJECTS = (
    _FILES, _TEXT, _YAML, _UNSTATED, _HEADER, _CELLS, _of_columns(), _ROWS, _NETWORKS, _TRACES, _INTAKE, _REVIEW,
)  # fmt: skip
RULES: Final[dict[str, Rule]] = {rule.rule: rule for rules in _SUBJECTS for rule in rules}
"""Rules by id, in the order of the documentation."""


def _require_rules() -> None:
    """Stop the import where a column's bounds break a rule that is not declared."""
    for row in ROWS.values():
        for name, column in columns_of(row).items():
            if column.quantity.rule not in RULES:
                raise TypeError(f"{name}: rule {column.quantity.rule} is not declared; give the quantity its `why`")


_require_rules()
