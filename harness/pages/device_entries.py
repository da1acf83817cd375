"""What the pages show of each device, collected from one release; it formats nothing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from harness.pages.markup import figure
from harness.releases import Release
from harness.schema.systems import Settings
from harness.schema.vocabulary import BOUNDARY_TITLES, LEVELS, TIER_TITLES, Boundary, Level, Tier
from harness.scoring.editions import Edition, editions
from harness.scoring.ratings import Rating


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """One system of a device: the device with a stack and settings, or the device itself.

    Attributes:
        ratings: its ratings, as those of the device.
        submissions: its rows of the submission table.
    """

    device_id: str
    system_id: str
    name: str
    ratings: tuple[Rating, ...]
    submissions: tuple[dict[str, Any], ...]

    @property
    def anchor(self) -> str:
        """Place on the page of its device; empty where it is the device itself."""
        return "" if self.system_id == self.device_id else f"system-{self.system_id}"

    @property
    def path(self) -> str:
        """Address from the root of the site."""
        return f"devices/{self.device_id}/{self.anchor and '#'}{self.anchor}"

    @property
    def settings(self) -> dict[str, Any]:
        """Stack, submitter and settings that its submissions share, where they state any."""
        shared = ("stack", "submitter", *Settings.model_fields)
        return {name: value for name in shared if (value := self.submissions[0][name]) is not None}

    @property
    def rounds(self) -> tuple[str, ...]:
        """Rounds of its submissions."""
        return tuple(sorted({entry["round"] for entry in self.submissions if entry["round"]}))

    @property
    def former_devices(self) -> tuple[str, ...]:
        """Devices that its submissions were published under before."""
        former = {entry["formerly"].split("/")[0] for entry in self.submissions if entry["formerly"]}
        return tuple(sorted(former - {self.device_id}))

    @property
    def days_under_its_device(self) -> tuple[str, ...]:
        """Dates of its submissions that were published under its device from the first on."""
        return tuple(
            str(entry["date"])
            for entry in self.submissions
            if not entry["formerly"] or entry["formerly"].split("/")[0] == self.device_id
        )


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """One device with everything that its page shows.

    Attributes:
        facts: its row of the device table.
        ratings: one for each edition, tier and boundary; one without an edition where it ran no suite.
        places: per edition, the rows that it rates, with their ranks.
        submissions: its rows of the submission table.
        errata: its rows of the errata table.
        rows: per level that has any, its rows without kernel lists.
    """

    device_id: str
    facts: dict[str, Any]
    ratings: tuple[Rating, ...]
    places: dict[str, pd.DataFrame]
    submissions: tuple[dict[str, Any], ...]
    errata: tuple[dict[str, Any], ...]
    rows: dict[Level, list[dict[str, Any]]]

    @property
    def name(self) -> str:
        """Name as its maker or the benchmark writes it."""
        return str(self.facts["name"])

    @property
    def path(self) -> str:
        """Address of its page from the root of the site."""
        return f"devices/{self.device_id}/"

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Tiers of its rows, best evidence first."""
        found = {row["tier"] for rows in self.rows.values() for row in rows}
        return tuple(tier for tier in TIER_TITLES if tier in found)

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        """Boundaries of its rows, narrowest first."""
        found = {row["boundary"] for rows in self.rows.values() for row in rows}
        return tuple(boundary for boundary in BOUNDARY_TITLES if boundary in found)

    @property
    def n_simulated(self) -> int:
        """Number of simulated rows."""
        return sum(row["tier"] == "simulated" for rows in self.rows.values() for row in rows)

    @property
    def is_simulated(self) -> bool:
        """Whether all of its rows are simulated."""
        return self.tiers == ("simulated",)

    @property
    def labelled(self) -> tuple[Rating, ...]:
        """Ratings that carry a label."""
        return tuple(rating for rating in self.ratings if rating.label is not None)

    @property
    def systems(self) -> tuple[SystemEntry, ...]:
        """Its systems, by id."""
        of_system: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entry in self.submissions:
            of_system[entry["system_id"]].append(entry)
        return tuple(
            SystemEntry(
                self.device_id,
                system_id,
                entries[0]["system"],
                tuple(rating for rating in self.ratings if rating.system_id == system_id),
                tuple(entries),
            )
            for system_id, entries in sorted(of_system.items())
        )

    def system(self, system_id: str) -> SystemEntry:
        """One of its systems."""
        return next(system for system in self.systems if system.system_id == system_id)

    @property
    def note(self) -> str:
        """What distinguishes it in one line: maker, chip and clock."""
        return self._note(self.facts["frequency_mhz"])

    def note_of(self, system_id: str) -> str:
        """What distinguishes the device of a system in one line: maker, chip, and the clock that was set."""
        clock = self.system(system_id).settings.get("clock_mhz", self.facts["frequency_mhz"])
        runtime = None
        if system_id == self.device_id and self.facts["device_class"] == "microcontroller":
            runtime = self.system(system_id).submissions[-1]["runtime"]
        return self._note(clock, None if runtime == "not stated" else runtime)

    def _note(self, clock_mhz: float | None, runtime: str | None = None) -> str:
        clock = f"{figure(clock_mhz)} MHz" if clock_mhz else None
        return ", ".join(part for part in (self.facts["vendor"], self.facts["soc"], clock, runtime) if part)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ratings of one edition, tier and boundary, best first."""

    edition: Edition
    tier: Tier
    boundary: Boundary
    ratings: tuple[Rating, ...] = field(default=())

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"{self.edition.edition}-{self.tier}-{self.boundary}"


def device_entries(
    release: Release, ratings: Sequence[Rating], suites: Mapping[str, pd.DataFrame]
) -> list[DeviceEntry]:
    """Every device of a release, by id.

    Args:
        ratings: ratings of the release.
        suites: rows of the release that each edition rates, as `suites` returns them.
    """
    of_device: dict[str, list[Rating]] = defaultdict(list)
    for rating in ratings:
        of_device[rating.device_id].append(rating)
    submissions, errata = _by_device(release.submissions), _by_device(release.errata)
    rows = {level: _by_device(_flat(release.levels[level])) for level in LEVELS if level in release.levels}
    return [
        DeviceEntry(
            device_id=device_id,
            facts=facts,
            ratings=tuple(of_device[device_id]),
            places={name: table[table["device_id"] == device_id] for name, table in suites.items()},
            submissions=tuple(sorted(submissions[device_id], key=lambda row: (row["date"], row["submission_id"]))),
            errata=tuple(errata[device_id]),
            rows={level: of_level[device_id] for level, of_level in rows.items() if of_level[device_id]},
        )
        for facts in release.devices.sort_by("device_id").to_pylist()
        for device_id in [facts["device_id"]]
    ]


def _flat(table: pa.Table) -> pa.Table:
    """Rows without kernel lists, which no page shows."""
    return table.drop_columns([name for name in ("kernels",) if name in table.column_names])


def _by_device(table: Any) -> defaultdict[str, list[dict[str, Any]]]:
    grouped: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_pylist():
        grouped[row["device_id"]].append(row)
    return grouped


def rankings(devices: Sequence[DeviceEntry]) -> list[Ranking]:
    """One ranking for each edition, tier and boundary that has a rated device; these are never ranked together."""
    found = []
    for edition in editions():
        of_edition = [rating for device in devices for rating in device.labelled if rating.edition == edition.edition]
        groups: dict[tuple[Tier, Boundary], list[Rating]] = defaultdict(list)
        for rating in of_edition:
            if rating.tier and rating.boundary:
                groups[rating.tier, rating.boundary].append(rating)
        for (tier, boundary), ranked in sorted(groups.items()):
            ranked.sort(key=lambda rating: (rating.rank or 0, rating.system_id))
            found.append(Ranking(edition, tier, boundary, tuple(ranked)))
    return found


def n_rows(release: Release) -> dict[Level, int]:
    """Rows of every level; 0 for a level that is empty."""
    return {level: release.levels[level].num_rows if level in release.levels else 0 for level in LEVELS}


def n_devices(release: Release, level: Level) -> int:
    """Devices with rows at a level."""
    return pc.count_distinct(release.levels[level].column("device_id")).as_py() if level in release.levels else 0
