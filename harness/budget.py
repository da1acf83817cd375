"""How much of a file that others wrote is read: bytes, lines, nesting, faults.

Every reader takes its limits from here, and refuses a file beyond one by a fault that names it. Power traces that are
read chunk by chunk have no limit of their total size: memory stays flat over any number of samples, and only the length
of a line is limited.
"""

from typing import Final

MOST_YAML_BYTES: Final = 200_000
"""device.yaml, submission.yaml, mappings and layouts."""
MOST_JSON_BYTES: Final = 4_000_000
"""Kernel list of one network."""
MOST_TABLE_BYTES: Final = 200_000_000
"""Table of a submission."""
MOST_TABLE_LINES: Final = 1_000_000
"""Lines of such a table; blank ones count."""
MOST_SOURCE_BYTES: Final = 50_000_000
"""File of a foreign source, whose rows an intake holds in memory with everything that is wrong with each."""
MOST_SOURCE_LINES: Final = 150_000
"""Lines of such a table, or rows of such a source."""
MOST_LOG_BYTES: Final = 100_000_000
"""Log that is held in memory, decompressed: power logs that are read line by line, windows of inferences, results."""
MOST_LOG_LINES: Final = 300_000
"""Lines of such a log; blank ones count."""
MOST_LOG_LINE: Final = 10_000
"""Characters of a line of such a log."""
MOST_LISTED_NUMBERS: Final = 2_000_000
"""Numbers of a JSON file of samples or marks, which is parsed as a whole."""
MOST_RESULT_BYTES: Final = 50_000_000
"""Each file of the result of an evaluation, which is some hundred kilobytes."""
MOST_RESULT_ROWS: Final = 5_000_000
"""Rows of such a result."""
MOST_WINDOWS: Final = 500_000
"""Windows of inferences of one run."""
MOST_MODEL_BYTES: Final = 2 * 1024**3
"""ONNX or TFLite file; nearly all of it are weights, which are passed over."""
MOST_MODEL_OPERATORS: Final = 100_000
"""Operators of a model, its own functions unfolded."""
MOST_MODEL_PARTS: Final = 1_000_000
"""Fields of a model file, those of its operators, tensors and attributes included."""
MOST_MODEL_NUMBERS: Final = 10_000_000
"""Numbers and characters of a model file that are read."""
MOST_LINE_BYTES: Final = 1_000_000
"""Line of any text; a longer one is a damaged export."""
MOST_CELL_CHARACTERS: Final = 10_000
"""Cell of a foreign table."""
MOST_NUMBER_CHARACTERS: Final = 60
"""Number in a log; longer ones take long to write out and are no reading of a meter."""
MOST_NESTING: Final = 20
"""Levels of a YAML or JSON file."""
MOST_FAULTS_EACH: Final = 100
"""Faults of one rule in one file that a report lists; the others are counted."""
MOST_FAULTS_OF_RULE: Final = 1000
"""Faults of one rule in all files that a report lists; the others are counted."""
MOST_LOG_FAULTS: Final = 20
"""Bad lines of a log that are reported one by one; the others are counted."""
LATEST_S: Final = 4_000_000_000
"""Seconds from 1970, or from the start of a log, that a time may lie away: until 2096, in nanoseconds of 64 bits."""
