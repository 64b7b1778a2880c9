"""Pictures of the parts to label: the unwrapped surface, and beside it, enlarged, the patch that decided.

A scan that the station refuses, or whose part type is configured no more, is shown as it lies in the archive.
"""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from station.core.durable import make_folder, staged_folder
from station.core.errors import ConfigError, RecordingError, StationError
from station.core.geometry import Geometry
from station.core.part import PartType, Pixels
from station.core.recording import read_scan
from station.core.scan_file import grey_size
from station.core.settings import Settings
from station.labels.picking.candidate import Candidate
from station.labels.picking.choosing import Pick
from station.offline.cropping import cut_scan

FRAME = (60, 170, 255)
"""Blue-green-red."""
ENLARGED = 2
GAP_PX = 8


def draw_picks(picks: Iterable[Pick], place: Path, settings: Settings) -> list[str]:
    """Write a picture a pick, `NUMBER-WHY-INSPECTION.png`, all of them or none; the scans that could not be read.

    Args:
        picks: The parts.
        place: The folder to make; nothing may lie there.
        settings: The types that parts may be of, and how a scan is cut.

    Raises:
        ConfigError: Something lies there, or the disk does not take it.
    """
    left_out = []
    try:
        make_folder(place.absolute().parent)
        with staged_folder(place) as folder:
            for number, pick in enumerate(picks, 1):
                name = f"{number:02d}-{pick.why.value}-{pick.candidate.inspection_id}.png"
                try:
                    content = _encoded(picture(pick.candidate, settings))
                except RecordingError as error:
                    left_out.append(f"{name}: {error}")
                else:
                    (folder / name).write_bytes(content)
    except OSError as error:
        raise ConfigError("config.file_failed", f"--out {error.filename or place}: {error.strerror}") from error
    return left_out


def picture(candidate: Candidate, settings: Settings) -> Pixels:
    """What there is to see of a part, (height, width, 3) uint8, BGR.

    Raises:
        RecordingError: The scan cannot be read.
    """
    image = _scan(candidate.scan)
    kind = next((one for one in settings.known_types if one.name == candidate.part_type), None)
    patches = None if kind is None else _patches(image, kind, settings)
    if kind is None or patches is None or candidate.patch is None:
        return _bgr(_scaled(image, 0.25))
    return _surface_and_patch(patches, candidate.patch, kind.geometry)


def _scan(path: Path) -> Pixels:
    try:
        lines = grey_size(path.read_bytes()).lines
    except (OSError, ValueError) as error:
        raise RecordingError("recording.bad_image", f"{path}: {error}") from error
    return read_scan(path, {lines})


def _patches(image: Pixels, kind: PartType, settings: Settings) -> Pixels | None:
    """The patches as the network saw them; None where the station would refuse the scan."""
    if len(image) != kind.geometry.lines_per_turn:
        return None
    try:
        return cut_scan(image, kind, settings.crop, settings.turn)
    except StationError:
        return None


def _surface_and_patch(patches: Pixels, chosen: int, geometry: Geometry) -> Pixels:
    surface = _bgr(_joined(patches, geometry))
    strip, column = divmod(chosen, geometry.patches_per_strip)
    top, left = strip * geometry.patch_px, column * geometry.patch_px
    cv2.rectangle(surface, (left, top), (left + geometry.patch_px - 1, top + geometry.patch_px - 1), FRAME, 3)
    small, large = _scaled(surface, 0.5), _bgr(_scaled(patches[chosen], ENLARGED))
    sheet = np.full((max(len(small), len(large)), small.shape[1] + GAP_PX + large.shape[1], 3), 24, np.uint8)
    sheet[: len(small), : small.shape[1]] = small
    sheet[: len(large), small.shape[1] + GAP_PX :] = large
    return sheet


def _joined(patches: Pixels, geometry: Geometry) -> Pixels:
    """The strips below each other."""
    rows, columns = geometry.strip_shape
    beside = patches.reshape(geometry.blocks_per_turn, geometry.patches_per_strip, rows, -1).swapaxes(1, 2)
    return np.ascontiguousarray(beside.reshape(geometry.blocks_per_turn * rows, columns))


def _scaled(image: Pixels, factor: float) -> Pixels:
    how = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def _bgr(image: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)


def _encoded(image: Pixels) -> bytes:
    _done, content = cv2.imencode(".png", image)
    return content.tobytes()
