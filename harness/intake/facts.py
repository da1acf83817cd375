"""The two YAML files of an imported campaign: written, and read back as validation reads them; nothing is guessed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel

from harness.budget import MOST_YAML_BYTES
from harness.errors import UsageError
from harness.intake.foreign import ForeignSourceError, ForeignTable
from harness.intake.stated import comments, filled, is_to_fill_in
from harness.schema.facts import Device, Manifest
from harness.validation.documents import read_fact
from harness.validation.faults import Faults
from harness.validation.layout import DEVICE_FILE, MANIFEST_FILE
from harness.validation.text import read_bytes

Fact = TypeVar("Fact", bound=BaseModel)

_WIDTH: Final = 120


@dataclass(frozen=True, slots=True)
class IntakeFacts:
    """Facts that rows are measured against, and where they are written.

    Attributes:
        device: contents of device.yaml.
        device_bytes: device.yaml itself.
        is_new_device: whether device.yaml is yet to be written, or written again with more facts.
        manifest: contents of submission.yaml, without errata of fixes.
        submission: the same as plain values.
        submission_head: comment lines at the head of submission.yaml.
    """

    device: Device
    device_bytes: bytes
    is_new_device: bool
    manifest: Manifest
    submission: Mapping[str, Any]
    submission_head: bytes = b""


class _FactDumper(yaml.SafeDumper):
    """YAML that quotes all text which begins like a number: readers differ in what they read as one."""


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_like_number = re.match(r"[-+.0-9]", text) is not None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if is_like_number else None)


_FactDumper.add_representer(str, _text_node)


def yaml_bytes(content: Mapping[str, Any]) -> bytes:
    """YAML file of plain values, in their order."""
    text: str = yaml.dump(dict(content), Dumper=_FactDumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text.encode("utf-8", "backslashreplace")


def read_facts(table: ForeignTable, device_folder: Path) -> IntakeFacts:
    """Facts of an intake: the device as declared, otherwise that of the source; the submission of the source.

    A device.yaml in which an intake left facts to fill in gets those that are stated now.

    Raises:
        UsageError: neither a file nor the source states what the device is.
        ForeignSourceError: a fact is not as it should be.
    """
    faults = Faults()
    path = device_folder / DEVICE_FILE
    is_new = not path.exists()
    if not is_new:
        device_bytes = read_bytes(path, path.as_posix(), MOST_YAML_BYTES, faults)
    elif table.device is None:
        raise UsageError(f"the source does not state what {device_folder.name} is; write {path.as_posix()} first")
    else:
        head = comments(table.open_facts, DEVICE_FILE)
        device_bytes = head + yaml_bytes({"name": device_folder.name} | dict(table.device))
    device = None if device_bytes is None else _fact(device_bytes, Device, path.as_posix(), faults)
    is_open = not is_new and device_bytes is not None and is_to_fill_in(device_bytes)
    if device is not None and device_bytes is not None and table.device is not None and is_open:
        declared = device.model_dump(mode="json", exclude_unset=True)
        is_new = (now := filled(declared, table.device)) != declared
        device_bytes = comments(table.open_facts, DEVICE_FILE) + yaml_bytes(now) if is_new else device_bytes
        device = _fact(device_bytes, Device, path.as_posix(), faults)
    submission = {"schema_version": 1} | dict(table.submission)
    manifest = _fact(yaml_bytes(submission), Manifest, MANIFEST_FILE, faults)
    if device_bytes is None or device is None or manifest is None:
        raise ForeignSourceError(faults.issues)
    return IntakeFacts(device, device_bytes, is_new, manifest, submission, comments(table.open_facts, MANIFEST_FILE))


def declared_device(path: Path | None) -> Device | None:
    """Device in a device.yaml; None where there is none, or where it has faults, which an intake reports later."""
    faults = Faults()
    data = None if path is None else read_bytes(path, DEVICE_FILE, MOST_YAML_BYTES, faults)
    return None if data is None else _fact(data, Device, DEVICE_FILE, faults)


def _fact(data: bytes, model: type[Fact], shown: str, faults: Faults) -> Fact | None:
    document = read_fact(data, model, shown, faults)
    return None if document is None else document.fact


def manifest_bytes(submission: Mapping[str, Any], errata: Sequence[Mapping[str, Any]]) -> bytes:
    """Contents of submission.yaml with the errata of fixes after its own."""
    all_errata = [*submission.get("errata", ()), *errata]
    return yaml_bytes({**submission, "errata": all_errata} if all_errata else submission)
