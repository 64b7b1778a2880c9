"""`station run` under a supervisor like systemd: it hears that the station is up, alive, and comes to its end."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.cell.conftest import Run, station_command

PATIENCE_S = 60.0
Heard = SimpleQueue[str]


@pytest.fixture
def notifications(tmp_path: Path) -> Iterator[Heard]:
    """What is said, read at once as systemd does: a socket that nobody reads takes ten messages, the rest is lost."""
    heard: Heard = SimpleQueue()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))

        def listen() -> None:
            while line := listening.recv(4096).decode():
                heard.put(line)

        reader = threading.Thread(target=listen)
        reader.start()
        yield heard
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"", str(tmp_path / "notify"))
        reader.join()


def hear(notifications: Heard, line: str) -> list[str]:
    """What is said up to this line."""
    said: list[str] = []
    while line not in said:
        said.append(notifications.get(timeout=PATIENCE_S))
    return said


def test_a_supervisor_hears_ready_alive_and_stopping_and_the_station_ends_well(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path,
    notifications: Heard,
) -> None:  # fmt: skip
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    child = subprocess.Popen(
        station_command("run", "--config", make_config(), "--data", tmp_path / "data"),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**environment, **told, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    try:
        hear(notifications, "READY=1")
        assert "STOPPING=1" not in hear(notifications, "WATCHDOG=1")
        hear(notifications, "WATCHDOG=1")
        assert "no alarms" in station("alarms", "list", "--data", tmp_path / "data").stdout
        os.kill(child.pid, signal.SIGTERM)
        hear(notifications, "STOPPING=1")
        _said, logged = child.communicate(timeout=60)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 0, logged
