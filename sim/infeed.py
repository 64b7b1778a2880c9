"""The infeed: plays a recording as parts, one after the other, announced by the PLC.

A scan that cannot be used is left out, and told; the feed goes on with the next. Past its end the recording repeats,
and the part ids of the second pass end in `-2`, of the third in `-3`; a golden part is the same in every pass.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from sim.cell import Cell
from sim.devices.plc import PlcDevice
from sim.faults import Moment
from sim.ledger import Part, Place
from sim.optics import Optics
from sim.pace import Pace
from sim.report import Report
from station.core.errors import RecordingError, StationError
from station.core.fitting import nearest_type
from station.core.part import PART_ID_LENGTH, PartType, Pixels
from station.core.recording import RecordedScan, read_recording, read_scan
from station.core.settings import Settings


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A scan that cannot be used, and why."""

    file: str
    error: StationError


class Supply(Protocol):
    """Where the parts come from that are fed."""

    @property
    def closed(self) -> bool:
        """Whether every one of their scans is a whole turn, whose end meets its beginning."""

    @property
    def composed(self) -> bool:
        """Whether one of their scans was put together from pictures."""

    def parts(self) -> Iterator[Part | LeftOut]:
        """The parts, and between them the scans that were left out; blocking, for a thread of its own.

        Raises:
            RecordingError: There is none at all.
        """

    def unlike(self, part: Part) -> Part:
        """What is laid in for a part by mistake: one of its type and another class; itself without one. Blocking."""


class PartSource:
    """The parts of a recording in order, decoded and set onto the sensor; blocking, for a thread of its own.

    Args:
        folder: A recording; its scans that cannot be used are left out.
        settings: Part types, camera and crop.
        optics: Sets scans onto the sensor.
        parts: How many there are in all, or None for one pass of the recording.

    Raises:
        RecordingError: The folder is no recording.
    """

    def __init__(self, folder: Path, settings: Settings, optics: Optics, parts: int | None) -> None:
        self._folder = folder
        self._types = settings.known_types
        self._sensor_width = settings.camera.width_px
        self._background_max = settings.crop.background_max
        self._optics = optics
        self._limit = parts
        self._golden = {one.part_id for one in settings.challenge.golden}
        self._recording = read_recording(folder, frozenset(settings.part_types), settings.table.names)
        self._used_ids: set[str] = set()

    @property
    def closed(self) -> bool:
        """Whether every scan of the recording is a whole turn, whose end meets its beginning."""
        return all(scan.closed for scan in self._recording.scans)

    @property
    def composed(self) -> bool:
        """Whether a scan of the recording was put together from pictures."""
        return any(scan.composed for scan in self._recording.scans)

    def parts(self) -> Iterator[Part | LeftOut]:
        """The parts, and between them the scans that were left out.

        Raises:
            RecordingError: Not one scan of the recording can be used.
        """
        yield from (LeftOut(error.detail.split(":")[0], error) for error in self._recording.problems)
        scans = list(self._recording.scans)
        fed = 0
        for turn in itertools.count(1) if self._limit else (1,):
            usable = []
            for scan in scans:
                if fed == self._limit:
                    return
                made = self._make(scan, turn, fed)
                yield made
                if isinstance(made, Part):
                    usable.append(scan)
                    fed += 1
            if not usable:
                raise RecordingError("recording.not_found", f"{self._folder}: not one scan of it can be used")
            scans = usable

    def unlike(self, part: Part) -> Part:
        """What is laid in for a part by mistake: the first of its type that is of another class; itself without one."""
        others = (scan for scan in self._recording.scans if scan.label not in (None, part.label))
        for number, scan in enumerate(others):
            with suppress(StationError):
                kind, pixels = self._read(scan)
                if kind.code == part.type_code:
                    return replace(part, label=scan.label, surface=self._optics.seat(pixels, number))
        return part

    def _make(self, scan: RecordedScan, turn: int, number: int) -> Part | LeftOut:
        try:
            kind, pixels = self._read(scan)
        except StationError as error:
            return LeftOut(scan.file.name, error)
        return Part(self._id_of(scan.part_id, turn), kind.code, scan.label, self._optics.seat(pixels, number))

    def _read(self, scan: RecordedScan) -> tuple[PartType, Pixels]:
        """The type of a scan's part, and the scan: (lines, columns) uint8.

        Raises:
            StationError: It cannot be used.
        """
        pixels = read_scan(scan.file, {kind.geometry.lines_per_turn for kind in self._candidates(scan)})
        if pixels.shape[1] > self._sensor_width:
            raise RecordingError(
                "recording.bad_image",
                f"{scan.file.name}: {pixels.shape[1]} columns, the sensor has {self._sensor_width}",
            )
        return self._type_of(scan, pixels), pixels

    def _candidates(self, scan: RecordedScan) -> tuple[PartType, ...]:
        """The announced type, or all."""
        announced = tuple(kind for kind in self._types if kind.name == scan.part_type)
        return announced or self._types

    def _type_of(self, scan: RecordedScan, pixels: Pixels) -> PartType:
        """The announced type, or the one whose turn has as many lines and whose width the bright columns have."""
        kinds = [kind for kind in self._candidates(scan) if kind.geometry.lines_per_turn == len(pixels)]
        if scan.part_type is not None:
            return kinds[0]
        bright = np.flatnonzero(pixels.mean(axis=0) > self._background_max)
        width = int(bright[-1] - bright[0] + 1) if bright.size else 0
        return nearest_type(kinds, width)

    def _id_of(self, part_id: str, turn: int) -> str:
        """The id of a part in this pass of the recording: at most 16 characters, and of all but golden ones new."""
        if part_id in self._golden:
            return part_id
        suffix = f"-{turn}" if turn > 1 else ""
        stem = part_id[-(PART_ID_LENGTH - len(suffix)) :].strip()
        starts = itertools.chain([""], map(str, itertools.count(1)))
        wanted = (start + stem[len(start) :] + suffix for start in starts)
        unused = next(candidate for candidate in wanted if candidate not in self._used_ids)
        self._used_ids.add(unused)
        return unused


