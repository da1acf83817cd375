"""The kernel lists of a campaign: each file of graphs/ read strictly, and compared with the row of its model.

How a model becomes a kernel list is in `harness.graphs`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harness.budget import MOST_JSON_BYTES
from harness.issues import suggested
from harness.schema.columns import columns_of
from harness.schema.networks import COUNTED, MOST_KERNELS, Network, NetworkKernel, configuration_of
from harness.schema.vocabulary import CONFIGURATION_FIELDS, KERNEL_ALLOWS, KERNEL_FUNCTIONS, KERNEL_REQUIRES
from harness.validation.fact_faults import Notes, report_fact
from harness.validation.faults import Faults, contained
from harness.validation.json_files import notes_of, read_json
from harness.validation.layout import NETWORKS_FOLDER, entries_of, report_link, shown_path
from harness.validation.rules import FUNCTION_FIX
from harness.validation.text import read_bytes

COST_TOLERANCE: Final = 0.01
"""Relative deviation of a row's FLOPs and parameters from the totals of its kernel list."""
_SUFFIX: Final = ".json"
_TABLE: Final = "models.csv"
IDENTITY: Final = ("model", "variant", "input_shape")
_COSTS: Final = ("flops", "params")

Models = Mapping[str, Sequence[dict[str, Any]]]
"""Rows of a table by their model."""


def read_networks(campaign: Path, models: pa.Table | None, faults: Faults) -> dict[str, Network]:
    """Sound kernel lists of a campaign by the name of their model; everything else in graphs/ is reported.

    Args:
        campaign: campaign folder.
        models: rows of models.csv; None where there are none, or none that can be read.
        faults: collects what is wrong.
    """
    folder = campaign / NETWORKS_FOLDER
    # A link is reported where the entries of a campaign are looked at.
    if folder.is_symlink() or not folder.exists():
        return {}
    if not folder.is_dir():
        fix = "Make a folder of this name and put the kernel lists into it, or remove the file."
        report_unknown(folder, "a file of this name", "a folder of kernel lists", fix, faults)
        return {}
    if not (campaign / _TABLE).exists():
        found, expected = f"kernel lists without {_TABLE}", f"{_TABLE} beside them"
        fix = "Add the rows of the models, or remove the folder."
        faults.add("network-model", shown_path(folder), found=found, expected=expected, fix=fix)
    known = None if models is None else by_model(models)
    networks = {}
    for path in network_files(folder, faults):
        with contained(shown_path(path), faults):
            network = read_network(path, known, faults)
            if network is not None:
                networks[path.name.removesuffix(_SUFFIX)] = network
    return networks


def network_files(folder: Path, faults: Faults) -> Iterable[Path]:
    """Kernel lists of a folder; everything else in it is reported."""
    for path in entries_of(folder, faults):
        if path.is_symlink():
            report_link(path, faults)
        elif path.is_dir():
            fix = f"Put its files into {folder.name}/ itself, or remove it."
            report_unknown(path, "a folder", f"files named MODEL{_SUFFIX}", fix, faults)
        elif not path.name.endswith(_SUFFIX):
            found = "a file or folder that nothing reads"
            report_unknown(path, found, f"files named MODEL{_SUFFIX}", "Rename or remove it.", faults)
        else:
            yield path


def report_unknown(path: Path, found: str, expected: str, fix: str, faults: Faults) -> None:
    """Report a file or folder that nothing reads."""
    faults.add("path-unknown", shown_path(path), found=found, expected=expected, fix=fix)


def by_model(models: pa.Table) -> Models:
    """Rows of a table by their model, found once for all files."""
    found = defaultdict(list)
    for row in models.select([*IDENTITY, *_COSTS]).to_pylist():
        found[row["model"]].append(row)
    return found


