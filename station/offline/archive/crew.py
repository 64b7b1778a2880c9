"""Who judges: workers with a network each, on this computer or on many, and how the work is dealt out to them.

A worker that ends, by a scan that brings it down or with its computer, takes nothing along: what it had is given to
others, one scan at a time, and a scan over which worker after worker ended gets a row that says so.
"""

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from station.core.errors import StationError
from station.offline.archive.judging import Chunk, Row, ended, row_of
from station.offline.archive.scans import Scan

MOST_ENDS = 3
"""So many workers may end over a scan, or in a row before they have judged anything."""

Returned = tuple[Chunk, list[Row] | None]
"""What was given, and its rows; None where its worker ended."""


class Crew(Protocol):
    """Workers that judge chunks."""

    @property
    def free(self) -> bool:
        """Whether a worker has nothing to do."""

    def give(self, chunk: Chunk) -> None:
        """Have a free worker judge it; does not block."""

    def take(self) -> list[Returned]:
        """What came back, or nothing where only a worker became free; blocks until there is something to tell.

        Raises:
            StationError: No worker can judge at all.
        """

    def close(self) -> None:
        """End the workers, whatever they do."""


def judged_by(crew: Crew, chunks: Iterator[Chunk], model_sha256: str) -> Iterator[Row]:
    """The rows of all scans, in the order in which they are judged.

    Args:
        crew: The workers.
        chunks: The scans; taken as workers become free.
        model_sha256: Of the network, for the rows of scans that no worker can judge.

    Raises:
        StationError: No worker can judge at all.
    """
    again: deque[Chunk] = deque()
    given = 0

    def following() -> Chunk | None:
        return again.popleft() if again else next(chunks, None)

    chunk = following()
    while chunk is not None or given:
        while chunk is not None and crew.free:
            crew.give(chunk)
            given += 1
            chunk = following()
        for returned, rows in crew.take():
            given -= 1
            if rows is not None:
                yield from rows
            elif lost := _to_give_up(returned):
                yield row_of(lost, ended(lost)) | {"model_sha256": model_sha256}
            else:
                again.extend(Chunk((scan,), returned.ends + 1) for scan in returned.scans)
        chunk = chunk or following()


def _to_give_up(chunk: Chunk) -> Scan | None:
    """The scan that is given to no other worker after this one."""
    return chunk.scans[0] if len(chunk.scans) == 1 and chunk.ends + 1 >= MOST_ENDS else None


def demand_ready(problem: StationError | None) -> None:
    """Raise what kept a worker from its first scan: it would keep every other one.

    Raises:
        StationError: Something did.
    """
    if problem is not None:
        raise problem
