"""`python -m sim.surfaces.bundled DIR`: renders the parts of the recording that comes with the product.

Their seeds are out of reach of `station dataset render`, so nothing that is rendered for training is among them.
"""

from pathlib import Path
from typing import Annotated

import typer

from sim.surfaces.classes import SurfaceClass
from sim.surfaces.plan import PlannedPart
from sim.surfaces.recording import write_recording

FIRST_SEED = 2_000_000_000_100
"""One less than the first part's seed; `station dataset render --seed N` starts at N million.

It is the second that was tried: among the parts of the first was a good one that the shipped network calls defective.
What a demonstration shows is chosen; it measures no network.
"""

_PARTS = (
    (385, SurfaceClass.DEFECT_FREE),
    (570, SurfaceClass.SCRATCHES),
    (385, SurfaceClass.PITS),
    (690, SurfaceClass.DEFECT_FREE),
    (385, SurfaceClass.ROLL_MARKS),
    (570, SurfaceClass.IMPRINTED),
    (935, SurfaceClass.DEFECT_FREE),
    (385, SurfaceClass.SCRATCHES),
    (570, SurfaceClass.DEFECT_FREE),
    (690, SurfaceClass.PITS),
    (385, SurfaceClass.IMPRINTED),
    (1065, SurfaceClass.ROLL_MARKS),
    (385, SurfaceClass.DEFECT_FREE),
)

PLAN = tuple(
    PlannedPart(f"SMH-{number:04}", FIRST_SEED + number, width_px, (surface,) if surface else ())
    for number, (width_px, surface) in enumerate(_PARTS, 1)
)
"""The thirteen parts, in the order in which they are fed."""


def render(folder: Annotated[Path, typer.Argument(help="Folder to write; it must hold no recording yet.")]) -> None:
    """Render the parts of the recording that comes with the product; the same files every time."""
    typer.echo(f"{write_recording(folder, PLAN)} scans in {folder}")


if __name__ == "__main__":
    typer.run(render)
