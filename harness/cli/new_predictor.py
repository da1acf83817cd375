"""The command `deepen new-predictor`: writes a predictor that works, to be changed into a better one."""

from pathlib import Path
from typing import Annotated

import typer

from harness.predictor.scaffold import write_predictor


def new_predictor(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Name of the predictor, such as my-forest.")],
    root: Annotated[Path, typer.Option("--root", help="Checkout with predictors/.", file_okay=False)] = Path(),
) -> None:
    """Write the folder of a new predictor, which works as it stands and says what to change.

    Example: deepen new-predictor my-forest
    """
    for path in write_predictor(root, key):
        typer.echo(path.as_posix())
    typer.echo(f"Change model.py, then check that it conforms: python -m pytest tests/predictors -k {key}")
    typer.echo(f"and see how well it tells energy: deepen evaluate --predictor {key}")
