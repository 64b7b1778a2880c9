"""Products that are no housings, as their configurations have them: classes, places, part types, and grey networks.

Every class of a network is a grey value, and a part shows a class by the grey value of its surface.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from config import bundled
from station.core.geometry import Geometry
from station.core.part import Pixels
from tests.bundles import make_grey_bundle
from tests.turned import turned

SENSOR_PX, MARGIN_PX, SEAM_LINES = 1024, 20, 24
SHIPPED_TYPES = bundled("simulate.toml").read_text(encoding="utf-8").partition("[part_types.")
Replacement = tuple[str, str]


@dataclass(frozen=True)
class Kind:
    """One type of part, and the network that judges it.

    Attributes:
        name: Of the part type.
        code: On the PLC.
        width_px: Of the part.
        geometry: Of its turn.
        passing: The class with which it is good.
        greys: What its network takes for which class, in the network's own order.
        keys: More lines of its table in the configuration.
    """

    name: str
    code: int
    width_px: int
    geometry: Geometry
    passing: str
    greys: Mapping[str, int]
    keys: str = ""

    def surface(self, seed: int, grey: int, spots: Mapping[int, int] | None = None) -> Pixels:
        """A scan of such a part, (lines, columns) uint8 on black.

        Args:
            seed: Another one for another surface.
            grey: Of the surface.
            spots: The grey value of some of its patches, by their number.
        """
        geometry = self.geometry
        lines, side = geometry.lines_per_turn, self.width_px // geometry.patches_per_strip
        differences = np.zeros((lines, self.width_px), np.float32)
        for patch, other in (spots or {}).items():
            strip, place = divmod(patch, geometry.patches_per_strip)
            top, left = strip * geometry.lines_per_block, place * side
            inside = slice(top + SEAM_LINES, top + geometry.lines_per_block - SEAM_LINES)
            differences[inside, left : left + side] = other - grey
        soft = cv2.GaussianBlur(differences, (1, 0), sigmaX=0.01, sigmaY=SEAM_LINES / 3) if spots else differences
        image = np.zeros((lines, self.width_px + 2 * MARGIN_PX), np.uint8)
        part = turned(seed, self.width_px, grey, lines=lines) + soft
        image[:, MARGIN_PX:-MARGIN_PX] = np.clip(part + 0.5, 0, 254)
        return image

    def make_bundle(self, folder: Path) -> Path:
        """Its network, in a new folder of its type's name."""
        bundle = folder / f"{self.name.replace('_', '-')}-1"
        return make_grey_bundle(bundle, self.greys, passing=self.passing, geometry=self.geometry)

    def table(self, bundle: Path) -> str:
        """Its table of the configuration."""
        geometry = self.geometry
        return f"""
[part_types.{self.name}]
code = {self.code}
width_px = {self.width_px}
outer_diameter_mm = 20.0
surface_speed_mm_s = 320.0
exposure_us = 20.0
bundle = "{bundle}"
{self.keys}
[part_types.{self.name}.geometry]
lines_per_turn = {geometry.lines_per_turn}
lines_per_block = {geometry.lines_per_block}
patch_px = {geometry.patch_px}
patches_per_strip = {geometry.patches_per_strip}
"""


@dataclass(frozen=True)
class Shown:
    """A part of a recording.

    Attributes:
        part_id: Its id.
        kind: Its type.
        label: What it really is, or None.
        grey: Of its surface.
        spots: As of `Kind.surface`.
    """

    part_id: str
    kind: Kind
    label: str | None
    grey: int
    spots: Mapping[int, int] | None = None


def product(inspected: str, kinds: tuple[Kind, ...], folder: Path) -> tuple[Replacement, ...]:
    """What makes the shipped simulation's configuration that of a product; the networks are made in this folder.

    Args:
        inspected: The tables of classes and places, and [review].
        kinds: The part types; the camera is set up for the first.
        folder: For the bundles.
    """
    head, opening, types = SHIPPED_TYPES
    sensor = tomllib.loads(head)["camera"]["width_px"]
    kept = next(line for line in head.splitlines() if line.startswith("archive = "))
    tables = inspected + "".join(kind.table(kind.make_bundle(folder)) for kind in kinds)
    first = kinds[0].geometry
    return (
        (opening + types, tables),
        (kept, "archive = []"),
        (f"width_px = {sensor}", f"width_px = {SENSOR_PX}"),
        (f'feature = "Width"\nvalue = {sensor}', f'feature = "Width"\nvalue = {SENSOR_PX}'),
        ('feature = "Height"\nvalue = 448', f'feature = "Height"\nvalue = {first.lines_per_block}'),
        ('AcquisitionFrameCount"\nvalue = 8', f'AcquisitionFrameCount"\nvalue = {first.blocks_per_turn}'),
    )  # fmt: skip


def make_recording(folder: Path, parts: tuple[Shown, ...]) -> Path:
    """A recording of these parts, in their order."""
    folder.mkdir()
    rows = []
    for seed, part in enumerate(parts, start=1):
        file = f"{part.part_id}.png"
        assert cv2.imwrite(str(folder / file), part.kind.surface(seed, part.grey, part.spots))
        row = {"file": file, "part_id": part.part_id, "part_type": part.kind.name, "label": part.label}
        rows.append(json.dumps(row))
    (folder / "recording.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder
