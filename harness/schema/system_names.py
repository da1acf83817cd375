"""Names of systems as pages print them: the device, the stack, and what else tells systems of one device apart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from harness.schema.campaign import Campaign
from harness.schema.systems import Settings, System

_BETWEEN: Final = " · "


def system_names(campaigns: Iterable[Campaign]) -> dict[str, str]:
    """Name of every system, by its id.

    A delegate is named where the system runs on some of those that its device has, a setting where it differs among
    systems of one device, and a submitter where a device has systems of several. A campaign that declares no
    system ran on the device itself, whose name it has.
    """
    of_system: dict[str, list[Campaign]] = defaultdict(list)
    for campaign in campaigns:
        of_system[campaign.system_id].append(campaign)
    names: dict[str, str] = {}
    of_device: dict[str, dict[str, list[Campaign]]] = defaultdict(dict)
    for system_id, members in of_system.items():
        first = members[0]
        if first.manifest.system is None:
            names[system_id] = first.device.name
        else:
            of_device[first.device_id][system_id] = members
    for systems in of_device.values():
        names |= _names_of_device(systems)
    return names


def _names_of_device(systems: Mapping[str, Sequence[Campaign]]) -> dict[str, str]:
    declared = {system_id: members[0].manifest.system or System() for system_id, members in systems.items()}
    stacks = {system_id: members[0].stack or "" for system_id, members in systems.items()}
    has_submitters = len({system.submitter for system in declared.values()}) > 1
    differing = [name for name in Settings.model_fields if len({getattr(each, name) for each in declared.values()}) > 1]
    names = {}
    for system_id, system in declared.items():
        members = systems[system_id]
        parts = [members[0].device.name, stacks[system_id], *_delegates(members), *system.in_words(differing)]
        names[system_id] = _BETWEEN.join([*parts, *([system.submitter] if has_submitters and system.submitter else [])])
    return names


def _delegates(campaigns: Sequence[Campaign]) -> list[str]:
    """Delegates that the rows ran on, where they are some of those that the device has."""
    ran = {name for campaign in campaigns for table in campaign.tables.values()
           for name in table.column("delegate").unique().to_pylist()}  # fmt: skip
    return sorted(ran) if ran < set(campaigns[0].device.delegates) else []
