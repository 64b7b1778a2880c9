"""One life of the station: put together as ever, on wires, disk and threads in memory, until it ends or is killed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from drivers.camera.supervisor import SupervisedCamera
from station.cell.compute import ComputeThread
from station.core.errors import StationError
from station.core.events import CellEvent
from station.host.build import Outside, assemble
from station.host.devices import make_jig, make_line, make_robot
from station.host.housekeeping import keep_house
from station.host.watchdog import Watchdog
from station.records.ledger import SqliteLedger
from tests.year.camera import YearCamera
from tests.year.disk import YearLane, YearWorker
from tests.year.loop import OWNER


class Life:
    """The station from one start to its end.

    Args:
        world: Where it lives.
        number: From 1.

    Attributes:
        dead: It was killed: nothing that it does is seen any more.
    """

    def __init__(self, world: Any, number: int) -> None:
        self.world = world
        self.number = number
        self.dead = False
        self.desk: Any = None
        self.ledger: Any = None
        self.compute_s = 0.0
        self.hangs = False
        self.over = asyncio.Event()
        self.folder = world.base.disk.folder
        self._task: asyncio.Task[None] | None = None
        self._burying: asyncio.Task[None] | None = None
        self.observer: Callable[[CellEvent], None] = lambda _event: None

    def begin(self) -> None:
        """Start."""
        token = OWNER.set(self)
        self._task = asyncio.ensure_future(self._run())
        self._task.set_name(f"life {self.number}")
        OWNER.reset(token)
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.over.set()
        error = None if task.cancelled() else task.exception()
        if not self.dead:
            self.world.tell("life", f"{self.number} ended: {error!r}")
            if error is not None and not isinstance(error, StationError):
                self.world.broken(5, f"the station ended with {error!r}")

    async def _run(self) -> None:
        world, settings = self.world, self.world.base.settings
        compute = ComputeThread(settings.watchdog.compute_timeout_s, hire=lambda _begin: self._hire())
        configuration = settings.sha256, settings.model_dump_json()
        lanes = lambda _name, capacity: YearLane(world.base.disk, self, capacity)  # noqa: E731
        ledger = await SqliteLedger.open(
            self.folder, settings.records, world.base.clock, configuration, settings.table, lanes
        )
        self.ledger = ledger
        try:
            outside = Outside(
                camera=SupervisedCamera(
                    YearCamera(world.base.scene, settings.camera, world.base.dark), settings.camera
                ),
                jig=make_jig(settings),
                robot=make_robot(settings),
                line=make_line(settings, world.base.clock, await ledger.last_taken_on()),
                recipes=world.base.recipes,
                ledger=world.rules.listening(ledger),
                compute=compute,
                clock=world.base.clock,
                listed=await ledger.listed_alarms(),
                remembered=await ledger.references.remembered(),
            )
            built = assemble(outside, settings, self._told)
            self.desk = built.desk
            watchdog = Watchdog({}, ledger, world.base.clock, settings.watchdog)
            async with asyncio.TaskGroup() as group:
                group.create_task(keep_house(ledger, built.alarms, settings.records), name="house")
                group.create_task(watchdog._watch_clocks(), name="clocks")
                await built.operation.run()
        finally:
            self.desk = None
            if not self.dead:
                await ledger.close()

    def _hire(self) -> YearWorker:
        return YearWorker(self._job_s, self)

    def _job_s(self) -> float:
        if self.hangs:
            self.hangs = False
            return 1e6
        return self.world.base.chance.uniform(0.001, 0.006) + self.compute_s

    def _told(self, event: CellEvent) -> None:
        if not self.dead:
            self.world.told(event)
            self.observer(event)

    async def stop(self) -> None:
        """Stop in order, as at a signal."""
        if self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    def die(self, *, power: bool, in_job: bool = False) -> None:
        """Be killed, or lose the power."""
        if self.dead or self.over.is_set():
            return
        world = self.world
        self.dead = True
        world.tell(
            "life", f"{self.number} is killed" + (", power lost" if power else "") + (", in a job" if in_job else "")
        )
        world.base.network.cut_off(self, told=not power)
        if not in_job:
            world.base.disk.kill(power=power)
        token = OWNER.set(None)
        self._burying = asyncio.ensure_future(self._bury())
        OWNER.reset(token)

    async def _bury(self) -> None:
        """End its tasks; nothing that they do is seen."""
        for _round in range(200):
            left = [task for task in asyncio.all_tasks() if getattr(task, "owner", None) is self]
            if not left:
                break
            for task in left:
                task.cancel()
            await asyncio.sleep(0.01)
        else:
            self.world.broken(0, f"what is left of life {self.number}: {[task.get_name() for task in left]}")
        if self.ledger is not None:
            with suppress(Exception):
                self.ledger._writer._database.close()
        self.world.base.disk.forget(self.folder)
        self.over.set()
