"""The tables of one release, assembled from validated campaigns; it writes nothing."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from harness.errors import ReleaseError
from harness.schema.campaign import Campaign
from harness.schema.columns import arrow_schema
from harness.schema.cost import kernel_cost
from harness.schema.facts import DeviceRecord, Erratum, ErratumRecord, SubmissionFacts, SubmissionRecord
from harness.schema.identity import configuration_ids, record_ids
from harness.schema.networks import NetworkKernel, in_dtype
from harness.schema.records import KEYS, RECORDS, SHARED_KEY
from harness.schema.system_names import system_names
from harness.schema.vocabulary import LEVELS, Dtype, Level

_MOMENTS: Final = ("count", "mean", "variance")
_TOTALS: Final = ("flops", "params")


@dataclass(frozen=True, slots=True)
class Release:
    """All tables of one release, sorted by their key.

    Attributes:
        levels: per level, its rows in the schema of the level's record model; empty levels have no rows.
        devices: one row per device, schema of `DeviceRecord`.
        submissions: one row per submission, schema of `SubmissionRecord`.
        errata: one row per corrected figure, schema of `ErratumRecord`.
    """

    levels: dict[Level, pa.Table]
    devices: pa.Table
    submissions: pa.Table
    errata: pa.Table

    def only_of(self, level: Level) -> "Release":
        """The level's rows with only the devices, submissions and errata that they belong to."""
        rows = self.levels[level]
        devices, submissions = (pc.unique(rows.column(name)) for name in ("device_id", "submission_id"))
        of_device = pc.is_in(self.errata.column("device_id"), value_set=devices)
        submission = self.errata.column("submission_id")
        of_submission = pc.or_(pc.is_null(submission), pc.is_in(submission, value_set=submissions))
        return Release(
            levels={level: rows},
            devices=self.devices.filter(pc.is_in(self.devices.column("device_id"), value_set=devices)),
            submissions=self.submissions.filter(
                pc.is_in(self.submissions.column("submission_id"), value_set=submissions)
            ),
            errata=self.errata.filter(pc.and_(of_device, of_submission)),
        )


def assemble(campaigns: Iterable[Campaign]) -> Release:
    """Join validated campaigns into the tables of one release.

    Raises:
        ReleaseError: two submissions state one former id, or systems of two devices have one id.
    """
    ordered = sorted(campaigns, key=lambda campaign: campaign.submission_id)
    _require_distinct(ordered)
    lists = _KernelLists()
    return Release(
        levels={level: _level_table(ordered, level, lists) for level in LEVELS},
        devices=_device_table(ordered),
        submissions=_submission_table(ordered),
        errata=_errata_table(ordered),
    )


def _require_distinct(campaigns: Sequence[Campaign]) -> None:
    owners: dict[str, str] = {}
    devices: dict[str, str] = {}
    for campaign in campaigns:
        own, device_id = campaign.submission_id, campaign.device_id
        if (other := owners.setdefault(campaign.first_id, own)) != own:
            raise ReleaseError(f"{own} and {other}: both are {campaign.first_id}. Correct formerly in submission.yaml.")
        if (known := devices.setdefault(campaign.system_id, device_id)) != device_id:
            raise ReleaseError(
                f"{own}: system {campaign.system_id} is one of {known} already. Name its stack otherwise."
            )


def _level_table(campaigns: Sequence[Campaign], level: Level, lists: "_KernelLists") -> pa.Table:
    schema = arrow_schema(RECORDS[level])
    parts = [_with_provenance(campaign, level, schema, lists) for campaign in campaigns if level in campaign.tables]
    order = ("device_id", *KEYS[level], *SHARED_KEY, "record_id")
    joined = pa.concat_tables([schema.empty_table(), *parts])
    return joined.sort_by([(name, "ascending") for name in order]).combine_chunks()


