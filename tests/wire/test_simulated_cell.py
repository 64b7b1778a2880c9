"""`python -m sim` as a process: real sockets, a real pseudo-terminal, real shared memory, foreign Modbus masters."""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import pytest
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ModbusException

from config import bundled
from station.core.settings import PlcSettings
from tests.housings import line_plc
from tests.turned import turned

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps it
HEADER_BYTES = 4096
WIDTH_PX = 5472
LOAD, UNLOAD = 1, 2
SPIN, STOP = 1, 2
DONE = 1
BIN_PITS = 3
PATIENCE = 2000

Event = dict[str, Any]


class Process:
    """The simulated cell as a child, and what it says."""

    def __init__(self, *arguments: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "sim", "--report", "json", "--speed", "max", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[Event] = []

    def hear(self, event: str) -> Event:
        """Its next event of this name; those before it are kept too."""
        assert self.hears(event), f"it ended without {event!r}: {read_all(self.child.stderr)}"
        return self.said[-1]

    def hears(self, event: str) -> bool:
        """Listen for the next event of this name; False when it ends before."""
        out = self.child.stdout
        assert out is not None
        for line in out:
            self.said.append(json.loads(line))
            if self.said[-1]["event"] == event:
                return True
        return False

    def finish(self) -> tuple[int, str]:
        """Exit status and standard error, once it has ended by itself."""
        with contextlib.suppress(ProcessLookupError):
            _, errors = self.child.communicate(timeout=30)
        return self.child.returncode, errors


def read_all(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.read()


@pytest.fixture
def scene(tmp_path: Path) -> str:
    return f"station-cell-{os.getpid()}-{tmp_path.name}"[:60]


@pytest.fixture
def config(tmp_path: Path, scene: str) -> Path:
    text = bundled("simulate.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    for port in (document["robot"]["link"]["port"], document["plc"]["link"]["port"]):
        text = text.replace(f"port = {port}", "port = 0")
    text = text.replace("{runtime}/jig", f"{tmp_path}/runtime/jig").replace("/inspection-station-scene", f"/{scene}")
    file = tmp_path / "cell.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two small scans, the first of them of type 1."""
    folder = tmp_path / "recording"
    folder.mkdir()
    rows = []
    for number, (width, label) in enumerate(((385, "pits"), (570, "scratches")), start=1):
        image = np.zeros((3584, width + 20), np.uint8)
        image[:, 10:-10] = turned(number, width, 145)
        assert cv2.imwrite(str(folder / f"{number}.png"), image)
        rows.append({"file": f"{number}.png", "part_id": f"P{number}", "part_type": f"smh_{width}", "label": label})
    (folder / "recording.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture
def start(config: Path, recording: Path) -> Iterator[Any]:
    running: list[Process] = []

    def started(*more: str) -> Process:
        running.append(Process("--config", str(config), "--recordings", str(recording), *more))
        return running[-1]

    yield started
    for process in running:
        process.child.terminate()
        process.finish()


class Devices:
    """The three devices through a foreign Modbus library."""

    def __init__(self, ready: Event) -> None:
        self.robot = ModbusTcpClient(ready["robot"]["host"], port=ready["robot"]["port"])
        self.plc = ModbusTcpClient(ready["plc"]["host"], port=ready["plc"]["port"])
        self.jig = ModbusSerialClient(ready["jig"]["device"], baudrate=115200, timeout=2)
        for client in (self.robot, self.plc, self.jig):
            assert client.connect()

    def close(self) -> None:
        for client in (self.robot, self.plc, self.jig):
            client.close()

    def order(self, device: str, words: list[int]) -> list[int]:
        """Give an order and wait for its end: order_done, order_result, and the robot's confirmed_place."""
        client = getattr(self, device)
        assert not client.write_registers(0, words, device_id=1).isError()
        for _ in range(PATIENCE):
            acknowledged, *answer = client.read_input_registers(20, count=4 if device == "robot" else 3).registers
            assert acknowledged == words[2]
            if answer[0] == words[2]:
                return answer
        raise AssertionError(f"{device} has not done {words}")


@contextlib.contextmanager
def devices(ready: Event) -> Iterator[Devices]:
    opened = Devices(ready)
    try:
        yield opened
    finally:
        opened.close()


def scene_of(name: str) -> tuple[bool, bool, np.ndarray]:
    """Whether a part is present, whether the jig turns, and the image."""
    content = (SHARED_MEMORY / name).read_bytes()
    present, turning = np.frombuffer(content, "<u4", 2, 48)
    return bool(present), bool(turning), np.frombuffer(content, np.uint8, offset=HEADER_BYTES).reshape(-1, WIDTH_PX)


def test_a_part_goes_all_the_way_and_the_camera_sees_it_only_on_the_jig(
    start: Any, recording: Path, scene: str, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    process = start("--truth", str(truth), "--parts", "1")
    with devices(process.hear("ready")) as cell:
        process.hear("fed")
        announced = cell.plc.read_holding_registers(110, count=10).registers
        assert announced[:2] == [0x5031, 0]  # "P1"
        assert announced[8] == 1
        assert not scene_of(scene)[0]
        assert cell.order("robot", [LOAD, 0, 1]) == [1, DONE, 0]
        present, turning, image = scene_of(scene)
        assert present
        assert not turning
        scan = cv2.imread(str(recording / "1.png"), cv2.IMREAD_UNCHANGED)
        columns = np.flatnonzero(image.max(axis=0) > 60)
        left = int(columns[0]) - 10
        assert np.array_equal(image[:, left : left + scan.shape[1]], scan)
        assert image[:, :left].max(initial=0) < 40
        assert image[:, left + scan.shape[1] :].max(initial=0) < 40
        assert image[:, :left].std() > 0.5
        assert cell.order("jig", [SPIN, 3395, 1]) == [1, DONE]
        assert scene_of(scene)[1]
        assert cell.order("jig", [STOP, 0, 2]) == [2, DONE]
        assert not scene_of(scene)[1]
        assert cell.order("robot", [UNLOAD, BIN_PITS, 2]) == [2, DONE, BIN_PITS]
        assert not scene_of(scene)[0]
    assert process.hear("placed")["place"] == "jig"
    assert process.hear("placed")["place"] == "bin_pits"
    lines = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    assert [(line["event"], line["part_id"], line["label"], line["place"]) for line in lines] == [
        ("fed", "P1", "pits", "infeed"),
        ("picked", "P1", "pits", "gripper"),
        ("placed", "P1", "pits", "jig"),
        ("picked", "P1", "pits", "gripper"),
        ("placed", "P1", "pits", "bin_pits"),
    ]
    assert [event for event in process.said if event["event"] == "infeed_empty"] == [
        {"event": "infeed_empty", "fed": 1}
    ]


def test_a_recording_repeats_with_new_part_ids(start: Any) -> None:
    process = start("--parts", "5")
    with devices(process.hear("ready")) as cell:
        for number in range(1, 10, 2):
            fed = process.hear("fed")
            assert cell.order("robot", [LOAD, 0, number])[1] == DONE, fed
            assert cell.order("robot", [UNLOAD, 6, number + 1])[1] == DONE, fed
    process.child.send_signal(signal.SIGTERM)
    process.finish()
    assert [event["part_id"] for event in process.said if event["event"] == "fed"] == [
        "P1",
        "P2",
        "P1-2",
        "P2-2",
        "P1-3",
    ]


def test_scans_that_cannot_be_used_are_told_and_left_out(start: Any, recording: Path) -> None:
    (recording / "1.png").write_bytes((recording / "1.png").read_bytes()[:1000])
    with (recording / "recording.jsonl").open("a", encoding="utf-8") as index:
        index.write("no json\n")
    process = start()
    process.hear("fed")
    left_out = [(e["file"], e["code"]) for e in process.said if e["event"] == "scan_left_out"]
    assert left_out == [("recording.jsonl line 3", "recording.bad_line"), ("1.png", "recording.bad_image")]
    assert process.said[-1]["part_id"] == "P2"


def test_a_scan_wider_than_the_sensor_is_left_out(start: Any, recording: Path) -> None:
    assert cv2.imwrite(str(recording / "1.png"), np.zeros((3584, WIDTH_PX + 1), np.uint8))
    process = start()
    process.hear("fed")
    assert [(e["file"], e["code"]) for e in process.said if e["event"] == "scan_left_out"] == [
        ("1.png", "recording.bad_image")
    ]


def test_without_an_index_the_type_follows_from_the_width(start: Any, recording: Path) -> None:
    (recording / "recording.jsonl").unlink()
    process = start("--parts", "1")
    with devices(process.hear("ready")) as cell:
        fed = process.hear("fed")
        assert (fed["part_id"], fed["label"]) == ("1", None)
        assert cell.plc.read_holding_registers(118, count=1).registers == [1]


def test_a_recording_without_a_usable_scan_refuses_to_start(start: Any, recording: Path, tmp_path: Path) -> None:
    for image in recording.glob("*.png"):
        image.write_bytes(b"")
    status, errors = start().finish()
    assert status == 2
    assert len(errors.splitlines()) == 1
    assert "not one scan" in errors
    assert not (tmp_path / "runtime" / "jig").exists()


def test_a_port_in_use_refuses_to_start_and_leaves_nothing_behind(
    start: Any, config: Path, scene: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config.write_text(config.read_text(encoding="utf-8").replace("port = 0", f"port = {port}", 1), encoding="utf-8")
        status, errors = start("--truth", str(tmp_path / "truth.jsonl")).finish()
    assert status == 2
    assert len(errors.splitlines()) == 1
    assert f"robot.link = 127.0.0.1:{port}" in errors
    assert not (tmp_path / "runtime").exists()
    assert not (SHARED_MEMORY / scene).exists()
    assert not (tmp_path / "truth.jsonl").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(start: Any, scene: str, tmp_path: Path, number: signal.Signals) -> None:
    process = start()
    process.hear("ready")
    link = tmp_path / "runtime" / "jig"
    assert link.is_symlink()
    assert link.parent.stat().st_mode & 0o777 == 0o700
    assert (SHARED_MEMORY / scene).exists()
    process.child.send_signal(number)
    assert process.finish() == (0, "")
    assert not link.is_symlink()
    assert not (SHARED_MEMORY / scene).exists()


def test_it_ends_with_its_parent(start: Any, scene: str, tmp_path: Path) -> None:
    process = start("--end-with-parent")
    process.hear("ready")
    assert process.child.stdin is not None
    process.child.stdin.close()
    process.child.stdin = None
    assert process.finish() == (0, "")
    assert not (tmp_path / "runtime" / "jig").is_symlink()
    assert not (SHARED_MEMORY / scene).exists()


def test_what_a_killed_one_left_behind_is_replaced(start: Any, tmp_path: Path) -> None:
    killed = start()
    killed.hear("ready")
    killed.child.kill()
    killed.finish()
    assert (tmp_path / "runtime" / "jig").is_symlink()
    with devices(start().hear("ready")) as cell:
        assert cell.jig.read_input_registers(1, count=1).registers == [0xA55A]


def test_a_serial_master_may_go_and_another_come(start: Any) -> None:
    ready = start().hear("ready")
    for _ in range(3):
        with devices(ready) as cell:
            assert cell.jig.read_input_registers(0, count=6).registers == [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]


def test_illegal_requests_get_the_standards_exceptions(start: Any) -> None:
    with devices(start().hear("ready")) as cell:
        for client in (cell.robot, cell.jig):
            assert client.read_input_registers(30, count=1).exception_code == 2
            assert client.write_registers(5, [1]).exception_code == 2
            assert client.write_registers(0, [77]).exception_code == 3
            assert client.write_register(0, 77).exception_code == 3
            assert client.read_coils(0, count=1).exception_code == 1
        assert cell.plc.write_registers(101, [0]).exception_code == 2
        assert cell.robot.read_input_registers(0, count=1, device_id=9).exception_code == 11


def test_a_recording_that_vanishes_ends_it_with_the_reason(start: Any, recording: Path, scene: str) -> None:
    process = start("--parts", "9")
    with devices(process.hear("ready")) as cell:
        for image in recording.glob("*.png"):
            image.unlink()
        orders = itertools.count(1)
        with contextlib.suppress(OSError, ModbusException):
            while process.hears("fed"):  # parts whose scan was read before
                cell.order("robot", [LOAD, 0, next(orders)])
                cell.order("robot", [UNLOAD, 6, next(orders)])
    status, errors = process.finish()
    assert status == 2
    assert "not one scan" in errors
    assert not (SHARED_MEMORY / scene).exists()


def test_it_goes_on_when_nobody_listens_to_it(start: Any) -> None:
    process = start()
    ready = process.hear("ready")
    process.hear("fed")
    assert process.child.stdout is not None
    process.child.stdout.close()
    process.child.stdout = None
    with devices(ready) as cell:
        assert cell.order("robot", [LOAD, 0, 1])[1] == DONE
        assert cell.order("robot", [UNLOAD, 6, 2])[1] == DONE
    process.child.send_signal(signal.SIGTERM)
    assert process.finish() == (0, "")


def test_a_jig_that_is_reached_by_tcp_is_served_there(start: Any, config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    begin, end = text.index("[jig.link]"), text.index("[plc]")
    link = '[jig.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = 0\n'
    config.write_text(text[:begin] + link + text[end:], encoding="utf-8")
    jig = start().hear("ready")["jig"]
    client = ModbusTcpClient(jig["host"], port=jig["port"])
    assert client.connect()
    assert client.read_input_registers(17, count=2).registers == [1, 1000]
    client.close()


def let_the_plc_visit(config: Path, port: int) -> None:
    """Change the station's role in a configuration to that of the server."""
    text = config.read_text(encoding="utf-8").replace('role = "client"', 'role = "server"')
    begin, end = text.index("[plc.link]"), text.index("[simulation]")
    section = text[begin:end].replace("port = 0", f"port = {port}")
    config.write_text(text[:begin] + section + text[end:], encoding="utf-8")


async def test_in_the_other_role_the_plc_visits_the_station(start: Any, config: Path) -> None:
    link = {"kind": "tcp", "host": "127.0.0.1", "port": 0}
    station = line_plc(PlcSettings.model_validate({"role": "server", "link": link}))
    await station.connect()
    try:
        let_the_plc_visit(config, station.port)
        process = start()
        assert await asyncio.to_thread(process.hear, "ready")
        async with asyncio.timeout(20):
            while (part := station.feed.view.waiting) is None:
                await station.feed.changed()
        assert (part.part_id, part.type_code) == ("P1", 1)
        assert station.feed.view.permission
    finally:
        await station.close()


def test_standard_input_that_is_no_pipe_cannot_be_a_leash(config: Path) -> None:
    command = [sys.executable, "-m", "sim", "--config", str(config), "--end-with-parent"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert "standard input is no pipe" in ended.stderr


@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed")
def test_mbpoll_reads_the_jig_at_the_path_that_is_told(start: Any) -> None:
    device = start().hear("ready")["jig"]["device"]
    common = ["mbpoll", "-m", "rtu", "-a", "1", "-b", "115200", "-P", "none", "-0", "-1", "-q"]
    asked = [*common, "-t", "3:float", "-B", "-r", "2", "-c", "1", device]
    told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20)
    assert "123456" in told.stdout
    asked = [*common, "-t", "3", "-r", "17", "-c", "2", device]
    told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20)
    assert [line.split()[1] for line in told.stdout.splitlines() if line.startswith("[")] == ["1", "1000"]
