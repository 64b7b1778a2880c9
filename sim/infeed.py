"""The infeed: plays a recording as parts, one after the other, announced by the PLC.

A scan that cannot be used is left out, and told; the feed goes on with the next. Past its end the recording repeats,
and the part ids of the second pass end in `-2`, of the third in `-3`.
"""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.cell import Cell
from sim.devices.plc import PlcDevice
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

    def _make(self, scan: RecordedScan, turn: int, number: int) -> Part | LeftOut:
        try:
            pixels = read_scan(scan.file, {kind.geometry.lines_per_turn for kind in self._candidates(scan)})
            if pixels.shape[1] > self._sensor_width:
                raise RecordingError(
                    "recording.bad_image",
                    f"{scan.file.name}: {pixels.shape[1]} columns, the sensor has {self._sensor_width}",
                )
            kind = self._type_of(scan, pixels)
        except StationError as error:
            return LeftOut(scan.file.name, error)
        return Part(self._unused_id(scan.part_id, turn), kind.code, scan.label, self._optics.seat(pixels, number))

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

    def _unused_id(self, part_id: str, turn: int) -> str:
        """The id of a part in this pass of the recording: at most 16 characters, and never given before."""
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
        self, source: PartSource, cell: Cell, plc: PlcDevice, report: Report, pace: Pace, interval_s: float
    ) -> None:
        self._parts = source.parts()
        self._cell = cell
        self._plc = plc
        self._report = report
        self._pace = pace
        self._interval_s = interval_s
        self._next: Part | None = None

    async def prepare(self) -> None:
        """Decode the first part.

        Raises:
            RecordingError: Not one scan of the recording can be used.
        """
        self._next = await self._decode()

    async def run(self) -> None:
        """Feed all parts, each when the one before was picked up; one is decoded ahead.

        Raises:
            RecordingError: Not one scan of the recording can be used any more.
        """
        fed = 0
        while self._next is not None:
            await self._emptied()
            await self._pace.take(self._interval_s)
            part = self._next
            self._next = None
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
        other, self._next = (waiting, None) if self._next is None else (self._next, waiting)
        self._bring(other, self._plc.announced_number if same_number else None)

    def announce_again(self) -> None:
        """The PLC sees a part at the infeed and announces it, unless it has; nothing is done where none waits."""
        part = self._cell.part_at(Place.INFEED)
        if part is not None and self._plc.announced_number == 0:
            self._plc.announce(part.part_id, part.type_code)

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
