"""What the simulated cell says about itself, for people and for programs."""

import json
import sys
from datetime import UTC, datetime

import pytest

from sim.ledger import Entry, Happening
from sim.report import Format, Listening, report_as
from station.core.errors import RecordingError
from station.core.outlet import Outlet

CLIENT = Listening(("127.0.0.1", 15020), "/run/jig", ("127.0.0.1", 15021), "client", "/dev/pts/3", "/scene")
SERVER = Listening(("127.0.0.1", 15020), ("127.0.0.1", 15022), ("127.0.0.1", 502), "server", "", "/scene")
ENTRY = Entry(datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC), Happening.PLACED, "A", "pits", "bin_pits")


def tell_all(form: Format) -> None:
    outlet = Outlet.of(sys.stdout, "standard output")
    report = report_as(form, outlet)
    report.ready(CLIENT)
    report.ready(SERVER)
    report.happened(ENTRY)
    report.scan_left_out("B.png", RecordingError("recording.bad_image", "B.png: empty"))
    report.result_read(7, "pits")
    report.infeed_empty(3)
    report.fault_struck("robot-deaf", "A")
    report.fault_struck("plc-stale", None)
    report.answered({"event": "done", "do": "clear"})
    assert outlet.close()


def test_people_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    tell_all(Format.TEXT)
    assert capsys.readouterr().out == (
        "The simulated cell is ready.\n"
        "  robot   Modbus TCP  listens on 127.0.0.1:15020\n"
        "  jig     Modbus RTU  at /run/jig -> /dev/pts/3\n"
        "  PLC     Modbus TCP  listens on 127.0.0.1:15021\n"
        "  camera  scene /scene\n"
        "The simulated cell is ready.\n"
        "  robot   Modbus TCP  listens on 127.0.0.1:15020\n"
        "  jig     Modbus TCP  listens on 127.0.0.1:15022\n"
        "  PLC     Modbus TCP  visits the station at 127.0.0.1:502\n"
        "  camera  scene /scene\n"
        "03:04:05.678900  placed     A (pits)  bin_pits\n"
        "left out: B.png: An image of the recording cannot be used; it is left out. (B.png: empty)\n"
        "the PLC has read result 7: pits\n"
        "The infeed is empty; 3 parts were fed.\n"
        "fault robot-deaf strikes A\n"
        "fault plc-stale strikes the cell\n"
        '{"event": "done", "do": "clear"}\n'
    )


def test_programs_are_told_in_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    tell_all(Format.JSON)
    robot = {"host": "127.0.0.1", "port": 15020}
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {
            "event": "ready",
            "robot": robot,
            "jig": {"device": "/run/jig", "terminal": "/dev/pts/3"},
            "plc": {"host": "127.0.0.1", "port": 15021},
            "plc_role": "client",
            "scene": "/scene",
            "closed_turns": True,
            "composed": False,
        },
        {
            "event": "ready",
            "robot": robot,
            "jig": {"host": "127.0.0.1", "port": 15022},
            "plc": {"host": "127.0.0.1", "port": 502},
            "plc_role": "server",
            "scene": "/scene",
            "closed_turns": True,
            "composed": False,
        },
        ENTRY.as_json(),
        {
            "event": "scan_left_out",
            "file": "B.png",
            "code": "recording.bad_image",
            "message": "An image of the recording cannot be used; it is left out. (B.png: empty)",
        },
        {"event": "result_read", "number": 7, "decision": "pits"},
        {"event": "infeed_empty", "fed": 3},
        {"event": "fault", "name": "robot-deaf", "part_id": "A"},
        {"event": "fault", "name": "plc-stale", "part_id": None},
        {"event": "done", "do": "clear"},
    ]
