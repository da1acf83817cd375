"""Ids that campaigns have: two of one former id, and one system of two devices, are told apart by nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.schema.campaign import Campaign
from harness.validation.fact_faults import Path
from harness.validation.faults import Faults


@dataclass(slots=True)
class Identities:
    """Ids of the campaigns that were read so far.

    Attributes:
        submissions: campaign by what its record ids are made of.
        devices: device by system.
    """

    submissions: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)

    def add(self, campaign: Campaign, lines: Mapping[Path, int], shown: str, faults: Faults) -> bool:
        """Whether a campaign has ids of its own; it is reported where it has not.

        Args:
            campaign: campaign.
            lines: line of each part of its manifest.
            shown: name of the manifest in messages.
            faults: collects what is wrong.
        """
        own = campaign.submission_id
        first = self.submissions.setdefault(campaign.first_id, own)
        if first != own:
            if campaign.manifest.formerly is None:
                found = f"not stated, and {first} states that it was {own}"
                fix = f"Correct formerly of {first}, or remove this folder where it moved there."
            else:
                found = f"{campaign.first_id}, which {first} is or was already"
                fix = "Name the folders that this campaign was published in, or remove the field."
            faults.add(
                "submission-taken", shown, line=lines.get(("formerly",)), column="formerly", found=found,
                expected="a submission of its own", fix=fix, is_value=False,
            )  # fmt: skip
        device = self.devices.setdefault(campaign.system_id, campaign.device_id)
        if device != campaign.device_id:
            faults.add(
                "submission-taken", shown, line=lines.get(("system",)), column="system",
                found=f"{campaign.system_id}, a system of {device} already", expected="a system of its own",
                fix="Name its stack otherwise.", is_value=False,
            )  # fmt: skip
        return first == own and device == campaign.device_id