def read_network(path: Path, models: Models | None, faults: Faults) -> Network | None:
    """Kernel list of a file; None where it cannot be read as one.

    Args:
        path: the file.
        models: rows by their model, which it is compared with; None where there are none.
        faults: collects what is wrong.
    """
    shown = shown_path(path)
    name = path.name.removesuffix(_SUFFIX)
    if models is not None:
        _check_name(name, models, shown, faults)
    data = read_bytes(path, shown, MOST_JSON_BYTES, faults)
    value = None if data is None else read_json(data, shown, faults)
    if data is None or value is None or not _is_short(value, shown, faults):
        return None
    try:
        # A number in quotes is text, as the JSON Schema has it.
        network = Network.model_validate(value, strict=True)
    except ValidationError as error:
        _report_faults(error, notes_of(data), shown, faults)
        return None
    _report_uncounted(network, data, shown, faults)
    _report_functions(network, data, shown, faults)
    surplus_or_missing = list(_configuration_faults(network))
    if surplus_or_missing:
        _report_configurations(surplus_or_missing, notes_of(data), shown, faults)
    if network.model != name:
        line = notes_of(data).lines["model",]
        expected, fix = f"{name}, the name of the file", "Rename the file, or correct the field."
        faults.add("network-model", shown, line=line, column="model", found=network.model, expected=expected, fix=fix)
    check_costs(network, (models or {}).get(name, ()), shown, faults)
    return network


def _check_name(name: str, models: Models, shown: str, faults: Faults) -> None:
    """Report a file that names no model, or more than one."""
    names = set(models) - {None}
    kinds = {tuple(row[field] for field in IDENTITY) for row in models.get(name, ())}
    if name not in names:
        otherwise = "Rename or remove the file, or add the row."
        _, fix = suggested(name, sorted(names), f"Is it the list of {{}}? {otherwise}", otherwise)
        expected = f"the name of a model in {_TABLE}"
        faults.add("network-model", shown, found=f"{name}, a model that no row has", expected=expected, fix=fix)
    elif len(kinds) > 1:
        found = f"{len(kinds)} variants or input shapes of {name} in {_TABLE}"
        fix = "Give each its own name in the column model, and its own kernel list."
        faults.add("network-model", shown, found=found, expected="one network behind the name", fix=fix)


def _is_short(value: Any, shown: str, faults: Faults) -> bool:
    kernels = value.get("kernels") if isinstance(value, dict) else None
    if not isinstance(kernels, list) or len(kernels) <= MOST_KERNELS:
        return True
    found, fix = f"{len(kernels)} entries", "Check what wrote the file; no network of an edge device has so many."
    expected = f"at most {MOST_KERNELS} entries"
    faults.add("fact-value", shown, column="kernels", found=found, is_value=False, expected=expected, fix=fix)
    return False


def _report_faults(error: ValidationError, notes: Notes, shown: str, faults: Faults) -> None:
    undeclared: dict[str, list[str]] = {}
    for details in error.errors(include_url=False):
        location = details["loc"]
        if len(location) != len(("kernels", 0, "field")) or location[0] != "kernels":
            report_fact(details, Network, notes, shown, faults)
        elif details["type"] == "extra_forbidden":
            undeclared.setdefault(str(location[1]), []).append(str(location[2]))
        else:
            _report_field(details, notes, shown, faults)
    for entry, names in undeclared.items():
        _report_undeclared(entry, names, notes, shown, faults)


def _report_field(details: ErrorDetails, notes: Notes, shown: str, faults: Faults) -> None:
    """Report a field of an entry under the rule of its column, as a cell of a table would be."""
    path = tuple(map(str, details["loc"]))
    column = columns_of(NetworkKernel)[path[-1]]
    line = notes.lines.get(path, notes.lines[path[:2]])
    if details["type"] == "missing":
        fix = f"Add the field: {column.quantity.sentence}"
        faults.add(
            "fact-missing", shown, line=line, column=".".join(path), found="nothing", is_value=False,
            expected=column.expected, fix=fix,
        )  # fmt: skip
        return
    found = notes.texts.get(path, details["input"])
    _, fix = suggested(
        str(details["input"]).lower(), column.choices, f"Did you mean {{}}? {column.quantity.fix}", column.quantity.fix
    )
    faults.add(
        column.quantity.rule, shown, line=line, column=".".join(path), found=found, expected=column.expected, fix=fix
    )


def _report_undeclared(entry: str, names: list[str], notes: Notes, shown: str, faults: Faults) -> None:
    """Report the fields of an entry that are not declared, at the first of them."""
    path = ("kernels", entry, names[0])
    fields = list(columns_of(NetworkKernel))
    expected, fix = (
        f"one of {', '.join(fields)}",
        suggested(names[0].lower(), fields, "Did you mean {}? Rename or remove it.", "Rename or remove it.")[1],
    )
    found = "not a declared field" + (f", as {len(names) - 1} more in this entry" if len(names) > 1 else "")
    faults.add(
        "fact-unknown",
        shown,
        line=notes.lines.get(path, notes.lines[path[:2]]),
        column=".".join(path),
        found=found,
        is_value=False,
        expected=expected,
        fix=fix,
    )


