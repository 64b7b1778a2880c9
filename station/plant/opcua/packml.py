"""The machine of OPC 30050: the station's PackML state in three state machines, one within the other.

    BaseStateMachine Aborting · Aborted · Cleared ⟶ MachineState Clearing · Stopped · Stopping · Running ⟶ ExecuteState

OPC 30050 follows the model of 2015, the station that of TR88.00.02-2022. What differs: Complete from Held or Suspended
has no transition in the node set, so that LastTransition is left alone; Hold is refused in Starting, Unholding,
Suspending and Unsuspending, where OPC 30050 would have it.

Source: OPC 30050 v1.01, sections 6.2 and 6.3.
"""

from typing import Any

from asyncua import Node, Server, ua

from station.cell.packml import Mode, State
from station.page.roles import WHO_COMMAND
from station.plant.cell_values import Sections
from station.plant.opcua.admission import StationSession
from station.plant.opcua.commanding import Commander, Outcome, RefusedError
from station.plant.opcua.nodesets import PACKML
from station.plant.opcua.space import GOOD, UNKNOWN, Board, StateMachine, Types, adopt_methods, child, within

BASE, MACHINE = ("Aborting", "Aborted"), ("Clearing", "Stopped", "Stopping")
"""States of the two outer machines that have none within; everything else is a state of the innermost."""
WAY = ("BaseStateMachine", "MachineState", "ExecuteState")
TYPES = ("PackMLBaseStateMachineType", "PackMLMachineStateMachineType", "PackMLExecuteStateMachineType")
COMMANDS = {"ToComplete": "complete"}
"""Methods that are called otherwise than their commands."""
VERSION = "2022"


class PackMLMachine:
    """The machine of one server.

    Args:
        board: Writes values.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._machines: list[StateMachine] = []
        self._status: dict[str, ua.NodeId] = {}

    async def build(self, server: Server, parent: Node, types: Types, commander: Commander, index: int) -> Node:
        """Make the machine below an object."""
        kind = types.named(PACKML, "PackMLBaseObjectType")
        node = await parent.add_object(
            ua.NodeId("PackML", index), ua.QualifiedName("PackML", index), objecttype=kind.nodeid
        )
        place = node
        for name, of in zip(WAY, TYPES, strict=True):
            place = await within(place, name)
            type_of = types.named(PACKML, of)
            self._machines.append(await StateMachine.of(place, type_of))
            for method, ids in (await adopt_methods(place, type_of)).items():
                for one in ids:
                    server.link_method(server.get_node(one), commander.command(COMMANDS.get(method, method.lower())))
        await self._refuse_the_rest(server, node, commander)
        for name in ("UnitModeCurrent", "EquipmentBlocked", "EquipmentStarved"):
            self._status[name] = (await within(node, "Status", name)).nodeid
        if (version := await child(node, "PackMLVersion")) is not None:
            await self._board.put(version.nodeid, ua.Variant(VERSION, ua.VariantType.String))
        return node

    async def _refuse_the_rest(self, server: Server, node: Node, commander: Commander) -> None:
        """What a line's machines have and this one has not: speed, products, parameters and interlocks from outside."""

        async def no(_session: StationSession, *_arguments: Any) -> Outcome:
            raise RefusedError(ua.StatusCodes.BadNotSupported, "this machine takes no such setting")

        for method in await node.get_children(nodeclassmask=ua.NodeClass.Method):
            server.link_method(method, commander.method(no, WHO_COMMAND, *[ua.VariantType.Null] * await _count(method)))

    async def show(self, told: Sections) -> None:
        """Show the cell; nothing is told while the station is not heard."""
        base, machine, execute = self._machines
        if not told:
            for one in self._machines:
                await one.show(self._board, None, UNKNOWN)
        else:
            name = State[told["cell"]["state"]].name.title()
            inner = name not in BASE
            await base.show(self._board, name if not inner else "Cleared")
            running = inner and name not in MACHINE
            await machine.show(self._board, (name if not running else "Running") if inner else None)
            await execute.show(self._board, name if running else None)
        status = GOOD if told else UNKNOWN
        blocked = any(place["full"] for place in told["bins"]) if told else None
        starved = bool(told) and told["cell"]["state"] == "SUSPENDED" and told["line"]["waiting"] is None
        mode = ua.Variant(Mode.PRODUCTION.value, ua.VariantType.Int32)
        await self._board.put(self._status["UnitModeCurrent"], mode, status)
        await self._board.put(
            self._status["EquipmentBlocked"], ua.Variant(bool(blocked), ua.VariantType.Boolean), status
        )
        await self._board.put(self._status["EquipmentStarved"], ua.Variant(starved, ua.VariantType.Boolean), status)


async def _count(method: Node) -> int:
    """How many arguments a method takes."""
    arguments = await child(method, "InputArguments")
    return len(await arguments.read_value()) if arguments is not None else 0
