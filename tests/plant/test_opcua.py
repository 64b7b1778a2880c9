"""The OPC UA server as a foreign client sees it: node-opcua browses, reads, subscribes, hears events, commands."""

import asyncio
import json
import shutil
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config import bundled
from station.cell.packml import State
from station.core.clock import SystemClock
from station.core.settings import Settings, parse_settings
from station.page.passwords import Passwords
from station.page.people import Hand
from station.page.roles import Role
from station.plant.opcua.serving import Served, served
from tests.housings import Verdict
from tests.page_bench import PASSWORD, QUICK
from tests.plant.cells import cell_at_work
from tests.plant.peers import HERE, Json, Peer, package_of, peer

pytestmark = [pytest.mark.plant, pytest.mark.timeout(280)]

NODESETS = HERE / "node_modules" / "node-opcua-nodesets" / "nodesets"
COMMANDS = "ns=2;s=Commands"


@pytest.fixture(autouse=True)
def packages() -> None:
    package_of("node-opcua-client")
    package_of("node-opcua-nodesets")


def configured(**changes: object) -> Settings:
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    document["opcua"] = {"port": 0, **changes}
    return parse_settings(document, "test")


@asynccontextmanager
async def serving(folder: Path, **changes: object) -> AsyncIterator[Served]:
    """A server of this data folder, in which an operator, an engineer and a quality engineer may sign in."""
    settings = configured(**{"security": "none", **changes})
    async with served(settings, folder, SystemClock(), lambda _line: None, Passwords(QUICK)) as server:
        for role in (Role.OPERATOR, Role.ENGINEER, Role.QUALITY):
            await asyncio.to_thread(server.people.add, role.value.title(), role, PASSWORD, Hand("a test", ""))
        yield server


class Client:
    """A client in JavaScript."""

    def __init__(self, program: Peer) -> None:
        self.program = program

    async def does(self, what: str, **asked: object) -> Json:
        """Have it do something; what came of it."""
        self.program.tell({"do": what, **asked})
        return await self.program.next("done", do=what)

    async def sees(self, node: str, value: object) -> None:
        """Return when a variable that it watches has this value, as far as it was told."""
        told = [said["value"] for said in self.program.said if said.get("event") == "value" and said["node"] == node]
        if not told or told[-1] != value:
            await self.program.next("value", node=node, value=value)

    async def calls(self, method: str, *arguments: tuple[str, Any]) -> Json:
        """Call a method of the station's own."""
        given = [{"type": kind, "value": value} for kind, value in arguments]
        return await self.does("call", object=COMMANDS, method=f"{COMMANDS}/{method}", arguments=given)

    async def way(self, *names: str) -> str:
        """The node on the way of these names below Objects."""
        node = "i=85"
        for name in names:
            found = await self.does("browse", node=node)
            node = found["ids"][found["names"].index(name)]
        return node


@asynccontextmanager
async def client(
    server: Served, tmp_path: Path, *, security: str = "none", user: str = "", password: str = PASSWORD
) -> AsyncIterator[Client]:
    """A foreign client that is connected."""
    async with peer("opcua_client.js", server.address, security, str(tmp_path / "client-pki")) as program:
        await program.next("ready")
        found = Client(program)
        done = await found.does("connect", user=user, password=password, retry=20)
        assert done["status"] == "Good", done
        yield found


def own(*names: str) -> list[str]:
    return [f"ns=2;s={name}" for name in names]


async def read(one: Client, *names: str) -> tuple[Sequence[Any], Sequence[str]]:
    found = await one.does("read", nodes=own(*names))
    return found["values"], found["statuses"]