class Infeed:
    """Brings one part after the other to the cell's infeed, and has the PLC announce it.

    Args:
        source: The parts.
        cell: Where they are fed.
        plc: Announces them.
        report: Told of scans that are left out, and of the end.
        pace: How long things take.
        interval_s: Until the next part lies at the infeed.
    """

    def __init__(
        self, source: Supply, cell: Cell, plc: PlcDevice, report: Report, pace: Pace, interval_s: float
    ) -> None:
        self._source = source
        self._parts = source.parts()
        self._cell = cell
        self._plc = plc
        self._report = report
        self._pace = pace
        self._interval_s = interval_s
        self._at_hand = deque[Part]()
        self._missing: list[Part] = []
        self._golden: dict[str, Part] = {}
        self._again: str | None = None

    async def prepare(self) -> None:
        """Decode the next part, where none is at hand.

        Raises:
            RecordingError: Not one scan of the recording can be used.
        """
        if not self._at_hand and (part := await self._decode()) is not None:
            self._at_hand.append(part)

    async def run(self) -> None:
        """Feed all parts, each when the one before was picked up; one is decoded ahead.

        Raises:
            RecordingError: Not one scan of the recording can be used any more.
        """
        fed = 0
        while await self._has_more():
            await self._emptied()
            await self._pace.take(self._interval_s)
            if self._at_hand and (part := await self._laid_in(self._at_hand.popleft())) is not None:
                if self._cell.part_at(Place.INFEED) is not None:  # somebody was quicker
                    self._at_hand.appendleft(part)
                    continue
                self._bring(part)
                fed += 1
                await self.prepare()
        await self._emptied()
        self._report.infeed_empty(fed)

    def exchange(self, *, same_number: bool) -> None:
        """A hand puts the next part in the place of the one that waits, which comes after it; the PLC announces that.

        Where no other part is at hand, the same one is announced anew. Nothing is done where none waits.
        """
        if self._cell.part_at(Place.INFEED) is None:
            return
        waiting = self._cell.take_back()
        other = waiting
        if self._at_hand:
            other = self._at_hand.popleft()
            self._at_hand.appendleft(waiting)
        self._bring(other, self._plc.announced_number if same_number else None)

    def announce_again(self) -> None:
        """The PLC sees a part at the infeed and announces it, unless it has; nothing is done where none waits."""
        part = self._cell.part_at(Place.INFEED)
        if part is not None and self._plc.announced_number == 0:
            self._plc.announce(part.part_id, part.type_code)

    def lay_in_missing(self) -> None:
        """Golden parts that were not at hand are found, and come before the part that waits."""
        waiting = self._take_back_waiting()
        self._at_hand.extendleft((*waiting, *reversed(self._missing)))
        self._missing.clear()
        if waiting:
            self._bring(self._at_hand.popleft())

    def lay_in_again(self) -> None:
        """The golden part that was laid away last comes again, before the part that waits."""
        self._again = self._cell.broken.struck_part("golden-twice")
        if self._again is not None and self._again in self._golden:
            self._at_hand.extendleft(self._take_back_waiting())
            self._bring(self._golden[self._again])

    def take_away_again(self) -> None:
        """That golden part is taken away, where it still waits; the next part comes in its place."""
        if self._again is not None and self._cell.part_id_at(Place.INFEED) == self._again:
            self._plc.clear_announcement()
            self._cell.take_back()

    def _take_back_waiting(self) -> tuple[Part, ...]:
        """The part that waits at the infeed, taken back; nothing where none waits."""
        return () if self._cell.part_at(Place.INFEED) is None else (self._cell.take_back(),)

    async def _has_more(self) -> bool:
        """Whether there is a part to lay in, which may be one that has to be found first."""
        await self.prepare()
        if not self._at_hand and self._missing:
            await self._cell.broken.ended("golden-missing")
        return bool(self._at_hand)

    async def _laid_in(self, part: Part) -> Part | None:
        """What is laid in for a part; None for a golden one that is not at hand."""
        broken = self._cell.broken
        if not broken.is_golden(part.part_id):
            return part
        broken.reach(Moment.LAY_IN, part.part_id)
        if broken.struck_part("golden-missing") == part.part_id:
            self._missing.append(part)
            return None
        if broken.take("golden-wrong"):
            return await asyncio.to_thread(self._source.unlike, part)
        self._golden[part.part_id] = part
        return part

    def _bring(self, part: Part, number: int | None = None) -> None:
        self._cell.feed(part)
        self._plc.announce(part.part_id, part.type_code, number)

    async def _emptied(self) -> None:
        while self._cell.part_at(Place.INFEED) is not None:
            await self._cell.infeed_free.wait()

    async def _decode(self) -> Part | None:
        while isinstance(made := await asyncio.to_thread(next, self._parts, None), LeftOut):
            self._report.scan_left_out(made.file, made.error)
        return made
