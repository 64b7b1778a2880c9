"""A `station bench` that is broken off leaves nothing behind: no folder, no shared memory, no process."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bundles import make_grey_bundle
from tests.cell.conftest import narrowest_types, station_command

END_TIMEOUT_S = 60
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # where the simulated cell's scene lies
SIMULATED_CELL = "-m\0sim\0"


def processes_under(folder: Path) -> dict[int, str]:
    """The processes whose folder of temporary files is this one, with their command lines."""
    found = {}
    for process in Path("/proc").iterdir():
        try:
            environment = (process / "environ").read_bytes()
            command = (process / "cmdline").read_text(encoding="utf-8", errors="replace")
        except (NotADirectoryError, FileNotFoundError, PermissionError, ProcessLookupError):
            continue
        if f"TMPDIR={folder}".encode() in environment.split(b"\0") and command:
            found[int(process.name)] = command
    return found


def wait_for_cell(bench: "subprocess.Popen[str]", folder: Path) -> None:
    """Return when the bench has a simulated cell running."""
    while not any(SIMULATED_CELL in command for command in processes_under(folder).values()):
        assert bench.poll() is None, "the bench has ended by itself"
        time.sleep(0.02)


def ends(pid: int) -> bool:
    """Whether a process, which ends with the one that started it, does so in time."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(process):
        return bool(select.select([process], [], [], END_TIMEOUT_S)[0])


@contextmanager
def ctrl_c(handler: Callable[..., None] | signal.Handlers | None) -> Iterator[None]:
    """What is started in this context finds SIGINT ignored or not, whoever has started the tests."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def memory_of(pids: set[int]) -> list[Path]:
    """The shared memory that these processes have made."""
    return [path for pid in pids for path in SHARED_MEMORY.glob(f"station-bench-{pid}-*")]


@pytest.mark.parametrize(
    ("number", "handler"),
    [
        (signal.SIGTERM, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_IGN),
        (signal.SIGINT, signal.default_int_handler),
    ],
    ids=["SIGTERM", "SIGTERM in the background of a shell", "SIGINT"],
)
@pytest.mark.parametrize("name", ["stream", "startup_s"])
def test_nothing_is_left_of_a_bench_that_is_broken_off(
    name: str,
    number: signal.Signals,
    handler: Callable[..., None] | signal.Handlers,
    make_config: Callable[..., Path],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    bundle = make_grey_bundle(tmp_path / "tiny-1")
    config = narrowest_types(make_config(('bundle = "promoted"', f'bundle = "{bundle}"')))
    folder = tmp_path / "t"
    folder.mkdir()
    with ctrl_c(handler):
        bench = subprocess.Popen(
            station_command("bench", "--config", config, "--only", name, "--parts", "9999"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path, start_new_session=True,
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(folder)},
        )  # fmt: skip
    try:
        wait_for_cell(bench, folder)
        pids = set(processes_under(folder))
        bench.send_signal(number)
        said, _nothing = bench.communicate(timeout=END_TIMEOUT_S)
    finally:
        if bench.poll() is None:
            os.killpg(bench.pid, signal.SIGKILL)
    assert bench.returncode not in (0, -number), said
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []
    assert [command for pid, command in processes_under(folder).items() if not ends(pid)] == []
    assert memory_of(pids) == []
