"""Published campaigns that moved to another folder, as they state under `formerly`; nothing is compared here."""

from collections.abc import Iterator, Mapping

from harness.review.change import Change, ChangedFile, differs
from harness.validation.layout import MANIFEST_FILE


def moved_places(change: Change) -> Mapping[str, str]:
    """New campaign folder by the former one, of published campaigns that are gone from theirs; one for each."""
    found: dict[str, str] = {}
    for campaign in (*change.now.campaigns, *change.now.doubted):
        former = campaign.manifest.formerly
        if former is not None and former in change.earlier.by_id and not (change.now.folder / former).exists():
            found.setdefault(former, campaign.submission_id)
    return found


def moved_devices(change: Change, moved: Mapping[str, str]) -> set[str]:
    """Published devices whose campaigns all moved elsewhere."""
    staying = {name.split("/")[0] for name in change.earlier.by_id if name not in moved}
    return {former.split("/")[0] for former in moved} - staying


def moved_files(former: str, now: str, change: Change) -> Iterator[ChangedFile]:
    """Files of a moved campaign that are other ones than before, under their new names."""
    before, after = change.earlier.files(), change.now.files()
    for name, path in before.items():
        if name.startswith(f"{former}/"):
            new = now + name.removeprefix(former)
            file = ChangedFile(new, path, after.get(new))
            if differs(file):
                yield file


def check_former_ids(change: Change) -> None:
    """former-id: a campaign that claims to have been one which was not published, stays, or is claimed twice."""
    claimed: dict[str, str] = {}
    published = {campaign.first_id for campaign in change.earlier.campaigns} | set(change.earlier.by_id)
    for campaign in sorted(change.now.campaigns, key=lambda each: each.submission_id):
        former, own = campaign.manifest.formerly, campaign.submission_id
        if former is None:
            continue
        known = change.earlier.by_id.get(own)
        if former in claimed:
            found = f"{former}, which {claimed[former]} states too"
        elif former in change.now.by_id:
            found = f"{former}, which is there still"
        elif former not in published or (known is not None and known.first_id != campaign.first_id):
            found = f"{former}, which it was not published as"
        else:
            claimed[former] = own
            continue
        change.faults.add(
            "former-id", change.shown(f"{own}/{MANIFEST_FILE}"), column="formerly", found=found,
            expected="the folders that these rows were published in, and are gone from",
            fix="Leave formerly out of a new submission; its record ids are its own.", is_value=False,
        )  # fmt: skip
