"""Ways to damage a file: each gets its bytes, a source of chance and the other files of the corpus, and gives bytes."""

import gzip
import re

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
NUMBERS = (
    *b"0 -1 -0.0 nan inf -inf 1e308 -1e308 1e-320 1e400 0x10 1_000 1,5 1e3 1e + 0.1 1000000 -5 true null ~".split(),
    *b"9223372036854775807 9223372036854775808 50000000000 4000000001 1700000000 1700000000000 1e99999999999".split(),
    *(b"", b"9" * 5000, b"0." + b"1" * 3000, b"1" * 18, b"9999-12-31T23:59:59"),
    *("\u0661\u0662".encode(), "\uff11".encode()),
)
"""Words in place of a number."""
TOKENS = (
    *(b'"', b"'", b",", b";", b"\t", b"\r", b"\n", b"\n\n", b"\0", b"\xff", b"\xed\xa0\x80", b"\xc0\x80"),
    *(b"[", b"]", b"{", b"}", b"[" * 3000, b"{a: " * 300, b"- " * 500, b"x" * 20_000, b"\xef\xbb\xbf", b"\xc4"),
    *(b"&a ", b"*a", b"&a [*a, *a]", b"!!python/name:os ", b"? ", b"---\n", b"...\n", b"<<: ", b"|\n", b">\n"),
    *(b'"\\U00110000"', b'"\\U99999999"', b'"\\ud800"', b'"\\xff"', b": ", b"# ", b"=", b"@", b"::", b"\\"),
    *(b"%YAML 1." + b"1" * 5000 + b"\n---\n", b"%YAML 9.9\n---\n", b"%TAG ! x\n---\n", b"\x1b[2J"),
    *("\u202e".encode(), "\u2028".encode(), "\ufeff".encode(), "\U0010ffff".encode()),
)
"""What is put in somewhere."""
WIDTHS = (4, 1024, 100_000)


def flip_bits(data, rng, _others):
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if content:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def cut_end(data, rng, _others):
    return data[: rng.randrange(len(data) + 1)]


def cut_part(data, rng, _others):
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.randrange(min(len(data), rng.choice(WIDTHS)) + 1) :]


def splice(data, rng, others):
    other = rng.choice(others)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def repeat_part(data, rng, _others):
    start = rng.randrange(len(data) + 1)
    part = data[start : start + rng.choice((1, 8, 64))]
    return data[:start] + part * rng.choice((2, 5, 500)) + data[start:]


def _on_lines(change):
    def mutate(data, rng, _others):
        lines = data.split(b"\n")
        change(lines, rng)
        return b"\n".join(lines)

    mutate.__name__ = change.__name__
    return mutate


@_on_lines
def repeat_line(lines, rng):
    place = rng.randrange(len(lines))
    lines[place:place] = [lines[place]] * rng.choice((1, 1, 3, 300))


@_on_lines
def drop_line(lines, rng):
    del lines[rng.randrange(len(lines))]


@_on_lines
def swap_lines(lines, rng):
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]


@_on_lines
def reverse_lines(lines, rng):
    start = rng.randrange(len(lines))
    lines[start:] = lines[start:][::-1]


def change_number(data, rng, _others):
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    match = rng.choice(found)
    return data[: match.start()] + rng.choice(NUMBERS) + data[match.end() :]


def change_all_numbers(data, rng, _others):
    """Every number of a column of commas, or every one that is alike."""
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    old, new = rng.choice(found)[0], rng.choice(NUMBERS)
    return data.replace(old, new, 200)


def negate_numbers(data, _rng, _others):
    return re.sub(rb"(?<=[,;\t ])(\d)", rb"-\1", data)


def insert(data, rng, _others):
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.choice(TOKENS) + data[start:]


def put_first(data, rng, _others):
    return rng.choice(TOKENS) + data


def encode(data, rng, _others):
    text = data.decode("utf-8", "replace")
    name = rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp500"))
    return text.encode(name, "replace")


def change_line_ends(data, rng, _others):
    return data.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b"\x0b", b"\xe2\x80\xa8")))


def compress(data, rng, _others):
    packed = gzip.compress(data, 1, mtime=0)
    return packed if rng.random() < 0.5 else packed[: rng.randrange(len(packed) + 1)] + rng.choice((b"", data[:50]))


def empty(_data, _rng, _others):
    return b""


def grow(data, rng, _others):
    """A part many times over, up to 20 MB."""
    start = rng.randrange(len(data) + 1)
    part = data[start : start + rng.choice((1, 4, 40, 400))] or b"\n"
    return data[:start] + part * (rng.choice((200_000, 2_000_000, 20_000_000)) // len(part)) + data[start:]


SMALL = (
    *(flip_bits, flip_bits, cut_end, cut_part, splice, repeat_part, repeat_line, drop_line, swap_lines, reverse_lines),
    *(change_number, change_number, change_number, change_all_numbers, negate_numbers, insert, insert, put_first),
    *(encode, change_line_ends, compress, empty),
)
"""Mutators that keep a file small; frequent ones stand twice."""
