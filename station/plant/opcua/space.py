"""What the parts of the address space have in common: values that are written on change, types, state machines."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncua import Node, Server, ua

from station.plant.cell_values import Kind, Value

VARIANTS = {
    Kind.NUMBER: ua.VariantType.Int32, Kind.COUNT: ua.VariantType.UInt64, Kind.REAL: ua.VariantType.Double,
    Kind.FLAG: ua.VariantType.Boolean, Kind.TEXT: ua.VariantType.String, Kind.DATE: ua.VariantType.DateTime,
}  # fmt: skip
"""The type of each kind of value."""
NOTHING = ua.StatusCode(ua.StatusCodes.BadNoData)
"""Of a number, flag or moment that has no value now: asyncua takes no null of theirs."""
UNKNOWN = ua.StatusCode(ua.StatusCodes.BadNoCommunication)
"""Of a value of the cell while the station is not heard."""
INACTIVE = ua.StatusCode(ua.StatusCodes.BadStateNotActive)
"""Of a state machine within a state that is not the present one."""
GOOD = ua.StatusCode(ua.StatusCodes.Good)


def variant_of(kind: Kind, value: Value | None) -> ua.Variant:
    """A value of the cell as a variant; None is null: of a text one of its type, else `NOTHING` goes with it."""
    if value is None:
        return ua.Variant(None, ua.VariantType.String if kind is Kind.TEXT else ua.VariantType.Null)
    if kind is Kind.DATE:
        return ua.Variant(datetime.fromtimestamp(float(value) / 1000, UTC), ua.VariantType.DateTime)
    return ua.Variant(value, VARIANTS[kind])


class Board:
    """Writes values into the address space, each only where it is another than before.

    Args:
        server: Whose address space it is.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._shown: dict[ua.NodeId, tuple[Any, int]] = {}

    async def put(self, node: ua.NodeId, value: ua.Variant, status: ua.StatusCode = GOOD) -> None:
        """Have a variable show this.

        Raises:
            UaStatusCodeError: It is of another type; asyncua would leave the former value, and say so in its log alone.
        """
        if value.VariantType is ua.VariantType.Null and status.is_good():
            status = NOTHING
        shown = (value.Value, status.value)
        if self._shown.get(node) == shown:
            return
        self._shown[node] = shown
        now = datetime.now(UTC)
        told = ua.DataValue(value, status, SourceTimestamp=now, ServerTimestamp=now)
        space = self._server.iserver.aspace
        (await space.write_attribute_value(node, ua.AttributeIds.Value, told)).check()


class Types:
    """The types of an address space by namespace and name.

    Args:
        found: Every type.
        indices: Of the namespaces, by their URI.
    """

    def __init__(self, found: dict[tuple[int, str], Node], indices: dict[str, int]) -> None:
        self._found = found
        self._indices = indices

    @classmethod
    async def of(cls, server: Server) -> "Types":
        """All object and event types there are."""
        found: dict[tuple[int, str], Node] = {}
        ahead = [server.nodes.base_object_type]
        while ahead:
            node = ahead.pop()
            name = await node.read_browse_name()
            found[name.NamespaceIndex, str(name.Name)] = node
            ahead += await node.get_children(refs=ua.ObjectIds.HasSubtype)
        uris = await server.get_namespace_array()
        return cls(found, {uri: index for index, uri in enumerate(uris)})

    def named(self, uri: str, name: str) -> Node:
        """The type of a specification."""
        return self._found[self._indices[uri], name]


async def child(node: Node, name: str) -> Node | None:
    """The child of this name, whatever its namespace; None where there is none."""
    for one in await node.get_children():
        if (await one.read_browse_name()).Name == name:
            return one
    return None


async def within(node: Node, *names: str) -> Node:
    """What lies on the way of these names below a node.

    Raises:
        KeyError: There is no such way.
    """
    for name in names:
        found = await child(node, name)
        if found is None:
            raise KeyError(f"{node} has no {name}")
        node = found
    return node


async def closed(node: Node) -> None:
    """Nobody writes the variables below this node."""
    for one in await node.get_children():
        if await one.read_node_class() is ua.NodeClass.Variable:
            await one.set_read_only()
        if await one.read_node_class() in (ua.NodeClass.Variable, ua.NodeClass.Object):
            await closed(one)


@dataclass(frozen=True, slots=True)
class StateMachine:
    """One state machine: where its present state is shown.

    Attributes:
        current: The variable CurrentState.
        current_id: Its property Id.
        transition: The variable LastTransition, where there is one.
        states: The states of its type, by name.
    """

    current: ua.NodeId
    current_id: ua.NodeId
    transition: ua.NodeId | None
    states: dict[str, ua.NodeId]

    @classmethod
    async def of(cls, node: Node, kind: Node) -> "StateMachine":
        """The state machine of this node, which is of this type."""
        current = await within(node, "CurrentState")
        transition = await child(node, "LastTransition")
        named = {(await one.read_browse_name()).Name: one for one in await kind.get_children()}
        states = {
            str(name): one.nodeid for name, one in named.items()
            if await one.read_node_class() is ua.NodeClass.Object and await child(one, "StateNumber") is not None
        }  # fmt: skip
        machine = cls(current.nodeid, (await within(current, "Id")).nodeid, transition and transition.nodeid, states)
        await _tell_supported(node, named, states)
        return machine

    async def show(self, board: Board, state: str | None, status: ua.StatusCode = INACTIVE) -> None:
        """Show a state; None: it is in none, for this reason."""
        if state is None:
            await board.put(self.current, ua.Variant(None, ua.VariantType.Null), status)
            await board.put(self.current_id, ua.Variant(None, ua.VariantType.Null), status)
            return
        await board.put(self.current, ua.Variant(ua.LocalizedText(state), ua.VariantType.LocalizedText))
        await board.put(self.current_id, ua.Variant(self.states[state], ua.VariantType.NodeId))


async def _tell_supported(node: Node, named: dict[str | None, Node], states: dict[str, ua.NodeId]) -> None:
    """Which states and transitions there are, where the machine tells that."""
    transitions = [
        one.nodeid for one in named.values()
        if await one.read_node_class() is ua.NodeClass.Object and await child(one, "TransitionNumber") is not None
    ]  # fmt: skip
    for name, found in (("AvailableStates", list(states.values())), ("AvailableTransitions", transitions)):
        if (variable := await child(node, name)) is not None:
            value = ua.Variant(found, ua.VariantType.NodeId, is_array=True)
            await variable.write_attribute(ua.AttributeIds.Value, ua.DataValue(value))


async def adopt_methods(node: Node, kind: Node) -> dict[str, list[ua.NodeId]]:
    """Every method of an object by its name: those that it has, and those of its type that it is to have.

    A method of a state machine's type may be used by its instances without a copy of it.
    """
    found: dict[str, list[ua.NodeId]] = {}
    own = await node.get_children(nodeclassmask=ua.NodeClass.Method)
    for one in own:
        found.setdefault(str((await one.read_browse_name()).Name), []).append(one.nodeid)
    for one in await kind.get_children(nodeclassmask=ua.NodeClass.Method):
        name = str((await one.read_browse_name()).Name)
        if name not in found:
            await node.add_reference(one, ua.ObjectIds.HasComponent)
        found.setdefault(name, []).append(one.nodeid)
    return found


def texts(values: Iterable[str]) -> ua.Variant:
    """Several texts."""
    return ua.Variant(list(values), ua.VariantType.String, is_array=True)