def _with_provenance(campaign: Campaign, level: Level, schema: pa.Schema, lists: "_KernelLists") -> pa.Table:
    manifest, rows = campaign.manifest, campaign.tables[level]
    derived: dict[str, Any] = {
        "record_id": record_ids(rows, level, campaign.first_id),
        "processor": [campaign.device.delegates[name] for name in rows.column("delegate").to_pylist()],
    }
    constants = {
        "device_id": campaign.device_id,
        "system_id": campaign.system_id,
        "submission_id": campaign.submission_id,
        "runtime": manifest.runtime,
        "method": manifest.method,
        "tier": manifest.tier,
        "boundary": manifest.boundary,
        "rails": manifest.rails,
    }
    if level == "kernels":
        derived["configuration_id"] = configuration_ids(rows)
        derived |= kernel_cost(rows)._asdict()
    if level == "models":
        derived |= lists.columns(campaign)
    columns = []
    for field in schema:
        if field.name in constants:
            columns.append(pa.repeat(pa.scalar(constants[field.name], field.type), rows.num_rows))
        elif field.name in derived:
            column = derived[field.name]
            columns.append(column if isinstance(column, pa.Array) else pa.array(column, field.type))
        else:
            columns.append(rows.column(field.name).cast(field.type))
    return pa.table(columns, schema=schema)


class _KernelLists:
    """Kernel lists of rows; what many rows share is made once for each data type."""

    def __init__(self) -> None:
        self._type = arrow_schema(RECORDS["models"]).field("kernels").type
        self._made: dict[tuple[int, str | None], _KernelList] = {}

    def columns(self, campaign: Campaign) -> dict[str, Any]:
        """Kernel list of every model row; its totals replace FLOPs and parameters that the row leaves empty."""
        rows = campaign.tables["models"].select(["model", "dtype", *_TOTALS]).to_pylist()
        lists = [self._of(campaign, row["model"], row["dtype"]) for row in rows]
        distinct = list({id(each): each for each in lists if each is not None}.values())
        places = {id(each): place for place, each in enumerate(distinct)}
        joined = pa.concat_arrays([pa.array([], self._type), *(each.kernels for each in distinct)])
        return {
            "kernels": joined.take(pa.array([places.get(id(each)) for each in lists], pa.int64())),
            "kernel_runtime": [None if each is None else each.runtime for each in lists],
            **{
                name: [
                    each.totals[name] if row[name] is None and each is not None else row[name]
                    for row, each in zip(rows, lists, strict=True)
                ]
                for name in _TOTALS
            },
        }

    def _of(self, campaign: Campaign, model: str, dtype: Dtype) -> "_KernelList | None":
        """Kernel list of a row: that of the campaign as it is, otherwise the shared one in the data type of the row."""
        own, shared = campaign.networks.get(model), campaign.shared_networks.get(model)
        network = own or shared
        if network is None:
            return None
        key = id(network), None if own else dtype
        if key not in self._made:
            kernels = network.kernels if own else [in_dtype(kernel, dtype) for kernel in network.kernels]
            self._made[key] = _KernelList(network.runtime, kernels, self._type)
        return self._made[key]


class _KernelList:
    """One kernel list as a column has it, with its totals."""

    def __init__(self, runtime: str, kernels: Sequence[NetworkKernel], column: pa.DataType) -> None:
        entries = _entries(kernels)
        self.runtime = runtime
        self.kernels = pa.array([entries], column)
        self.totals = {name: sum(entry[name] for entry in entries) for name in _TOTALS}


def _entries(kernels: Sequence[NetworkKernel]) -> list[dict[str, Any]]:
    """Entries of a kernel list, each with the id of its configuration where its type is in the kernels dataset."""
    entries = [kernel.model_dump() for kernel in kernels]
    typed = [entry for entry in entries if entry["kernel"] is not None]
    ids = configuration_ids(pa.Table.from_pylist(typed, schema=arrow_schema(NetworkKernel)))
    for entry, configuration_id in zip(typed, ids, strict=True):
        entry["configuration_id"] = configuration_id
    return entries


def _table_of(records: Iterable[BaseModel], model: type[BaseModel], *keys: str) -> pa.Table:
    rows = [record.model_dump() for record in records]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(model))
    return table.sort_by([(key, "ascending") for key in keys])


