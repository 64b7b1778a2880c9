"""What station and camera process say to each other, and the shared memory in which the blocks cross.

Messages go over a Unix SEQPACKET socket pair, one JSON packet each. Blocks lie in a ring of slots in an anonymous
memory file: it has no name, so nothing is left of it when both processes are gone, however they ended.

A request carries a number and is answered by `Done` or `Refused` with the same number. The number of `Arm` is also the
number of the turn: all that belongs to a turn carries it, so a late block is never taken for one of the next turn.
"""

import gc
import json
import mmap
import os
import socket
import weakref
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from station.core.errors import BugError
from station.core.part import Features, FeatureSnapshot, Pixels

MAX_PACKET = 131_072
TURNS_HELD = 3
"""So many turns of the longest kind lie in the ring."""

Names = tuple[tuple[str, str], ...]
"""What is meant, and what this camera calls it."""
Allowed = tuple[str, tuple[int, ...]]
"""What the camera calls a feature, and the values that it may have."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Load the producer, open the camera, write the features in this order, and check the image format.

    `slots` of `slot_lines` lines, `width_px` wide, are the ring. `lines` and `blocks` are what a block's lines and an
    acquisition's blocks may be; where no number of blocks is allowed, acquisitions do not end by themselves.
    `first_frame_id` is the producer's number of its first block, None for what its transport layer has, a text for any.
    `chunks` are the features that tell of each block's lines; answered with those that this camera does not send.
    """

    number: int
    producer: str
    serial_number: str
    width_px: int
    slot_lines: int
    slots: int
    buffers: int
    lines: Allowed
    blocks: Allowed
    first_frame_id: int | str | None
    setup: Features
    chunks: Names


@dataclass(frozen=True, slots=True)
class Prepare:
    """Set the camera for a part type; answered with the snapshot.

    All are a feature's name and value. `features` are what the type has otherwise than the set-up; what an earlier type
    had so is put back. Lines and blocks are written where they are others; no blocks: acquisitions do not end.
    """

    number: int
    line_rate: tuple[str, float]
    exposure: tuple[str, float]
    lines: tuple[str, int]
    blocks: tuple[str, int] | None
    features: Features


@dataclass(frozen=True, slots=True)
class Arm:
    """Wait for the index pulse and fill these slots, in this order; answered when AcquisitionStart is done.

    `blocks` of `lines` lines come; where there are more of them than slots, `Lend` brings further slots.
    """

    number: int
    slots: tuple[int, ...]
    blocks: int
    lines: int


@dataclass(frozen=True, slots=True)
class Lend:
    """Further slots for the turn of this number; not answered."""

    number: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Disarm:
    """End the turn, if one is armed."""

    number: int


@dataclass(frozen=True, slots=True)
class Leave:
    """Let the camera go and end; not answered."""


@dataclass(frozen=True, slots=True)
class Done:
    """The request was carried out; `features`, and `absent` chunks, are empty where there are none to tell."""

    number: int
    features: FeatureSnapshot
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The request, or the turn, of this number failed with a code of the fault table; the camera is still there."""

    number: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class BlockFilled:
    """A block lies in a slot.

    Attributes:
        turn: Number of the turn's `Arm`.
        slot: Where it lies; lines that were not delivered are zero.
        frame_id: The producer's number, less the one that its first block of an acquisition has.
        delivered_lines: Lines that hold image data.
        last_line_ns: The producer's time stamp on CLOCK_MONOTONIC, or the time of arrival where it gives none.
        marks: The fields of `LineMarks`, or None where the camera sends none.
    """

    turn: int
    slot: int
    frame_id: int
    delivered_lines: int
    last_line_ns: int
    marks: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Discarded:
    """A block of the turn came incomplete and was thrown away."""

    turn: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """No more blocks come in this turn."""

    turn: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The camera is gone, for the reason given; the process ends."""

    detail: str


Request = Connect | Prepare | Arm | Disarm
ToProcess = Request | Lend | Leave
FromProcess = Done | Refused | BlockFilled | Discarded | TurnEnded | Lost

