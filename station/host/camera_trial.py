"""`station camera grab`: blocks of a camera without a cell around it, with an account of every line.

The cell's own driver takes them, so what works here works in the cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drivers.camera.survey import FoundFeature
from station.core.camera_settings import CameraSettings, FeatureSetting
from station.core.errors import CameraError, ConfigError
from station.core.geometry import Geometry
from station.core.part import Block, FeatureValue, Pixels, ScanRecipe
from station.host.devices import find_camera_features, make_trial_camera

SWITCHES = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Grab:
    """What was asked of a camera and what it gave.

    Attributes:
        asked: Blocks that were asked for.
        lines_per_block: Lines that each is to have.
        blocks: Those that came, their pixels in `image`.
        image: (lines, width) uint8: all blocks, one under the other.
        discarded: Blocks that came incomplete and were thrown away.
        trouble: What ended it early, or None.
    """

    asked: int
    lines_per_block: int
    blocks: tuple[Block, ...]
    image: Pixels
    discarded: int
    trouble: CameraError | None

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the blocks that did not come."""
        came = {block.frame_id for block in self.blocks}
        return tuple(number for number in range(self.asked) if number not in came)

    @property
    def delivered_lines(self) -> int:
        """Lines that hold image data."""
        return sum(block.delivered_lines for block in self.blocks)

    @property
    def misnumbered(self) -> bool:
        """Whether as many blocks came as were asked for, in a row, from another number than 0."""
        numbers = [block.frame_id for block in self.blocks]
        return bool(numbers) and numbers[0] != 0 and numbers == list(range(numbers[0], numbers[0] + self.asked))

    @property
    def complete(self) -> bool:
        """Whether every line came, in order."""
        numbers = [block.frame_id for block in self.blocks]
        return numbers == list(range(self.asked)) and self.delivered_lines == self.asked * self.lines_per_block

    def as_json(self) -> dict[str, Any]:
        """The account as plain data."""
        return {
            "complete": self.complete,
            "asked_blocks": self.asked,
            "expected_lines": self.asked * self.lines_per_block,
            "delivered_lines": self.delivered_lines,
            "missing_blocks": list(self.missing),
            "discarded_blocks": self.discarded,
            "error": self.trouble and {"code": self.trouble.code, "message": str(self.trouble)},
            "blocks": [
                {
                    "frame_id": block.frame_id,
                    "delivered_lines": block.delivered_lines,
                    "arrival_ms": round((block.arrived_ns - block.last_line_ns) / 1e6, 3),
                    "grey": _greys(block),
                }
                for block in self.blocks
            ],
        }


async def grab(settings: CameraSettings, geometry: Geometry, blocks: int, recipe: ScanRecipe | None) -> Grab:
    """Take blocks; a camera that fails on the way is part of the result.

    Args:
        settings: The camera, with its set-up.
        geometry: How long its blocks are, and how many are a turn.
        blocks: How many; any other number than a turn's needs a camera that runs continuously.
        recipe: What to set it to, of the same geometry, or None to leave it.

    Raises:
        CameraError: The camera cannot be opened or set.
    """
    camera = make_trial_camera(settings, geometry, blocks)
    taken: list[Block] = []
    pixels: list[Pixels] = []
    discarded, trouble = 0, None
    try:
        await camera.open()
        if recipe is not None:
            await camera.prepare(recipe)
        try:
            async with camera.turn() as turn:
                async for block in turn.blocks():
                    pixels.append(block.pixels.copy())
                    taken.append(_without_slot(block, pixels[-1]))
                    discarded = turn.discarded_blocks
                discarded = turn.discarded_blocks
        except CameraError as error:
            trouble = error
    finally:
        await camera.close()
    image = np.concatenate(pixels) if pixels else np.zeros((0, settings.width_px), np.uint8)
    return Grab(blocks, geometry.lines_per_block, tuple(taken), image, discarded, trouble)