async def test_a_client_browses_reads_and_is_told_each_change_each_part_and_the_end(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    async with serving(data, anonymous=True) as server, client(server, tmp_path) as one:
        found = await one.does("browse", node="ns=2;s=InspectionStation")
        assert {"Cell", "Line", "Hand", "Part", "Counters", "Places", "Alarms", "Result", "Commands"} <= set(
            found["names"]
        )
        values, statuses = await read(one, "Station/Heard", "Cell/State")
        assert (values, statuses[1]) == ([False, None], "BadNoCommunication")
        await one.does(
            "watch", nodes=own("Cell/State", "Cell/State Number", "Result/Part", "Counters/Sorted", "Station/Heard")
        )
        events = await one.does(
            "events", node="ns=2;s=InspectionStation", fields=["Message", "2:Part", "2:Verdict", "2:State"]
        )
        assert events["status"] == "Good", events
        async with cell_at_work(data) as cell:
            cell.classifier.says = Verdict.SCRATCHES
            await one.sees("ns=2;s=Cell/State", "STOPPED")
            await cell.start()
            await one.sees("ns=2;s=Cell/State", "EXECUTE")
            cell.feed("A1")
            while (told := await one.program.next("told"))["values"][1] != "A1":
                pass
            assert told["values"][:3] == ["A1: scratches", "A1", "scratches"]
            values, statuses = await read(
                one, "Result/Verdict", "Result/Confirmed", "Result/Confidence", "Cell/State Number"
            )
            assert values[:2] == ["scratches", "bin_scratches"]
            assert values[2] == pytest.approx(0.96)
            assert (values[3], set(statuses)) == (6, {"Good"})
        await one.sees("ns=2;s=Station/Heard", False)
        assert (await read(one, "Cell/State"))[1] == ["BadNoCommunication"], "nothing old looks as if it were of now"


async def test_commands_go_by_role_and_hand_and_each_refusal_says_why(tmp_path: Path) -> None:
    async with cell_at_work(tmp_path) as cell, serving(tmp_path, anonymous=True) as server:
        async with client(server, tmp_path) as nobody:
            assert (await nobody.calls("Stop"))["status"] == "BadUserAccessDenied"
        async with (
            client(server, tmp_path, user="Operator") as operator,
            client(server, tmp_path, user="Engineer") as engineer,
        ):
            assert (await operator.calls("Start"))["status"] == "BadUserAccessDenied"
            assert (await engineer.calls("Reset"))["status"] == "BadRequestNotAllowed", "the line PLC has the hand"
            (why,), _ = await read(engineer, "Commands/Refused")
            assert "hand" in why
            taken = await engineer.calls("TakeHand", ("String", "a new belt"), ("UInt32", 10))
            assert taken["status"] == "Good"
            assert taken["gives"][0].startswith("20")
            assert (await engineer.calls("Reset"))["status"] == "Good"
            await cell.desk.reached(State.IDLE)
            assert (await engineer.calls("Reset"))["status"] == "BadInvalidState"
            assert (await engineer.calls("Start"))["status"] == "Good"
            await cell.desk.reached(State.EXECUTE)
            assert (await operator.calls("Stop"))["status"] == "Good", "at once, whoever has the hand"
            await cell.desk.reached(State.STOPPED)
            assert (await engineer.calls("Reset"))["status"] == "BadRequestNotAllowed", (
                "with the stop the hand was over"
            )
            for arguments, status in (
                ((), "BadArgumentsMissing"), ((("String", ""), ("UInt32", 10)), "BadInvalidArgument"),
                ((("String", "x"), ("UInt32", 0)), "BadInvalidArgument"),
                ((("String", "x"), ("String", "10")), "BadInvalidArgument"),
                ((("String", "x"), ("UInt32", 10), ("UInt32", 10)), "BadTooManyArguments"),
            ):  # fmt: skip
                assert (await engineer.calls("TakeHand", *arguments))["status"] == status, arguments
            assert (await engineer.calls("Acknowledge", ("String", "jig.slipped"), ("String", "")))[
                "status"
            ] == "BadNotFound"
            assert (await engineer.calls("Dance"))["status"] == "BadNodeIdInvalid"
            assert (await engineer.calls("TakeHand", ("String", "again"), ("UInt32", 10)))["status"] == "Good"
            assert (await engineer.does("leave"))["status"] == "Good"
            async with client(server, tmp_path, user="Operator") as later:
                for _ in range(200):  # a session that is over has no hand
                    if (await read(later, "Hand/Who"))[0] == [None]:
                        break
                else:
                    pytest.fail("the hand stays with a session that is over")


async def test_nobody_writes_and_a_wrong_password_does_not_come_in(tmp_path: Path) -> None:
    async with serving(tmp_path, anonymous=True) as server:
        async with client(server, tmp_path, user="Engineer") as engineer:
            for node, kind, value in (
                ("ns=2;s=Cell/State", "String", "EXECUTE"),
                ("ns=2;s=Result/Verdict", "String", "defect_free"),
            ):
                assert (await engineer.does("write", node=node, type=kind, value=value))["status"] in {
                    "BadNotWritable", "BadUserAccessDenied",
                }  # fmt: skip
        async with peer("opcua_client.js", server.address, "none", str(tmp_path / "pki")) as program:
            await program.next("ready")
            stranger = Client(program)
            for user, password in (("Engineer", "wrong horse battery"), ("Nobody", PASSWORD)):
                assert (await stranger.does("connect", user=user, password=password))["status"] == "failed"


async def test_an_unknown_certificate_is_refused_until_a_person_trusts_it(tmp_path: Path) -> None:
    async with serving(tmp_path, security="sign_and_encrypt") as server:
        async with peer("opcua_client.js", server.address, "encrypted", str(tmp_path / "client-pki")) as program:
            await program.next("ready")
            stranger = Client(program)
            refused = await stranger.does("connect", user="Engineer", password=PASSWORD)
            assert refused["status"] == "failed", refused
        (rejected,) = (tmp_path / "opcua" / "rejected").iterdir()
        shutil.move(rejected, tmp_path / "opcua" / "trusted")
        async with client(server, tmp_path, security="encrypted", user="Engineer") as known:
            values, _ = await read(known, "Station/Name")
            assert values == ["simulated-cell"]
    key = tmp_path / "opcua" / "server.pem"
    assert key.stat().st_mode & 0o777 == 0o600


async def test_the_companion_specifications_show_the_same_cell(tmp_path: Path) -> None:
    async with (
        cell_at_work(tmp_path) as cell, serving(tmp_path, nodesets=str(NODESETS), anonymous=True) as server,
        client(server, tmp_path, user="Engineer") as one,
    ):  # fmt: skip
        packml = await one.way("PackMLObjects", "PackML", "BaseStateMachine")
        base = await one.way("PackMLObjects", "PackML", "BaseStateMachine", "CurrentState")
        machine = await one.way("PackMLObjects", "PackML", "BaseStateMachine", "MachineState", "CurrentState")
        execute = await one.way(
            "PackMLObjects", "PackML", "BaseStateMachine", "MachineState", "ExecuteState", "CurrentState"
        )
        vision = await one.way("VisionSystem", "VisionStateMachine", "CurrentState")
        automatic = await one.way("VisionSystem", "VisionStateMachine", "AutomaticModeStateMachine", "CurrentState")
        item = await one.way(
            "Machines", "simulated-cell", "MachineryBuildingBlocks", "MachineryItemState", "CurrentState"
        )
        await one.does("watch", nodes=[base, machine, execute, vision, automatic, item])
        await one.does("events", node=await one.way("VisionSystem"), fields=["Message"])
        await one.sees(vision, "Halted")
        await one.sees(item, "NotExecuting")
        found = await one.does("read", nodes=[base, machine, execute])
        assert found["values"] == ["Cleared", "Stopped", None]
        assert found["statuses"][2] == "BadStateNotActive"
        assert (await one.calls("TakeHand", ("String", "a try"), ("UInt32", 10)))["status"] == "Good"
        inside = await one.way("PackMLObjects", "PackML", "BaseStateMachine", "MachineState")
        reset = await one.way("PackMLObjects", "PackML", "BaseStateMachine", "MachineState", "Reset")
        assert (await one.does("call", object=inside, method=reset, arguments=[]))["status"] == "Good"
        await one.sees(execute, "Idle")
        assert (await one.does("call", object=inside, method=reset, arguments=[]))["status"] == "BadInvalidState"
        await cell.desk.reached(State.IDLE)
        assert (await one.calls("Start"))["status"] == "Good"
        await one.sees(automatic, "Ready")
        await one.sees(item, "Executing")
        cell.feed("A1")
        await one.sees(automatic, "SingleExecution")
        messages = []
        while "A1: defect_free" not in messages:
            messages.append((await one.program.next("told"))["values"][0])
        assert "part A1" in messages, "the job's begin was told"
        abort = await one.way("PackMLObjects", "PackML", "BaseStateMachine", "Abort")
        assert (await one.does("call", object=packml, method=abort, arguments=[]))["status"] == "Good"
        await one.sees(base, "Aborted")
        await one.sees(vision, "Error")
        await one.sees(item, "OutOfService")
        transfer = await one.way("VisionSystem", "ResultManagement", "ResultTransfer")
        generate = await one.way("VisionSystem", "ResultManagement", "ResultTransfer", "GenerateFileForRead")
        refused = await one.does("call", object=transfer, method=generate, arguments=[{"type": "String", "value": ""}])
        assert refused["status"] == "BadNotSupported"


async def test_a_result_stays_queryable_by_its_id(tmp_path: Path) -> None:
    async with cell_at_work(tmp_path) as cell, serving(tmp_path, anonymous=True) as server:
        await cell.start()
        cell.feed("A1")
        async with client(server, tmp_path) as one:
            await one.does("watch", nodes=own("Result/Part"))
            if (await read(one, "Result/Part"))[0] != ["A1"]:
                await one.sees("ns=2;s=Result/Part", "A1")
            found = await one.calls("FindParts", ("String", "A1"), ("UInt32", 10))
            (inspection,) = found["gives"][0]
            whole = json.loads((await one.calls("GetPart", ("String", inspection)))["gives"][0])
            assert (whole["part_id"], whole["verdict"]) == ("A1", "defect_free")
            assert (await one.calls("GetPart", ("String", "NO-SUCH")))["status"] == "BadNotFound"


async def test_a_client_whose_connection_breaks_comes_back_to_its_subscription(tmp_path: Path) -> None:
    async with (
        cell_at_work(tmp_path) as cell,
        serving(tmp_path, anonymous=True) as server,
        client(server, tmp_path) as one,
    ):
        await one.does("watch", nodes=own("Cell/State"))
        await one.sees("ns=2;s=Cell/State", "STOPPED")
        for transport in list(server.server.asyncio_transports):
            transport.abort()
        await cell.start()
        await one.sees("ns=2;s=Cell/State", "EXECUTE")


async def test_more_clients_than_are_let_in_are_refused_and_those_inside_stay(tmp_path: Path) -> None:
    async with serving(tmp_path, anonymous=True, max_sessions=2) as server, client(server, tmp_path) as one:
        async with client(server, tmp_path):
            async with peer("opcua_client.js", server.address, "none", str(tmp_path / "pki")) as program:
                await program.next("ready")
                assert (await Client(program).does("connect"))["status"] == "failed"
            values, _ = await read(one, "Diagnostics/Sessions")
            assert values == [2]
        async with client(server, tmp_path):
            pass
