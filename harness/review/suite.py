"""Rated rows compared with the networks of their edition: which network, how it was run, and what it can need."""

from typing import Any, Final, NamedTuple

from harness.review.change import Change
from harness.review.known import DESCRIBING, Known, costs_of, known_of, rated_rows
from harness.schema.campaign import Campaign
from harness.scoring.editions import editions
from harness.validation.known import FAR, MJ_PER_FLOP, known_per_flop
from harness.validation.layout import NETWORKS_FOLDER
from harness.validation.plausibility import FEWEST_COUNTED

FACTOR: Final = 3.0
"""Beyond the known devices, since new ones are better and old ones worse than those."""
MOST_APART: Final = {"flops": 0.05, "params": 0.10}
"""Share by which tools count the FLOPs and the parameters of one network differently."""
_RULES: Final = {"dtype": "suite-dtype", "input_shape": "suite-shape"}


class _Row(NamedTuple):
    """A rated row, and what is known of its network."""

    campaign: Campaign
    known: Known
    file: str
    line: int | None
    cells: dict[str, Any]

    @property
    def network(self) -> str:
        return str(self.known.edition.network_of(self.cells))


def check_suite(change: Change) -> None:
    """Every rule of the subject `suite`, and energy per FLOP of rows that state no FLOPs."""
    for edition in editions():
        known = known_of(edition, change.earlier)
        for campaign in change.campaigns:
            file = change.shown(f"{campaign.submission_id}/{edition.level}.csv")
            with change.contained(campaign.submission_id):
                for line, cells in rated_rows(change, campaign, edition):
                    row = _Row(campaign, known, file, line, cells)
                    _check_description(row, change)
                    _check_costs(row, change)
                    _check_flops(row, change)
                    _check_reference(row, change)


def _report(row: _Row, rule: str, column: str, change: Change, **words: Any) -> None:
    change.faults.add(rule, row.file, line=row.line, column=column, is_value=False, **words)


def _check_description(row: _Row, change: Change) -> None:
    """suite-network, suite-dtype, suite-shape: what a row says that it ran, against what the edition rates."""
    network = row.known.networks.get(row.network)
    for column in DESCRIBING.get(row.known.edition.level, ()) if network is not None else ():
        admitted = network.cells[column] if network is not None else frozenset()
        stated = row.cells[column] or ""
        # What a publication leaves open is known as open; who measures knows what was run.
        is_open = stated == "unstated" and row.campaign.manifest.method != "published"
        if stated in admitted and not is_open:
            continue
        expected = " or ".join(sorted(admitted - {"unstated"})) or "empty"
        fix = f"{row.network} of {row.known.edition.edition} is another run: give the network the name of its own."
        if not stated or is_open:
            fix = "State what was run; the figure is rated only as the run that the edition describes."
        rule = _RULES.get(column, "suite-network")
        _report(row, rule, column, change, found=stated or "empty", expected=expected, fix=fix)


def _check_costs(row: _Row, change: Change) -> None:
    """suite-flops: FLOPs and parameters that the row states, or its kernel list, against those of the edition."""
    network, own = row.known.networks.get(row.network), row.campaign.networks.get(row.network)
    listed = {} if own is None else costs_of(own)
    for column, known in network.costs.items() if network is not None else ():
        stated, where = row.cells.get(column), ""
        if stated is None:
            stated, where = listed.get(column), f" in {NETWORKS_FOLDER}/{row.network}.json"
        if stated is None or abs(stated - known) <= MOST_APART[column] * known:
            continue
        fix = f"{row.network} has {known} {column}, by its kernel list; another network has another name."
        _report(row, "suite-flops", column, change, found=f"{stated}{where}", expected=f"about {known}", fix=fix)


def _check_flops(row: _Row, change: Change) -> None:
    """energy-per-flop, flop-energy-unusual: with the FLOPs of the edition's network."""
    network, energy = row.known.networks.get(row.network), row.cells["energy_mj"]
    flops = None if network is None else network.costs.get("flops")
    if not flops:
        return
    stated = row.cells.get("flops")
    processor = row.campaign.device.delegates[row.cells["delegate"]]
    known = known_per_flop(row.cells["dtype"], processor)
    picojoules = 1e9 * energy / flops
    is_high = known.highest is not None and flops >= FEWEST_COUNTED and picojoules > known.highest
    is_low = known.lowest is not None and picojoules < known.lowest
    bound = known.lowest if is_low else known.highest
    is_far = (is_low and known.floor is not None and picojoules < known.floor) or (
        is_high and known.ceiling is not None and picojoules > known.ceiling
    )
    is_physical = MJ_PER_FLOP[0] <= energy / flops <= MJ_PER_FLOP[1]
    if not (is_low or is_high) and is_physical:
        return
    if stated is not None:
        # The row's own FLOPs are judged by validation.
        return
    rule = "energy-per-flop" if is_far or not is_physical else "flop-energy-unusual"
    found = f"{energy:g} mJ for the {flops:.0f} FLOP of {row.network}, {picojoules:.3g} pJ each"
    expected = f"{'>=' if is_low else '<='} {bound:g} pJ" if bound is not None else "1 fJ to 1 µJ"
    fix = "Is the energy in mJ and of one inference? If so, say under notes how it was measured."
    _report(row, rule, "energy_mj", change, found=found, expected=f"{expected} for one FLOP", fix=fix)


def _check_reference(row: _Row, change: Change) -> None:
    """suite-reference: an energy beyond those of all known devices by more than a factor."""
    edition, energy = row.known.edition, row.cells["energy_mj"]
    reference, network = edition.references[row.network], row.known.networks.get(row.network)
    # Where no device is known, only the reference is.
    (low, high), factor = ((reference, reference), FAR) if network is None else (network.energies_mj, FACTOR)
    if low / factor <= energy <= high * factor:
        return
    _report(
        row, "suite-reference", "energy_mj", change,
        found=f"{energy:g} mJ, {energy / reference:.3g} times the reference of {row.network}",
        expected=f"{low / factor:.4g} to {high * factor:.4g} mJ, a factor of {factor:g} around what is known",
        fix="Is it one inference of this network, in mJ? A reviewer asks how it was measured; the row stays.",
    )  # fmt: skip
