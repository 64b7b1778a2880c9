"""A crew on the computers of a Ray cluster: an actor a core, each with one network; see `station.cli.cluster`.

Actors are watched here and not by Ray: one that ends is given up, and what it had is given to others, so that a row
comes from one actor and is written once. A computer that joins is used from then on, one that is gone is done without.
Source: Ray 2.60, Ray Core, "Actors" and "Fault tolerance".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import ray

from models.errors import ArchiveError
from models.version import code_version
from station.core.errors import StationError
from station.core.logs import configure_logs
from station.offline.archive.crew import MOST_ENDS, Returned, demand_ready
from station.offline.archive.judging import Chunk, Judge, Order, Row
from station.offline.archive.reach import require_reachable

LOOK_S = 2.0
"""So often is looked for computers that have joined, while no row comes."""


class Actor:
    """A worker in a process of Ray's."""

    def __init__(self) -> None:
        self._judge: Judge | None = None

    def ready(self, order: Order) -> StationError | None:
        """Load the network; what kept it from that, or None."""
        configure_logs("error", None)
        try:
            self._judge = Judge(order)
        except StationError as error:
            return error
        return None

    def rows(self, chunk: Chunk) -> list[Row]:
        """A row a scan, whatever becomes of it."""
        return cast("Judge", self._judge).rows(chunk)


class Actors:
    """A worker for each core that the cluster has at the time.

    Args:
        order: What they judge by.
    """

    def __init__(self, order: Order) -> None:
        self._order = ray.put(order)
        self._model = order.model
        self._kind = ray.remote(Actor).options(num_cpus=1, max_restarts=0, max_task_retries=0)
        self._loading: dict[Any, Any] = {}
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, Chunk]] = {}
        self._ended_unready = 0
        self._grow()

    @property
    def free(self) -> bool:
        """Whether a worker has nothing to do."""
        return bool(self._idle)

    def give(self, chunk: Chunk) -> None:
        """Have a free worker judge it."""
        actor = self._idle.pop()
        self._busy[actor.rows.remote(chunk)] = actor, chunk

    def take(self) -> list[Returned]:
        """What came back; blocks until a worker tells something or ends, or for two seconds.

        Raises:
            StationError: A worker cannot load the network; or worker after worker ends before it has judged anything.
        """
        told, _others = ray.wait([*self._loading, *self._busy], num_returns=1, timeout=LOOK_S)
        heard = [self._heard(one) for one in told]
        self._grow()
        return [returned for returned in heard if returned is not None]

    def close(self) -> None:
        """Kill the workers."""
        for actor in (*self._loading.values(), *self._idle, *(actor for actor, _chunk in self._busy.values())):
            ray.kill(actor)

    def _heard(self, told: Any) -> Returned | None:
        if told in self._loading:
            self._loaded(told, self._loading.pop(told))
            return None
        actor, chunk = self._busy.pop(told)
        try:
            rows = cast("list[Row]", ray.get(told))
        except ray.exceptions.RayError:
            ray.kill(actor)
            return chunk, None
        self._idle.append(actor)
        self._ended_unready = 0
        return chunk, rows

    def _loaded(self, told: Any, actor: Any) -> None:
        try:
            demand_ready(ray.get(told))
        except ray.exceptions.RayError as error:
            ray.kill(actor)
            self._ended_unready += 1
            if self._ended_unready >= MOST_ENDS * self._cores():
                told = f"{self._ended_unready} ended before they had loaded {self._model}, the last one: {error}"
                raise ArchiveError("archive.worker_ended", told) from error
            return
        self._idle.append(actor)

    def _grow(self) -> None:
        """Have a worker for every core."""
        for _ in range(self._cores() - len(self._loading) - len(self._idle) - len(self._busy)):
            actor = self._kind.remote()
            self._loading[actor.ready.remote(self._order)] = actor

    @staticmethod
    def _cores() -> int:
        return max(1, int(ray.cluster_resources().get("CPU", 0)))


@contextmanager
def on_ray(order: Order, address: str) -> Iterator[Actors]:
    """A worker for each core of a cluster, until the context is left.

    Args:
        order: What they judge by; the network's folder and the source must be there on every computer.
        address: Of the cluster's first computer, `HOST:PORT`.

    Raises:
        ArchiveError: There is no such cluster, or it runs other versions of Ray or Python.
    """
    require_reachable(address)
    try:
        ray.init(address, log_to_driver=False, logging_level="error", namespace=f"station {code_version()}")
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ArchiveError("archive.no_cluster", f"{address}: {error}") from error
    try:
        crew = Actors(order)
        try:
            yield crew
        finally:
            crew.close()
    except ray.exceptions.RayError as error:
        raise ArchiveError("archive.no_cluster", f"{address}: {error}") from error
    finally:
        ray.shutdown()