def _device_table(campaigns: Sequence[Campaign]) -> pa.Table:
    devices = {campaign.device_id: campaign.device for campaign in campaigns}
    records = []
    for device_id, device in devices.items():
        facts = device.model_dump(exclude={"delegates", "errata"})
        printed = [erratum.printed for erratum in device.errata if erratum.field == "tdp_w"]
        facts["tdp_printed_w"] = printed[0] if printed else device.tdp_w
        records.append(DeviceRecord(device_id=device_id, **facts))
    return _table_of(records, DeviceRecord, "device_id")


def _submission_table(campaigns: Sequence[Campaign]) -> pa.Table:
    records, names = [], system_names(campaigns)
    for campaign in campaigns:
        manifest = campaign.manifest
        system = {} if manifest.system is None else manifest.system.model_dump() | {"stack": campaign.stack}
        meter, idle, scores = manifest.meter, manifest.idle, manifest.published_scores
        records.append(
            SubmissionRecord(
                submission_id=campaign.submission_id,
                device_id=campaign.device_id,
                system_id=campaign.system_id,
                system=names[campaign.system_id],
                formerly=manifest.formerly,
                tier=manifest.tier,
                meter=meter.name if meter else None,
                meter_kind=meter.kind if meter else None,
                sampling_hz=meter.sampling_hz if meter else None,
                repeatability_percent=repeatability_percent(campaign.tables),
                idle_power_mw=idle.power_mw if idle else None,
                scores_edition=scores.edition if scores else None,
                pcs_published=scores.pcs if scores else None,
                iecs_published=scores.iecs if scores else None,
                **system,
                **manifest.source.model_dump(),
                **manifest.model_dump(include=set(SubmissionFacts.model_fields) | {"contributors"}),
            )
        )
    return _table_of(records, SubmissionRecord, "submission_id")


def repeatability_percent(tables: Mapping[Level, pa.Table]) -> float | None:
    """Standard deviation of repeats of one configuration relative to their mean, pooled over all repeated ones.

    Repeats are rows of one configuration, and a row that holds the energy of its repeat is a pair.

    Args:
        tables: rows of one campaign by level.

    Returns:
        A share in percent; None where nothing was repeated.

    Source:
        ISO 5725-2:2019, 7.4.2: variances pooled by their degrees of freedom; here relative to the mean of each group,
        since energies of different configurations differ by orders of magnitude.
    """
    squares, freedom = 0.0, 0
    for level, table in tables.items():
        options = {"variance": pc.VarianceOptions(ddof=1)}
        statistics = [("energy_mj", name, options.get(name)) for name in _MOMENTS]
        groups = table.group_by([*KEYS[level], *SHARED_KEY]).aggregate(statistics)
        repeated = groups.filter(pc.greater(groups.column("energy_mj_count"), 1))
        for n, mean, variance in zip(
            *(repeated.column(f"energy_mj_{name}").to_pylist() for name in _MOMENTS), strict=True
        ):
            squares += (n - 1) * variance / mean**2
            freedom += n - 1
        if "repeat_energy_mj" in table.column_names:
            first, second = (table.column(name).to_numpy() for name in ("energy_mj", "repeat_energy_mj"))
            pairs = 2 * ((first - second) / (first + second)) ** 2
            squares += float(np.nansum(pairs))
            freedom += int(np.isfinite(pairs).sum())
    return 100 * math.sqrt(squares / freedom) if freedom else None


def _errata_table(campaigns: Sequence[Campaign]) -> pa.Table:
    devices = {campaign.device_id: campaign.device for campaign in campaigns}
    records = [_erratum(device_id, None, erratum) for device_id, device in devices.items() for erratum in device.errata]
    for campaign in campaigns:
        records += [
            _erratum(campaign.device_id, campaign.submission_id, erratum) for erratum in campaign.manifest.errata
        ]
    return _table_of(records, ErratumRecord, "device_id", "submission_id", "field", "where")


def _erratum(device_id: str, submission_id: str | None, erratum: Erratum) -> ErratumRecord:
    where = ", ".join(f"{column} {value}" for column, value in sorted(erratum.where.items()))
    return ErratumRecord(
        device_id=device_id,
        submission_id=submission_id,
        where=where or None,
        **erratum.model_dump(exclude={"where"}),
    )
