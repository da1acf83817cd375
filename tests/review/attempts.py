"""Attempts to game a ranking, or to touch what others published: each with the rule that catches it.

The table in docs/honesty.md is written from this list.
"""

import json
import math
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from harness.validation import RULES
from tests.review.trees import BOARD, OWN, PHONE, add, change_facts, phone_rows, read, replace, rows_of, write_rows
from tests.validation.bound import bound

SUBJECTS = {
    "reach": "Reach",
    "identity": "Identity",
    "suite": "The suite",
    "copies": "Copies and plausibility",
    "evidence": "Evidence",
    "choice": "Choice",
}


class Attempt(NamedTuple):
    """What somebody tries, the rule that catches it, and how it is built in a tree of submissions."""

    family: str
    what: str
    rule: str
    build: Callable[[Path], object]
    outside: Sequence[str] = ()

    @property
    def caught_as(self) -> str:
        severity = RULES[self.rule].severity
        return f"{severity}, first lines" if RULES[self.rule].subject == "reach" else severity


def scaled(factor: float, device: str = "oneplus-8-pro", noise: float = 0.0) -> list[dict[str, str]]:
    """Rows of a published phone on CPU1 and other delegates, times a factor."""
    draw = random.Random(1)
    rows = rows_of(OWN / device / "sec23" / "applications.csv")
    best: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["dnn"] not in best or float(row["energy_mj"]) < float(best[row["dnn"]]["energy_mj"]):
            best[row["dnn"]] = row
    return [
        {name: cell for name, cell in row.items() if name != "power_mw"}
        | {"delegate": "CPU1", "energy_mj": f"{float(row['energy_mj']) * factor * (1 + draw.gauss(0, noise)):.6g}"}
        for row in best.values()
    ]


def with_cells(where: dict[str, str], **cells: str) -> list[dict[str, str]]:
    """The suite of a new phone with cells of some rows replaced."""
    return [row | cells if where.items() <= row.items() else row for row in phone_rows()]


def times(dnn: str, factor: float) -> list[dict[str, str]]:
    energy = next(float(row["energy_mj"]) for row in phone_rows() if row["dnn"] == dnn)
    return with_cells({"dnn": dnn}, energy_mj=f"{energy * factor:.5g}")


def board_rows(**cells: str) -> list[dict[str, str]]:
    """The suite of microcontrollers, like no published device's."""
    rows = rows_of(OWN / "EK-RA6M4" / "mlperf-tiny-v0.7" / "models.csv")
    kept = ("model", "family", "input_shape", "dtype", "delegate", "energy_kind", "energy_mj")
    factors = (1.1, 0.9, 1.2, 0.8)
    return [
        {name: row[name] for name in kept} | {"energy_mj": f"{float(row['energy_mj']) * factor:.5g}"} | cells
        for row, factor in zip(rows, factors, strict=True)
    ]


def add_board(root: Path, rows: Sequence[dict[str, str]] | None = None, **facts: Any) -> Path:
    device = {"name": "Acme Board", "device_class": "microcontroller", "tdp_w": None, "delegates": {"CPU": "cpu"}}
    device = {name: value for name, value in device.items() if value is not None}
    rows = board_rows() if rows is None else rows
    return add(root, rows, place="acme-board/2026-10", level="models", device=device, boundary="board", **facts)


# Traces -------------------------------------------------------------------------------------------------------------

WINDOWS = tuple((1.2 + 0.1 * n, 1.25 + 0.1 * n) for n in range(8))
ANALYSER = {"name": "Acme analyser", "kind": "analyser", "serial": "A1", "calibration": "2026-01, Acme"}


def power(seed: int = 1, noise: float = 5.0, n_samples: int = 2200) -> list[float]:
    """Power of a run at 1 kHz: idle, then eight inferences."""
    draw = random.Random(seed)
    values = []
    for n in range(n_samples):
        is_active = any(start - 0.0005 <= n / 1000 <= end + 0.0005 for start, end in WINDOWS)
        values.append((2500.0 if is_active else 320.0) + draw.gauss(0, noise))
    return values


