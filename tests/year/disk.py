"""The station's disk, and the lanes on which it is worked with: what is on it after a kill, or after a loss of power.

Every job is done at once, at a moment of its own. What a job has changed of the files when it is cut off is drawn: the
files as they were before, as they are after, or something between, as SQLite's own rules allow. A transaction is first
appended to the log, which is then on the disk; only after that the pages go into the database's own file.
"""

import asyncio
import shutil
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Full
from random import Random
from typing import Any, TypeVar

from station.core.errors import RecordError

T = TypeVar("T")

SECTOR = 512
DATABASE, LOG, INDEX = "records.sqlite", "records.sqlite-wal", "records.sqlite-shm"
Image = dict[str, bytes]
"""The content of each file, by its path in the folder."""


def image_of(folder: Path) -> Image:
    """What a folder holds."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def restore(image: Image, folder: Path) -> None:
    """A folder with this content."""
    for name, content in image.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def cut_off(before: Image, after: Image, chance: Random, *, power: bool) -> Image:
    """What a job that was cut off has left.

    Args:
        before: What there was.
        after: What it would have left.
        chance: Draws.
        power: Whether the computer has lost its power: then of what was not synchronised any sector may be missing.
    """
    cut = dict(after)
    if chance.random() < 0.5:  # in the log: nothing of it is in the database yet
        if DATABASE in before:
            cut[DATABASE] = before[DATABASE]
        cut[LOG] = _torn(before.get(LOG, b""), after.get(LOG, b""), chance, power=power)
    elif DATABASE in before:
        cut[DATABASE] = _torn(before[DATABASE], after[DATABASE], chance, power=power)
    if power:
        cut.pop(INDEX, None)
    return cut


def _torn(before: bytes, after: bytes, chance: Random, *, power: bool) -> bytes:
    """A file that was being written: so many of its sectors, or without power any of them, are the new ones."""
    sectors = max(len(before), len(after)) // SECTOR + 1
    changed = [
        number
        for number in range(sectors)
        if before[number * SECTOR : (number + 1) * SECTOR] != after[number * SECTOR : (number + 1) * SECTOR]
    ]
    if not changed:
        return after
    count = chance.randrange(len(changed) + 1)
    written = set(chance.sample(changed, count) if power else changed[:count])
    length = max([len(before), *(min(len(after), (number + 1) * SECTOR) for number in written)])
    torn = bytearray(before.ljust(length, b"\0")[:length])
    for number in sorted(written):
        piece = after[number * SECTOR : (number + 1) * SECTOR]
        torn[number * SECTOR : number * SECTOR + len(piece)] = piece
    return bytes(torn)


class Cut(Exception):  # noqa: N818  # no error: the end of a life
    """The life ends in this job."""


class Disk:
    """The disk of one station, from life to life.

    Args:
        root: Where its folders lie.
        chance: Draws.

    Attributes:
        folder: The data folder of this life.
        jobs: How many were done.
        slow_s: By how much longer each job takes.
        free: How many bytes there is room for.
        away_since_s: When something that the station writes to was taken from its place; None where all lies there.
        cut_at: At which job the life ends; None for at none.
        on_cut: Called then.
    """

    def __init__(self, root: Path, chance: Random) -> None:
        self._root = root
        self._chance = chance
        self._lives = 0
        self.folder = root / "0"
        self.folder.mkdir(parents=True)
        self.jobs = 0
        self.slow_s = 0.0
        self.free = 1 << 40
        self.away_since_s: float | None = None
        self.cut_at: tuple[int, bool] | None = None
        self.on_cut: Callable[[], None] = lambda: None

    def job_s(self) -> float:
        """How long a job waits, or takes."""
        return self._chance.uniform(0.0003, 0.003) + self.slow_s

    def do(self, job: Callable[[], T]) -> T:
        """Do a job, or end the life in it.

        Raises:
            Cut: The life ends here; the next one begins with what is left.
        """
        self.jobs += 1
        if self.cut_at is None or self.jobs < self.cut_at[0]:
            return job()
        (_, power), self.cut_at = self.cut_at, None
        before = image_of(self.folder)
        try:
            job()
        finally:
            self._begin(cut_off(before, image_of(self.folder), self._chance, power=power))
            self.on_cut()
        raise Cut

    def kill(self, *, power: bool) -> None:
        """The life ends between two jobs: the next one begins with what is there."""
        image = image_of(self.folder)
        if power:
            image.pop(INDEX, None)
        self._begin(image)

    def forget(self, folder: Path) -> None:
        """Remove the folder of a life that is over."""
        if folder != self.folder:
            shutil.rmtree(folder, ignore_errors=True)

    def _begin(self, image: Image) -> None:
        self._lives += 1
        self.folder = self._root / str(self._lives)
        self.folder.mkdir()
        restore(image, self.folder)


class Answer(Future):  # type: ignore[type-arg]
    """The answer of a job on a lane; who waits for it at once has it done at once."""

    def __init__(self, lane: "YearLane") -> None:
        super().__init__()
        self._lane = lane

    def result(self, timeout: float | None = None) -> Any:
        """As ever."""
        self._lane.hurry(self)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """As ever."""
        self._lane.hurry(self)
        return super().exception(timeout)


class YearLane:
    """A `station.records.lane.Lane` on the loop: a job is done after some time, its answer told after some more.

    Args:
        disk: What is worked with.
        life: Whose lane it is; a dead one does nothing more.
        capacity: As of a lane.
    """

    def __init__(self, disk: Disk, life: Any, capacity: int) -> None:
        self._disk = disk
        self._life = life
        self.capacity = capacity
        self._jobs: deque[tuple[Answer, Callable[[], Any]]] = deque()
        self._begun = False
        self._loop = asyncio.get_running_loop()

    def submit(self, job: Callable[[], T]) -> "Future[T]":
        """As `Lane.submit`."""
        if len(self._jobs) >= self.capacity:
            raise Full
        answer = Answer(self)
        self._jobs.append((answer, job))
        self._go_on()
        return answer

    def wait(self) -> None:
        """As `Lane.wait`."""
        while self._jobs:
            self._do()

    def close(self, last: Callable[[], None] = lambda: None) -> None:
        """As `Lane.close`."""
        self.wait()
        last()  # of a dead life, too: what it has open lies in a folder that nobody looks into any more

    def hurry(self, answer: Answer) -> None:
        """Do what is before this answer, and it, now."""
        while not answer.done() and self._jobs:
            self._do()

    def _go_on(self) -> None:
        if self._jobs and not self._begun:
            self._begun = True
            self._loop.call_later(self._disk.job_s(), self._next)

    def _next(self) -> None:
        self._begun = False
        if self._jobs:
            self._do()
        self._go_on()

    def _do(self) -> None:
        answer, job = self._jobs.popleft()
        if not answer.set_running_or_notify_cancel():
            return
        if self._life.dead:
            answer.set_exception(RecordError("record.disk_failed", "the station is dead"))
            return
        try:
            result = self._disk.do(job)
        except Cut:
            answer.set_exception(RecordError("record.disk_failed", "the station is dead"))
        except BaseException as error:  # noqa: BLE001  # it is raised where the answer is awaited
            answer.set_exception(error)
        else:
            answer.set_result(result)


class YearWorker:
    """A `station.cell.compute.Worker` on the loop.

    Args:
        job_s: How long the next job takes.
        life: Whose worker it is.

    Attributes:
        hang: Whether the next job hangs until the worker is given up.
    """

    def __init__(self, job_s: Callable[[], float], life: Any) -> None:
        self.given_up = False
        self._job_s = job_s
        self._life = life
        self._jobs: deque[Callable[[], None]] = deque()
        self._busy = False
        self._loop = asyncio.get_running_loop()

    def put(self, job: Callable[[], None] | None) -> None:
        """As `Worker.put`."""
        if job is not None:
            self._jobs.append(job)
            self._go_on()

    def _go_on(self) -> None:
        if self._jobs and not self._busy:
            self._busy = True
            self._loop.call_later(self._job_s(), self._next)

    def _next(self) -> None:
        self._busy = False
        if self.given_up or self._life.dead:
            return
        self._jobs.popleft()()
        self._go_on()
