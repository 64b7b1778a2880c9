"""A crew of processes on this computer; each ends with the one that started it, however that one ends."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import cast

from models.errors import ArchiveError
from station.core.errors import StationError
from station.core.logs import configure_logs
from station.offline.archive.crew import MOST_ENDS, Returned, demand_ready
from station.offline.archive.judging import Chunk, Judge, Order, Row

END_TIMEOUT_S = 10.0
"""For a process that was killed."""


@dataclass(slots=True)
class _Worker:
    """A process and the way to it.

    Attributes:
        process: It.
        way: Chunks go there; first whether it is ready comes back, then rows.
        ready: Whether its network is loaded.
        chunk: What it judges; None where it does nothing.
    """

    process: SpawnProcess
    way: Connection
    ready: bool = False
    chunk: Chunk | None = None


class Processes:
    """So many workers on this computer.

    Args:
        order: What they judge by.
        workers: How many.
    """

    def __init__(self, order: Order, workers: int) -> None:
        self._order = order
        self._ended_unready = 0
        self._workers = [self._started() for _ in range(workers)]

    @property
    def free(self) -> bool:
        """Whether a worker has nothing to do."""
        return any(one.ready and one.chunk is None for one in self._workers)

    def give(self, chunk: Chunk) -> None:
        """Have a free worker judge it; one that has just ended is noticed in `take`."""
        worker = next(one for one in self._workers if one.ready and one.chunk is None)
        worker.chunk = chunk
        with suppress(OSError):
            worker.way.send(chunk)

    def take(self) -> list[Returned]:
        """What came back; blocks until a worker tells something or ends.

        Raises:
            StationError: A worker cannot load the network; or worker after worker ends before it has judged anything.
        """
        told = wait([one.way for one in self._workers])
        heard = [self._heard(one) for one in self._workers if one.way in told]
        return [returned for returned in heard if returned is not None]

    def close(self) -> None:
        """Kill the workers."""
        for worker in self._workers:
            _end(worker)

    def _started(self) -> _Worker:
        spawning = get_context("spawn")
        way, its_way = spawning.Pipe()
        process = spawning.Process(target=_serve, args=(its_way, self._order), name="archive worker", daemon=True)
        process.start()
        its_way.close()
        return _Worker(process, way)

    def _heard(self, worker: _Worker) -> Returned | None:
        try:
            told = worker.way.recv()
        except (EOFError, OSError):
            return self._replaced(worker)
        if not worker.ready:
            demand_ready(cast("StationError | None", told))
            worker.ready = True
            return None
        chunk, worker.chunk = worker.chunk, None
        self._ended_unready = 0
        return (chunk, cast("list[Row]", told)) if chunk is not None else None

    def _replaced(self, worker: _Worker) -> Returned | None:
        """Start another in the place of one that ended."""
        _end(worker)
        self._ended_unready += not worker.ready
        if self._ended_unready >= MOST_ENDS:
            told = f"{self._ended_unready} ended before they had loaded {self._order.model}"
            raise ArchiveError("archive.worker_ended", f"{told}, the last with status {worker.process.exitcode}")
        self._workers[self._workers.index(worker)] = self._started()
        return None if worker.chunk is None else (worker.chunk, None)


@contextmanager
def processes(order: Order, workers: int) -> Iterator[Processes]:
    """So many workers on this computer, until the context is left."""
    with closing(Processes(order, workers)) as crew:
        yield crew


def _end(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join(END_TIMEOUT_S)
    worker.way.close()


def _serve(way: Connection, order: Order) -> None:
    """A worker: ends when the other end of its way is closed, which the kernel does for a process that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that deals out the work
    configure_logs("error", None)
    with suppress(EOFError, OSError):
        try:
            judge = Judge(order)
        except StationError as error:
            way.send(error)
            return
        way.send(None)
        while True:
            way.send(judge.rows(way.recv()))
