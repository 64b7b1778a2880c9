"""A foreign peer reads the cell: Debian's mbpoll at the addresses that the CSV prints, in both roles of the PLC."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cell.conftest import Run, station_command
from tests.cell.mbpoll import addresses, read, require_mbpoll
from tests.free_port import free_port

DECISIONS = ["none", "defect_free", "imprinted", "pits", "roll_marks", "scratches", "review"]
PARTS = 3


@pytest.fixture(autouse=True)
def _mbpoll() -> None:
    require_mbpoll()


@contextmanager
def process(arguments: list[str], environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A child that is ended in order."""
    child = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)


def lines_until(child: subprocess.Popen[str], word: str) -> list[str]:
    """What the child says, up to the first line with this word."""
    said = []
    assert child.stdout is not None
    for line in child.stdout:
        said.append(line)
        if word in line:
            return said
    raise AssertionError("".join(said))


@pytest.mark.parametrize("role", ["client", "server"])
def test_mbpoll_reads_the_last_decision_as_the_record_has_it(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, role: str
) -> None:
    port = free_port()
    plc = '[plc.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = '
    config = make_config((plc + "0", plc + str(port)), ('role = "client"', f'role = "{role}"'))
    data = tmp_path / "data"
    robot = '[robot.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = '
    simulator = [sys.executable, "-m", "sim", "--config", str(config), "--parts", str(PARTS), "--speed", "max"]
    with process([*simulator, "--report", "json"], environment, tmp_path) as cell:
        ready = json.loads(lines_until(cell, '"ready"')[-1])
        text = config.read_text(encoding="utf-8").replace(robot + "0", robot + str(ready["robot"]["port"]))
        config.write_text(text, encoding="utf-8")
        with process(
            station_command("run", "--config", config, "--auto-reset", "--data", data), environment, tmp_path
        ) as run:
            lines_until(run, "→ ")
            for _ in range(PARTS - 1):
                lines_until(run, "→ ")
            registers = addresses(station, "plc")
            where = ("-p", str(port), "127.0.0.1")
            record = json.loads(station("records", "export", "--json", "--data", data).stdout)[-1]
            decision = read(registers["decision"], *where)
            assert DECISIONS[decision] == record["verdict"]
            assert read(registers["decision_complement"], *where) == 0xFFFF - decision
            assert read(registers["magic"], *where) == 0xA55A
            assert read(registers["state_current"], *where) in {5, 6}


def test_mbpoll_reads_the_jig_of_the_cell_alone_at_the_terminal_that_it_prints(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    simulator = [sys.executable, "-m", "sim", "--config", str(make_config())]
    with process(simulator, environment, tmp_path) as cell:
        printed = "".join(lines_until(cell, "scene"))
        found = re.search(r"jig +Modbus RTU +at (\S+)", printed)
        assert found is not None, printed
        registers = addresses(station, "jig")
        serial = ("-m", "rtu", "-b", "115200", "-P", "none", found[1])
        assert read(registers["magic"], *serial) == 0xA55A
        assert read(registers["standstill"], *serial) == 1
