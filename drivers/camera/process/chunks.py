"""What a camera says of a block's lines: chunk data, read from the node map while the block's buffer is held.

harvesters lays the chunks of a fetched buffer under the node map by itself. A buffer without chunks leaves those of the
one before there, in memory that the producer fills again; so the buffer is asked first, and nothing of it is believed
that it does not hold. Chunk nodes never reach for the camera itself: reading them takes a tenth of a millisecond.
Source: SFNC 2.7, Chunk Data Control; `ChunkEncoderValue` behind `ChunkScanLineSelector` is one value for each line.
"""

from typing import Any

from genicam import genapi, gentl

from drivers.camera.link import Names
from drivers.camera.process.features import read_feature, read_node
from station.core.part import LineMarks

MODE = "ChunkModeActive"


class ChunkReader:
    """Reads the chunks of one camera that the configuration names.

    Args:
        nodes: The camera's node map, its features written.
        names: Pairs of what is meant, a key of `[camera.chunks]`, and what the camera calls it.

    Attributes:
        absent: Features that are named, but this camera has none, or it is not set to send any chunks.
    """

    def __init__(self, nodes: Any, names: Names) -> None:
        wanted = dict(names)
        sends = read_feature(nodes, MODE) is not False
        self._nodes = {key: nodes.get_node(name) for key, name in names if sends and nodes.has_node(name)}
        self.absent = tuple(name for key, name in wanted.items() if key not in self._nodes)

    def read(self, buffer: Any, lines: int) -> LineMarks | None:
        """What the chunks of this buffer, of so many delivered lines, tell; None where this camera sends none."""
        if not self._nodes:
            return None
        if not _holds_chunks(buffer):
            return LineMarks(absent=tuple(node.node.name for node in self._nodes.values()))
        missed: list[str] = []
        last_line = max(lines, 1) - 1
        return LineMarks(
            frame_id=self._value("frame_id", missed),
            first_encoder=self._encoder(0, missed),
            last_encoder=self._encoder(last_line, missed) if "line_selector" in self._nodes else None,
            line_status=self._value("line_status", missed),
            absent=tuple(dict.fromkeys(missed)),
        )

    def _encoder(self, line: int, missed: list[str]) -> int | None:
        if (selector := self._nodes.get("line_selector")) is not None:
            try:
                selector.value = line
            except genapi.GenericException:
                missed.append(selector.node.name)
                return None
        return self._value("encoder_value", missed)

    def _value(self, key: str, missed: list[str]) -> int | None:
        node = self._nodes.get(key)
        if node is None:
            return None
        try:
            return int(read_node(node))
        except genapi.GenericException:
            missed.append(node.node.name)
            return None


def _holds_chunks(buffer: Any) -> bool:
    """Whether the buffer says that it holds chunks; a producer that cannot tell may know their number."""
    try:
        return bool(buffer.is_containing_chunk_data())
    except gentl.GenericException:
        pass
    try:
        return int(buffer.num_chunks) > 0
    except gentl.GenericException:
        return False