def add_traced(
    root: Path,
    values: Sequence[float],
    *,
    place: str = "acme-phone/2026-10",
    windows: Sequence[tuple[float, float]] = WINDOWS,
    energy_mj: float = 125.0,
    n_each: int = 1,
    meter: dict[str, Any] | None = None,
    name: str = "Acme Phone",
    **cells: str,
) -> Path:
    """Add a campaign of one network with its trace, of a meter that states all it should."""
    row = {
        "model": "resnet18", "family": "ResNet18", "dtype": "fp32", "delegate": "CPU1", "energy_kind": "absolute",
        "energy_mj": f"{energy_mj:g}", "source_id": "M1",
    } | cells  # fmt: skip
    folder = add(root, [row], place=place, level="models", device={"name": name}, meter=meter or ANALYSER)
    lines = ["time_s,power_mw", *(f"{n / 1000:.3f},{value:.3f}" for n, value in enumerate(values))]
    times_of = ["start_s,end_s", *(f"{start:.4f},{end:.4f}" for start, end in windows)]
    trace = {
        "level": "models", "where": {"source_id": "M1"}, "format": "plain", "n_each": n_each,
        "power": bound(folder, "power.csv", "\n".join(lines).encode()),
        "inferences": bound(folder, "windows.csv", "\n".join(times_of).encode()),
    }  # fmt: skip
    with (folder / "submission.yaml").open("a", encoding="utf-8") as file:
        file.write(f"traces:\n  - {json.dumps(trace)}\n")
    return folder


def sine() -> list[float]:
    return [900 + 800 * math.sin(2 * math.pi * n / 1000) for n in range(2200)]


def repeated() -> list[float]:
    values = power()
    idle, busy = values[:100], values[1200:1300]
    return idle * 12 + busy * 8 + idle * 2


def copied(root: Path, factor: float = 1.0, shift: int = 0, offset: float = 0.0) -> None:
    values = power()
    add_traced(root, values)
    twin = [values[(n + shift) % 1100] if n < 1100 else value for n, value in enumerate(values)]
    twin = [factor * value + offset for value in twin]
    add_traced(root, twin, place="other-phone/2026-10", name="Other Phone", energy_mj=125 * factor + offset * 0.05)


def steps(root: Path, chosen: Sequence[tuple[float, float]]) -> None:
    """A run whose cheap inferences alone are in windows."""
    values = [
        value * (1.3 if n >= 1600 and value > 1000 else 1.0) for n, value in enumerate(power())
    ]  # fmt: skip
    add_traced(root, values, windows=chosen)


def rows_in(root: Path, place: str = PHONE, level: str = "applications") -> list[dict[str, str]]:
    return rows_of(root / place / f"{level}.csv")


def multiply(root: Path, place: str, factor: float, level: str = "applications") -> None:
    rows = rows_in(root, place, level)
    changed = [row | {"energy_mj": f"{float(row['energy_mj']) * factor:.6g}"} for row in rows]
    write_rows(root / place / f"{level}.csv", changed)


def later_round(root: Path) -> None:
    """A later round of a published board, by other people and with fewer runs."""
    rows = rows_of(root / BOARD / "models.csv")
    kept = [name for name in rows[0] if name not in ("n_runs", "energy_min_mj", "energy_max_mj", "source_id")]
    rows = [{name: row[name] for name in kept} | {"rounds": "v9.9"} for row in rows]
    for row, factor in zip(rows, (0.9, 0.7, 0.8, 0.6), strict=True):
        row |= {"energy_mj": f"{float(row['energy_mj']) * factor:.5g}", "latency_ms": "", "power_mw": ""}
    system = yaml.safe_load(read(root / BOARD / "submission.yaml"))["system"]
    folder = add(root, rows, place="GAP9-EVK/again", level="models", method="published", boundary="rail", system=system,
                 rails=["supply of the device under test"], meter=None,
                 source={"citation": "Somebody, 2026.", "url": "https://example.org/paper"})  # fmt: skip
    assert folder.exists()


def twin(root: Path, change: Callable[[list[float]], list[float]], **facts: Any) -> None:
    """A published-looking trace, and the same noise in that of another device."""
    values = power()
    add_traced(root, values)
    add_traced(root, change(values), place="other-phone/2026-10", name="Other Phone", **facts)


