"""Broken submissions that a repository cannot hold as files: each is made in code, its report is beside it."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPORTS = Path(__file__).parent / "hostile_reports"
CAMPAIGN = "acme-phone/2026-10"


@dataclass(frozen=True)
class Hostile:
    """One way to break the sound submission; `make` gets the folder of submissions."""

    make: Callable[[Path], object]

    @property
    def name(self) -> str:
        return self.make.__name__

    @property
    def report(self) -> Path:
        return REPORTS / f"{self.name}.txt"

    @property
    def rules(self) -> set[str]:
        return set(re.findall(r"\[([a-z-]+)\]$", self.report.read_text(encoding="utf-8"), re.MULTILINE))


CASES: list[Hostile] = []


def case(make):
    CASES.append(Hostile(make))
    return make


def kernels(root):
    return root / CAMPAIGN / "kernels.csv"


def applications(root):
    return root / CAMPAIGN / "applications.csv"


def manifest(root):
    return root / CAMPAIGN / "submission.yaml"


def device(root):
    return root / "acme-phone" / "device.yaml"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


# Encodings and line ends.


@case
def utf_16(root):
    kernels(root).write_bytes(kernels(root).read_text().encode("utf-16"))


@case
def utf_16_without_a_mark(root):
    kernels(root).write_bytes(kernels(root).read_text().encode("utf-16-le"))


@case
def utf_16_in_yaml(root):
    device(root).write_bytes(device(root).read_text().encode("utf-16"))


@case
def latin_1(root):
    edit(kernels(root), "K3", "Küche")
    kernels(root).write_bytes(kernels(root).read_text(encoding="utf-8").encode("latin-1"))


@case
def latin_1_in_yaml(root):
    manifest(root).write_bytes(manifest(root).read_bytes().replace(b"Robin", b"J\xfcrgen"))


@case
def nul_byte(root):
    edit(kernels(root), "K3", "K\x003")


@case
def nul_byte_in_yaml(root):
    edit(device(root), "Acme A1", "Acme\x00A1")


@case
def byte_order_mark(root):
    kernels(root).write_bytes(b"\xef\xbb\xbf" + kernels(root).read_bytes())
    device(root).write_bytes(b"\xef\xbb\xbf" + device(root).read_bytes())


@case
def byte_order_mark_and_a_fault(root):
    edit(kernels(root), "12.400", "-1")
    kernels(root).write_bytes(b"\xef\xbb\xbf" + kernels(root).read_bytes())


@case
def crlf(root):
    kernels(root).write_bytes(kernels(root).read_bytes().replace(b"\n", b"\r\n"))
    device(root).write_bytes(device(root).read_bytes().replace(b"\n", b"\r\n"))


@case
def crlf_and_a_fault(root):
    edit(kernels(root), "0.625", "-1")
    kernels(root).write_bytes(kernels(root).read_bytes().replace(b"\n", b"\r\n"))


@case
def cr_only(root):
    kernels(root).write_bytes(kernels(root).read_bytes().replace(b"\n", b"\r"))


@case
def cr_only_and_a_fault(root):
    edit(kernels(root), "0.625", "nan")
    kernels(root).write_bytes(kernels(root).read_bytes().replace(b"\n", b"\r"))


@case
def quoted_line_end_before_a_fault(root):
    edit(kernels(root), "K2", '"K\n2"')
    edit(kernels(root), "0.625", "-1")


@case
def blank_lines_before_a_fault(root):
    edit(kernels(root), "fc,", "\n\nfc,")
    edit(kernels(root), "0.625", "-1")


@case
def blank_lines_before_the_header(root):
    kernels(root).write_bytes(b"\n\r\n" + kernels(root).read_bytes())


@case
def blank_lines_only(root):
    kernels(root).write_bytes(b"\n\n\r\n")


@case
def spaces_only(root):
    kernels(root).write_bytes(b"   ")


@case
def spaces_around_cells(root):
    edit(kernels(root), "CPU1,fp32,false,12.400", " CPU1 ,fp32\t,false, 12.400 ")
    edit(kernels(root), ",K2", ", K2 ")


@case
def spaces_in_a_required_cell(root):
    edit(kernels(root), "CPU1,fp32,false,12.400", "CPU1,fp32,false,   ")


@case
def space_inside_a_truth_value(root):
    edit(kernels(root), "CPU1,fp32,false,12.400", "CPU1,fp32,fal se,12.400")


# Sizes.


@case
def line_of_100_megabytes(root):
    with kernels(root).open("ab") as file:
        file.write(b"9" * 100_000_000 + b"\n")


@case
def header_of_100_megabytes(root):
    kernels(root).write_bytes(b"energy_mj," * 10_000_000)


@case
def header_of_250000_columns(root):
    kernels(root).write_bytes(b"a,b," * 125_000 + b"c\n")


@case
def column_name_of_900000_letters(root):
    edit(kernels(root), "cin2", "c" * 900_000)


@case
def cell_of_900000_letters(root):
    edit(kernels(root), "K3", "K" * 900_000)


@case
def table_of_200_megabytes(root):
    os.truncate(kernels(root), 200_000_001)


@case
def yaml_of_a_megabyte(root):
    device(root).write_text("# " + "x" * 1_000_000)


@case
def table_of_no_bytes(root):
    kernels(root).write_bytes(b"")


# Columns.


@case
def trailing_commas_in_every_line(root):
    kernels(root).write_text("".join(line + ",\n" for line in kernels(root).read_text().splitlines()))


@case
def trailing_comma_in_one_row(root):
    edit(kernels(root), "K4\n", "K4,\n")


@case
def column_name_that_steers_a_terminal(root):
    edit(kernels(root), "cin2", '"cin2\n\x1b[31m::error::owned"')


@case
def semicolons_and_decimal_commas(root):
    text = kernels(root).read_text()
    kernels(root).write_text(text.replace(",", ";").replace(".", ","))


@case
def binary_after_the_header(root):
    kernels(root).write_bytes(kernels(root).read_bytes() + bytes(range(128, 256)))


# Numbers.


@case
def number_beyond_floats(root):
    edit(kernels(root), "12.400,4.000", "1e400,4.000")


@case
def number_below_floats(root):
    edit(kernels(root), "12.400,4.000", "1e-400,4.000")


@case
def subnormal_numbers(root):
    edit(kernels(root), "12.400,4.000,3100", "5e-324,,")
    edit(kernels(root), "3.000,1.250,2400", "1e-310,,")


@case
def largest_numbers(root):
    edit(kernels(root), "12.400,4.000,3100", "1e308,1e308,1e308")
    edit(kernels(root), "3.000,1.250,2400", "1e308,1e-308,1e308")


@case
def minus_zero(root):
    edit(kernels(root), "12.400,4.000", "-0.0,4.000")


@case
def infinities(root):
    edit(kernels(root), "12.400,4.000,3100", "inf,-Infinity,+INF")


@case
def nan_with_a_payload(root):
    edit(kernels(root), "12.400", "nan(0x1)")


@case
def hexadecimal(root):
    edit(kernels(root), "conv-bn-relu,56", "conv-bn-relu,0x38")


@case
def digits_of_another_script(root):
    edit(kernels(root), "12.400", "١٢")
    edit(kernels(root), "conv-bn-relu,56", "conv-bn-relu,５６")  # noqa: RUF001


@case
def underscores_in_numbers(root):
    edit(kernels(root), "fc,,,1024", "fc,,,1_024")


@case
def thousands_with_spaces(root):
    edit(kernels(root), "4.000,3100", "4.000,3 100")
    edit(kernels(root), "1.250,2400", "1.250,2\u00a0400")
    edit(kernels(root), "0.500,2500", "0.500,2\u202f500")
    edit(kernels(root), "0.250,2500", "0.250,2'500")


@case
def thousands_with_points(root):
    edit(kernels(root), "fc,,,1024", "fc,,,1.024.000")
    edit(kernels(root), "12.400", '"1.234,5"')


@case
def extent_of_100000_digits(root):
    edit(kernels(root), "conv-bn-relu,56", "conv-bn-relu," + "9" * 100_000)


@case
def energy_of_100000_digits(root):
    edit(kernels(root), "12.400", "9" * 100_000)


@case
def extent_of_900000_zeros(root):
    edit(kernels(root), "conv-bn-relu,56", "conv-bn-relu," + "0" * 900_000 + "x")


@case
def extents_that_overflow_together(root):
    edit(kernels(root), "conv-bn-relu,56,56,32,64", "conv-bn-relu,1000000,1000000,1000000,1000000")


@case
def truth_value_as_number(root):
    edit(kernels(root), "CPU1,fp32,false,12.400", "CPU1,fp32,0,12.400")


@case
def markup_in_a_delegate(root):
    edit(kernels(root), "CPU1,fp32,false,12.400", "<img src=x onerror=alert(1)>,fp32,false,12.400")


@case
def line_separator_in_a_word(root):
    edit(kernels(root), "K1", "K\u2028\u202e1")


# YAML.


@case
def alias_bomb(root):
    levels = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 3)]
    device(root).write_text("\n".join(levels))


@case
def python_object(root):
    edit(device(root), "Acme Phone", "!!python/object/apply:os.system ['true']")


@case
def tag_of_nobody(root):
    edit(device(root), "Acme Phone", "!acme Phone")


@case
def merge_key(root):
    edit(device(root), "year: 2025", "<<: {year: 2025}")


@case
def nesting_of_10000_brackets(root):
    device(root).write_text("name: " + "[" * 10_000)


@case
def nesting_of_10000_braces(root):
    device(root).write_text("name: " + "{a: " * 10_000)


@case
def nesting_of_10000_hyphens(root):
    device(root).write_text("- " * 10_000)


@case
def yaml_scalar(root):
    device(root).write_text("Acme Phone\n")


@case
def yaml_null(root):
    device(root).write_text("~\n")


@case
def yaml_with_a_control_character(root):
    edit(manifest(root), "Robin", "Ro\x07bin")


@case
def yaml_with_keys_that_are_no_text(root):
    edit(device(root), "year: 2025", "1: a\nnull: b\ntrue: c\n1.5: d")


@case
def yaml_with_a_list_as_key(root):
    edit(device(root), "year: 2025", "? [a, b]\n: c")


@case
def yaml_key_that_steers_a_terminal(root):
    edit(device(root), "year: 2025", '"\\e[31m\\nowned": 1')


@case
def yaml_integer_of_100000_digits(root):
    edit(device(root), "year: 2025", "year: " + "9" * 100_000)


@case
def yaml_hexadecimal_of_100000_digits(root):
    edit(device(root), "year: 2025", "year: 0x" + "f" * 100_000)


@case
def yaml_number_in_base_60(root):
    edit(device(root), "year: 2025", "year: 1" + ":59" * 20_000 + ".5")


@case
def yaml_numbers_in_quotes(root):
    edit(device(root), "tdp_w: 8", 'tdp_w: "8"')
    edit(manifest(root), "schema_version: 1", "schema_version: '1'")


@case
def yaml_not_a_number(root):
    edit(device(root), "tdp_w: 8", "tdp_w: .nan")
    edit(device(root), "delegates", "errata:\n- {field: tdp_w, printed: .inf, used: nan, why: x}\ndelegates")


@case
def yaml_words_that_look_like_values(root):
    edit(device(root), "vendor: Acme", "vendor: no")
    edit(manifest(root), "Robin Example", "12:30:45")


@case
def delegate_named_like_a_field(root):
    edit(device(root), "  GPU: gpu", "  GPU: gpu\n  name: cpu\n  errata: cgu")


# Paths.


@case
def table_is_a_link(root):
    kernels(root).rename(root / CAMPAIGN / "elsewhere")
    kernels(root).symlink_to("elsewhere")


@case
def only_table_is_a_link_to_outside(root):
    (root.parent / "secret.csv").write_text("secret")
    for path in (root / CAMPAIGN).glob("*.csv"):
        path.unlink()
    kernels(root).symlink_to(root.parent / "secret.csv")


@case
def table_is_a_dangling_link(root):
    kernels(root).unlink()
    kernels(root).symlink_to("nowhere")


@case
def yaml_files_are_links(root):
    for path in (device(root), manifest(root)):
        path.rename(root.parent / path.name)
        path.symlink_to(root.parent / path.name)


@case
def campaign_is_a_link(root):
    (root / CAMPAIGN).rename(root.parent / "campaign")
    (root / CAMPAIGN).symlink_to(root.parent / "campaign")


@case
def device_is_a_link(root):
    (root / "other").symlink_to("acme-phone")


@case
def link_to_itself(root):
    (root / CAMPAIGN / "loop").symlink_to("loop")


@case
def named_pipe(root):
    kernels(root).unlink()
    os.mkfifo(kernels(root))


@case
def named_pipe_as_yaml(root):
    device(root).unlink()
    os.mkfifo(device(root))


@case
def folder_as_yaml(root):
    manifest(root).unlink()
    manifest(root).mkdir()


@case
def folder_name_that_annotates(root):
    (root / "acme-phone").rename(root / "50%,a::error file=x:\n::b<i>'\"")


@case
def folder_name_in_no_encoding(root):
    (root / CAMPAIGN).rename(root / "acme-phone" / os.fsdecode(b"2026\xff"))


@case
def file_names_of_all_kinds(root):
    for name in ("a\nb.csv", "kernels.CSV", "Kernels.csv", "kernels.csv.bak", "$(x).csv", "ünï.csv"):
        (root / CAMPAIGN / name).write_text("x")


@case
def folder_names_that_differ_in_case(root):
    (root / "Acme-Phone" / "2026-10").mkdir(parents=True)
    (root / "Acme-Phone" / "device.yaml").write_text(device(root).read_text())
    for path in (root / CAMPAIGN).iterdir():
        (root / "Acme-Phone" / "2026-10" / path.name).write_text(path.read_text())


@case
def folder_name_of_100_letters(root):
    (root / "acme-phone").rename(root / ("a" * 100))


@case
def campaign_that_is_empty(root):
    (root / "acme-phone" / "2026-11").mkdir()


# Kernel lists.


def network(root, content, name="ResNet18.json"):
    """A kernel list of the second model, or what stands in its place."""
    folder = root / CAMPAIGN / "graphs"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def with_kernels(kernels):
    return f'{{"schema_version": 1, "model": "ResNet18", "runtime": "tflite-cpu", "kernels": [{kernels}]}}'


@case
def json_nested_a_million_deep(root):
    network(root, "[" * 1_000_000)


@case
def json_nested_a_million_deep_after_closing_brackets(root):
    network(root, '{"a":' * 1_000_000 + "1" + "}" * 1_000_000)
    network(root, "]" * 1_000_000 + "[" * 1_000_000, "MobileNetV2.json")


@case
def json_string_never_closed(root):
    network(root, '"' + '\\"' * 1_500_000)


@case
def json_number_with_a_million_digits(root):
    network(root, with_kernels(f'{{"flops": {"9" * 1_000_000}}}'))


@case
def json_numbers_of_all_kinds(root):
    entry = '{"operator": "fc", "kernel": "fc", "dtype": "int8", "cin": 1e2, "cout": -0, "groups": true, '
    network(root, with_kernels(entry + '"flops": 1e999, "params": -5, "bytes_moved": 1.0}'))


@case
def json_infinity(root):
    network(root, '{"Infinity": "Infinity",\n"model": -Infinity}')


@case
def json_with_comments(root):
    network(root, with_kernels("").replace("{", "{ // mine\n"))


@case
def json_of_two_objects(root):
    network(root, with_kernels("") * 2)


@case
def json_null(root):
    network(root, "null")
    network(root, "", "MobileNetV2.json")


@case
def json_half_of_a_character(root):
    network(root, with_kernels(r'{"operator": "\ud800", "\udfff": 1}'))


@case
def json_key_twice_under_two_spellings(root):
    network(root, '{"model": "ResNet18",\n"mod\\u0065l": "ResNet18"}')


@case
def json_a_hundred_thousand_fields_in_one_kernel(root):
    network(root, with_kernels("{" + ",".join(f'"x{n}": 1' for n in range(100_000)) + "}"))


@case
def json_a_million_kernels(root):
    network(root, with_kernels(",".join(["{}"] * 1_000_000)))


@case
def json_of_kernels_that_are_none(root):
    network(root, with_kernels('null, 5, "conv", [], {"operator": null}'))


@case
def json_in_utf_16(root):
    network(root, with_kernels("").encode("utf-16"))


@case
def json_with_a_nul_byte(root):
    network(root, with_kernels("\0"))


@case
def json_of_five_megabytes(root):
    network(root, " " * 5_000_000)


@case
def kernel_list_is_a_link(root):
    (root.parent / "secret.json").write_text("{}")
    network(root, "{}")
    (root / CAMPAIGN / "graphs" / "ResNet18.json").unlink()
    (root / CAMPAIGN / "graphs" / "ResNet18.json").symlink_to(root.parent / "secret.json")


@case
def folder_of_kernel_lists_is_a_link(root):
    (root.parent / "elsewhere").mkdir()
    (root / CAMPAIGN / "graphs").symlink_to(root.parent / "elsewhere")


@case
def kernel_list_is_a_named_pipe(root):
    network(root, "{}")
    (root / CAMPAIGN / "graphs" / "ResNet18.json").unlink()
    os.mkfifo(root / CAMPAIGN / "graphs" / "ResNet18.json")


@case
def kernel_list_named_beyond_bounds(root):
    network(root, with_kernels(""), "a\nb::error::<b>.json")
    network(root, with_kernels(""), "ünï.json")
    network(root, with_kernels(""), "ResNet18.JSON")


# Beyond what a reader reads.


@case
def yaml_escape_beyond_unicode(root):
    edit(manifest(root), "Robin", '"\\U00110000"')


@case
def yaml_escape_of_half_a_character(root):
    edit(manifest(root), "title: ", 'title: "\\ud800"  # ')


@case
def yaml_directive_of_5000_digits(root):
    manifest(root).write_text(f"%YAML 1.{'1' * 5000}\n---\n{manifest(root).read_text(encoding='utf-8')}")


@case
def table_of_a_million_blank_lines(root):
    with kernels(root).open("ab") as file:
        file.write(b"\n" * 1_000_000)


@case
def cell_of_a_megabyte_over_many_lines(root):
    edit(kernels(root), "K3", '"' + ("x" * 100_000 + "\n") * 11 + '"')


@case
def more_bad_cells_and_rows_than_are_listed(root):
    with kernels(root).open("a") as file:
        file.write("conv-bn-relu\n" * 5000)
    edit(applications(root), "\n", "\n" + ",,x,,,,,\n" * 150)


@case
def number_of_100000_digits(root):
    edit(kernels(root), "12.400", "9" * 100_000)


@case
def kernel_list_of_big_numbers(root):
    network(root, with_kernels('{"operator": "a", "dtype": "fp32", "flops": ' + "9" * 100_000 + ', "params": 1e999}'))
