"""The Python interface of the harness: one function for each use of the command `deepen`.

Every function takes plain arguments, returns a typed result and prints nothing; faults are exceptions of
`harness.errors`, except the faults of submissions, which are collected in a report. A name is imported when it is first
used, so that importing this module, and running one command, costs no more than is needed.

    from harness import api

    release = api.read_release("submissions")
    prediction = api.predict("resnet18.onnx", "acme-phone", delegate="CPU1")
    print(prediction.network.energy_mj, "mJ")

The examples below run in a folder with the submissions of one phone under `submissions`, a model file `net.onnx`, a
power trace `run_power.csv` with its inferences, a table `results.csv` with its `mapping.yaml`, and an empty folder
`predictors`.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from harness.api.calibrations import calibrate
    from harness.api.choices import choose
    from harness.api.contributions import formats, intake, new_submission
    from harness.api.device_rows import predictable_devices
    from harness.api.drawings import draw_energy, draw_trace
    from harness.api.evaluations import TrackBoard, board_json, evaluate, merge_shards, new_predictor
    from harness.api.networks import families, kernels
    from harness.api.plans import WrittenPlan, plan
    from harness.api.predictions import predict
    from harness.api.publishing import Build, Publication, build, publish, serve, site
    from harness.api.pull_requests import Submitted, submit
    from harness.api.ratings import changed_ratings, score
    from harness.api.simulations import Simulation, SimulationProgress, simulate
    from harness.api.submissions import read_release, sarif, severity_of, validate
    from harness.api.traces import ReducedRun, reduce
    from harness.evaluation.network_scores import NetworkScore, NetworkShare
    from harness.graphs.families.files import WrittenFamilies
    from harness.graphs.kernels import KernelList
    from harness.graphs.model_kernels import ModelKernels
    from harness.graphs.runtime_files import runtime_names
    from harness.intake.flow import IntakeResult
    from harness.pages.report import pull_request_report
    from harness.prediction.coverage import KernelEnergy
    from harness.prediction.extents import extents_in_words
    from harness.prediction.extrapolation import Extrapolation
    from harness.prediction.network_energy import NetworkEnergy
    from harness.prediction.prediction import Prediction
    from harness.releases import Release
    from harness.schema.calibrations import CalibrationOutput, HeldOutError
    from harness.schema.export import json_schemas, schema_text
    from harness.schema.networks import NetworkKernel, input_in_words, network_json
    from harness.schema.outputs import ChoiceOutput, ChosenNetwork, PredictableOutput, SystemChoice
    from harness.schema.plans import Plan
    from harness.scoring.ratings import Rating
    from harness.simulation.campaign import WrittenCampaign
    from harness.simulation.runner import Tally
    from harness.validation import Validation

__all__ = [
    "Build",
    "CalibrationOutput",
    "ChoiceOutput",
    "ChosenNetwork",
    "Extrapolation",
    "HeldOutError",
    "IntakeResult",
    "KernelEnergy",
    "KernelList",
    "ModelKernels",
    "NetworkEnergy",
    "NetworkKernel",
    "NetworkScore",
    "NetworkShare",
    "Plan",
    "PredictableOutput",
    "Prediction",
    "Publication",
    "Rating",
    "ReducedRun",
    "Release",
    "Simulation",
    "SimulationProgress",
    "Submitted",
    "SystemChoice",
    "Tally",
    "TrackBoard",
    "Validation",
    "WrittenCampaign",
    "WrittenFamilies",
    "WrittenPlan",
    "board_json",
    "build",
    "calibrate",
    "changed_ratings",
    "choose",
    "draw_energy",
    "draw_trace",
    "evaluate",
    "extents_in_words",
    "families",
    "formats",
    "input_in_words",
    "intake",
    "json_schemas",
    "kernels",
    "merge_shards",
    "network_json",
    "new_predictor",
    "new_submission",
    "plan",
    "predict",
    "predictable_devices",
    "publish",
    "pull_request_report",
    "read_release",
    "reduce",
    "runtime_names",
    "sarif",
    "schema_text",
    "score",
    "serve",
    "severity_of",
    "simulate",
    "site",
    "submit",
    "validate",
]

_NAMES: Final = {
    "harness.api.calibrations": ("calibrate",),
    "harness.api.choices": ("choose",),
    "harness.api.contributions": ("formats", "intake", "new_submission"),
    "harness.api.device_rows": ("predictable_devices",),
    "harness.api.drawings": ("draw_energy", "draw_trace"),
    "harness.api.evaluations": ("TrackBoard", "board_json", "evaluate", "merge_shards", "new_predictor"),
    "harness.api.networks": ("families", "kernels"),
    "harness.api.plans": ("WrittenPlan", "plan"),
    "harness.api.predictions": ("predict",),
    "harness.api.publishing": ("Build", "Publication", "build", "publish", "serve", "site"),
    "harness.api.pull_requests": ("Submitted", "submit"),
    "harness.api.ratings": ("changed_ratings", "score"),
    "harness.api.simulations": ("Simulation", "SimulationProgress", "simulate"),
    "harness.api.submissions": ("read_release", "sarif", "severity_of", "validate"),
    "harness.api.traces": ("ReducedRun", "reduce"),
    "harness.evaluation.network_scores": ("NetworkScore", "NetworkShare"),
    "harness.graphs.families.files": ("WrittenFamilies",),
    "harness.graphs.kernels": ("KernelList",),
    "harness.graphs.model_kernels": ("ModelKernels",),
    "harness.graphs.runtime_files": ("runtime_names",),
    "harness.intake.flow": ("IntakeResult",),
    "harness.pages.report": ("pull_request_report",),
    "harness.prediction.coverage": ("KernelEnergy",),
    "harness.prediction.extents": ("extents_in_words",),
    "harness.prediction.extrapolation": ("Extrapolation",),
    "harness.prediction.network_energy": ("NetworkEnergy",),
    "harness.prediction.prediction": ("Prediction",),
    "harness.releases": ("Release",),
    "harness.schema.calibrations": ("CalibrationOutput", "HeldOutError"),
    "harness.schema.export": ("json_schemas", "schema_text"),
    "harness.schema.networks": ("NetworkKernel", "input_in_words", "network_json"),
    "harness.schema.outputs": ("ChoiceOutput", "ChosenNetwork", "PredictableOutput", "SystemChoice"),
    "harness.schema.plans": ("Plan",),
    "harness.scoring.ratings": ("Rating",),
    "harness.simulation.campaign": ("WrittenCampaign",),
    "harness.simulation.runner": ("Tally",),
    "harness.validation": ("Validation",),
}
"""Names by the module that they are imported from, as above for readers and type checkers; a test compares the two."""
_HOMES: Final = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
