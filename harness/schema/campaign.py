"""A validated submission in memory: the type that validation hands to releases."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from harness.schema.facts import Device, Manifest
from harness.schema.networks import Network
from harness.schema.systems import system_id
from harness.schema.vocabulary import Level


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign on one device, free of errors.

    Attributes:
        device_id: name of the device folder.
        name: name of the campaign folder.
        device: contents of `device.yaml`.
        manifest: contents of `submission.yaml`.
        tables: per level, rows in the Arrow schema of that level's row model.
        networks: kernel lists by the name of their model; a model may have none.
        shared_networks: kernel lists of further models that campaigns share; each row has its own data type.
    """

    device_id: str
    name: str
    device: Device
    manifest: Manifest
    tables: Mapping[Level, pa.Table]
    networks: Mapping[str, Network] = field(default_factory=dict)
    shared_networks: Mapping[str, Network] = field(default_factory=dict)

    @property
    def submission_id(self) -> str:
        """Device folder and campaign folder, joined by a slash."""
        return f"{self.device_id}/{self.name}"

    @property
    def system_id(self) -> str:
        """System that the campaign ran on."""
        return system_id(self.device_id, self.manifest.system, self.manifest.runtime)

    @property
    def stack(self) -> str | None:
        """Stack of the system: the runtime where it is not named; None where the device itself is rated."""
        system = self.manifest.system
        return None if system is None else system.stack or self.manifest.runtime

    @property
    def first_id(self) -> str:
        """Submission that its record ids are hashes of: what it was published as before, or its own."""
        return self.manifest.formerly or self.submission_id