def spliced(root: Path) -> None:
    """A trace of pieces of three others, none of them most of it."""
    parts = [power(seed) for seed in (31, 32, 33)]
    for number, values in enumerate(parts):
        add_traced(root, values, place=f"unit-{number}/2026-10", name=f"Unit {'ABC'[number]}")
    joined = [parts[n // 100 % 3][n] for n in range(2200)]
    add_traced(root, joined, place="other-phone/2026-10", name="Other Phone")


def load_of(root: Path) -> None:
    """The load of another trace alone, between idle power of its own."""
    windows = [(1.2 + 0.6 * n, 1.7 + 0.6 * n) for n in range(4)]

    def run(seed: int) -> list[float]:
        draw = random.Random(seed)
        active = [any(start <= n / 1000 <= end for start, end in windows) for n in range(3900)]
        return [(2500.0 if is_active else 320.0) + draw.gauss(0, 5) for is_active in active]

    first, idle = run(1), run(2)
    add_traced(root, first, windows=windows, energy_mj=1250)
    values = [0.8 * value if value > 1000 else other for value, other in zip(first, idle, strict=True)]
    add_traced(root, values, windows=windows, place="other-phone/2026-10", name="Other Phone", energy_mj=1000)


def late(root: Path) -> None:
    """A run without noise behind more idle power than is looked at."""
    draw = random.Random(2)
    windows = [(201.2 + 0.1 * n, 201.25 + 0.1 * n) for n in range(8)]
    active = [any(start <= n / 1000 <= end for start, end in windows) for n in range(201_000, 202_300)]
    values = [320 + draw.gauss(0, 5) for _ in range(201_000)]
    values += [2000.0 if is_active else 320.0 for is_active in active]
    add_traced(root, values, windows=windows, energy_mj=100)


def elsewhere(root: Path) -> None:
    """Traces enough for the suite, all bound to rows that no edition rates."""
    rows = [row | {"source_id": row["model"]} for row in board_rows()]
    other = {"family": "Net", "delegate": "CPU", "energy_mj": "125"}
    rows += [rows[0] | other | {"model": f"net{n}", "source_id": f"N{n}"} for n in range(4)]
    folder = add_board(root, rows, meter=ANALYSER)
    lines = ["start_s,end_s", *(f"{start:.4f},{end:.4f}" for start, end in WINDOWS)]
    with (folder / "submission.yaml").open("a", encoding="utf-8") as file:
        file.write("traces:\n")
        for n in range(4):
            drawn = ["time_s,power_mw", *(f"{m / 1000:.3f},{value:.3f}" for m, value in enumerate(power(10 + n)))]
            trace = {
                "level": "models", "where": {"source_id": f"N{n}"}, "format": "plain",
                "power": bound(folder, f"power{n}.csv", "\n".join(drawn).encode()),
                "inferences": bound(folder, f"windows{n}.csv", "\n".join(lines).encode()),
            }  # fmt: skip
            file.write(f"  - {json.dumps(trace)}\n")


def smaller_list(root: Path) -> None:
    """Kernel list of a third of a network of the suite, in whose row no FLOPs are."""
    folder = add_board(root) / "graphs"
    folder.mkdir()
    network = json.loads(read(OWN / "EK-RA6M4" / "mlperf-tiny-v0.7" / "graphs" / "mlperf-tiny-ic.json"))
    network["kernels"] = network["kernels"][: len(network["kernels"]) // 3]
    (folder / "mlperf-tiny-ic.json").write_text(json.dumps(network))


def best_of(device: str) -> dict[str, str]:
    """Lowest energy of each network of a published phone, as it is written."""
    best: dict[str, str] = {}
    for row in rows_of(OWN / device / "sec23" / "applications.csv"):
        best[row["dnn"]] = min(row["energy_mj"], best.get(row["dnn"], row["energy_mj"]), key=float)
    return best


def mixed(n_copied: int, *devices: str) -> list[dict[str, str]]:
    """The suite of a new phone, with the first figures those of published phones in turn."""
    known = [best_of(device) for device in devices]
    return [
        row | ({"energy_mj": known[n % len(known)][row["dnn"]]} if n < n_copied else {})
        for n, row in enumerate(phone_rows())
    ]


def kernel_rows(factor: float) -> list[dict[str, str]]:
    draw = random.Random(3)
    energies = [f"{factor * draw.uniform(1, 9):.5g}" for _ in range(20)]
    return [
        {"kernel": "fc", "cin": str(64 + n), "cout": "1000", "dtype": "fp32", "delegate": "CPU1",
         "energy_kind": "absolute", "energy_mj": energy, "source_id": f"K{n}"}
        for n, energy in enumerate(energies)
    ]  # fmt: skip


def two_with_a_factor(root: Path, first: list[dict[str, str]], second: list[dict[str, str]], level: str) -> None:
    add(root, first, level=level)
    add(root, second, level=level, place="other-phone/2026-10", device={"name": "Other Phone"})


def move(root: Path, to: str, factor: float = 1.0, former: str = PHONE) -> None:
    """A published campaign in the folder of another device, with its energies times a factor."""
    (root / to).parent.mkdir(exist_ok=True)
    if not (root / to).parent.joinpath("device.yaml").exists():
        shutil.copy(root / PHONE.split("/")[0] / "device.yaml", (root / to).parent)
    shutil.move(root / PHONE, root / to)
    shutil.rmtree(root / PHONE.split("/")[0])
    change_facts(root / to / "submission.yaml", formerly=former)
    if factor != 1:
        multiply(root, to, factor)


REACH = (
    Attempt("reach", "move a published campaign and change its energies on the way", "published-figure",
            lambda root: move(root, "huawei-p40/sec23", 2.5)),
    Attempt("reach", "move a published campaign to another's device", "published-changed",
            lambda root: move(root, "oneplus-8-pro/sec23-again")),
    Attempt("reach", "delete a device under a former id that it never had", "former-id",
            lambda root: move(root, "huawei-p40/sec23", former="huawei-p40/2020")),
    Attempt("reach", "take the record ids of a submission that stays", "submission-taken",
            lambda root: add(root, formerly="oneplus-8-pro/sec23")),
    Attempt("reach", "delete the device that is ahead", "published-removed",
            lambda root: shutil.rmtree(root / "huawei-p40-pro")),
    Attempt("reach", "delete one campaign of another's device", "published-removed",
            lambda root: shutil.rmtree(root / "NUCLEO-L4R5ZI" / "mlperf-tiny-v1.2")),
    Attempt("reach", "delete the worst row of a published table", "published-figure",
            lambda root: write_rows(root / PHONE / "applications.csv", rows_in(root)[:-1])),
    Attempt("reach", "multiply the energies of another's phone by 2.5", "published-figure",
            lambda root: multiply(root, PHONE, 2.5)),
    Attempt("reach", "divide the energies of a published phone by 2.5", "published-figure",
            lambda root: multiply(root, "oneplus-8-pro/sec23", 0.4)),
    Attempt("reach", "change one digit of one published energy", "published-figure",
            lambda root: replace(root / PHONE / "applications.csv", "171.5,", "121.5,")),
    Attempt("reach", "change the TDP of a published phone, which its PCS rests on", "published-figure",
            lambda root: replace(root / "huawei-p40-pro" / "device.yaml", "tdp_w: 15", "tdp_w: 5")),
    Attempt("reach", "turn a published figure idle-subtracted, so that it is rated no longer", "published-figure",
            lambda root: replace(root / PHONE / "applications.csv", ",absolute,", ",idle-subtracted,", -1)),
    Attempt("reach", "change the class of a published device, so that no edition rates it", "published-changed",
            lambda root: replace(root / "oneplus-8-pro" / "device.yaml", "phone", "tablet")),
    Attempt("reach", "change the boundary of a published campaign, so that it is ranked elsewhere", "published-changed",
            lambda root: replace(root / PHONE / "submission.yaml", "boundary: battery", "boundary: board")),
    Attempt("reach", "put oneself among the contributors of a published campaign", "published-changed",
            lambda root: replace(root / PHONE / "submission.yaml", "contributors:", "contributors:\n  - Mallory")),
    Attempt("reach", "change the scores that a paper printed", "published-changed",
            lambda root: replace(root / PHONE / "submission.yaml", "pcs: 78", "pcs: 99")),
    Attempt("reach", "change the licence of a published campaign", "published-changed",
            lambda root: replace(root / PHONE / "submission.yaml", "licence: NOASSERTION", "licence: CC0-1.0")),
    Attempt("reach", "add a cheap row to a published table", "published-changed",
            lambda root: write_rows(root / PHONE / "applications.csv",
                                    [*rows_in(root), rows_in(root)[-3] | {"delegate": "GPU", "energy_mj": "20"}])),
    Attempt("reach", "remove a kernel list, which FLOPs come from", "published-changed",
            lambda root: (root / BOARD / "graphs" / "mlperf-tiny-ad.json").unlink()),
    Attempt("reach", "add a campaign to the device of others", "device-shared",
            lambda root: add(root, phone_rows(), place="huawei-p40-pro/2026-10")),
    Attempt("reach", "change an edition in the same pull request", "harness-changed", add,
            ("harness/scoring/editions/phone-2023.yaml",)),
    Attempt("reach", "change a workflow in the same pull request", "harness-changed", add,
            (".github/workflows/submission.yml",)),
    Attempt("reach", "pad a published table until nobody compares its cells", "published-figure",
            lambda root: (root / PHONE / "applications.csv").write_text(
                read(root / PHONE / "applications.csv") + "\n" * 20_000_001)),
    Attempt("reach", "hide a file in a campaign", "path-hidden",
            lambda root: (add(root) / ".notes").write_text("x")),
    Attempt("reach", "a file that nothing reads among the devices", "path-unknown",
            lambda root: (root / "README.md").write_text("x")),
    Attempt("reach", "a campaign that differs from a published one in case only", "folder-name",
            lambda root: shutil.copytree(root / PHONE, root / "huawei-p40-pro" / "SEC23")),
    Attempt("reach", "hide a deletion behind a thousand hidden files", "published-removed",
            lambda root: (shutil.rmtree(root / "huawei-p40-pro"), (root / "aaa").mkdir(),
                          [(root / "aaa" / f".{n}").touch() for n in range(1000)])),
)  # fmt: skip

IDENTITY = (
    Attempt("identity", "a Cyrillic letter in the name of a known phone", "name-confusable",
            lambda root: add(root, device={"name": "Huawei P40 Pr\u043e"})),
    Attempt("identity", "two alphabets in one word", "name-characters",
            lambda root: add(root, device={"name": "\u0410cme Phone"})),
    Attempt("identity", "an invisible character in a name", "name-characters",
            lambda root: add(root, device={"name": "Acme\u2060Phone"})),
    Attempt("identity", "letters of full width", "name-characters",
            lambda root: add(root, device={"name": "\uff21cme Phone"})),
    Attempt("identity", "the name of a known phone in capitals", "name-taken",
            lambda root: add(root, device={"name": "HUAWEI  P40 PRO"})),
    Attempt("identity", "a zero in place of an O", "name-confusable",
            lambda root: add(root, device={"name": "0nePlus 8 Pro"})),
    Attempt("identity", "a folder that differs by a hyphen", "name-similar",
            lambda root: add(root, place="huawei-p40-pro-/c")),
    Attempt("identity", "a title of blanks that are drawn as nothing", "text-blank",
            lambda root: add(root, title="\u2800\u2800\u2800")),
    Attempt("identity", "a contributor without a name", "text-blank",
            lambda root: add(root, contributors=["-"])),
    Attempt("identity", "the name of somebody who published before", "contributor-known",
            lambda root: add(root, contributors=["Xiaolong Tu"])),
    Attempt("identity", "a name that looks like theirs", "name-confusable",
            lambda root: add(root, contributors=["Xiao1ong Tu"])),
    Attempt("identity", "a licence of one's own words", "licence-unknown", lambda root: add(root, licence="free")),
    Attempt("identity", "no licence for figures of one's own", "licence-unstated",
            lambda root: add(root, licence="NOASSERTION")),
    Attempt("identity", "a licence that nobody can read", "licence-unknown",
            lambda root: add(root, licence="LicenseRef-mine")),
    Attempt("identity", "a day that no calendar has", "date-impossible", lambda root: add(root, date="2026-02-30")),
    Attempt("identity", "a measurement to come", "date-impossible", lambda root: add(root, date="2031")),
    Attempt("identity", "a measurement before the device was made", "date-impossible",
            lambda root: add(root, date="2019-05")),
    Attempt("identity", "the tier of publications without one", "publication-missing",
            lambda root: add(root, method="published", meter=None)),
    Attempt("identity", "the tier of publications with an address of one's own", "publication-check",
            lambda root: add(root, method="published", meter=None,
                             source={"citation": "Our paper.", "url": "https://example.org"})),
    Attempt("identity", "a score of one's own beside the computed one", "scores-unpublished",
            lambda root: add(root, published_scores={"edition": "phone-2023", "pcs": 99})),
    Attempt("identity", "digits of another script", "name-confusable",
            lambda root: add(root, device={"name": "Huawei P\u0664\u0660 Pro"})),
    Attempt("identity", "a Latin letter that looks like another", "name-confusable",
            lambda root: add(root, device={"name": "Hu\u0251wei P40 Pro"})),
    Attempt("identity", "a letter of Lisu", "name-confusable",
            lambda root: add(root, device={"name": "\ua4e7uawei P40 Pro"})),
    Attempt("identity", "a small capital", "name-confusable",
            lambda root: add(root, device={"name": "\u1d0fnePlus 8 Pro"})),
    Attempt("identity", "a variation selector behind the name of a known phone", "name-taken",
            lambda root: add(root, device={"name": "Huawei P40 Pro\ufe0f"})),
    Attempt("identity", "the words of a known phone in another order", "name-similar",
            lambda root: add(root, device={"name": "P40 Pro Huawei"})),
    Attempt("identity", "the name of somebody who published before, family name first", "contributor-known",
            lambda root: add(root, contributors=["Tu, Xiaolong"])),
    Attempt("identity", "a title to come", "text-blank", lambda root: add(root, title="TODO")),
    Attempt("identity", "a chip whose name is drawn as nothing", "text-blank",
            lambda root: add(root, device={"soc": "\u2800"})),
)  # fmt: skip

SUITE = (
    Attempt("suite", "int4 under the name of an fp32 network", "suite-dtype",
            lambda root: add(root, with_cells({"dnn": "DNN1"}, dtype="int4"))),
    Attempt("suite", "int8 under the name of an fp32 network", "suite-dtype",
            lambda root: add(root, with_cells({"dnn": "DNN7"}, dtype="int8"))),
    Attempt("suite", "a measured row that leaves its data type open", "suite-dtype",
            lambda root: add_board(root, board_rows(dtype="unstated"))),
    Attempt("suite", "half the input of the suite", "suite-shape",
            lambda root: add(root, with_cells({"dnn": "DNN3"}, input_shape="320x320"))),
    Attempt("suite", "no input shape at all", "suite-shape",
            lambda root: add(root, with_cells({"dnn": "DNN3"}, input_shape=""))),
    Attempt("suite", "a smaller network under the name of the suite's", "suite-network",
            lambda root: add(root, with_cells({"dnn": "DNN9"}, reference_model="FSRCNN"))),
    Attempt("suite", "FLOPs of one's own, by which any energy is plausible", "suite-flops",
            lambda root: add_board(root, [row | {"flops": "1000"} for row in board_rows()])),
    Attempt("suite", "energies that no silicon reaches, in rows without FLOPs", "energy-per-flop",
            lambda root: add_board(root, board_rows(energy_mj="0.0000001234"))),
    Attempt("suite", "one energy at a hundredth of the reference", "suite-reference",
            lambda root: add(root, times("DNN7", 0.01))),
    Attempt("suite", "a variant of a network of the suite", "suite-network",
            lambda root: add_board(root, board_rows(variant="0.25x"))),
    Attempt("suite", "another application of a network of the suite", "suite-network",
            lambda root: add(root, with_cells({"dnn": "DNN3"}, application="question-answering"))),
    Attempt("suite", "the kernel list of a smaller network", "suite-flops", smaller_list),
    Attempt("suite", "parameters of one's own", "suite-flops",
            lambda root: add_board(root, board_rows(params="10"))),
    Attempt("suite", "a latency that needs megawatts, in rows without power", "power-limit",
            lambda root: add(root, phone_rows(latency_ms="0.001"))),
)  # fmt: skip

COPIES = (
    Attempt("copies", "the figures of another phone under a new name", "rows-copied",
            lambda root: add(root, scaled(1.0))),
    Attempt("copies", "the same with 0.3 % of noise", "rows-copied",
            lambda root: add(root, scaled(1.0, noise=0.003))),
    Attempt("copies", "the figures of others on the same phone under one's own name", "rows-copied",
            lambda root: add(root, rows_in(root), place="huawei-p40-pro/again")),
    Attempt("copies", "another phone times 0.8", "rows-scaled", lambda root: add(root, scaled(0.8))),
    Attempt("copies", "another phone times 0.8 with two percent of noise", "rows-scaled",
            lambda root: add(root, scaled(0.8, noise=0.02))),
    Attempt("copies", "the references of the edition times 0.9", "rows-scaled",
            lambda root: add(root, [row | {"energy_mj": f"{0.9 * REFERENCES[row['dnn']]:.6g}"}
                                    for row in phone_rows()])),
    Attempt("copies", "one figure in every row", "networks-alike", lambda root: add(root, phone_rows(energy_mj="99"))),
    Attempt("copies", "one network far cheaper than the others", "network-ratio",
            lambda root: add(root, times("DNN10", 0.1))),
    Attempt("copies", "a first place by a factor of ten", "class-percentile",
            lambda root: add(root, [row | {"energy_mj": f"{float(row['energy_mj']) / 15:.5g}"}
                                    for row in phone_rows()])),
    Attempt("copies", "an int8 run submitted as that of the fp32 network", "dtype-ratio",
            lambda root: add(root, with_cells({"dnn": "DNN3"}, energy_mj=next(
                row["energy_mj"] for row in phone_rows() if row["dnn"] == "DNN4")))),
    Attempt("copies", "figures of three phones in turn", "rows-copied",
            lambda root: add(root, mixed(12, "oneplus-8-pro", "huawei-p40-pro", "xiaomi-redmi-note8"))),
    Attempt("copies", "five figures of another phone among one's own", "rows-copied",
            lambda root: add(root, mixed(5, "oneplus-8-pro"))),
    Attempt("copies", "kernels of another device times 0.8", "rows-scaled",
            lambda root: two_with_a_factor(root, kernel_rows(1), kernel_rows(0.8), "kernels")),
    Attempt("copies", "two new phones of one table, with a factor", "rows-scaled",
            lambda root: two_with_a_factor(root, phone_rows(), [
                row | {"energy_mj": f"{0.7 * float(row['energy_mj']):.5g}"} for row in phone_rows()], "applications")),
)  # fmt: skip

EVIDENCE = (
    Attempt("evidence", "the tier of an analyser by writing it down", "tier-evidence",
            lambda root: add(root, meter=ANALYSER)),
    Attempt("evidence", "the same with a reason", "tier-reason",
            lambda root: add(root, meter=ANALYSER, untraced="The files were lost.")),
    Attempt("evidence", "a trace of a meter without serial number", "tier-evidence",
            lambda root: add_traced(root, power(), meter={"name": "Acme analyser", "kind": "analyser"})),
    Attempt("evidence", "a perfect sine as trace", "trace-synthetic", lambda root: add_traced(root, sine())),
    Attempt("evidence", "a trace of two values", "trace-synthetic", lambda root: add_traced(root, power(noise=0))),
    Attempt("evidence", "a short piece joined to itself", "trace-repeated",
            lambda root: add_traced(root, repeated())),
    Attempt("evidence", "the trace of another result times 0.5", "trace-copied", lambda root: copied(root, 0.5)),
    Attempt("evidence", "the trace of another result less 100 mW", "trace-copied",
            lambda root: copied(root, offset=-100)),
    Attempt("evidence", "the trace of another result shifted in time", "trace-copied",
            lambda root: copied(root, shift=37)),
    Attempt("evidence", "the cheap half of the inferences of a run", "trace-windows",
            lambda root: steps(root, WINDOWS[:4])),
    Attempt("evidence", "a lower energy than the trace gives", "trace-energy",
            lambda root: add_traced(root, power(), energy_mj=80)),
    Attempt("evidence", "a million inferences in each window", "trace-choice",
            lambda root: add_traced(root, power(), energy_mj=0.000125, n_each=1_000_000)),
    Attempt("evidence", "more runs than the trace has", "trace-runs",
            lambda root: add_traced(root, power(), n_runs="500")),
    Attempt("evidence", "a latency that the trace contradicts", "trace-latency",
            lambda root: add_traced(root, power(), latency_ms="25", power_mw="5000")),
    Attempt("evidence", "a large spread that hides a mismatch", "trace-energy",
            lambda root: add_traced(root, power(), energy_mj=80, energy_std_mj="1000")),
    Attempt("evidence", "a trace with negative power", "trace-negative",
            lambda root: add_traced(root, [value - 400 if n < 900 else value for n, value in enumerate(power())])),
    Attempt("evidence", "traces of rows that are not rated", "tier-evidence", elsewhere),
    Attempt("evidence", "a calibration that says that there is none", "tier-evidence",
            lambda root: add_traced(root, power(), meter=ANALYSER | {"serial": "n/a", "calibration": "none"})),
    Attempt("evidence", "an uncertainty of nothing, without a trace", "uncertainty-untraced",
            lambda root: add(root, phone_rows(energy_u_mj="0.0000001"))),
    Attempt("evidence", "a meter a million times better than any", "accuracy-zero",
            lambda root: add(root, meter={"name": "Acme gauge", "kind": "battery-gauge",
                                          "accuracy": {"gain_percent": 1e-9, "stated_by": "its maker"}})),
    Attempt("evidence", "a thousand times the rate of the trace", "trace-rate-stated",
            lambda root: add_traced(root, power(), meter=ANALYSER | {"sampling_hz": 1_000_000})),
    Attempt("evidence", "a trace of two values and a few others", "trace-synthetic",
            lambda root: add_traced(root, [value + (n % 733 == 0) for n, value in enumerate(power(noise=0))])),
    Attempt("evidence", "load without noise between noisy idle power", "trace-synthetic",
            lambda root: add_traced(root, [2500.0 if value > 1000 else value for value in power()])),
    Attempt("evidence", "a run without noise behind a long lead of idle power", "trace-synthetic", late),
    Attempt("evidence", "the trace of another result from its end to its start", "trace-copied",
            lambda root: twin(root, lambda values: values[::-1],
                              windows=[(2.199 - end, 2.199 - start) for start, end in reversed(WINDOWS)])),
    Attempt("evidence", "the trace of another result upside down", "trace-copied",
            lambda root: twin(root, lambda values: [(5000 if value > 1000 else 640) - value for value in values])),
    Attempt("evidence", "every other sample of the trace of another result", "trace-copied",
            lambda root: twin(root, lambda values: values[::2], energy_mj=62.5,
                              windows=[(start / 2, end / 2) for start, end in WINDOWS])),
    Attempt("evidence", "pieces of three traces", "trace-copied", spliced),
    Attempt("evidence", "the load of another trace, times 0.8", "trace-copied", load_of),
)  # fmt: skip

CHOICE = (
    Attempt("choice", "the worst network of the suite left out", "networks-dropped",
            lambda root: add(root, [row for row in phone_rows() if row["dnn"] != "DNN6"])),
    Attempt("choice", "measured again until the figures are better", "measured-again",
            lambda root: (add(root), add(root, [row | {"energy_mj": f"{float(row['energy_mj']) * factor:.4g}"}
                                                for row, factor in zip(phone_rows(), AGAIN, strict=True)],
                                         place="acme-phone/2026-11"))),
    Attempt("choice", "a later round with less support in place of a published one", "campaign-replaced", later_round),
    Attempt("choice", "only the networks measured again that got better", "measured-again",
            lambda root: (add(root), add(root, times("DNN6", 0.6), place="acme-phone/2026-11"))),
)  # fmt: skip

AGAIN = (0.9, 0.8, 0.95, 0.7, 0.85, 0.9, 0.75, 0.8, 0.9, 0.95, 0.85, 0.7)
REFERENCES: dict[str, float] = {}


def _references() -> None:
    from harness.scoring.editions import edition_named

    REFERENCES.update(edition_named("phone-2023").references)


_references()
ATTEMPTS = (*REACH, *IDENTITY, *SUITE, *COPIES, *EVIDENCE, *CHOICE)
