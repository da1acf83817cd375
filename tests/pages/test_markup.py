"""Text made safe for Markdown and HTML."""

import pytest

from harness.pages.markup import plain


@pytest.mark.parametrize(
    ("text", "safe"),
    [("1. one", "1&#46; one"), ("- one", "&#45; one"), ("end.", "end&#46;"), ("v1.2-rc", "v1.2-rc")],
)
def test_full_stops_and_hyphens_are_kept_only_within_words(text: str, safe: str) -> None:
    assert plain(text) == safe
