"""The simulated cell and `station run` as processes of their own, listened to line by line."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from tests.cell.conftest import station_command

Json = Mapping[str, Any]
PATIENCE_S = 60.0


class Child:
    """A process whose lines are handed on as they come.

    Args:
        command: With its arguments.
        environment: Its own.
        folder: Where it works.
        on_event: Told of every line that is a JSON object.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str], folder: Path, on_event: Callable[[Json], None]
    ) -> None:
        self._command, self._environment, self._folder = command, environment, folder
        self._on_event = on_event
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.said: list[str] = []

    async def start(self) -> None:
        """Start it."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, cwd=self._folder, limit=2**20,
            env={**self._environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process is not None and self._process.returncode is not None

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and wait until it has."""
        assert self._process
        assert self._reader
        if not self.ended:
            self._process.send_signal(how)
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process
        assert self._process.stdout
        async for line in self._process.stdout:
            text = line.decode(errors="replace")
            self.said.append(text)
            if text.startswith("{"):
                with contextlib.suppress(ValueError):
                    self._on_event(json.loads(text))


class World:
    """The simulated cell: what it tells, and what truly happened to every part.

    Attributes:
        ready: Where its devices listen.
        at_infeed: Id of the part that lies there, or None.
        fed: Ids, in their order.
        placed: Where each part lies.
        news: Set whenever something happened.
    """

    def __init__(self) -> None:
        self.ready: Json = {}
        self.at_infeed: str | None = None
        self.fed: list[str] = []
        self.placed: dict[str, str] = {}
        self.astray: list[Json] = []
        self.news = asyncio.Event()
        self.on_infeed: Callable[[str | None], None] = lambda _part: None

    def hear(self, event: Json) -> None:
        """Take an event in."""
        match event.get("event"):
            case "ready":
                self.ready = event
            case "fed":
                self.at_infeed = str(event["part_id"])
                self.fed.append(self.at_infeed)
                self.on_infeed(self.at_infeed)
            case "picked" if event["part_id"] == self.at_infeed:
                self.at_infeed = None
                self.on_infeed(None)
            case "placed" if event["place"] not in ("jig", "infeed"):
                assert event["part_id"] not in self.placed, event
                self.placed[str(event["part_id"])] = str(event["place"])
            case "dropped" | "removed" | "collision":
                self.astray.append(event)
        self.news.set()

    async def until(self, holds: Callable[[], bool], patience_s: float, what: Callable[[], str]) -> None:
        """Return when this holds.

        Raises:
            AssertionError: It does not in time.
        """
        loop = asyncio.get_running_loop()
        end_s = loop.time() + patience_s
        while not holds():
            assert loop.time() < end_s, f"not within {patience_s:g} s: {what()}"
            self.news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), 0.05)


@contextlib.asynccontextmanager
async def simulated(
    config: Path, parts: int, environment: dict[str, str], folder: Path, *faults: str
) -> AsyncIterator[World]:
    """The simulated cell, at its highest speed."""
    world = World()
    options = [option for fault in faults for option in ("--fault", fault)]
    command = [sys.executable, "-m", "sim", "--config", str(config), "--parts", str(parts), "--speed", "max"]
    child = Child([*command, "--report", "json", *options], environment, folder, world.hear)
    await child.start()
    try:
        await world.until(lambda: bool(world.ready), PATIENCE_S, lambda: f"the cell is ready: {child.said}")
        yield world
    finally:
        await child.stop()


def station_child(config: Path, data: Path, environment: dict[str, str], folder: Path) -> Child:
    """`station run`, not started yet."""
    command = station_command("run", "--config", config, "--data", data)
    return Child(command, {**environment, "PYTHONUNBUFFERED": "1"}, folder, lambda _event: None)
