"""Options and arguments that several commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness import api
from harness.defaults import SUBMISSIONS

TableFormat = Literal["text", "json"]

Root = Annotated[
    Path, typer.Option("--root", help="Checkout with submissions/, dataset_cards/ and site/.", file_okay=False)
]
Submissions = Annotated[Path | None, typer.Option("--submissions", help="Folder of submissions; ROOT/submissions.")]
Out = Annotated[Path, typer.Option("--out", help="Folder of submissions.")]
Data = Annotated[
    list[Path] | None, typer.Option("--data", help=f"Folder of submissions, device or campaign; {SUBMISSIONS}/.")
]
Inputs = Annotated[
    list[str] | None, typer.Option("--input", help="Extents of an input, as in name=1x3x224x224; repeatable.")
]
Batch = Annotated[
    int | None,
    typer.Option("--batch", min=1, help="First extent of the inputs that is the batch; all counts are divided by it."),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Value of an input of one element, as in sr=16000; settles branches and loops; repeatable."
    ),
]
Signature = Annotated[
    str | None,
    typer.Option("--signature", help="Which network of a TFLite file; by default the one a runtime takes."),
]
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="ONNX or TFLite file.")]
Backend = Annotated[
    str,
    typer.Option(
        "--backend", help="joblib back end: threading, loky, or dask (the cluster at DASK_SCHEDULER_ADDRESS)."
    ),
]
Package = Annotated[str, typer.Option("--predictors", help="Package that holds the predictors.")]
Runtime = Annotated[
    str | None,
    typer.Option("--runtime", help=f"Fusion rules: {', '.join(api.runtime_names())}; by the file's format by default."),
]
