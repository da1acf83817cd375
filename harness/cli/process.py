"""What is set for the process of a command before it imports the libraries that work in it."""

import gc
import os
from typing import Final

_MADE_BEFORE_COLLECTION: Final = 10_000
"""Objects after which the youngest are searched for cycles; a model file makes a million, and nearly all stay."""


def spare_processor() -> None:
    """Let NumPy start no threads, Pydantic look for no plugins, and Python search less often for cyclic garbage.

    OpenBLAS starts a thread for every core when NumPy is imported, which takes longer than any product of matrices
    that a command computes; predictors run in processes of their own. Pydantic looks for plugins among all installed
    packages, and no model of the harness has one. Who sets these variables decides.

    Source:
        OpenBLAS, "Setting the number of threads using environment variables"; Pydantic, "Plugins", which documents
        PYDANTIC_DISABLE_PLUGINS.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(_MADE_BEFORE_COLLECTION)