def trial_settings(
    settings: CameraSettings, wishes: Sequence[str], geometry: Geometry, blocks: int, *, configured: bool
) -> CameraSettings:
    """Settings for a grab: the camera's own, what was wished, and blocks of the geometry's lines.

    Args:
        settings: Producers and serial number; where it is configured, all the rest too.
        wishes: `NAME=VALUE`, written in this order after the configured set-up.
        geometry: How long blocks are, and how many are a turn.
        blocks: How many blocks are grabbed.
        configured: Whether `settings` come from a configuration file.

    Raises:
        CameraError: The camera cannot be found or asked.
        ConfigError: A wish names no feature, or is not of the feature's kind.
    """
    tree = {one.name: one for one in find_camera_features(settings)}
    wished = [_wish(text, tree) for text in wishes]
    framing = {} if configured and blocks == geometry.blocks_per_turn else _framing(tree, settings, geometry, blocks)
    rows = [*wished, *(FeatureSetting(feature=name, value=value) for name, value in framing.items())]
    width = next((row.value for row in reversed(rows) if row.feature == "Width"), None)
    if width is None:
        width = settings.width_px if configured else tree["Width"].value if "Width" in tree else None
    if not isinstance(width, int):
        raise ConfigError("config.bad_option", "the camera does not tell its Width; give it with --set Width=PIXELS")
    return settings.model_copy(update={"width_px": width, "setup": [*settings.setup, *rows]})


def save_image(image: Pixels, path: Path) -> None:
    """Write the image as PNG.

    Raises:
        ConfigError: The file cannot be written.
    """
    _encoded, content = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    try:
        path.write_bytes(content.tobytes())
    except OSError as error:
        raise ConfigError("config.file_failed", f"{path} cannot be written: {error.strerror}") from error


def _framing(
    tree: Mapping[str, FoundFeature], settings: CameraSettings, geometry: Geometry, blocks: int
) -> dict[str, FeatureValue]:
    """What must be written for so many such blocks; some cameras refuse to be told what they do anyway."""
    names = settings.names
    modes = tree["AcquisitionMode"].entries if "AcquisitionMode" in tree else ()
    several = blocks == geometry.blocks_per_turn and "MultiFrame" in modes
    mode: dict[str, FeatureValue] = {"AcquisitionMode": "MultiFrame" if several else "Continuous"}
    count: dict[str, FeatureValue] = {names.blocks_per_turn: blocks} if several else {}
    wanted: dict[str, FeatureValue] = {names.lines_per_block: geometry.lines_per_block} | mode | count
    return {name: value for name, value in wanted.items() if name in tree and tree[name].value != value}


def _wish(text: str, tree: dict[str, FoundFeature]) -> FeatureSetting:
    name, equals, value = text.partition("=")
    if not equals or name not in tree:
        problem = "the camera has no such feature" if equals else "write NAME=VALUE"
        raise ConfigError("config.bad_option", f"--set {text}: {problem}; `station camera features` lists them")
    kind = tree[name].kind
    try:
        return FeatureSetting(feature=name, value=_typed(value, kind))
    except (ValueError, KeyError) as error:
        raise ConfigError("config.bad_option", f"--set {text}: {name} is of kind {kind}") from error


def _typed(text: str, kind: str) -> FeatureValue:
    if kind in {"boolean", "command"}:
        return SWITCHES[text.lower()]
    if kind == "integer":
        return int(text, 0)
    return float(text) if kind == "float" else text


def _greys(block: Block) -> dict[str, float] | None:
    seen = block.pixels[: block.delivered_lines]
    if not seen.size:
        return None
    return {"lowest": int(seen.min()), "mean": round(float(seen.mean()), 1), "highest": int(seen.max())}


def _without_slot(block: Block, pixels: Pixels) -> Block:
    return Block(block.index, block.frame_id, pixels, block.delivered_lines, block.last_line_ns, block.arrived_ns)
