"""`python -m sim.surfaces.bundled`: renders the recording that comes with the product, always the same.

Its seeds are out of reach of `python -m sim.surfaces`, so nothing that is rendered for training is in it.
"""

from pathlib import Path
from typing import Annotated

import typer

from sim.recordings import bundled_recording
from sim.surfaces.recording import PlannedPart, write_recording
from station.core.part import SurfaceClass

FIRST_SEED = 2_000_000_000_000
"""Seed of the first part; `python -m sim.surfaces --seed N` starts at N million."""

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
    PlannedPart(f"SMH-{number:04}", FIRST_SEED + number, width_px, surface)
    for number, (width_px, surface) in enumerate(_PARTS, 1)
)
"""The thirteen parts, in the order in which they are fed."""


def render(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder to write; the bundled recording's own by default.")
    ] = None,
) -> None:
    """Render the recording that comes with the product; the same files every time."""
    target = folder or bundled_recording()
    typer.echo(f"{write_recording(target, PLAN)} scans in {target}")


if __name__ == "__main__":
    typer.run(render)
