"""What the benchmarks look at: a rendered housing of each configured type, as the sensor sees it or as a recording."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import cv2

from sim.optics import Optics, in_lines
from sim.surfaces.classes import SurfaceClass
from sim.surfaces.render import render_part
from station.core.errors import ConfigError
from station.core.part import PartType, Pixels
from station.core.recording import INDEX_NAME
from station.core.settings import Settings

SEED = 1
QUICK_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)
"""The simulated cell decodes each part's scan beside the station; a lightly packed one takes it the least time."""


def part_types(settings: Settings) -> tuple[PartType, ...]:
    """The configured types, from the narrowest to the widest."""
    return tuple(sorted(settings.known_types, key=lambda kind: kind.width_px))


def raw_scans(settings: Settings) -> Mapping[PartType, Pixels]:
    """A whole turn of each type, (lines a turn, sensor width) uint8, the housing somewhere on black."""
    kinds = part_types(settings)
    return {kind: _raw_scan(settings, number) for number, kind in enumerate(kinds)}


def middle_scan(settings: Settings) -> tuple[PartType, Pixels]:
    """The type of middle width, and a whole turn of it."""
    kinds = part_types(settings)
    return kinds[len(kinds) // 2], _raw_scan(settings, len(kinds) // 2)


def write_recording(settings: Settings, folder: Path) -> None:
    """A recording with a housing of each type, in a new folder.

    Raises:
        ConfigError: The folder cannot be written.
    """
    lines = []
    try:
        folder.mkdir()
        for number, kind in enumerate(part_types(settings)):
            file, label = f"BENCH-{number + 1}.png", _surface(number).label
            known = label if label in settings.table.names else None
            _done, packed = cv2.imencode(".png", _rendered(kind, number), QUICK_PNG)
            (folder / file).write_bytes(packed.tobytes())
            about = {"file": file, "part_id": file[:-4], "part_type": kind.name, "label": known}
            lines.append(json.dumps(about))
        (folder / INDEX_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError("config.file_failed", f"{folder}: {error.strerror}") from error


def _raw_scan(settings: Settings, number: int) -> Pixels:
    optics = Optics(settings.camera.width_px, 2 * settings.crop.margin_px, SEED)
    return optics.seat(_rendered(part_types(settings)[number], number), number)


def _surface(number: int) -> SurfaceClass:
    return SurfaceClass(number % len(SurfaceClass))


@cache
def _rendered(kind: PartType, number: int) -> Pixels:
    surface = _surface(number)
    defects = (surface,) if surface else ()
    return in_lines(render_part(SEED, kind.width_px, defects).image, kind.geometry.lines_per_turn)
