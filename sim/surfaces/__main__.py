"""`python -m sim.surfaces DIR`: renders a folder of housings with known defects."""

from pathlib import Path
from typing import Annotated

import typer

from sim.surfaces.recording import plan_parts, write_recording


def render(
    folder: Annotated[Path, typer.Argument(help="Folder to write; it is made if it is not there.")],
    parts: Annotated[int, typer.Option(min=1, max=99_999, help="Number of housings.")] = 50,
    seed: Annotated[int, typer.Option(min=0, max=999_999, help="Recordings of different seeds share no housing.")] = 1,
    defect_free: Annotated[float, typer.Option(min=0, max=1, help="Share of housings without a defect.")] = 0.4,
) -> None:
    """Render housings of all six widths with known surfaces into a folder.

    The folder is a recording (`recording.jsonl` and PNG files) with the truth beside it (`truth.jsonl` and `masks/`).
    The same options give the same files.
    """
    written = write_recording(folder, plan_parts(parts, seed, defect_free))
    typer.echo(f"{written} scans in {folder}")


if __name__ == "__main__":
    typer.run(render)
