"""The vision system of OPC 40100-1: its state, results that stay queryable by id, recipes, configurations and events.

| PackML | vision state machine |
|---|---|
| the station is not heard | Preoperational |
| Stopping, Stopped, Clearing | Halted |
| Resetting | Preoperational |
| Holding, Held, Unholding, Aborting, Aborted | Error |
| Idle, Starting, Completing, Complete | Operational, Initialized |
| Execute, Suspending, Suspended, Unsuspending | Operational, Ready; SingleExecution from entry to decision of a part |

A part that turns is one job of SingleExecution, which the line PLC starts by announcing it: StartSingleJob and
StartContinuous are refused with BadInvalidState. Every part type is prepared as long as the station runs.

Source: OPC 40100-1, sections 8 (state machine), 7.4 to 7.7 (management), annex B.3 (single job).
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

from asyncua import Node, Server, ua

from station.core.moments import moment
from station.core.ports.records import RecordReader
from station.core.records import JsonObject, RecordFilter
from station.core.settings import Settings
from station.page.roles import AT_THE_CELL, WHO_COMMAND
from station.plant.cell_values import Sections
from station.plant.opcua.admission import StationSession
from station.plant.opcua.commanding import Commander, Outcome, RefusedError
from station.plant.opcua.nodesets import VISION
from station.plant.opcua.space import INACTIVE, Board, StateMachine, Types, within

STATES = {
    **dict.fromkeys(("STOPPING", "STOPPED", "CLEARING"), "Halted"),
    **dict.fromkeys(("HOLDING", "HELD", "UNHOLDING", "ABORTING", "ABORTED"), "Error"),
    "RESETTING": "Preoperational",
}
"""Vision states that are not Operational, by PackML state."""
INITIALIZED = frozenset({"IDLE", "STARTING", "COMPLETING", "COMPLETE"})
EVENTS = ("StateChangedEventType", "JobStartedEventType", "AcquisitionDoneEventType", "ResultReadyEventType",
          "ReadyEventType", "RecipePreparedEventType")  # fmt: skip
OK = ua.Variant(0, ua.VariantType.Int32)
COMPLETED, ABORTED = 1, 3
"""ResultStateDataType."""
MOST = 1000
T = ua.VariantType


class VisionSystem:
    """The vision system of one server.

    Args:
        board: Writes values.
        records: The station's; only read.
        settings: The station's configuration.
    """

    def __init__(self, board: Board, records: RecordReader, settings: Settings) -> None:
        self._board = board
        self._records = records
        self._settings = settings
        self._outer: StateMachine | None = None
        self._inner: StateMachine | None = None
        self._events: dict[str, Any] = {}
        self._shown: tuple[str, str | None] = ("", None)
        self._job = ""
        self._handle = 0

    async def build(self, server: Server, parent: Node, types: Types, commander: Commander, index: int) -> Node:
        """Make the vision system below an object."""
        kind = types.named(VISION, "VisionSystemType")
        node = await parent.add_object(
            ua.NodeId("VisionSystem", index), ua.QualifiedName("VisionSystem", index), objecttype=kind.nodeid
        )
        outer = await within(node, "VisionStateMachine")
        self._outer = await StateMachine.of(outer, types.named(VISION, "VisionStateMachineType"))
        inner = await within(outer, "AutomaticModeStateMachine")
        self._inner = await StateMachine.of(inner, types.named(VISION, "VisionAutomaticModeStateMachineType"))
        for name in EVENTS:
            emitter = outer if name == "StateChangedEventType" else node
            self._events[name] = await server.get_event_generator(types.named(VISION, name), emitter)
            await types.named(VISION, "VisionStateMachineType").add_reference(
                types.named(VISION, name), ua.ObjectIds.GeneratesEvent
            )
        await self._link(server, node, commander)
        active = await within(node, "ConfigurationManagement", "ActiveConfiguration")
        await self._board.put(active.nodeid, ua.Variant(self._configuration(), T.ExtensionObject))
        return node

    # ------------------------------------------------------------------ state and events

    async def show(self, told: Sections) -> None:
        """Show the cell, and tell of what has changed; while the station is not heard it is Preoperational."""
        if self._outer is None or self._inner is None:
            return
        state = told["cell"]["state"] if told else "RESETTING"
        part = (told["part"] or {}) if told else {}
        outer = STATES.get(state, "Operational")
        inner = _inner(state, part) if outer == "Operational" else None
        await self._outer.show(self._board, outer)
        await self._inner.show(self._board, inner, INACTIVE)
        if (outer, inner) != self._shown:
            self._shown = (outer, inner)
            await self._tell("StateChangedEventType", f"{outer} {inner or ''}".strip())
        job = part.get("inspection") or ""
        if inner == "SingleExecution" and job != self._job:
            self._job = job
            await self._tell("JobStartedEventType", f"part {part['id']}", JobId=_id("JobId", job))
        elif inner == "Ready" and self._job and job == self._job:
            self._job = ""
            await self._tell("AcquisitionDoneEventType", f"part {part['id']}", JobId=_id("JobId", job))
            await self._tell("ReadyEventType", "for the next part", JobId=_id("JobId", job))

    async def tell_part(self, record: JsonObject) -> None:
        """A part ended: its result is ready.

        Args:
            record: Its flat columns.
        """
        result = self._result(record)
        fields = {name: getattr(result, name) for name in FIELDS}
        await self._tell(
            "ResultReadyEventType", f"{record['part_id']}: {record['verdict'] or record['state']}", **fields
        )

    async def _tell(self, name: str, message: str, **fields: Any) -> None:
        generator = self._events[name]
        for field, value in fields.items():
            setattr(generator.event, field, value)
        generator.event.Severity = 100
        await generator.trigger(message=message)

    # ------------------------------------------------------------------ methods

    async def _link(self, server: Server, node: Node, commander: Commander) -> None:
        """Give every method below the vision system what it does, or a refusal in words."""
        works: dict[str, Any] = {
            "Halt": commander.method(self._commanding(commander, "stop"), AT_THE_CELL, T.Int32, T.String),
            "Reset": commander.method(self._commanding(commander, "reset"), WHO_COMMAND, T.Int32, T.String),
            "Stop": commander.method(self._commanding(commander, "stop"), AT_THE_CELL, T.Int32, T.String),
            "Abort": commander.method(self._commanding(commander, "abort"), AT_THE_CELL, T.Int32, T.String),
            "SelectModeAutomatic": commander.method(_not_now, WHO_COMMAND),
            "StartSingleJob": commander.method(_not_now, WHO_COMMAND, *[T.Null] * 5),
            "StartContinuous": commander.method(_not_now, WHO_COMMAND, *[T.Null] * 5),
            "GetResultById": commander.method(self._result_by_id, None, T.Null, T.Int32),
            "GetResultListFiltered": commander.method(self._results, None, *[T.Null] * 12),
            "GetRecipeListFiltered": commander.method(self._recipes, None, *[T.Null] * 6),
            "PrepareRecipe": commander.method(self._prepare, WHO_COMMAND, T.Null, T.Null),
            "GetConfigurationList": commander.method(self._configurations, None, T.UInt32, T.UInt32, T.Int32),
            "GetConfigurationById": commander.method(self._configuration_by_id, None, T.Null, T.Int32),
            "ReleaseResultHandle": commander.method(_released, None, T.UInt32),
            "ReleaseRecipeHandle": commander.method(_released, None, T.UInt32),
            "ReleaseConfigurationHandle": commander.method(_released, None, T.UInt32),
        }
        for method, count in await _methods(node):
            name = str((await method.read_browse_name()).Name)
            refusal = commander.method(_not_supported, WHO_COMMAND, *[T.Null] * count)
            server.link_method(method, works.get(name, refusal))

    def _commanding(self, commander: Commander, word: str) -> Any:
        async def work(session: StationSession, _cause: int, _description: str) -> Outcome:
            await commander.carry_out(session, word)
            return [OK]

        return work

    async def _result_by_id(self, _session: StationSession, which: Any, _timeout: int) -> Outcome:
        record = await asyncio.to_thread(self._records.record, _text(which) or "-")
        return [self._next_handle(), ua.Variant(self._result(record), T.ExtensionObject), OK]

    async def _results(self, _session: StationSession, *asked: Any) -> Outcome:
        part, recipe, most, start = _text(asked[2]), _text(asked[3]), _count(asked[9]), _count(asked[10])
        wanted = start + (most or MOST)
        found = await asyncio.to_thread(self._records.records, RecordFilter(part_id=part or None), wanted + 1)
        chosen = [row._asdict() for row in found if not recipe or row.part_type == recipe]
        listed = [self._result(row) for row in chosen[start:wanted]]
        return [
            ua.Variant(len(found) <= wanted, T.Boolean), ua.Variant(len(listed), T.UInt32), self._next_handle(),
            ua.Variant(listed, T.ExtensionObject, is_array=True), OK,
        ]  # fmt: skip

    async def _recipes(self, _session: StationSession, *asked: Any) -> Outcome:
        wanted = _text(asked[0])
        names = [name for name in self._settings.part_types if wanted in ("", name)]
        listed = [_id("RecipeIdInternal", name) for name in names]
        return [
            ua.Variant(True, T.Boolean),
            ua.Variant(len(listed), T.UInt32), self._next_handle(),
            ua.Variant(listed, T.ExtensionObject, is_array=True), OK,
        ]  # fmt: skip

    async def _prepare(self, _session: StationSession, external: Any, internal: Any) -> Outcome:
        name = _text(external) or _text(internal)
        if name not in self._settings.part_types:
            raise RefusedError(ua.StatusCodes.BadNotFound, f"there is no part type {name!r}")
        fields = {"ExternalId": _id("RecipeIdExternal", name), "InternalId": _id("RecipeIdInternal", name)}
        await self._tell("RecipePreparedEventType", name, **fields)
        return [ua.Variant(fields["InternalId"], T.ExtensionObject), ua.Variant(True, T.Boolean), OK]

    async def _configurations(self, _session: StationSession, _most: int, start: int, _timeout: int) -> Outcome:
        listed = [self._configuration()][start:]
        return [
            ua.Variant(True, T.Boolean), ua.Variant(len(listed), T.UInt32), self._next_handle(),
            ua.Variant(listed, T.ExtensionObject, is_array=True), OK,
        ]  # fmt: skip

    async def _configuration_by_id(self, _session: StationSession, which: Any, _timeout: int) -> Outcome:
        if _text(which) != self._settings.sha256:
            raise RefusedError(ua.StatusCodes.BadNotFound, "there is no such configuration")
        return [self._next_handle(), ua.Variant(self._configuration(), T.ExtensionObject), OK]

    # ------------------------------------------------------------------ structures

    def _result(self, record: JsonObject) -> Any:
        """A part's record as a result; of one that is only listed there is less."""
        result = _structure("ResultDataType")
        inspection, ended = record["inspection_id"], record.get("state") not in (None, "open", "judged")
        result.ResultId, result.JobId = _id("ResultId", inspection), _id("JobId", inspection)
        result.HasTransferableDataOnFile = result.IsSimulated = False
        result.IsPartial = not (ended or record["confirmed_bin"])
        result.ResultState = COMPLETED if record["verdict"] else ABORTED
        result.MeasId, result.PartId = _id("MeasId", inspection), _id("PartId", record["part_id"])
        result.ProductId = _id("ProductId", record["part_type"])
        result.ExternalRecipeId = _id("RecipeIdExternal", record["part_type"])
        result.InternalRecipeId = _id("RecipeIdInternal", record["part_type"])
        configuration = record.get("config_sha256") or self._settings.sha256
        result.ExternalConfigurationId = result.InternalConfigurationId = _id("ConfigurationId", configuration)
        result.CreationTime = moment(record["entered_at"])
        result.ProcessingTimes = _structure("ProcessingTimesDataType")
        result.ProcessingTimes.StartTime = result.ProcessingTimes.EndTime = result.CreationTime
        confidence = float(record["confidence"] or 0)
        content = (record["verdict"] or "", record.get("algorithm1") or "", record["confirmed_bin"] or "")
        result.ResultContent = [*(ua.Variant(text, T.String) for text in content), ua.Variant(confidence, T.Double)]
        return result

    def _configuration(self) -> Any:
        found = _structure("ConfigurationDataType")
        found.HasTransferableDataOnFile = False
        found.InternalId = found.ExternalId = _id("ConfigurationId", self._settings.sha256)
        found.LastModified = datetime(1970, 1, 1, tzinfo=UTC)
        return found

    def _next_handle(self) -> ua.Variant:
        self._handle = (self._handle + 1) % (1 << 31)
        return ua.Variant(self._handle, T.UInt32)


