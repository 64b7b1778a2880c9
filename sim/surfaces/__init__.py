"""Renders scans of motor housings with known defects: seeded, with the truth beside the picture.

    canvas ◀─ metal (tool marks, lamp, run-out, background, sensor)
           ◀─ marks (oil, rims, dust, fine scratches: no defects)      ─▶ render ─▶ recording (a folder of scans)
           ◀─ defects (imprinted, pits, roll marks, scratches)

`python -m sim.surfaces DIR` renders a folder.
"""

from sim.surfaces.defects import MM_PER_PX, Defect
from sim.surfaces.recording import PlannedPart, plan_parts, write_recording
from sim.surfaces.render import WIDTHS_PX, RenderedScan, SurfaceTruth, render_part

__all__ = [
    "MM_PER_PX",
    "WIDTHS_PX",
    "Defect",
    "PlannedPart",
    "RenderedScan",
    "SurfaceTruth",
    "plan_parts",
    "render_part",
    "write_recording",
]
