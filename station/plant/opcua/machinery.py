"""The machine of OPC 40001-1: who made it, and whether it works.

Source: OPC 40001-1, sections 8 (identification), 11 and 12 (state of an item).
"""

import socket

from asyncua import Node, Server, ua

from station.plant.cell_values import Sections
from station.plant.opcua.nodesets import MACHINERY
from station.plant.opcua.space import Board, StateMachine, Types, child

WORKING = frozenset({"EXECUTE", "STARTING", "UNHOLDING", "UNSUSPENDING", "COMPLETING"})
BROKEN = frozenset({"ABORTING", "ABORTED", "CLEARING", "HOLDING", "HELD"})
DI = "http://opcfoundation.org/UA/DI/"


class MachineItem:
    """The machine of one server.

    Args:
        board: Writes values.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._state: StateMachine | None = None

    async def build(self, server: Server, types: Types, index: int, name: str, version: str) -> Node:
        """Make the machine in the folder of machines."""
        machines = await child(server.nodes.objects, "Machines")
        parent = machines if machines is not None else server.nodes.objects
        machine = await parent.add_object(ua.NodeId("Machine", index), ua.QualifiedName(name, index))
        identity = await machine.add_object(
            ua.NodeId("Machine/Identification", index),
            ua.QualifiedName("Identification", await server.get_namespace_index(DI)),
            objecttype=types.named(MACHINERY, "MachineIdentificationType").nodeid,
        )
        host = socket.gethostname()
        told = {"Manufacturer": "", "Model": "Inspection station", "SerialNumber": host, "SoftwareRevision": version,
                "ProductInstanceUri": f"urn:{host}:inspection-station:{name}", "ComponentName": name}  # fmt: skip
        for key, text in told.items():
            await self._identify(identity, key, text)
        machinery = await server.get_namespace_index(MACHINERY)
        blocks = await machine.add_object(
            ua.NodeId("Machine/Blocks", index), ua.QualifiedName("MachineryBuildingBlocks", machinery)
        )
        kind = types.named(MACHINERY, "MachineryItemState_StateMachineType")
        state = await blocks.add_object(
            ua.NodeId("Machine/State", index), ua.QualifiedName("MachineryItemState", machinery), objecttype=kind.nodeid
        )
        self._state = await StateMachine.of(state, kind)
        return machine

    async def _identify(self, identity: Node, key: str, text: str) -> None:
        node = await child(identity, key)
        if node is None:
            return
        localized = await node.read_data_type() == ua.NodeId(ua.ObjectIds.LocalizedText)
        value = ua.Variant(ua.LocalizedText(text), ua.VariantType.LocalizedText) if localized else ua.Variant(text)
        await self._board.put(node.nodeid, value)

    async def show(self, told: Sections) -> None:
        """Show the cell; while the station is not heard the machine is not available."""
        if self._state is not None:
            await self._state.show(self._board, _state_of(told))


def _state_of(told: Sections) -> str:
    state = told["cell"]["state"] if told else ""
    if not state:
        return "NotAvailable"
    if state in BROKEN:
        return "OutOfService"
    return "Executing" if state in WORKING else "NotExecuting"
