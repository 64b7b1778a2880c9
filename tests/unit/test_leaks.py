"""What a test leaves behind fails it and is named; what others hold, or what is given back in time, does not."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]

BEGIN = """
import asyncio, os, pathlib, socket, subprocess, sys, tempfile, threading
import pytest, pytest_asyncio
from station.core.outlet import Outlet

kept, gate = [], threading.Event()

async def wait_for_ever():
    await asyncio.Event().wait()

@pytest.fixture(scope="session", autouse=True)
def end():
    yield
    gate.set()
    for one in kept:
        if isinstance(one, subprocess.Popen):
            one.kill()
            one.wait()
"""

LEAKY = """
from tests import leaks

@pytest.fixture(scope="module", autouse=True)
def no_patience():
    patience_s, leaks.PATIENCE_S = leaks.PATIENCE_S, 0.0
    yield
    leaks.PATIENCE_S = patience_s

async def test_task():
    kept.append(asyncio.create_task(wait_for_ever(), name="forgotten"))

@pytest.fixture
async def forgetful():
    kept.append(asyncio.create_task(wait_for_ever(), name="of a fixture"))

def test_task_of_a_fixture(forgetful):
    pass

def test_thread():
    threading.Thread(target=gate.wait, name="forgotten").start()

def test_thread_of_the_house():
    Outlet("forgotten", len).write("words")

def test_child():
    kept.append(subprocess.Popen(["sleep", "60"]))
    while not pathlib.Path(f"/proc/{kept[-1].pid}/cmdline").read_bytes():
        pass  # Popen may return a moment before Linux shows what runs

def test_dead_child():
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)

def test_listener():
    kept.append(socket.create_server(("127.0.0.1", 0)))

def test_socket():
    kept.extend(socket.socketpair())

def test_file(tmp_path):
    kept.append((tmp_path / "left-open").open("w"))

def test_pipe():
    kept.append(os.pipe())

def test_temporary_file():
    os.close(tempfile.mkstemp(prefix="left-there")[0])

def test_temporary_file_of_a_child():
    subprocess.run(["mktemp", "--tmpdir", "childs-XXXX"], check=True)

def test_working_directory(tmp_path):
    os.chdir(tmp_path)

def test_environment():
    os.environ["LEFT_BY_A_TEST"] = "1"
"""

SAID = {
    "task": "task 'forgotten': wait_for_ever at ",
    "task_of_a_fixture": "task 'of a fixture': wait_for_ever at ",
    "thread": "thread 'forgotten' at ",
    "thread_of_the_house": "thread 'outlet forgotten' (daemon) at station/core/background_writer.py:",
    "child": ": sleep 60",
    "dead_child": ": ended, not waited for",
    "listener": "listening socket",
    "socket": "open socket",
    "file": "/left-open",
    "pipe": ": pipe:[",
    "temporary_file": "/left-there",
    "temporary_file_of_a_child": "/childs-",
    "working_directory": "working directory ",
    "environment": "environment LEFT_BY_A_TEST='1', it was None",
}
"""What is said of each of them."""

FAILING = """
def test_failing():
    kept.append(socket.create_server(("127.0.0.1", 0)))
    assert not kept
"""

SOUND = """
@pytest.fixture(scope="module")
def others():
    thread = threading.Thread(target=gate.wait)
    thread.start()
    with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryDirectory():
        yield listener

def test_what_a_wider_scope_holds(others):
    pass

def test_the_same_again(others):
    pass

async def test_what_is_given_back(tmp_path):
    task = asyncio.create_task(wait_for_ever())
    await asyncio.to_thread(os.getpid)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    child = await asyncio.create_subprocess_exec("true")
    await child.wait()
    server.close()
    task.cancel()
    with tempfile.TemporaryFile(), (tmp_path / "left").open("w"):
        await asyncio.wait([task])

def test_what_is_on_its_way_out():
    threading.Thread(target=gate.wait, args=(0.1,)).start()

def test_the_place_is_as_it_was_before_the_one_that_left_it():
    assert "LEFT_BY_A_TEST" not in os.environ
    assert pathlib.Path.cwd() == START
"""


RUNS_ON = """
pytestmark = pytest.mark.asyncio(loop_scope="module")

@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cell():
    opened = []
    yield opened
    if CLOSES:
        for one in opened:
            one.close()

async def test_what_a_cell_opens_meanwhile_CLOSES(cell):
    cell.append(socket.create_server(("127.0.0.1", 0)))
    kept.append(cell)

async def test_a_cell_that_runs_on_CLOSES(cell):
    await asyncio.to_thread(os.getpid)
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What was said of each test of a run; empty of one that passed."""
    folder = tmp_path_factory.mktemp("planted")
    start = f"\nSTART = pathlib.Path({str(folder)!r})\n"
    for name, source in (("leaky", LEAKY + FAILING), ("sound", SOUND)):  # in this order
        (folder / f"test_{name}.py").write_text(BEGIN + start + source, encoding="utf-8")
    for closes in ("True", "False"):
        (folder / f"test_runs_on_{closes}.py").write_text(BEGIN + RUNS_ON.replace("CLOSES", closes), encoding="utf-8")
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--basetemp", folder / "temp", "--junitxml", folder / "said.xml",
         folder],
        capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout + ran.stderr
    said = {}
    for case in ET.parse(folder / "said.xml").iter("testcase"):  # noqa: S314  # written by the run above
        problems = [one.get("message", "") + (one.text or "") for one in case if one.tag in {"failure", "error"}]
        said.setdefault(str(case.get("name")), "")
        said[str(case.get("name"))] += "\n".join(problems)
    return said


@pytest.mark.parametrize("name", SAID)
def test_what_a_test_leaves_behind_fails_it_and_is_named(outcomes: dict[str, str], name: str) -> None:
    said = outcomes[f"test_{name}"]
    assert "left behind:" in said
    assert SAID[name] in said


def test_a_test_that_failed_is_told_of_its_failure_alone(outcomes: dict[str, str]) -> None:
    assert "assert not" in outcomes["test_failing"]
    assert "left behind" not in outcomes["test_failing"]


def test_nothing_is_said_of_what_others_hold_or_is_given_back(outcomes: dict[str, str]) -> None:
    sound = {name: said for name, said in outcomes.items() if f"def {name}(" in SOUND}
    assert sound
    assert set(sound.values()) == {""}


def test_what_a_loop_of_many_tests_holds_is_looked_at_when_it_ends(outcomes: dict[str, str]) -> None:
    assert outcomes["test_what_a_cell_opens_meanwhile_True"] == outcomes["test_a_cell_that_runs_on_True"] == ""
    assert outcomes["test_what_a_cell_opens_meanwhile_False"] == ""
    assert "listening socket" in outcomes["test_a_cell_that_runs_on_False"]
