"""What the command and the Python interface use where nothing is named; the module imports no room.

It is light, because the help text of the command states these values.
"""

from pathlib import Path
from typing import Final

SUBMISSIONS: Final = Path("submissions")
"""Folder of all submissions."""
EVALUATION: Final = Path("dist", "evaluation")
"""Folder of the results of predictors."""
SAVED_PREDICTORS: Final = Path("dist", "predictors")
"""Folder of fitted predictors."""
FAMILIES: Final = Path("dist", "families")
"""Folder of networks of the model families."""
PLANS: Final = Path("dist", "plans")
"""Folder of plans of measurements, one folder per device."""
ESTIMATES: Final = Path("dist", "simulation", "cache.jsonl")
"""File of the estimates of earlier simulations."""
RUNTIME: Final = "tflite-cpu"
"""Fusion rules for networks of the model families: those of the runtime that SEC 2023 measured."""
PREDICTORS: Final = "predictors"
"""Package of the predictors of this project."""
PREDICTOR: Final = "roofline-residual"
"""Predictor of `deepen predict`: the best on unseen configurations, by the board."""
FIT_SECONDS: Final = 120.0
"""Time for one fit with its predictions: more than a fit takes, so that a busy machine fails no predictor."""
FIT_MEMORY_MB: Final = 2048
"""Memory for it, libraries included."""
LEAST_FIT_SECONDS: Final = 0.1
LEAST_FIT_MEMORY_MB: Final = 256
"""Limits below which no predictor could run."""
COVERAGE: Final = 0.9
"""Nominal coverage of intervals."""
LEAST_COVERAGE: Final = 0.01
MOST_COVERAGE: Final = 0.999
"""Nominal coverages that a prediction may have."""
LEAST_COVERED: Final = 0.9
"""Least share of FLOPs, and of bytes, that a prediction has to cover."""
