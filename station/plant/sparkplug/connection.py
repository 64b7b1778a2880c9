"""One connection to the broker, from the birth to the death of the node.

    hear the commands ─▶ (the primary host is online) ─▶ NBIRTH ─▶ what was missed, as historical
                                                          └▶ every change · every part that ended · the broker's answers

Everything is published from here, so that sequence numbers are in order. Whatever of it fails ends the connection.

Source: Eclipse Sparkplug 3.0.0, section 5.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from aiomqtt import Client, MqttError

from station.core.clock import Clock
from station.core.moments import stamp
from station.core.pulse import Pulse
from station.core.records import JsonObject
from station.host.follow import Follower
from station.plant.cell_values import Row
from station.plant.sparkplug.commands import carry_out, command_metrics, read_command
from station.plant.sparkplug.hosting import PrimaryHost
from station.plant.sparkplug.metrics import metrics_of, result_metrics
from station.plant.sparkplug.node import EdgeNode, Topics, death
from station.plant.sparkplug.outbox import Outbox
from station.plant.sparkplug.payload import Metric

LOOK_S = 1.0
"""So often at least it is looked for parts that ended, and the broker is asked for an answer where any is owed."""
FAREWELL_S = 2.0
COMMANDS_WAITING = 16
"""So many may wait to be carried out; what comes then is ignored."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cell:
    """What a connection tells of, and acts on.

    Attributes:
        folder: The station's data folder.
        follower: The cell as it is heard.
        rows: Its metrics.
        fixed: Metrics that never change: what the station is.
        outbox: What is still to be told.
        clock: The date.
        listed: The commands that are taken.
    """

    folder: Path
    follower: Follower
    rows: tuple[Row, ...]
    fixed: tuple[Metric, ...]
    outbox: Outbox
    clock: Clock
    listed: tuple[str, ...]

    @property
    def now_ms(self) -> int:
        """The date in milliseconds since 1970 UTC."""
        return round(self.clock.now().timestamp() * 1000)


