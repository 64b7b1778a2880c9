"""No test leaves anything behind: no task, thread, process, open file or temporary file, and no changed place."""

import asyncio
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import held_now, left_since, put_back, tasks_left

FAILED = pytest.StashKey[bool]()
"""Whether a test failed: then its traceback still refers to what it held."""


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
    request.node.funcargs.clear()  # what fixtures of the test gave, as pytest does after this
    if not request.node.stash.get(FAILED, False) and (found := left_since(before)):
        put_back(before)
        pytest.fail(_told(found), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> Generator[None, Any, Any]:
    """Before a loop is closed, which would end its tasks, none may be left; its fixtures have ended by then."""
    made = yield
    if isinstance(made, asyncio.Runner):
        request.addfinalizer(lambda: _require_no_tasks(request.node, made))
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


def _require_no_tasks(node: pytest.Item | pytest.Collector, runner: asyncio.Runner) -> None:
    if not node.stash.get(FAILED, False) and (found := tasks_left(runner.get_loop())):
        pytest.fail(_told(found), pytrace=False)


def _told(found: list[str]) -> str:
    return "left behind:\n" + "\n".join(f"  {one}" for one in found)
