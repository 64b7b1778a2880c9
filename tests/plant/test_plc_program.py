"""A line PLC in JavaScript, written from the page for PLC programmers alone, runs the whole station in both roles.

The program is `line_plc.js`, over npm's modbus-serial; the station, its robot, jig and camera are what `station run`
and `python -m sim` are for everybody. The test is the plant: it tells the program what its sensor at the infeed sees.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from sim.recordings import bundled_recording
from tests.cell.conftest import Run, station_command
from tests.free_port import free_port

pytestmark = [pytest.mark.plant, pytest.mark.timeout(300)]  # it starts the station twice

HERE = Path(__file__).parent
PACKAGE = HERE / "node_modules" / "modbus-serial" / "package.json"
INSTALL = "npm ci --omit=optional --ignore-scripts --prefix tests/plant"
PARTS = 3
PATIENCE_S = 90.0
VERDICTS = ["none", "defect_free", "imprinted", "pits", "roll_marks", "scratches", "review"]
PLACES = ["none", "second_inspection", "bin_imprinted", "bin_pits", "bin_roll_marks", "bin_scratches", "bin_review"]
REFUSED, TAKEN, UNKNOWN_COMMAND, ILLEGAL, RESET, START, STOP = 2, 1, 99, 5003, 1, 2, 3

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def node() -> str:
    """The interpreter of the PLC's program, with the package that it needs."""
    program = shutil.which("node")
    lacking = "node is not installed" if program is None else f"modbus-serial is not installed: {INSTALL}"
    if program is None or not PACKAGE.exists():
        if os.environ.get("CI"):
            pytest.fail(f"the line PLC of this test: {lacking}")
        pytest.skip(f"the line PLC of this test: {lacking}")
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]["modbus-serial"]
    assert json.loads(PACKAGE.read_text(encoding="utf-8"))["version"] == wanted, (
        f"another version than pinned: {INSTALL}"
    )
    return program


class Process:
    """A child that prints one JSON object a line, among others, and reads the same."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
            env={**environment, "PYTHONPATH": str(HERE.parents[1])},
        )  # fmt: skip
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def tell(self, what: Json) -> None:
        """Give it a line."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(what) + "\n")
        self._child.stdin.flush()

    def next(self, event: str, **keys: str) -> Json:
        """The next event of this name and with these values; those before it are passed over."""
        wanted = {"event": event, **keys}
        with suppress(queue.Empty):
            while (line := self._lines.get(timeout=PATIENCE_S)) is not None:
                if line.startswith("{") and wanted.items() <= (said := json.loads(line)).items():
                    return dict(said)
        raise AssertionError(f"no {wanted} after:\n" + "".join(self.said))

    def end(self) -> None:
        """As a person ends it."""
        self._child.terminate()
        self._child.wait(timeout=PATIENCE_S)
        self._reader.join()
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._child.stdout.close()
        sys.stdout.write("".join(self.said))  # shown where the test fails

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.said.append(line)
            self._lines.put(line)
        self._lines.put(None)


@contextmanager
def process(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[Process]:
    """A child that is ended in order."""
    child = Process(command, environment, folder)
    try:
        yield child
    finally:
        child.end()


def reader_at_the_infeed(config: Path) -> dict[str, Json]:
    """What the reader and the recipe say of a part that comes, by its id."""
    codes = {name: row["code"] for name, row in tomllib.loads(config.read_text())["part_types"].items()}
    lines = (bundled_recording() / "recording.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["part_id"]: {"id": row["part_id"], "type": codes[row["part_type"]]} for row in rows}


@pytest.mark.parametrize("role", ["client", "server"])
def test_a_program_written_from_the_page_runs_the_station(
    station: Run,
    make_config: Callable[..., Path],
    environment: dict[str, str],
    tmp_path: Path,
    node: str,
    role: str,
) -> None:
    cell_config = make_config()
    data = tmp_path / "data"
    with ExitStack() as plant:

        def start(*command: str) -> Process:
            return plant.enter_context(process(list(command), environment, tmp_path))

        simulator = [sys.executable, "-m", "sim", "--config", str(cell_config), "--parts", str(PARTS)]
        cell = start(*simulator, "--speed", "max", "--report", "json")
        ready = cell.next("ready")
        port = free_port()
        plc = start(node, str(HERE / "line_plc.js"), "ask" if role == "server" else "serve", str(port))
        config = line_config(cell_config, role, ready["robot"]["port"], port)
        running = start(*station_command("run", "--config", config, "--data", data))
        infeed = reader_at_the_infeed(cell_config)

        constants = plc.next("constants")
        assert constants == {
            "event": "constants", "version": 1, "float": 123456.0, "integer": 0x12345678, "text": "ABCD",
        }  # fmt: skip
        assert plc.next("answer") == answer(UNKNOWN_COMMAND, REFUSED, ILLEGAL)
        until_it_runs(plc)

        results: list[Json] = []
        for number in range(PARTS):
            part_id = str(cell.next("fed")["part_id"])
            plc.tell({"infeed": infeed[part_id]})
            plc.next("accepted")
            cell.next("picked", part_id=part_id)
            plc.tell({"infeed": None})
            results.append(result_of(plc, part_id))
            if number == 0:
                plc.tell({"press": "restart"})
                begun = plc.next("begun")
                assert begun["command"] == 4, "the numbers go on"
            elif number == 1:
                running.end()
                running = start(*station_command("run", "--config", config, "--data", data))
                until_it_runs(plc)
        plc.tell({"press": "command", "code": STOP})
        assert plc.next("answer") == answer(STOP, TAKEN)

    records = json.loads(station("records", "export", "--json", "--data", data).stdout)
    assert [row["part_id"] for row in records] == [row["part_id"] for row in results] == list(infeed)[:PARTS]
    for record, result in zip(records, results, strict=True):
        assert record["verdict"] == VERDICTS[result["decision"]]
        assert record["confirmed_bin"] == PLACES[result["confirmed_bin"]] == PLACES[result["destination"]]


def answer(code: int, result: int, reason: int = 0) -> Json:
    return {"event": "answer", "code": code, "result": result, "reason": reason}


def result_of(plc: Process, part_id: str) -> Json:
    """The part's last result, with its place; before it one comes with none.

    One of the part before may come again: the program was restarted before the station had seen its acknowledgement.
    """
    told: list[Json] = []
    while not told or told[-1]["confirmed_bin"] == 0:
        result = plc.next("result")
        told += [result] if result["part_id"] == part_id else []
    assert told[0]["confirmed_bin"] == 0
    assert len({result["inspection"] for result in told}) == 1
    return told[-1]


def until_it_runs(plc: Process) -> None:
    """The program tries once what is no command, and then brings the station to Execute."""
    said = [plc.next("answer")]
    while said[-1]["code"] != START:
        said.append(plc.next("answer"))
    assert said[-2:] == [answer(RESET, TAKEN), answer(START, TAKEN)]
    assert said[:-2] in ([], [answer(UNKNOWN_COMMAND, REFUSED, ILLEGAL)])


def line_config(cell_config: Path, role: str, robot_port: int, plc_port: int) -> Path:
    """The station's own configuration: the simulated cell's robot and jig, and a PLC that is not the simulator's."""
    text = cell_config.read_text(encoding="utf-8")
    link = '.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = '
    for device, port in (("robot", robot_port), ("plc", plc_port)):
        assert f"[{device}{link}0" in text
        text = text.replace(f"[{device}{link}0", f"[{device}{link}{port}")
    path = cell_config.with_name("line.toml")
    path.write_text(text.replace('role = "client"', f'role = "{role}"'), encoding="utf-8")
    return path