FIELDS = ("CreationTime", "ExternalConfigurationId", "ExternalRecipeId", "InternalConfigurationId", "InternalRecipeId",
          "IsPartial", "IsSimulated", "JobId", "MeasId", "PartId", "ProcessingTimes", "ProductId", "ResultContent",
          "ResultId", "ResultState")  # fmt: skip
"""Of the event ResultReady, as of a result."""


def _inner(state: str, part: dict[str, Any]) -> str:
    if state in INITIALIZED:
        return "Initialized"
    working = bool(part) and part["decision"] is None and part["ended"] is None
    return "SingleExecution" if working else "Ready"


async def _methods(node: Node) -> list[tuple[Node, int]]:
    """Every method below a node, with the number of its arguments."""
    found = []
    for one in await node.get_children():
        kind = await one.read_node_class()
        if kind is ua.NodeClass.Method:
            arguments = [a for a in await one.get_children() if (await a.read_browse_name()).Name == "InputArguments"]
            found.append((one, len(await arguments[0].read_value()) if arguments else 0))
        elif kind is ua.NodeClass.Object:
            found += await _methods(one)
    return found


def _structure(name: str) -> Any:
    """A structure of the node set, whose classes asyncua has made from it."""
    return getattr(ua, name)()


def _id(kind: str, value: str) -> Any:
    found = _structure(f"{kind}DataType")
    found.Id = value
    return found


def _text(argument: Any) -> str:
    """The id in an argument: a structure, the bytes of one, or a text.

    asyncua hands a structure of a node set on as bytes where it has no class for it.
    """
    if isinstance(argument, ua.ExtensionObject):
        argument = argument.Body
    if isinstance(argument, bytes):
        length = int.from_bytes(argument[:4], "little", signed=True) if len(argument) >= 4 else -1
        body = argument[4 : 4 + length] if length >= 0 else b""
        return body.decode(errors="replace")
    found = getattr(argument, "Id", argument)
    return found if isinstance(found, str) else ""


def _count(argument: Any) -> int:
    return max(0, min(int(argument), MOST)) if isinstance(argument, int) else 0


async def _not_now(_session: StationSession, *_arguments: Any) -> Outcome:
    raise RefusedError(ua.StatusCodes.BadInvalidState, "parts are announced by the line PLC, which begins each job")


async def _not_supported(_session: StationSession, *_arguments: Any) -> Outcome:
    raise RefusedError(ua.StatusCodes.BadNotSupported, "this vision system has no such setting and hands out no files")


async def _released(_session: StationSession, _handle: int) -> Outcome:
    return [OK]
