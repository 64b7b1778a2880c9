"""A program on the plant network that opens a connection for every poll and closes none, while the cell works."""

import json
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.cell.conftest import Run, station_command
from tests.cell.test_mbpoll import lines_until, process
from tests.free_port import free_port
from tests.wire.raw_modbus import READ_MAGIC, frame

PARTS, CONNECTIONS = 8, 1100


@contextmanager
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_1100_connections_cost_neither_a_part_nor_the_command_nor_the_log(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    port, data = free_port(), tmp_path / "data"
    plc = '[plc.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = '
    server = ('role = "client"', 'role = "server"\nreaders = ["127.0.0.2"]')
    config = make_config((plc + "0", plc + str(port)), server)
    robot = '[robot.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = '
    simulator = [sys.executable, "-m", "sim", "--config", str(config), "--parts", str(PARTS), "--report", "json"]
    with process(simulator, environment, tmp_path) as cell, ExitStack() as flood:
        ready = json.loads(lines_until(cell, '"ready"')[-1])
        text = config.read_text(encoding="utf-8").replace(robot + "0", robot + str(ready["robot"]["port"]))
        config.write_text(text, encoding="utf-8")
        command = station_command("run", "--config", config, "--auto-reset", "--data", data)
        with process(command, environment, tmp_path) as run:
            lines_until(run, "→ ")
            with many_files():
                for number in range(CONNECTIONS):
                    address = ("127.0.0.1", "127.0.0.2", "127.0.0.3")[number % 3]
                    one = flood.enter_context(socket.socket())
                    one.bind((address, 0))
                    with suppress(ConnectionError):  # of the address that nobody has listed
                        one.connect(("127.0.0.1", port))
                        one.sendall(frame(1, READ_MAGIC))
                assert len(list(Path(f"/proc/{run.pid}/fd").iterdir())) < 100
                assert "EXECUTE" in station("command", "status", "--data", data).stdout
                for _ in range(PARTS - 1):
                    lines_until(run, "→ ")
            assert (data / "logs" / "station.jsonl").stat().st_size < 200_000
    records = json.loads(station("records", "export", "--json", "--data", data).stdout)
    assert [record["state"] for record in records] == ["sorted"] * PARTS
