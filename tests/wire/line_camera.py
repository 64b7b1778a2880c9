"""A line-scan camera behind harvesters, as tests use it, and the pattern that the simulated one shows."""

import contextlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from genicam.gentl import IoException
from harvesters.core import Callback, Harvester, ImageAcquirer

WIDTH, LINES, BLOCK = 2048, 3584, 448
LINE_RATE_HZ = 20_000.0
PERIOD_NS = round(LINES * 1e9 / LINE_RATE_HZ)


@dataclass
class Block:
    """A fetched block, copied out of its buffer."""

    frame_id: int
    timestamp_ns: int
    image: np.ndarray
    delivered_lines: int
    encoder: int | None = None


@dataclass
class Camera:
    """The first camera behind harvesters."""

    harvester: Harvester
    acquirer: ImageAcquirer
    incomplete: list[int] = field(default_factory=list)
    chunks: bool = False

    @property
    def nodes(self) -> Any:
        return self.acquirer.remote_device.node_map

    def set(self, **features: object) -> None:
        for name, value in features.items():
            getattr(self.nodes, name).value = value

    def close(self) -> None:
        """Close it, also if it was lost: stopping it fails then."""
        with contextlib.suppress(IoException):
            self.acquirer.stop()
        self.acquirer.destroy()

    def open_again(self) -> None:
        """Close it, look for it, open it."""
        self.close()
        self.harvester.update()
        self.acquirer = self.harvester.create(0)

    def arm_turn(self) -> None:
        """Eight blocks from the jig's next index pulse."""
        self.set(AcquisitionMode="MultiFrame", AcquisitionFrameCount=LINES // BLOCK, AcquisitionLineRate=LINE_RATE_HZ)
        self.set(TriggerSelector="AcquisitionStart", TriggerMode="On", TriggerSource="Line0")
        self.acquirer.start()

    def fetch(self, timeout_s: float = 20.0) -> Block:
        with self.acquirer.fetch(timeout=timeout_s) as buffer:
            part = buffer.payload.components[0]
            encoder = self.nodes.ChunkEncoderValue.value if self.chunks else None
            assert not self.chunks or self.nodes.ChunkFrameID.value == buffer.module.frame_id
            return Block(
                buffer.module.frame_id,
                buffer.module.timestamp_ns,
                part.data.reshape(part.height, part.width).copy(),
                part.delivered_image_height,
                encoder,
            )

    def fetch_turn(self) -> list[Block]:
        return [self.fetch() for _ in range(LINES // BLOCK)]


class Counting(Callback):
    """Counts events."""

    def __init__(self, seen: list[int]) -> None:
        super().__init__()
        self._seen = seen

    def emit(self, context: object) -> None:  # noqa: ARG002
        self._seen.append(1)


def pattern(first_line: int, lines: int, width: int, first_column: int = 0) -> np.ndarray:
    """The documented test pattern: column plus line, modulo 256."""
    columns = np.arange(first_column, first_column + width)
    return ((np.arange(first_line, first_line + lines)[:, None] + columns) % 256).astype(np.uint8)
