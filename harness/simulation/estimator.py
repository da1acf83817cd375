"""Energy and cycles of one layer on one accelerator, by the estimator ZigZag; it stores nothing.

Source:
    Mei et al., ZigZag: Enlarging Joint Architecture-Mapping Design Space Exploration for DNN Accelerators, IEEE
    Transactions on Computers 70 (2021); loop orders as in Symons et al., LOMA, IEEE AICAS 2021.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, NamedTuple

from harness.code_version import code_version
from harness.simulation.accelerators import Accelerator, estimator_version, no_estimator
from harness.simulation.layers import Layer
from harness.simulation.orders import MOST_SEARCHED_LOOPS, Order, first_orders, next_orders

LEAST_FACTORS: Final = 4
"""Loops are split into this many factors before their orders are searched, or not at all where there are more."""
WEIGHT_BITS: Final = 8
ACTIVATION_BITS: Final = 8
PARTIAL_SUM_BITS: Final = 16
DECIDING_MODULES: Final = ("harness.simulation.estimator", "harness.simulation.layers", "harness.simulation.orders")
"""Modules whose code decides an estimate, besides the files of the accelerator and the estimator itself."""

_EQUATIONS: Final = {
    "conv": "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]",
    "pool": "O[b][g][oy][ox]+=W[fx][fy]*I[b][g][iy][ix]",
    "add": "O[b][g][oy][ox]=W[b][g][oy][ox]+I[b][g][oy][ox]",
}
_OPERATORS: Final = {"conv": "Conv", "pool": "Pooling", "add": "Add"}


@cache
def settings_version() -> str:
    """Version of the code that decides an estimate, so that no cached one is stale."""
    return code_version(DECIDING_MODULES)


class Estimate(NamedTuple):
    """Cost of one layer.

    Attributes:
        energy_pj: dynamic energy of the array and of all memories, off-chip memory included.
        cycles: clock cycles, with the loading of the first and the unloading of the last data.
    """

    energy_pj: float
    cycles: float


class UnmappedError(Exception):
    """The estimator finds no mapping of a layer onto an accelerator; the message is its reason."""


def estimate_layer(layer: Layer, accelerator: Accelerator) -> Estimate:
    """Least energy of a layer over the loop orders that are searched, and the cycles at it.

    A layer of up to five loops is searched in full; a larger one from the best of the accelerator's pinned orders on.

    Raises:
        UsageError: the estimator is not installed.
        UnmappedError: no order fits the accelerator.
    """
    estimator_version()
    with _quiet():
        try:
            return _estimate(layer, accelerator)
        # Neither is a statement about the layer.
        except ImportError as error:
            raise no_estimator() from error
        except (UnmappedError, MemoryError):
            raise
        # The estimator raises assertions and index errors of its own where a layer does not fit.
        except Exception as error:
            first_line = (str(error).splitlines() or [""])[0]
            raise UnmappedError(f"{type(error).__name__}: {first_line}") from error


def _estimate(layer: Layer, accelerator: Accelerator) -> Estimate:
    from zigzag.mapping.temporal_mapping import TemporalMappingType
    from zigzag.parser.workload_factory import LayerNodeFactory
    from zigzag.stages.evaluation.cost_model_evaluation import CostModelStage
    from zigzag.stages.main import MainStage
    from zigzag.stages.mapping.spatial_mapping_generation import SpatialMappingGeneratorStage
    from zigzag.stages.results.reduce_stages import MinimalEnergyStage

    hardware, mapping = _read(accelerator)
    stages: list[Any] = [SpatialMappingGeneratorStage, MinimalEnergyStage, _ChosenOrders, CostModelStage]
    main: Any = MainStage(
        stages,
        accelerator=hardware,
        layer=LayerNodeFactory(layer_entry(layer), mapping).create(),
        loma_lpf_limit=LEAST_FACTORS,
        nb_mappings_generated=1,
        temporal_mapping_type=TemporalMappingType.UNEVEN,
        orders=accelerator.orders,
    )
    ((best, _),) = main.run()
    return Estimate(float(best.energy_total), float(best.latency_total2))


@cache
def _read(accelerator: Accelerator) -> tuple[Any, Any]:
    """Hardware and mapping as objects of the estimator, which does not change them."""
    from zigzag.stages.parser.accelerator_parser import AcceleratorParserStage
    from zigzag.stages.parser.workload_parser import WorkloadParserStage

    hardware = AcceleratorParserStage.parse_accelerator(str(accelerator.hardware_file))
    return hardware, WorkloadParserStage.parse_mapping_data(str(accelerator.mapping_file))


def layer_entry(layer: Layer) -> dict[str, Any]:
    """Layer as an entry of the estimator's workload format.

    Loops: B batch, G groups, K output and C input channels of a group, OX and OY output columns and rows, FX and FY
    columns and rows of the window. Element-wise sums have channels as groups; a window reduction has weights of
    no bits.
    """
    sizes = {"B": 1, "G": layer.groups, "OX": layer.output_w, "OY": layer.output_h}
    entry: dict[str, Any] = {
        "id": 0,
        "name": "layer",
        "operator_type": _OPERATORS[layer.operation],
        "equation": _EQUATIONS[layer.operation],
        # A source other than the layer itself is a tensor that another layer made.
        "operand_source": {"I": 1, "W": 2 if layer.operation == "add" else 0},
        "operand_precision": {
            "W": 0 if layer.operation == "pool" else WEIGHT_BITS,
            "I": ACTIVATION_BITS,
            "O": PARTIAL_SUM_BITS,
            "O_final": ACTIVATION_BITS,
        },
        "dimension_relations": [],
    }
    if layer.operation != "add":
        sizes |= {"FX": layer.kernel_w, "FY": layer.kernel_h}
        entry |= {
            "dimension_relations": [f"ix={layer.stride_w}*ox+1*fx", f"iy={layer.stride_h}*oy+1*fy"],
            "pr_loop_dims": ["IX", "IY"],
            "pr_loop_sizes": [layer.input_w, layer.input_h],
            "padding": [
                _padding(layer.input_w, layer.kernel_w, layer.stride_w),
                _padding(layer.input_h, layer.kernel_h, layer.stride_h),
            ],
        }
    if layer.operation == "conv":
        sizes |= {"K": layer.cout, "C": layer.cin}
    return entry | {"loop_dims": list(sizes), "loop_sizes": list(sizes.values())}


def _padding(extent: int, window: int, stride: int) -> list[int]:
    """Zeros before and after an input that is padded to "same"."""
    total = max((-(-extent // stride) - 1) * stride + window - extent, 0)
    return [total // 2, total - total // 2]


class _ChosenOrders:
    """Stage of the estimator: every loop order of a layer, or a local search where it has too many loops.

    The local search evaluates the pinned orders, then every exchange of two loops of the best order so far, until no
    exchange needs less energy.
    """

    def __init__(self, later: list[Any], *, orders: tuple[str, ...], **given: Any) -> None:
        self._later = later
        self._pinned = orders
        self._given = given
        self._energies: dict[Order, float] = {}

    def run(self) -> Iterator[tuple[Any, Any]]:
        from zigzag.opt.loma.engine import LomaEngine
        from zigzag.stages.mapping.temporal_mapping_generator_stage import TemporalMappingGeneratorStage

        mapping_type = self._given["temporal_mapping_type"]
        engine: Any = LomaEngine(**self._where, mapping_type=mapping_type)
        sizes = engine.get_temporal_loops()
        if len(sizes) <= MOST_SEARCHED_LOOPS:
            every_order: Any = TemporalMappingGeneratorStage(self._later, **self._given)
            yield from every_order.run()
            return
        loops = {str(loop): (loop, size) for loop, size in sizes.items()}
        yield from self._costs_of(first_orders(loops, self._pinned), loops)
        searched: set[Order] = set()
        while self._energies and (best := min(self._energies, key=self._by_energy)) not in searched:
            searched.add(best)
            yield from self._costs_of(next_orders(best), loops)
        if not self._energies:
            raise UnmappedError("no loop order fits the memories")

    @property
    def _where(self) -> dict[str, Any]:
        return {name: self._given[name] for name in ("accelerator", "layer", "spatial_mapping")}

    def _by_energy(self, order: Order) -> tuple[float, Order]:
        return self._energies[order], order

    def _costs_of(self, orders: Iterable[Order], loops: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
        """Cost of every order that is new and fits the memories."""
        from zigzag.opt.loma.memory_allocator import (
            MemoryAllocator,
            MemoryHierarchyTooSmallException,
            MemoryTooSmallException,
        )

        for order in orders:
            if order in self._energies:
                continue
            allocator: Any = MemoryAllocator(
                **self._where,
                ordering=[loops[name] for name in order],
                mapping_type=self._given["temporal_mapping_type"],
            )
            try:
                mapping = allocator.run()
            except (MemoryHierarchyTooSmallException, MemoryTooSmallException):
                continue
            stage = self._later[0](self._later[1:], **(self._given | {"temporal_mapping": mapping}))
            for evaluated, more in stage.run():
                self._energies[order] = float(evaluated.energy_total)
                yield evaluated, more


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the estimator's messages about every unrolling it shrinks out of the log."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
