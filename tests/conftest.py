"""No test leaves anything behind: no task, thread, process, open file or temporary file, and no changed place."""

import asyncio
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import Held, held_now, left_since, put_back, tasks_left

FAILED = pytest.StashKey[bool]()
"""Whether a test, or one of a module, failed: then its traceback still refers to what it held."""
WIDE_LOOPS = pytest.StashKey[int]()
"""How many loops run on from test to test. What works in one opens and closes things in any test: it is looked at once,
when the loop ends."""

Look = Callable[[pytest.Item, asyncio.Runner], None]
"""Fails a test that left something in its loop."""


@pytest.fixture(scope="session", autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A folder of this process for temporary files: no other one leaves any in it, but every user may, as in `/tmp`."""
    tmp_path_factory.getbasetemp()  # stays where it is
    with tempfile.TemporaryDirectory(prefix="station-tests-") as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder).chmod(0o1777)
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield folder


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest, temporary_folder: str) -> Iterator[None]:
    """Compares what is held after the test with what was before it.

    Fixtures of a wider scope are made before this one, those of the test after it and ended before it.
    """
    before = held_now()
    yield
    if request.node.funcargs:  # None where the run was interrupted
        request.node.funcargs.clear()  # what fixtures of the test gave, as pytest does after this
    if not request.session.stash.get(WIDE_LOOPS, 0):
        _require_nothing_left(request.node, before)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> Generator[None, Any, Any]:
    """Look at each loop before it is closed, which would end its tasks; the fixtures that use it have ended by then."""
    made = yield
    if isinstance(made, asyncio.Runner):
        look = _looked_at_once(request, made) if request.scope != "function" else _require_no_tasks
        request.addfinalizer(lambda: look(request.node, made))
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which test failed."""
    report = yield
    if report.failed:
        for node in item.listchain():
            node.stash[FAILED] = True
    return report


def _looked_at_once(
    request: pytest.FixtureRequest, made: asyncio.Runner
) -> Callable[[pytest.Item, asyncio.Runner], None]:
    made.get_loop()
    before, stash = held_now(), request.session.stash
    stash[WIDE_LOOPS] = stash.get(WIDE_LOOPS, 0) + 1

    def look(node: pytest.Item, runner: asyncio.Runner) -> None:
        stash[WIDE_LOOPS] -= 1
        _require_no_tasks(node, runner)
        runner.run(runner.get_loop().shutdown_default_executor())
        _require_nothing_left(node, before)

    return look


def _require_no_tasks(node: pytest.Item, runner: asyncio.Runner) -> None:
    if not node.stash.get(FAILED, False) and (found := tasks_left(runner.get_loop())):
        pytest.fail(_told(found), pytrace=False)


def _require_nothing_left(node: pytest.Item, before: Held) -> None:
    if not node.stash.get(FAILED, False) and (found := left_since(before)):
        put_back(before)
        pytest.fail(_told(found), pytrace=False)


def _told(found: list[str]) -> str:
    return "left behind:\n" + "\n".join(f"  {one}" for one in found)
