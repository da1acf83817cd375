"""What the standard splits hold out, in words for cards and pages; it decides nothing."""

from collections.abc import Mapping
from typing import Final

from harness.schema.vocabulary import Level
from harness.splits import TEST_FAMILIES, TEST_REFERENCE_MODELS, TEST_SHARE

STATEMENTS: Final[Mapping[Level, str]] = {
    "kernels": (
        f"by hash of the configuration alone (about {TEST_SHARE:.0%} test); one configuration is on one side for "
        "every device, delegate and data type"
    ),
    "models": f"by family; test holds {', '.join(sorted(TEST_FAMILIES))}",
    "applications": f"by reference network; test holds {', '.join(sorted(TEST_REFERENCE_MODELS))}",
}
