"""A recording of parts put together from pictures, and what of it the station would refuse.

    DIR/recording.jsonl    one object a scan: file, part_id, part_type, label, closed: false, composed: true
    DIR/truth.jsonl        one object a scan: file, mask, left, right, and the picture of each patch
    DIR/*.png              the scans
    DIR/masks/*.png        0, or the number of the class of the defect whose picture lies there

The two lists are written when every scan is there, so a folder that was not finished is no recording.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from models.dataset.composing import MARGIN_PX, Composed, Composer, Composition
from models.dataset.scans import TRUTH_NAME
from station.core.errors import ConfigError, PartError, RecordingError
from station.core.part import PartType, Pixels
from station.core.recording import INDEX_NAME
from station.core.settings import Settings
from station.offline.cropping import cut_scan

MASKS = "masks"


@dataclass(frozen=True, slots=True)
class Doubted:
    """A scan that the station would refuse, so that its part goes to review.

    Attributes:
        part_id: Name of the part.
        error: Why.
    """

    part_id: str
    error: PartError


def compose_recording(
    folder: Path,
    plan: Composition,
    settings: Settings,
    done: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[int, Sequence[Doubted]]:
    """Write the scans of a composition into a folder; how many, and those that the station would refuse.

    Args:
        folder: It is made if it is not there.
        plan: What is put together.
        settings: Camera, crop and proofs of the station that shall play it.
        done: Called after each scan with how many there are done and in all.

    Raises:
        ConfigError: The camera is too narrow for part and margins.
        DatasetError: The pictures do not allow it.
        RecordingError: The folder holds a recording, has too little room, or cannot be written.
    """
    kind = plan.part_type
    width = kind.width_px + 2 * MARGIN_PX
    if width > settings.camera.width_px:
        told = f"{kind.name} with {MARGIN_PX} px of black on both sides has {width}"
        raise ConfigError("config.invalid", f"camera.width_px: {settings.camera.width_px}, {told}")
    composer = Composer(plan)
    _check_place(folder, len(composer) * 2 * kind.geometry.lines_per_turn * width)
    lines, doubted = [], []
    try:
        (folder / MASKS).mkdir(parents=True, exist_ok=True)
        for scan in composer:
            lines.append(_written(folder, scan, kind))
            if error := _refusal(scan, kind, settings):
                doubted.append(Doubted(scan.part_id, error))
            done(len(lines), len(composer))
        for name, column in ((TRUTH_NAME, 1), (INDEX_NAME, 0)):
            (folder / name).write_text("".join(line[column] + "\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise RecordingError("recording.not_written", f"{folder}: {error}") from error
    return len(lines), doubted


def _check_place(folder: Path, size_bytes: int) -> None:
    if (folder / INDEX_NAME).exists():
        raise RecordingError("recording.exists", f"{folder} holds a recording; nothing was overwritten")
    there = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.exists())
    if not there.is_dir():
        raise RecordingError("recording.not_written", f"{there} is no folder")
    if size_bytes > (free := shutil.disk_usage(there).free):
        raise RecordingError("recording.not_written", f"{folder}: {size_bytes:,} bytes are needed, {free:,} are free")


def _refusal(scan: Composed, kind: PartType, settings: Settings) -> PartError | None:
    try:
        cut_scan(scan.image, kind, settings.crop, settings.turn.of_composed_scans())
    except PartError as error:
        return error
    return None


def _written(folder: Path, scan: Composed, kind: PartType) -> tuple[str, str]:
    """Write a scan and its mask; its lines in both lists."""
    file, mask = f"{scan.part_id}.png", f"{MASKS}/{scan.part_id}.png"
    _write_png(folder / file, scan.image)
    _write_png(folder / mask, scan.mask)
    entry = {
        "file": file,
        "part_id": scan.part_id,
        "part_type": kind.name,
        "label": scan.label,
        "closed": False,
        "composed": True,
    }
    truth = {"file": file, "mask": mask, "left": scan.left, "right": scan.right, "pictures": scan.pictures}
    return json.dumps(entry), json.dumps(truth)


def _write_png(path: Path, pixels: Pixels) -> None:
    _done, encoded = cv2.imencode(".png", pixels)
    path.write_bytes(encoded.tobytes())