class Connection:
    """A connection that is open; used once.

    Args:
        client: The open connection, with `death` as its will.
        topics: Of the node.
        cell: What it tells of.
        host: The host application that must be online.
        bd_seq: The connection's number.
    """

    def __init__(self, client: Client, topics: Topics, cell: Cell, host: PrimaryHost, bd_seq: int) -> None:
        self._client = client
        self._topics = topics
        self._cell = cell
        self._host = host
        self._bd_seq = bd_seq
        self._node = EdgeNode(bd_seq)
        self._born_ms = 0
        self._newest: JsonObject | None = None
        self._commands: asyncio.Queue[str] = asyncio.Queue(COMMANDS_WAITING)
        self._answered: tuple[str | None, str | None, int] = (None, None, 0)
        self._commanded = Pulse()

    async def run(self) -> None:
        """Publish until cancelled, or the connection breaks, or the primary host goes.

        Raises:
            MqttError: The connection broke.
            PrimaryHostGoneError: It went.
            StationError: The records or the book cannot be used.
        """
        try:
            await _until_one_ends(self._hear(), self._publish())
        finally:
            await self._die()

    # ------------------------------------------------------------------ in

    async def _hear(self) -> None:
        """Take what comes: commands, and whether the primary host is there."""
        async for message in self._client.messages:
            topic, payload = message.topic.value, message.payload
            data = payload if isinstance(payload, bytes) else b""
            if topic == self._topics.of("NCMD"):
                await self._take(data, retained=bool(message.retain))
            elif topic == self._host.topic:
                self._host.hear(data)

    async def _take(self, data: bytes, *, retained: bool) -> None:
        asked = read_command(data, self._cell.listed, retained=retained)
        ignored = list(asked.ignored)
        for command in asked.commands:
            try:
                self._commands.put_nowait(command)
            except asyncio.QueueFull:
                ignored.append(f"{command}: {COMMANDS_WAITING} wait already")
        if ignored:
            log.warning("command_ignored", detail="; ".join(ignored)[:500])
            taken, refused, before = self._answered
            self._answered = (taken, refused, before + len(ignored))
            self._commanded.beat()
        if asked.rebirth and self._born_ms:
            await self._bear()

    async def _obey(self) -> None:
        """Carry out what was commanded, one after the other, and tell what came of it."""
        who = f"Sparkplug {self._topics.group} {self._topics.node}"
        while True:
            command = await self._commands.get()
            refused = await carry_out(self._cell.folder, command, who)
            _, _, ignored = self._answered
            self._answered = (command, None, ignored) if refused is None else (None, f"{command}: {refused}", ignored)
            log.info("command_answered", command=command, by=who, refused=refused)
            self._commanded.beat()

    # ------------------------------------------------------------------ out

    async def _publish(self) -> None:
        await self._client.subscribe(self._topics.of("NCMD"), qos=1)
        if self._host.topic:
            await self._client.subscribe(self._host.topic, qos=1)
        await self._host.online.wait()
        self._newest = await self._cell.outbox.newest()
        await self._bear()
        await self._tell_states_missed()
        await _until_one_ends(self._tell_changes(), self._tell_parts(), self._obey(), self._settle())

    async def _bear(self) -> None:
        """Publish the birth: every metric as it is now."""
        self._born_ms = self._cell.now_ms
        birth = self._node.birth((*self._metrics(self._born_ms), *result_metrics(self._newest)), self._born_ms)
        await self._client.publish(self._topics.of("NBIRTH"), birth)

    async def _tell_states_missed(self) -> None:
        """Publish the changes of state that nobody was told of."""
        until = stamp(self._cell.clock.now())
        for change in await self._cell.outbox.states(until):
            await self._client.publish(self._topics.of("NDATA"), self._node.whole(change, self._cell.now_ms))
        self._cell.outbox.told_states(until)

    async def _tell_changes(self) -> None:
        """Publish what changes, from the birth on."""
        follower = self._cell.follower
        while True:
            seen, now = self._seen, self._cell.clock.now()
            data = self._node.data(self._metrics(self._cell.now_ms), self._cell.now_ms)
            if data is not None:
                await self._client.publish(self._topics.of("NDATA"), data)
            if follower.live:
                self._cell.outbox.told_states(stamp(now))
            while seen == self._seen:
                await _until_one_ends(follower.changed(), self._commanded.changed())

    @property
    def _seen(self) -> tuple[object, ...]:
        """What is another as soon as anything is."""
        return self._cell.follower.beats, self._cell.follower.live, self._answered

    async def _tell_parts(self) -> None:
        """Publish every part that ended, oldest first; what ended before the birth is told as historical."""
        follower, outbox = self._cell.follower, self._cell.outbox
        while True:
            seen = follower.beats
            while parts := await outbox.parts():
                for part in parts:
                    metrics = result_metrics(part, before_ms=self._born_ms)
                    await self._client.publish(self._topics.of("NDATA"), self._node.whole(metrics, self._cell.now_ms))
                    self._newest = part
                    outbox.sent(part)
            if seen == follower.beats:
                await _until_one_ends(follower.changed(), asyncio.sleep(LOOK_S))

    async def _settle(self) -> None:
        """Have the broker answer every now and then: what was published before has arrived.

        It is asked for something without effect. To subscribe anew would have what is retained sent again.
        """
        while True:
            sent, states_until = self._cell.outbox.published
            await self._client.unsubscribe(self._topics.of("NOTHING"))
            await self._cell.outbox.confirm(sent, states_until)
            await asyncio.sleep(LOOK_S)

    async def _die(self) -> None:
        """Say farewell, where the connection still is: a node that ends in order publishes its death itself.

        The broker acknowledges the death, and so has had all that was published before.
        """
        with suppress(MqttError, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                sent, states_until = self._cell.outbox.published
                await self._client.publish(self._topics.of("NDEATH"), death(self._bd_seq, self._cell.now_ms), qos=1)
                await self._cell.outbox.confirm(sent, states_until)

    def _metrics(self, at_ms: int) -> tuple[Metric, ...]:
        follower = self._cell.follower
        told = follower.after(0)[1] if follower.live else {}
        commands = command_metrics(self._cell.listed, self._answered, at_ms)
        return (*self._cell.fixed, *metrics_of(self._cell.rows, told, at_ms), *commands)


async def _until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Return when the first of these has ended, or raise what it did; the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
