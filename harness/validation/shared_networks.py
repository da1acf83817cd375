"""The kernel lists that campaigns share: `_graphs/RUNTIME/MODEL.json` beside the devices, read once and strictly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from harness.issues import nearest
from harness.schema.facts import Manifest
from harness.schema.networks import Network
from harness.validation.fact_faults import Path as FactPath
from harness.validation.faults import Faults, contained
from harness.validation.layout import MANIFEST_FILE, SHARED_FOLDER, entries_of, report_link, shown_path
from harness.validation.networks import IDENTITY, by_model, check_costs, network_files, read_network, report_unknown


@dataclass(slots=True)
class SharedNetworks:
    """Shared kernel lists of one validation.

    Attributes:
        faults: collects what is wrong.
        root: folder of the lists; None for the one beside the device of each campaign.
    """

    faults: Faults
    root: Path | None = None
    _read: dict[Path, dict[str, Network]] = field(default_factory=dict)

    def check(self, folder: Path) -> None:
        """Read every list of a folder of shared lists, whether or not a campaign takes it."""
        for entry in entries_of(folder, self.faults):
            if entry.is_symlink():
                report_link(entry, self.faults)
            elif entry.is_dir():
                self._lists(entry)
            else:
                fix = "Put it into the folder of its runtime, or remove it."
                report_unknown(entry, "a file", "folders of fusion runtimes", fix, self.faults)

    def of_campaign(
        self,
        campaign: Path,
        manifest: Manifest,
        lines: Mapping[FactPath, int],
        models: pa.Table | None,
        own: Mapping[str, Network],
    ) -> dict[str, Network]:
        """Shared kernel lists of the models of a campaign that has none of its own, by the name of their model.

        Args:
            campaign: campaign folder.
            manifest: what it declares.
            lines: line of each part of the manifest.
            models: rows of models.csv; None where there are none.
            own: kernel lists of its own.
        """
        if manifest.kernel_lists is None:
            return {}
        shown = shown_path(campaign / MANIFEST_FILE)
        rows = {} if models is None else by_model(models)
        wanted = [name for name in rows if name is not None and name not in own]
        root = self.root or campaign.parent.parent / SHARED_FOLDER
        folder = root / manifest.kernel_lists
        if not folder.is_dir() or folder.is_symlink():
            names = [path.name for path in entries_of(root, self.faults)] if root.is_dir() else []
            near = nearest(manifest.kernel_lists, names)
            self._report(lines, shown, f"{manifest.kernel_lists}, of which there is no folder", folder, near)
            return {}
        lists = self._lists(folder)
        if missing := [name for name in wanted if name not in lists]:
            further = f", as for {len(missing) - 1} more models" if len(missing) > 1 else ""
            found = f"no kernel list of {missing[0]}{further}"
            self._report(lines, shown, found, folder / f"{missing[0]}.json", None)
        for name in wanted:
            kinds = {tuple(row[each] for each in IDENTITY) for row in rows[name]}
            if name in lists and len(kinds) > 1:
                found, expected = f"{len(kinds)} variants or input shapes of {name}", "one network behind the name"
                fix = "Give each its own name in the column model, and its own kernel list."
                self.faults.add("network-model", shown, found=found, expected=expected, fix=fix)
            elif name in lists:
                check_costs(lists[name], rows[name], shown, self.faults)
        return {name: lists[name] for name in wanted if name in lists}

    def _lists(self, folder: Path) -> dict[str, Network]:
        """Sound kernel lists of one runtime by their model."""
        if folder not in self._read:
            self._read[folder] = {}
            for path in network_files(folder, self.faults):
                with contained(shown_path(path), self.faults):
                    network = read_network(path, None, self.faults)
                    if network is not None and self._is_of(folder.name, network, path):
                        self._read[folder][network.model] = network
        return self._read[folder]

    def _is_of(self, runtime: str, network: Network, path: Path) -> bool:
        if network.runtime != runtime:
            fix = "Put the list into the folder of its runtime, or make it with the rules of this one."
            self.faults.add(
                "network-runtime", shown_path(path), column="runtime", found=network.runtime,
                expected=f"{runtime}, the name of its folder", fix=fix,
            )  # fmt: skip
        return network.runtime == runtime and network.model == path.stem

    def _report(self, lines: Mapping[FactPath, int], shown: str, found: str, expected: Path, near: str | None) -> None:
        fix = f"Did you mean {near}? " if near is not None else ""
        fix += "Take the folder with the submissions of DeepEn, add the list, or remove the field."
        self.faults.add(
            "network-shared", shown, line=lines.get(("kernel_lists",)), column="kernel_lists", found=found,
            is_value=False, expected=shown_path(expected), fix=fix,
        )  # fmt: skip
