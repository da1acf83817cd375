# ruff: noqa: RUF001, RUF002
"""Names that a reader takes for one another: equal in another spelling, or of letters that look alike.

Nothing here decides what is allowed.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

FEWEST_LETTERS: Final = 2
"""Letters and digits of a title, a name or a citation; a title of one says nothing."""
_MOST_KNOWN: Final = 10_000
"""Names whose forms are kept, since each is compared with all others."""

# Letters of other scripts beside the Latin letter that they are drawn like.
_TWINS: Final = (
    ("а", "a"), ("в", "b"), ("с", "c"), ("ԁ", "d"), ("е", "e"), ("ғ", "f"), ("ɡ", "g"), ("һ", "h"), ("н", "h"),
    ("і", "i"), ("ї", "i"), ("ј", "j"), ("к", "k"), ("ӏ", "l"), ("м", "m"), ("ո", "n"), ("п", "n"), ("о", "o"),
    ("р", "p"), ("ԛ", "q"), ("г", "r"), ("ѕ", "s"), ("т", "t"), ("ц", "u"), ("ѵ", "v"), ("ԝ", "w"), ("х", "x"),
    ("у", "y"), ("α", "a"), ("β", "b"), ("ε", "e"), ("η", "n"), ("ι", "i"), ("κ", "k"), ("ν", "v"), ("ο", "o"),
    ("ρ", "p"), ("τ", "t"), ("υ", "u"), ("χ", "x"), ("γ", "y"), ("ζ", "z"), ("μ", "u"), ("օ", "o"), ("ѐ", "e"),
    ("ı", "i"), ("ł", "l"), ("ø", "o"), ("đ", "d"), ("ħ", "h"), ("ŧ", "t"), ("ɑ", "a"), ("ɩ", "i"), ("ʋ", "u"),
    ("ꓐ", "b"), ("ꓑ", "p"), ("ꓓ", "d"), ("ꓔ", "t"), ("ꓖ", "g"), ("ꓗ", "k"), ("ꓙ", "j"), ("ꓚ", "c"), ("ꓜ", "z"),
    ("ꓝ", "f"), ("ꓟ", "m"), ("ꓠ", "n"), ("ꓡ", "l"), ("ꓢ", "s"), ("ꓣ", "r"), ("ꓦ", "v"), ("ꓧ", "h"), ("ꓪ", "w"),
    ("ꓫ", "x"), ("ꓬ", "y"), ("ꓮ", "a"), ("ꓰ", "e"), ("ꓲ", "i"), ("ꓳ", "o"), ("ꓴ", "u"),
    ("Ꭰ", "d"), ("Ꭱ", "r"), ("Ꭲ", "t"), ("Ꭵ", "i"), ("Ꭺ", "a"), ("Ꭻ", "j"), ("Ꭼ", "e"), ("Ꮃ", "w"), ("Ꮇ", "m"),
    ("Ꮋ", "h"), ("Ꮐ", "g"), ("Ꮓ", "z"), ("Ꮪ", "s"), ("Ꮩ", "v"), ("Ꮮ", "l"), ("Ꮯ", "c"), ("Ꮲ", "p"), ("Ꮶ", "k"),
    ("Ᏼ", "b"),
)  # fmt: skip
# Latin letters and digits that look alike in many typefaces; longer ones first.
_MERGED: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("|", "l"), ("5", "s"))
_TABLE: Final = str.maketrans(dict(_TWINS))
_SMALL_CAPITAL: Final = "LATIN LETTER SMALL CAPITAL "
PLACEHOLDERS: Final = frozenset(
    {"todo", "tbd", "tba", "fixme", "na", "none", "null", "nil", "unknown", "unstated", "unnamed", "xx", "xxx", "foo",
     "test", "yourname", "name"}
)  # fmt: skip
"""Words that stand for a text which nobody has written, without punctuation."""


@lru_cache(maxsize=_MOST_KNOWN)
def folded(name: str) -> str:
    """Name without differences of case, width, composition, spaces and invisible characters.

    >>> folded("ACME\\u00a0 Phone") == folded("Acme\\u200b Phone")
    True
    """
    visible = "".join(character for character in unicodedata.normalize("NFKC", name) if not _is_invisible(character))
    return " ".join(visible.casefold().split())


@lru_cache(maxsize=_MOST_KNOWN)
def plain(name: str) -> str:
    """Folded name without punctuation and spaces.

    >>> plain("Acme-Phone") == plain("acme phone_")
    True
    """
    return re.sub(r"[\W_]+", "", folded(name))


def in_any_order(name: str) -> tuple[str, ...]:
    """Words of a plain name in alphabetical order.

    >>> in_any_order("Doe, Jane") == in_any_order("jane doe")
    True
    """
    return tuple(sorted(re.findall(r"[^\W_]+", folded(name))))


@lru_cache(maxsize=_MOST_KNOWN)
def skeleton(name: str) -> str:
    """Letters that a name looks like; two names of one skeleton are taken for each other.

    Source:
        Unicode Technical Standard 39, section 4, on skeletons; here for names that mimic Latin ones only.

    >>> skeleton("Acme Phоne") == skeleton("Acme Phone"), skeleton("Acrne 10") == skeleton("Acme lO")
    (True, True)
    """
    bare = (each for each in unicodedata.normalize("NFD", folded(name)) if unicodedata.category(each) != "Mn")
    text = plain("".join(map(_drawn, bare)).translate(_TABLE))
    for alike, shown in _MERGED:
        text = text.replace(alike, shown)
    return text


def _drawn(character: str) -> str:
    """Latin letter of a small capital, and the ASCII digit of any other; other characters stay."""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    letter = unicodedata.name(character, "").removeprefix(_SMALL_CAPITAL)
    return letter.lower() if len(letter) == 1 else character


def mixed_scripts(name: str) -> list[str]:
    """Scripts of the first word of a name that has letters of several alphabets; none where every word has one.

    Source:
        Unicode Technical Standard 39, section 5.1, on single-script strings.

    >>> mixed_scripts("Acme Phоne"), mixed_scripts("Ямал Phone")
    (['CYRILLIC', 'LATIN'], [])
    """
    for word in re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", name)):
        scripts = {script for character in word if (script := _script(character)) in _ALPHABETS}
        if len(scripts) > 1:
            return sorted(scripts)
    return []


_ALPHABETS: Final = frozenset({"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "GEORGIAN", "GREEK", "LATIN", "LISU"})
"""Alphabets whose letters look alike; words of Japanese or Korean mix scripts as a matter of course."""


def _script(character: str) -> str:
    """Script of a letter, which the Unicode name of a letter begins with."""
    return unicodedata.name(character, "").partition(" ")[0]


def has_strange_characters(name: str) -> bool:
    """Whether a name has characters that nobody sees, or that are another way of writing plain ones.

    >>> has_strange_characters("Acme\\u2060"), has_strange_characters("Ａcme"), has_strange_characters("Müller")
    (True, True, False)
    """
    composed = unicodedata.normalize("NFC", name)
    return any(map(_is_invisible, name)) or unicodedata.normalize("NFKC", composed) != composed


_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Letters, marks and symbols that are drawn as nothing, variation selectors among them."""


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Cc", "Co", "Cn") or character in _BLANK


def says_nothing(text: str) -> bool:
    """Whether a text is blank, or a word that stands for one which nobody has written.

    >>> says_nothing("--"), says_nothing("N/A"), says_nothing("Acme")
    (True, True, False)
    """
    return n_letters(text) < FEWEST_LETTERS or plain(text) in PLACEHOLDERS


def n_letters(text: str) -> int:
    """Letters and digits of a text that are seen."""
    return sum(character.isalnum() and not _is_invisible(character) for character in text)
