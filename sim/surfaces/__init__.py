"""Renders scans of motor housings with known defects: seeded, with the truth beside the picture.

    canvas ◀─ metal (tool marks, lamp, run-out, background, sensor)
           ◀─ marks (oil, films, stains, rims, dust, fine scratches: no defects)   ─▶ render ─▶ recording (a folder)
           ◀─ defects ◀─ reliefs (imprinted, pits, roll marks, scratches) ◀─ severity, places
           ◀─ unknown ◀─ contaminants, foreign (what no class names)

`station dataset render DIR` renders a folder; `plan` says what it is to hold. `likeness` measures how alike rendered
metal and pictures of real metal are.
"""

from sim.surfaces.defects import MM_PER_PX, Defect
from sim.surfaces.places import Place
from sim.surfaces.plan import PlannedPart, RenderPlan
from sim.surfaces.recording import write_recording
from sim.surfaces.render import WIDTHS_PX, RenderedScan, SurfaceTruth, render_part
from sim.surfaces.severity import Severity, SeverityPlan
from sim.surfaces.unknown import Unknown

__all__ = [
    "MM_PER_PX",
    "WIDTHS_PX",
    "Defect",
    "Place",
    "PlannedPart",
    "RenderPlan",
    "RenderedScan",
    "Severity",
    "SeverityPlan",
    "SurfaceTruth",
    "Unknown",
    "render_part",
    "write_recording",
]
