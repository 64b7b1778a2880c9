"""The station's own nodes, which need no node set: every value of the cell, the methods, and what happens as events.

    Objects/InspectionStation/  Cell, Line, Hand, Part, Counters, Places, Alarms, Promise, Result   variables, read only
                                Commands     Start … Clear, TakeHand, GiveHandBack, Acknowledge, GetPart, FindParts
                                Diagnostics  sessions and subscriptions that there are

A node's id is its name, for example `ns=2;s=Cell/State`, and does not change.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from asyncua import Node, Server, ua

from station.cell.packml import Command
from station.core.moments import moment
from station.core.ports.records import RecordReader
from station.core.records import JsonObject, RecordFilter
from station.page.roles import AT_THE_CELL, WHO_COMMAND
from station.plant.cell_values import HEARD, RESULT, Kind, Row, Sections, ended_ms, result_of
from station.plant.opcua.admission import StationServer, StationSession
from station.plant.opcua.commanding import Commander, Method, Outcome, RefusedError
from station.plant.opcua.space import GOOD, UNKNOWN, VARIANTS, Board, texts, variant_of

NAMESPACE = "urn:inspection-station"
ROOT = "InspectionStation"
REFUSED = "Commands/Refused"
SESSIONS, SUBSCRIPTIONS = "Diagnostics/Sessions", "Diagnostics/Subscriptions"
FOUND_MOST = 1000
T = ua.VariantType

Argument = tuple[str, ua.VariantType]


class OwnNodes:
    """The station's own nodes of one server.

    Args:
        server: The server.
        board: Writes values.
        index: Of the station's namespace.
        rows: The values of the cell.
    """

    def __init__(self, server: Server, board: Board, index: int, rows: tuple[Row, ...]) -> None:
        self._server = server
        self._board = board
        self._index = index
        self._rows = rows
        self._part_ended: Any = None
        self._state_changed: Any = None

    def id(self, name: str) -> ua.NodeId:
        """The node of this name."""
        return ua.NodeId(name, self._index)

    async def build(self, fixed: dict[str, str]) -> Node:
        """Make the nodes; the object that holds them all.

        Args:
            fixed: Texts that never change, by name.
        """
        root = await self._server.nodes.objects.add_object(self.id(ROOT), ua.QualifiedName(ROOT, self._index))
        folders: dict[str, Node] = {"": root}
        for name, kind in self._variables(fixed):
            await self._variable(folders, name, VARIANTS[kind])
        for name, text in fixed.items():
            await self._board.put(self.id(name), ua.Variant(text, T.String))
        self._part_ended = await self._event(
            root, "PartEndedEventType", {n: VARIANTS[k] for n, (k, _) in RESULT.items()}
        )
        self._state_changed = await self._event(root, "StateChangedEventType", {"State": T.String, "Reason": T.String})
        return root

    def _variables(self, fixed: dict[str, str]) -> list[tuple[str, Kind]]:
        return [
            *((name, Kind.TEXT) for name in fixed), (HEARD, Kind.FLAG), *((row.name, row.kind) for row in self._rows),
            *((f"Result/{name}", kind) for name, (kind, _column) in RESULT.items()),
            (REFUSED, Kind.TEXT), (SESSIONS, Kind.COUNT), (SUBSCRIPTIONS, Kind.COUNT),
        ]  # fmt: skip

    async def _variable(self, folders: dict[str, Node], name: str, kind: ua.VariantType) -> None:
        parent, _, own = name.rpartition("/")
        variable = await (await self._folder(folders, parent)).add_variable(
            self.id(name), ua.QualifiedName(own, self._index), ua.Variant(None, T.Null), datatype=ua.NodeId(kind.value)
        )
        await variable.set_read_only()
        await self._board.put(variable.nodeid, ua.Variant(None, T.Null), UNKNOWN)

    async def _folder(self, folders: dict[str, Node], name: str) -> Node:
        if name not in folders:
            parent, _, own = name.rpartition("/")
            above = await self._folder(folders, parent)
            folders[name] = await above.add_object(self.id(name), ua.QualifiedName(own, self._index))
        return folders[name]

    async def _event(self, root: Node, name: str, properties: dict[str, ua.VariantType]) -> Any:
        kind = await self._server.create_custom_event_type(
            self._index, name, ua.ObjectIds.BaseEventType, list(properties.items())
        )
        return await self._server.get_event_generator(kind, root)

    # ------------------------------------------------------------------ methods

    async def add_methods(self, commander: Commander, records: RecordReader) -> None:
        """Make the methods.

        Args:
            commander: Carries out what is commanded.
            records: The station's; only read.
        """
        for command in Command:
            await self._method(command.name.title(), commander.command(command.name.lower()))

        async def take(session: StationSession, why: str, minutes: int) -> Outcome:
            until = await commander.take_hand(session, why, minutes)
            return [ua.Variant(moment(until), T.DateTime)]

        async def give_back(session: StationSession) -> Outcome:
            commander.give_hand_back(session.token)
            return []

        async def acknowledge(session: StationSession, code: str, note: str) -> Outcome:
            await commander.acknowledge(session, code, note)
            return []

        async def get_part(_session: StationSession, inspection: str) -> Outcome:
            if not inspection:
                raise RefusedError(ua.StatusCodes.BadInvalidArgument, "which inspection")
            record = await asyncio.to_thread(records.record, inspection)
            return [ua.Variant(json.dumps(record, allow_nan=False), T.String)]

        async def find_parts(_session: StationSession, part: str, most: int) -> Outcome:
            chosen = RecordFilter(part_id=part or None)
            found = await asyncio.to_thread(records.records, chosen, min(most, FOUND_MOST))
            return [texts(one.inspection_id for one in found)]

        taking = commander.method(take, WHO_COMMAND, T.String, T.UInt32)
        await self._method("TakeHand", taking, [("Reason", T.String), ("Minutes", T.UInt32)], [("Until", T.DateTime)])
        await self._method("GiveHandBack", commander.method(give_back, WHO_COMMAND))
        acknowledging = commander.method(acknowledge, AT_THE_CELL, T.String, T.String)
        await self._method("Acknowledge", acknowledging, [("Code", T.String), ("Note", T.String)])
        getting = commander.method(get_part, None, T.String)
        await self._method("GetPart", getting, [("Inspection", T.String)], [("Record", T.String)])
        finding = commander.method(find_parts, None, T.String, T.UInt32)
        await self._method("FindParts", finding, [("Part", T.String), ("Most", T.UInt32)], [("Inspections", T.String)])

    async def _method(
        self, name: str, method: Method, takes: Iterable[Argument] = (), gives: Iterable[Argument] = ()
    ) -> None:
        commands = self._server.get_node(self.id("Commands"))
        arguments = [[_argument(*one) for one in some] for some in (takes, gives)]
        if name == "FindParts":
            arguments[1][0].ValueRank = 1
        await commands.add_method(self.id(f"Commands/{name}"), ua.QualifiedName(name, self._index), method, *arguments)

    # ------------------------------------------------------------------ values

    async def show(self, told: Sections, server: StationServer) -> None:
        """Show the cell.

        Args:
            told: All sections, or nothing while the station is not heard.
            server: Whose sessions and subscriptions are counted.
        """
        await self._board.put(self.id(HEARD), ua.Variant(bool(told), T.Boolean))
        for row in self._rows:
            value = variant_of(row.kind, row.of(told) if told else None)
            await self._board.put(self.id(row.name), value, GOOD if told else UNKNOWN)
        await self._board.put(self.id(SESSIONS), ua.Variant(server.sessions, T.UInt64))
        await self._board.put(self.id(SUBSCRIPTIONS), ua.Variant(server.subscriptions, T.UInt64))

    async def tell_state(self, told: Sections) -> None:
        """The state is another: an event."""
        event = self._state_changed.event
        reason = told["cell"]["reason"] or {}
        event.State, event.Reason = told["cell"]["state"], reason.get("code")
        event.Severity = 500 if reason else 100
        await self._state_changed.trigger(message=f"{event.State} {reason.get('text', '')}".strip())

    async def tell_part(self, record: JsonObject) -> None:
        """A part ended: its values, and an event.

        Args:
            record: Its flat columns.
        """
        values, event = result_of(record), self._part_ended.event
        for name, (kind, _column) in RESULT.items():
            value = variant_of(kind, values[name])
            await self._board.put(self.id(f"Result/{name}"), value)
            setattr(event, name, value.Value)
        event.Severity = 100
        at = datetime.fromtimestamp(ended_ms(record) / 1000, tz=moment(record["entered_at"]).tzinfo)
        await self._part_ended.trigger(at, f"{record['part_id']}: {record['verdict'] or record['state']}")

    async def tell_refusal(self, why: str) -> None:
        """Why the last call of a method was refused."""
        await self._board.put(self.id(REFUSED), ua.Variant(why, T.String))


def _argument(name: str, kind: ua.VariantType) -> ua.Argument:
    return ua.Argument(Name=name, DataType=ua.NodeId(kind.value), ValueRank=-1)
