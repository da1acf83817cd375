"""Ids that campaigns have: two of one former id, and two systems of one id, are told apart by nobody."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from harness.schema.campaign import Campaign
from harness.validation.fact_faults import Path
from harness.validation.faults import Faults


@dataclass(slots=True)
class Identities:
    """Ids of the campaigns that were read so far.

    Attributes:
        there: device folder and campaign folder of every campaign of the trees, whether it is read or not.
        claimed: campaign by the former id that it states.
        systems: first campaign by system.
    """

    there: Collection[str] = ()
    claimed: dict[str, str] = field(default_factory=dict)
    systems: dict[str, Campaign] = field(default_factory=dict)

    def add(self, campaign: Campaign, lines: Mapping[Path, int], shown: str, faults: Faults) -> bool:
        """Whether a campaign has ids of its own; it is reported where it has not.

        Args:
            campaign: campaign.
            lines: line of each part of its manifest.
            shown: name of the manifest in messages.
            faults: collects what is wrong.
        """
        own, former = campaign.submission_id, campaign.manifest.formerly
        owner = own if former is None or former == own else self.claimed.setdefault(former, own)
        is_there = former in self.there and former != own
        if is_there or owner != own:
            found = f"{former}, which {'is there still' if is_there else f'{owner} states already'}"
            faults.add(
                "submission-taken", shown, line=lines.get(("formerly",)), column="formerly", found=found,
                expected="the folders that these rows were published in, and are gone from",
                fix="Leave formerly out of a new submission; its record ids are its own.", is_value=False,
            )  # fmt: skip
        known = self.systems.setdefault(campaign.system_id, campaign)
        if known.device_id != campaign.device_id:
            faults.add(
                "submission-taken", shown, line=lines.get(("system",)), column="system",
                found=f"{campaign.system_id}, a system of {known.device_id} already", expected="a system of its own",
                fix="Name its stack otherwise.", is_value=False,
            )  # fmt: skip
            return False
        stated, others = _stated(campaign), _stated(known)
        differing = [name for name in stated if stated[name] != others[name]]
        for name in differing:
            faults.add(
                "submission-taken", shown, line=lines.get(("system", name), lines.get(("system",))),
                column=f"system.{name}", found=stated[name],
                expected=f"{others[name]}, as {known.submission_id} states of the same {campaign.system_id}",
                fix="Write what it states, or name the stack of another system with other letters or digits.",
            )  # fmt: skip
        return owner == own and not is_there and not differing


def _stated(campaign: Campaign) -> dict[str, str]:
    """What identifies the system of a campaign, as it is written; nothing where the device itself is rated."""
    system = campaign.manifest.system
    if system is None:
        return {}
    stated = system.model_dump(exclude={"round"}) | {"stack": campaign.stack}
    return {name: "nothing" if value is None else str(value) for name, value in stated.items()}
