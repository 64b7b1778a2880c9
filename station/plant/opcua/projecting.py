"""The address space as one: built from what the configuration asks for, and shown as the cell changes."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from asyncua import Server

from models.version import code_version
from station.core.errors import RecordError
from station.core.ports.records import RecordReader
from station.core.records import JsonObject, LastTold
from station.core.settings import Settings
from station.host.follow import Follower
from station.plant.cell_values import Sections, rows_of
from station.plant.opcua.admission import StationServer
from station.plant.opcua.commanding import Commander
from station.plant.opcua.machinery import MachineItem
from station.plant.opcua.nodesets import MACHINERY, PACKML, VISION, load_nodesets
from station.plant.opcua.own import NAMESPACE, OwnNodes
from station.plant.opcua.packml import PackMLMachine
from station.plant.opcua.space import Board, Types, child, closed
from station.plant.opcua.vision import VisionSystem

LOOK_S = 1.0
"""So often at least it is looked for parts that ended, and for how many clients there are."""
AT_ONCE = 100
"""So many parts are read from the records at a time."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Projection:
    """What is shown of one cell.

    Attributes:
        own: The station's own nodes.
        packml: The machine of OPC 30050, or None without its node set.
        vision: The vision system of OPC 40100-1, or None.
        machine: The machine of OPC 40001-1, or None.
    """

    own: OwnNodes
    packml: PackMLMachine | None
    vision: VisionSystem | None
    machine: MachineItem | None

    async def show(self, told: Sections, server: StationServer) -> None:
        """Show the cell; nothing is told while the station is not heard."""
        await self.own.show(told, server)
        for one in (self.packml, self.vision, self.machine):
            if one is not None:
                await one.show(told)

    async def tell_part(self, record: JsonObject) -> None:
        """Tell of a part that ended."""
        await self.own.tell_part(record)
        if self.vision is not None:
            await self.vision.tell_part(record)


async def build(
    server: Server, settings: Settings, records: RecordReader, commanding: Callable[[OwnNodes], Commander]
) -> Projection:
    """Make the whole address space.

    Args:
        server: Not started yet.
        settings: The station's configuration.
        records: The station's; only read.
        commanding: Makes what carries out commands, given what tells why one is refused.

    Raises:
        PlantError: `opcua.bad_nodesets`.
    """
    index = await server.register_namespace(NAMESPACE)
    sets = await load_nodesets(server, settings.opcua.nodesets)
    board, types = Board(server), await Types.of(server)
    own = OwnNodes(server, board, index, rows_of(settings.table))
    root = await own.build({"Station/Name": settings.station.name, "Station/Version": code_version()})
    commander = commanding(own)
    await own.add_methods(commander, records)
    packml = PackMLMachine(board) if sets.has(PACKML) else None
    vision = VisionSystem(board, records, settings) if sets.has(VISION) else None
    machine = MachineItem(board) if sets.has(MACHINERY) else None
    built = [root]
    if packml is not None:
        folder = await child(server.nodes.objects, "PackMLObjects") or server.nodes.objects
        built.append(await packml.build(server, folder, types, commander, index))
    if vision is not None:
        built.append(await vision.build(server, server.nodes.objects, types, commander, index))
    if machine is not None:
        built.append(await machine.build(server, types, index, settings.station.name, code_version()))
    for node in built:
        await closed(node)
    return Projection(own, packml, vision, machine)


async def tell_cell(projection: Projection, follower: Follower, server: StationServer) -> None:
    """Show every change, until cancelled."""
    state = ""
    while True:
        seen = (follower.beats, follower.live)
        told = follower.after(0)[1] if follower.live else {}
        await projection.show(told, server)
        now = told["cell"]["state"] if told else ""
        if now and state and now != state:
            await projection.own.tell_state(told)
        state = now or state
        if seen == (follower.beats, follower.live):
            await _at_most(follower.changed(), LOOK_S)


async def tell_parts(projection: Projection, follower: Follower, records: RecordReader, now: str) -> None:
    """Tell of every part that ends from now on, none left out, until cancelled."""
    last: LastTold | None = None
    fault = ""
    while True:
        try:
            found = await asyncio.to_thread(records.ended, last, AT_ONCE)
            fault = ""
        except RecordError as error:
            found = []
            if error.code not in ("record.unknown", fault):
                log.warning("parts_not_read", fault=error.code, detail=error.detail)
            fault = error.code
        if last is None:
            last = LastTold.of(found[-1]) if found else LastTold(0, "", now)
            found = []
        for record in found:
            await projection.tell_part(record)
            last = LastTold.of(record)
        if not found:
            await _at_most(follower.changed(), LOOK_S)


async def _at_most(change: Coroutine[Any, Any, None], seconds: float) -> None:
    """Return at the change, or after this time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await change