_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (Connect, Prepare, Arm, Lend, Disarm, Leave, Done, Refused, BlockFilled, Discarded, TurnEnded, Lost)
}


def pack(message: ToProcess | FromProcess) -> bytes:
    """A message as one packet.

    Raises:
        BugError: It is too long for a packet.
    """
    packet = json.dumps([type(message).__name__, asdict(message)]).encode()
    if len(packet) > MAX_PACKET:
        raise BugError("station.bug", f"a {type(message).__name__} message has {len(packet)} bytes")
    return packet


def unpack(packet: bytes) -> Any:
    """The message in a packet, with tuples where it had them."""
    name, fields = json.loads(packet)
    return _KINDS[name](**{key: _frozen(value) for key, value in fields.items()})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def channel_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends for packets: the station's, which never blocks, and the process's."""
    station, process = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    station.setblocking(False)
    return station, process


class BlockRing:
    """The station's side of the ring: which slots are free, and the pixels in the others.

    A slot is free again when nobody refers to its pixels any more, neither to the array nor to a view into it. So no
    block is ever overwritten under a reader, however long the judgement or the archive takes, and nobody hands back.

    Memory is taken from the system when it is written to: what no block has reached yet costs nothing.

    Args:
        width_px: Columns of a block.
        lines: Lines of a block, of the longest one that comes.
        blocks: Blocks of a turn, of the one with the most.

    Attributes:
        file: The memory, until the process has it.
        lines: Lines that a slot has room for.
        slots: How many there are.
    """

    def __init__(self, width_px: int, lines: int, blocks: int) -> None:
        self._width_px = width_px
        self._turn_blocks = blocks
        self.lines = lines
        self.slots = TURNS_HELD * blocks
        self.file = os.memfd_create("camera-blocks", os.MFD_CLOEXEC)
        os.ftruncate(self.file, self.slots * lines * width_px)
        self._memory = mmap.mmap(self.file, 0, prot=mmap.PROT_READ)
        self._lent: list[weakref.ref[Pixels] | None] = [None] * self.slots
        self._promised: set[int] = set()

    def close_file(self) -> None:
        """Close the file when the process has it; the memory lives on as long as somebody refers to pixels."""
        os.close(self.file)
        self.file = -1

    def lease(self, blocks: int) -> tuple[int, ...]:
        """Free slots for so many blocks, at most a turn; those of an earlier turn that were not filled are free again.

        Raises:
            BugError: The station still holds the blocks of earlier turns.
        """
        self._promised.clear()
        wanted, free = min(blocks, self._turn_blocks), self._free()
        if len(free) < wanted:
            gc.collect()  # an error that was met at a block holds it, in a cycle through its traceback
            free = self._free()
        if len(free) < wanted:
            raise BugError("station.bug", f"{self.slots - len(free)} of {self.slots} camera blocks are still in use")
        self._promised.update(free[:wanted])
        return free[:wanted]

    def more(self) -> tuple[int, ...]:
        """All other slots that are free now, for an acquisition that is longer than a turn."""
        free = self._free()
        self._promised.update(free)
        return free

    def _free(self) -> tuple[int, ...]:
        unread = (slot for slot, lent in enumerate(self._lent) if lent is None or lent() is None)
        return tuple(slot for slot in unread if slot not in self._promised)

    def pixels(self, slot: int, lines: int) -> Pixels:
        """The block of so many lines in a slot, (lines, width) uint8, read-only, without a copy."""
        self._promised.discard(slot)
        begin = slot * self.lines * self._width_px
        owner = np.frombuffer(self._memory, np.uint8, lines * self._width_px, begin)
        self._lent[slot] = weakref.ref(owner)  # numpy keeps it alive as the `base` of every view
        return owner.reshape(lines, self._width_px)


def map_slots(file: int, slots: int, lines: int, width_px: int) -> Pixels:
    """The process's side of the ring: all slots, (slots, lines, width) uint8, writable."""
    memory = mmap.mmap(file, slots * lines * width_px)
    return np.frombuffer(memory, np.uint8).reshape(slots, lines, width_px)
