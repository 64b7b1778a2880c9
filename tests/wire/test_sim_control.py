"""`python -m sim` with faults: chosen on the command line, switched over its control channel, told in its report."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.faults import NAMED_FAULTS
from tests.wire.test_simulated_cell import (
    DONE,
    LOAD,
    UNLOAD,
    Devices,
    Process,
    config,
    devices,
    recording,
    scene,
    start,
)

__all__ = ["config", "recording", "scene", "start"]

REVIEW_BIN = 6
GIVEN = 1


@pytest.fixture
def sim(start: Any) -> Process:
    process: Process = start("--control", "--parts", "4")
    process.hear("ready")
    process.hear("fed")
    return process


def ask(process: Process, **request: object) -> dict[str, Any]:
    """Send a line to the control channel; its answer."""
    return ask_text(process, json.dumps(request))


def ask_text(process: Process, line: str) -> dict[str, Any]:
    assert process.child.stdin is not None
    process.child.stdin.write(line + "\n")
    process.child.stdin.flush()
    assert process.child.stdout is not None
    for said in process.child.stdout:
        event: dict[str, Any] = json.loads(said)
        process.said.append(event)
        if event["event"] in {"done", "refused", "where"}:
            return event
    raise AssertionError("no answer")


def ready(process: Process) -> dict[str, Any]:
    return next(event for event in process.said if event["event"] == "ready")


def struck(process: Process) -> list[tuple[str, str | None]]:
    return [(event["name"], event["part_id"]) for event in process.said if event["event"] == "fault"]


def test_where_tells_how_everything_truly_stands(sim: Process) -> None:
    where = ask(sim, do="where")
    assert where == {
        "event": "where",
        "infeed": "P1",
        "gripper": None,
        "jig": None,
        "arm": "safe_zone",
        "jig_rpm": 0.0,
        "standstill": True,
        "sorted": {},
        "state": "undefined",
        "answered_command": 0,
        "command_result": "none",
        "armed": [],
        "broken": [],
    }
    with devices(ready(sim)) as cell:
        assert cell.order("robot", [LOAD, 0, 1])[1] == DONE
        assert ask(sim, do="where")["jig"] == "P1"
        assert cell.order("robot", [UNLOAD, REVIEW_BIN, 2])[1] == DONE
        assert ask(sim, do="where")["sorted"] == {"bin_review": 1}


def test_a_fault_is_armed_for_a_part_strikes_it_and_is_told(sim: Process) -> None:
    assert ask(sim, do="fault", name="robot-wrong-bin", part=2) == {"event": "done", "do": "fault"}
    assert ask(sim, do="where")["armed"] == ["robot-wrong-bin@2"]
    with devices(ready(sim)) as cell:
        for number, confirmed in ((1, REVIEW_BIN), (3, REVIEW_BIN - 1), (5, REVIEW_BIN)):
            assert cell.order("robot", [LOAD, 0, number])[1] == DONE
            assert cell.order("robot", [UNLOAD, REVIEW_BIN, number + 1]) == [number + 1, DONE, confirmed]
            ask(sim, do="where")
            if number < 5:
                wait_for_part(sim)
    assert struck(sim) == [("robot-wrong-bin", "P2")]
    assert [e["place"] for e in sim.said if e["event"] == "placed" and e["part_id"] == "P2"] == ["jig", "bin_scratches"]


def wait_for_part(process: Process) -> None:
    while ask(process, do="where")["infeed"] is None:
        pass


def test_one_that_lasts_begins_at_once_and_ends_when_it_is_cleared(sim: Process) -> None:
    ask(sim, do="fault", name="jig-drive-fault")
    with devices(ready(sim)) as cell:
        assert struck(sim) == [("jig-drive-fault", None)]
        assert drive_fault(cell) == 23
        assert ask(sim, do="where")["broken"] == ["jig-drive-fault"]
        assert ask(sim, do="clear", name="jig-drive-fault") == {"event": "done", "do": "clear"}
        assert drive_fault(cell) == 0


def drive_fault(cell: Devices) -> int:
    return int(cell.jig.read_input_registers(14, count=1).registers[0])


def test_the_operator_of_the_line_speaks_through_it(sim: Process) -> None:
    with devices(ready(sim)) as cell:
        before = cell.plc.read_holding_registers(101, count=3).registers
        assert ask(sim, do="permit", value="withdrawn")["event"] == "done"
        assert ask(sim, do="command", command="reset")["event"] == "done"
        after = cell.plc.read_holding_registers(101, count=3).registers
        assert (before[0], after[0], after[1]) == (GIVEN, 0, 1)
        assert after[2] not in (0, before[2]), "a new number makes the command valid"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no json", "JSON"),
        ("[]", "object"),
        ('{"do": "dance"}', "dance"),
        ('{"do": "fault"}', "required"),
        ('{"do": "fault", "name": "robot-dead"}', "there is no fault 'robot-dead'"),
        ('{"do": "clear", "name": "robot-dead"}', "there is no fault"),
        ('{"do": "permit", "value": "perhaps"}', "given"),
        ('{"do": "command", "command": "dance"}', "dance"),
        ('{"do": "where", "why": 1}', "not permitted"),
    ],
)
def test_what_it_cannot_do_is_refused_and_it_goes_on(sim: Process, line: str, words: str) -> None:
    answer = ask_text(sim, line)
    assert answer["event"] == "refused"
    assert words in answer["message"]
    assert ask(sim, do="where")["event"] == "where"


def hang_up(process: Process) -> None:
    assert process.child.stdin is not None
    process.child.stdin.close()
    process.child.stdin = None


def test_it_goes_on_when_nobody_speaks_to_it_any_more(sim: Process) -> None:
    hang_up(sim)
    with devices(ready(sim)) as cell:
        assert cell.order("robot", [LOAD, 0, 1])[1] == DONE


def test_with_a_leash_it_obeys_too_and_ends_with_its_parent(start: Any) -> None:
    process = start("--control", "--end-with-parent")
    process.hear("ready")
    assert ask(process, do="where")["event"] == "where"
    hang_up(process)
    assert process.finish() == (0, "")


def test_a_fault_of_the_command_line_strikes_the_part_that_it_names(start: Any) -> None:
    process = start("--parts", "2", "--fault", "robot-wrong-bin@P2,jig-slips", "--fault", "robot-fault@9")
    where = process.hear("ready")
    with devices(where) as cell:
        for number in (1, 3):
            process.hear("fed")
            assert cell.order("robot", [LOAD, 0, number])[1] == DONE
            assert cell.order("robot", [UNLOAD, REVIEW_BIN, number + 1])[1] == DONE
        assert process.hear("fault") == {"event": "fault", "name": "robot-wrong-bin", "part_id": "P2"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sim", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_faults_can_be_listed_without_a_configuration() -> None:
    ran = run("--list-faults")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [line.split()[0] for line in ran.stdout.splitlines()] == list(NAMED_FAULTS)


def test_an_unknown_fault_is_refused_with_the_list(config: Path) -> None:
    ran = run("--config", str(config), "--fault", "robot-dead@2")
    assert ran.returncode == 2
    assert "there is no fault 'robot-dead'" in ran.stderr
    assert "robot-deaf" in ran.stderr
    assert "Traceback" not in ran.stderr