def _report_uncounted(network: Network, data: bytes, shown: str, faults: Faults) -> None:
    """Report entries with a kernel type whose FLOPs or bytes are said to be unknown; the type has a rule for both."""
    for position, entry in enumerate(network.kernels):
        for name in COUNTED if entry.kernel is not None else ():
            if getattr(entry, name) is None:
                path = ("kernels", str(position), name)
                quantity = columns_of(NetworkKernel)[name].quantity
                faults.add(
                    "fact-missing", shown, line=notes_of(data).lines[path], column=".".join(path), found="null",
                    expected=f"{quantity.expected}, because every {entry.kernel} has them",
                    fix="Write the number that deepen kernels gives, or leave the kernel type out.",
                )  # fmt: skip


def _configuration_faults(network: Network) -> Iterable[tuple[int, NetworkKernel, list[str], list[str]]]:
    """Entries with a kernel type, with the extents that they miss and those that their type does not have."""
    for position, entry in enumerate(network.kernels):
        if entry.kernel is None:
            continue
        given = configuration_of(entry)
        required = KERNEL_REQUIRES[entry.kernel]
        allowed = (*required, *KERNEL_ALLOWS.get(entry.kernel, ()))
        missing = [name for name in required if name not in given]
        surplus = [name for name in CONFIGURATION_FIELDS if name in given and name not in allowed]
        if missing or surplus:
            yield position, entry, missing, surplus


def _report_functions(network: Network, data: bytes, shown: str, faults: Faults) -> None:
    for position, entry in enumerate(network.kernels):
        functions = KERNEL_FUNCTIONS.get(entry.kernel, ()) if entry.kernel is not None else ()
        if functions and entry.function is not None and entry.function not in functions:
            path = ("kernels", str(position), "function")
            faults.add(
                "configuration-function", shown, line=notes_of(data).lines[path], column=".".join(path),
                found=entry.function,
                expected=f"one of {', '.join(functions)} for {entry.kernel}", fix=FUNCTION_FIX,
            )  # fmt: skip


def _report_configurations(
    found: Iterable[tuple[int, NetworkKernel, list[str], list[str]]], notes: Notes, shown: str, faults: Faults
) -> None:
    for position, entry, missing, surplus in found:
        path = ("kernels", str(position))
        if missing:
            expected = f"{', '.join(KERNEL_REQUIRES[entry.kernel or 'fc'])} for {entry.kernel}"
            faults.add(
                "configuration-missing",
                shown,
                line=notes.lines[path],
                column=".".join((*path, missing[0])),
                found="nothing" if len(missing) == 1 else "nothing, as for " + ", ".join(missing[1:]),
                expected=expected,
                fix="Fill in the configuration, or leave the kernel type empty.",
            )
        for name in surplus:
            faults.add(
                "configuration-surplus",
                shown,
                line=notes.lines[*path, name],
                column=".".join((*path, name)),
                found=getattr(entry, name),
                expected=f"nothing, because {entry.kernel} has no {name}",
                fix="Remove the field.",
            )


def check_costs(network: Network, rows: Sequence[dict[str, Any]], shown: str, faults: Faults) -> None:
    """Report totals that are beyond the bounds of a row, or contradict what the rows of the model state.

    A total of which a part is unknown is at least the rest. Weights that kernels share are once in the parameters.
    """
    for name in _COSTS:
        counts = [getattr(kernel, name) for kernel in network.kernels]
        total = sum(count for count in counts if count is not None)
        if name == "params" and network.params is not None:
            total = min(total, network.params)
        quantity = columns_of(NetworkKernel)[name].quantity
        found = f"{total} {name} in total"
        if quantity.le is not None and total > quantity.le:
            fix = "Check the entries with the most."
            faults.add("cost-range", shown, found=found, expected=quantity.expected, fix=fix)
        for stated in dict.fromkeys(row[name] for row in rows):
            missing = 0 if stated is None or None in counts else stated - total
            if stated is not None and max(total - stated, missing) > COST_TOLERANCE * stated:
                expected = f"{stated} within {COST_TOLERANCE:.0%}, as {_TABLE} states for {network.model}"
                fix = "Look which of the two is of another width, input or data type than the network that was run."
                faults.add("network-cost", shown, found=found, expected=expected, fix=fix)
