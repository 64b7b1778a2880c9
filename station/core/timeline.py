"""The deadline ledger of one part: when each thing was done, from the index pulse to the bin.

    armed ▸ index pulse ▸ for every block (last line ▸ arrived ▸ scored) ▸ decided
      ├▸ PLC sent ▸ PLC acknowledged ▸ committed
      └▸ jig stop ordered ▸ jig at rest ▸ robot ordered ▸ robot done

Every time is in nanoseconds on CLOCK_MONOTONIC, the clock of the producer's stamps too: times of one part can be
compared with each other, but not across a reboot. In a record and in JSON they lie flat, each under its name
(`decided`, `block_3_scored`); a name that is not there did not happen, or the version that wrote the record did not
note it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

Flat = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BlockTimes:
    """One block of a turn.

    Attributes:
        last_line_ns: End of the last line's exposure, as the producer stamped it.
        arrived_ns: The station's process had it.
        scored_ns: The compute thread had the scores of its patches; None when it could not be judged.
    """

    last_line_ns: int
    arrived_ns: int
    scored_ns: int | None


@dataclass(frozen=True, slots=True)
class ScanTimes:
    """From arming to decision.

    Attributes:
        armed_ns: The camera was ordered to wait for the index pulse; None when the part was not scanned.
        index_pulse_ns: Begin of the first line's exposure; None when no block came.
        blocks: In order of arrival.
        decided_ns: The decision was made.
    """

    armed_ns: int | None
    index_pulse_ns: int | None
    blocks: tuple[BlockTimes, ...]
    decided_ns: int

    @property
    def last_line_ns(self) -> int | None:
        """End of the exposure of the last line that came, or None without one."""
        return self.blocks[-1].last_line_ns if self.blocks else None

    def flat(self) -> dict[str, int]:
        """The times by name, for the record."""
        named = {"armed": self.armed_ns, "index_pulse": self.index_pulse_ns}
        for number, block in enumerate(self.blocks):
            named[f"block_{number}_last_line"] = block.last_line_ns
            named[f"block_{number}_arrived"] = block.arrived_ns
            named[f"block_{number}_scored"] = block.scored_ns
        return _known({**named, "decided": self.decided_ns})

    @classmethod
    def of(cls, flat: Flat) -> Self:
        """The times that a record holds."""
        numbers = [number for number in range(len(flat)) if f"block_{number}_arrived" in flat]
        blocks = [
            BlockTimes(
                flat[f"block_{number}_last_line"], flat[f"block_{number}_arrived"], flat.get(f"block_{number}_scored")
            )
            for number in numbers
        ]
        return cls(flat.get("armed"), flat.get("index_pulse"), tuple(blocks), flat["decided"])


@dataclass(frozen=True, slots=True)
class Delivery:
    """A result on its way to the PLC: its request was sent, and the PLC's registers had it."""

    sent_ns: int
    acknowledged_ns: int


@dataclass(frozen=True, slots=True)
class SettleTimes:
    """What came after the decision: the PLC has it, and the record is on the disk."""

    delivery: Delivery
    committed_ns: int

    def flat(self) -> dict[str, int]:
        """The times by name, for the record."""
        return {
            "plc_sent": self.delivery.sent_ns,
            "plc_acknowledged": self.delivery.acknowledged_ns,
            "committed": self.committed_ns,
        }


@dataclass(frozen=True, slots=True)
class MoveTimes:
    """The orders that brought the part away; None for what was not ordered, or not done."""

    jig_stop_ordered_ns: int | None
    jig_at_rest_ns: int | None
    robot_ordered_ns: int | None
    robot_done_ns: int | None

    def flat(self) -> dict[str, int]:
        """The times by name, for the record."""
        return _known(
            {
                "jig_stop_ordered": self.jig_stop_ordered_ns,
                "jig_at_rest": self.jig_at_rest_ns,
                "robot_ordered": self.robot_ordered_ns,
                "robot_done": self.robot_done_ns,
            }
        )


@dataclass(frozen=True, slots=True)
class Load:
    """Whether the network kept up with the lines of one turn.

    Attributes:
        waiting: The most blocks that had arrived and were neither scored nor being scored.
        strip_ms: Time that the compute thread needed for a strip, on average.
        block_ms: Time in which a block is exposed at the part type's line rate.
    """

    waiting: int
    strip_ms: float
    block_ms: float

    @property
    def overloaded(self) -> bool:
        """The network is slower than the line, so that every further block waits longer than the one before."""
        return self.waiting > 0 and self.strip_ms > self.block_ms

    def __str__(self) -> str:
        """The figures, for people."""
        blocks = "1 block" if self.waiting == 1 else f"{self.waiting} blocks"
        return f"{self.strip_ms:.1f} ms a strip, a block is exposed in {self.block_ms:.1f} ms, {blocks} waited"


def load_of(times: ScanTimes, block_s: float) -> Load:
    """How the network kept up with a turn whose blocks are exposed in so many seconds; no load without a scored one."""
    scored = [(block.arrived_ns, block.scored_ns) for block in times.blocks if block.scored_ns is not None]
    # One thread scores one block after the other: it begins with a block when that is there and the one before is done.
    free_ns = [0, *(end for _arrived, end in scored)]
    begun = [max(arrived, free) for (arrived, _end), free in zip(scored, free_ns, strict=False)]
    busy_ms = sum(end - begin for begin, (_arrived, end) in zip(begun, scored, strict=True)) / 1e6
    # At each arrival: of the blocks up to this one those that were begun only afterwards, itself among them.
    waiting = [sum(begin > arrived for begin in begun[: place + 1]) for place, (arrived, _end) in enumerate(scored)]
    return Load(max(waiting, default=0), busy_ms / max(len(scored), 1), 1e3 * block_s)


def _known(times: Mapping[str, int | None]) -> dict[str, int]:
    return {name: at for name, at in times.items() if at is not None}
