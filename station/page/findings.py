"""What a record says of a part, as the page shows it: patches by their place, the marks of defects, both rules."""

from dataclasses import dataclass
from typing import Any

from station.core.errors import FAULTS, RecordError
from station.core.geometry import Geometry
from station.core.part import PartType
from station.core.ports.records import RecordReader
from station.core.records import JsonObject, ListedRecord, RecordFilter
from station.core.table import default_geometry


@dataclass(frozen=True, slots=True)
class SeenPatch:
    """One patch.

    Attributes:
        index: From 0.
        name: Its class.
        probability: Of that class.
        others: Every class with its probability, the most probable first.
    """

    index: int
    name: str
    probability: float
    others: tuple[tuple[str, float], ...]


def listed(records: RecordReader, chosen: RecordFilter, most: int) -> list[ListedRecord]:
    """The newest of these inspections; none where the station has not recorded anything yet. Blocks.

    Raises:
        RecordError: They cannot be read.
    """
    try:
        return records.records(chosen, most)
    except RecordError as error:
        if error.code == "record.unknown":
            return []
        raise


def geometry_of(record: JsonObject) -> Geometry:
    """What the part's turn was cut by."""
    return PartType.of(record["part_type_settings"], default_geometry().value()).geometry


def patches_of(record: JsonObject) -> list[SeenPatch]:
    """The patches that were scored."""
    seen = []
    for index, row in enumerate(record["probabilities"]):
        known = zip(record["classes"], row, strict=True)
        ranked = sorted(((name, value or 0.0) for name, value in known), key=lambda one: -one[1])
        seen.append(SeenPatch(index, *ranked[0], tuple(ranked)))
    return seen


def suggestion(record: JsonObject) -> str | None:
    """What the network and its rule say of the part before the guard, or None where they say nothing."""
    name = record["algorithm1"] or (record["judgement"] or {}).get("verdict")
    return name if name in record["classes"] else None


def looked_at(record: JsonObject) -> SeenPatch | None:
    """The patch that says most of the part: the one that is unknown, or else the one that decided; None without any."""
    novelty, patches = record["novelty"], patches_of(record)
    unknown = novelty is not None and None not in {novelty["p"], novelty["alpha"]} and novelty["p"] <= novelty["alpha"]
    index = novelty["patch"] if unknown else record["deciding_patch"]
    return None if index is None or index >= len(patches) else patches[index]


def overlay(record: JsonObject) -> JsonObject:
    """What is drawn over the surface's picture, in lines of the turn and columns of the part.

    `kept`: there is a picture; `state`: what became of the scan, `none` where none was to be kept;
    `before`: so many columns of the archived scan come before the part.
    """
    geometry, roi = geometry_of(record), record["roi"]
    columns = roi["right"] - roi["left"] if roi else 0
    return {
        "kept": record["scan_file"] is not None,
        "state": record["scan_state"] or "none",
        "lines": geometry.lines_per_turn,
        "columns": columns,
        "before": roi["left"] - (record["scan_left"] or 0) if roi else 0,
        "strips": geometry.blocks_per_turn,
        "rows": geometry.patches_per_strip,
        "deciding": record["deciding_patch"],
        "patches": [[patch.index, patch.name, round(patch.probability, 3)] for patch in patches_of(record)],
        "marks": [_mark(defect, record, geometry, columns) for defect in record["defects"] or ()],
    }


def reason_text(code: str | None) -> str:
    """What an operator reads of a fault; the code itself where this version does not know it."""
    if not code:
        return ""
    return FAULTS[code].text if code in FAULTS else code


def _mark(defect: JsonObject, record: JsonObject, geometry: Geometry, columns: int) -> JsonObject:
    """Where a defect lies on the picture, and how large it is, as far as that was measured."""
    kind = PartType.of(record["part_type_settings"], geometry)
    mm_per_px = _mm_per_px(record)
    place = defect["patch"] % geometry.patches_per_strip
    middle = (place + 0.5) * columns / geometry.patches_per_strip
    strip_lines = geometry.lines_per_block
    line = (defect["angle_deg"] or 0.0) * geometry.lines_per_turn / 360
    return {
        "name": defect["class"],
        "patch": defect["patch"],
        "x": line,
        "y": middle if defect["axial_mm"] is None or not mm_per_px else defect["axial_mm"] / mm_per_px,
        "width": strip_lines / 2 if defect["along_mm"] is None else defect["along_mm"] / kind.mm_per_line,
        "height": (
            columns / geometry.patches_per_strip / 2
            if defect["across_mm"] is None or not mm_per_px
            else defect["across_mm"] / mm_per_px
        ),
    }


def _mm_per_px(record: JsonObject) -> float | None:
    camera: dict[str, Any] = (record["configuration"] or {}).get("camera", {})
    return camera.get("mm_per_px")
