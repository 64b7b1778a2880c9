"""What a killed cell leaves is cleared away by the next one, whichever it is; no stranger's terminal is opened."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import bundled
from drivers.modbus.family import JIG
from drivers.modbus.link import ModbusLink
from drivers.modbus.serial_port import someones_terminal, why_not
from sim.leavings import clear_leavings
from sim.modbus.rtu_line import RtuLine
from sim.scene import Scene
from sim.showing import showing
from station.core.choices import Speed
from station.core.errors import ConfigError, JigError
from station.core.settings import RtuLink, load_settings
from tests.other_users import STRANGER, needs_root

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps it
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from sim.modbus.rtu_line import RtuLine
from station.core.choices import Speed
from sim.scene import Scene

async def main():
    scene = Scene.create(sys.argv[1], 32, Speed.MAX, turn_lines=4)
    line = RtuLine(None, 1)
    print(line.open(Path(sys.argv[2])), flush=True)
    scene.note_jig(sys.argv[2], line.target)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.fixture
def name() -> str:
    return f"/station-test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def killed(name: str, tmp_path: Path) -> Path:
    """The shared memory of a cell that was killed; its jig was at `jig` in the test's folder."""
    command = [sys.executable, "-c", KILLED, name, str(tmp_path / "jig")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert ran.stdout.startswith("/dev/pts/")
    assert (tmp_path / "jig").is_symlink()
    return SHARED_MEMORY / name[1:]


def test_the_next_scene_of_any_name_clears_away_memory_and_link(killed: Path, tmp_path: Path) -> None:
    settings = load_settings(Path(str(bundled("simulate.toml"))))
    with showing(settings, "smh_385", None):
        assert not killed.exists()
        assert not (tmp_path / "jig").is_symlink()


def test_a_cell_at_work_and_what_is_no_scene_are_left_alone(killed: Path, name: str, tmp_path: Path) -> None:
    other = SHARED_MEMORY / f"{name[1:]}-other"
    (tmp_path / "jig").unlink()
    (tmp_path / "jig").symlink_to("/proc/self/fd/0")  # another cell's by now
    other.write_bytes(bytes(5000))
    try:
        with Scene.create(f"{name}-living", 32, Speed.MAX, turn_lines=4):
            clear_leavings()
            assert (SHARED_MEMORY / f"{name[1:]}-living").exists()
        assert other.exists()
        assert not killed.exists()
        assert (tmp_path / "jig").is_symlink()
    finally:
        other.unlink()


def test_a_name_that_is_just_cleared_away_is_waited_for(killed: Path, name: str) -> None:
    sweeper = os.open(killed, os.O_RDONLY)
    fcntl.flock(sweeper, fcntl.LOCK_EX)
    with pytest.raises(ConfigError, match="in use by another process"):
        Scene.create(name, 32, Speed.MAX, turn_lines=4)
    os.close(sweeper)
    with Scene.create(name, 32, Speed.MAX, turn_lines=4):
        assert killed.exists()


async def test_the_link_of_a_killed_cell_leads_to_no_other_terminal(killed: Path, tmp_path: Path) -> None:
    pairs = [os.openpty() for _ in range(3)]  # one of them has the number of the dead one
    link = ModbusLink(RtuLink(kind="rtu", device=str(tmp_path / "jig"), request_timeout_s=0.1), JIG)
    with pytest.raises(JigError, match="there is no such device"):
        await link.connect()
    await link.close()
    for file in (file for pair in pairs for file in pair):
        os.close(file)


@pytest.fixture
def shell() -> Iterator[tuple[int, str]]:
    """A process with a terminal of its own: the terminal's other end, and its path."""
    process, master = pty.fork()
    if not process:
        os.write(1, os.ttyname(0).encode() + b"\n")
        os.execvp("sleep", ["sleep", "60"])  # noqa: S606
    path = os.read(master, 100).decode().strip()
    yield master, path
    os.kill(process, signal.SIGKILL)
    os.close(master)
    os.waitpid(process, 0)


async def test_a_terminal_that_somebody_works_at_is_never_opened_as_the_jig(
    shell: tuple[int, str], tmp_path: Path
) -> None:
    master, path = shell
    (tmp_path / "jig").symlink_to(path)
    os.set_blocking(master, False)
    link = ModbusLink(RtuLink(kind="rtu", device=str(tmp_path / "jig"), request_timeout_s=0.1), JIG)
    with pytest.raises(JigError, match=r"is not opened: it is the terminal of process \d+ \((sleep|pytest|python)"):
        await link.connect()
    with pytest.raises(BlockingIOError):
        os.read(master, 100)
    await link.close()


async def test_a_serial_line_on_a_pseudo_terminal_is_nobodys_terminal(tmp_path: Path) -> None:
    line = RtuLine(None, 1)
    line.open(tmp_path / "jig")
    assert (someones_terminal(str(tmp_path / "jig")), why_not(str(tmp_path / "jig"))) == ("", "")
    line.close()


@pytest.fixture
def held() -> Iterator[tuple[str, int]]:
    """A serial device that another program holds, and that program."""
    ours, theirs = os.openpty()
    with subprocess.Popen(["sleep", "60"], stdin=theirs) as holder:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        yield os.ttyname(theirs), holder.pid
        holder.kill()
    os.close(ours)
    os.close(theirs)


async def test_a_port_that_another_program_holds_is_told_with_its_name(held: tuple[str, int]) -> None:
    device, holder = held
    link = ModbusLink(RtuLink(kind="rtu", device=device, request_timeout_s=0.1), JIG)
    with pytest.raises(JigError, match=rf"cannot be opened: process {holder} \(sleep\) holds it"):
        await link.connect()
    await link.close()


@needs_root
async def test_a_folder_of_another_user_is_no_place_for_the_link() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, STRANGER, -1)
        with pytest.raises(ConfigError, match="belongs to another user"):
            RtuLine(None, 1).open(Path(folder) / "jig")
        os.chown(folder, 0, -1)
