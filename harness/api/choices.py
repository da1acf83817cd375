"""Which network to run on a device: the cheapest one that is accurate enough."""

from pathlib import Path

from harness.api.arguments import OnStep, Paths, as_paths, check_known, check_within, silent
from harness.api.submissions import read_release
from harness.defaults import SUBMISSIONS
from harness.errors import UsageError
from harness.issues import unknown
from harness.readouts.choices import Wish
from harness.readouts.choices import choose as choose_of_release
from harness.releases import Release
from harness.schema.outputs import ChoiceOutput
from harness.schema.vocabulary import DTYPES, Dtype
from harness.validation.tree import campaign_paths


def choose(
    device_id: str | None = None,
    *,
    min_accuracy: float,
    system_id: str | None = None,
    max_latency_ms: float | None = None,
    dtype: Dtype | None = None,
    family: str | None = None,
    source: Release | Paths = SUBMISSIONS,
    on_step: OnStep = silent,
) -> ChoiceOutput:
    """Choose the network of least energy that is accurate enough, on every system of a device.

    Only measured and published absolute energies count, of one inference at batch size 1. Systems, rounds, tiers,
    boundaries and data sets of the accuracy are kept apart.

    Args:
        device_id: device; needed unless a system is named.
        min_accuracy: least accuracy in percent.
        system_id: only this system of the device.
        max_latency_ms: longest duration of one inference.
        dtype: only networks of this data type.
        family: only networks of this family.
        source: release, or folders of submissions; only those of the device are read.
        on_step: called with each campaign's path before it is read, and with the number of campaigns.

    Returns:
        Per system the cheapest network, the next one with whether the two are tied within their uncertainty, the most
        accurate one, and the front. A system whose networks are all less accurate has no cheapest one.

    Raises:
        UsageError: a name is unknown, a limit is none, or no row of the device can be chosen; the message states what
            is missing.
        InvalidSubmissionsError: a submission of the device has an error.

    Examples:
        >>> from harness import api
        >>> api.choose("acme-phon", min_accuracy=70)
        Traceback (most recent call last):
        harness.errors.UsageError: 'acme-phon' is not a known device; did you mean acme-phone? Known: acme-phone
    """
    check_within("min_accuracy", min_accuracy, 0, 100)
    if max_latency_ms is not None and not max_latency_ms > 0:
        raise UsageError(f"max_latency_ms = {max_latency_ms:g}; expected above 0")
    check_known("data type", [] if dtype is None else [dtype], DTYPES)
    if device_id is None and system_id is None:
        raise UsageError("a device (--device ID) or a system (--system ID) is needed")
    release, device_id = _release_and_device(source, device_id, system_id, on_step)
    return choose_of_release(release, Wish(device_id, system_id, min_accuracy, max_latency_ms, dtype, family))


def _release_and_device(
    source: Release | Paths, device_id: str | None, system_id: str | None, on_step: OnStep
) -> tuple[Release, str]:
    """Release with the rows of a device, and its id; of submissions, only those of the device are read.

    Raises:
        UsageError: there is no such device.
    """
    if isinstance(source, Release):
        devices = source.devices.column("device_id").to_pylist()
        return source, _device(devices, device_id, system_id)
    campaigns = campaign_paths(as_paths(source))
    device_id = _device(sorted({path.parent.name for path in campaigns}), device_id, system_id)
    return read_release(_with_networks(campaigns, device_id), on_step=on_step), device_id


def _device(devices: list[str], device_id: str | None, system_id: str | None) -> str:
    """Device that is named, or that a system's id begins with.

    Raises:
        UsageError: there is no such device.
    """
    if device_id is not None:
        if device_id not in devices:
            raise unknown("device", device_id, devices)
        return device_id
    named = str(system_id)
    of_system = [device for device in devices if named == device or named.startswith(f"{device}--")]
    if not of_system:
        raise unknown("device of a system", named.partition("--")[0], devices)
    return max(of_system, key=len)


def _with_networks(campaigns: list[Path], device_id: str) -> list[Path]:
    """Campaigns of a device that have rows of networks.

    Raises:
        UsageError: none has.
    """
    found = [path for path in campaigns if path.parent.name == device_id and (path / "models.csv").is_file()]
    if not found:
        raise UsageError(f"{device_id} has no rows of networks, which a choice is made of")
    return found
