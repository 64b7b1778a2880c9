"""The walk of a person who has never seen any of it: from one command to a corrected label in the next data set.

Nothing is used here but what the terminal and the screens themselves say.
"""

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import tomllib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from config import bundled
from tests.cell.conftest import station_command
from tests.page.conftest import Opened
from tests.page.test_screens import is_live, says
from tests.page_bench import PASSWORD

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = [pytest.mark.page, pytest.mark.timeout(500)]

ROOT = Path(__file__).parents[2]
END_S = 60.0


class Terminal:
    """What a person reads in the terminal in which the command runs.

    Args:
        process: The command.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._reader = Thread(target=self._read, name="terminal")
        self._reader.start()

    async def reads(self, pattern: str) -> str:
        """What comes next of this, and its first group."""
        read = []
        while line := await self._lines.get():
            read.append(line)
            if found := re.search(pattern, line):
                return found[1]
        raise AssertionError(f"it ended without {pattern}: {''.join(read)}")

    def close(self) -> None:
        """The command is over."""
        self.process.wait(END_S)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
        self._loop.call_soon_threadsafe(self._lines.put_nowait, "")


def environment(folder: Path) -> dict[str, str]:
    """In which nothing leaves the test's own folder."""
    return {
        **os.environ, "XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder), "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1", "COLUMNS": "140",
    }  # fmt: skip


def configuration(folder: Path) -> Path:
    """The shipped one, on free ports and with names of its own."""
    text = bundled("simulate.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    for port in (document["robot"]["link"]["port"], document["plc"]["link"]["port"], document["page"]["port"]):
        text = text.replace(f"port = {port}", "port = 0")
    text = text.replace("{runtime}/jig", str(folder / "jig"))
    text = text.replace("/inspection-station-scene", f"/station-test-{uuid.uuid4().hex[:12]}")
    path = folder / "cell.toml"
    path.write_text(text, encoding="utf-8")
    return path


@asynccontextmanager
async def terminal(folder: Path) -> AsyncIterator[Terminal]:
    """The one command that a person gives."""
    arguments = ("--simulate", "--page", "--config", configuration(folder), "--data", folder / "data")
    process = subprocess.Popen(  # noqa: ASYNC220
        station_command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
        env=environment(folder),
    )  # fmt: skip
    shown = Terminal(process)
    try:
        yield shown
    finally:
        process.kill()
        await asyncio.to_thread(shown.close)


async def go_to(page: "Page", screen: str) -> None:
    await page.get_by_role("navigation").get_by_role("link", name=screen, exact=True).click()
    await page.get_by_role("navigation").locator(f'a[aria-current]:text-is("{screen}")').wait_for()


async def pick(page: "Page", part: str) -> None:
    """Look at one part of the queue of rejected ones, which is asked for anew until the part is there."""
    await page.get_by_role("tab", name="Rejected").click()
    while not await page.locator(f'#queue li b:text-is("{part}")').count():
        async with page.expect_response(re.compile("/review/queue")):
            await page.get_by_role("tab", name="Rejected").click()
    await page.locator("#queue li", has=page.locator(f'b:text-is("{part}")')).click()
    await says(page, "#part", part)
    await page.locator("#accept:enabled").wait_for()


async def test_a_newcomer_corrects_a_wrong_rejection_and_sees_it_in_the_next_data_set(
    tmp_path: Path, opened: Opened
) -> None:
    async with terminal(tmp_path) as shown:
        address = await shown.reads(r"operator page: (http://\S+)/")
        code = await shown.reads(r"this code: (\S+)")
        page = await opened(SimpleNamespace(origin=address), "/")
        await page.get_by_label("Code").fill(code)
        await page.get_by_label("Name").fill("Nina")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Begin").click()
        await is_live(page)
        await says(page, "#state", "RUNNING")
        await page.locator('#patches .patch[data-seen="good"]').first.wait_for()

        part = await shown.reads(r"fault part-thread strikes (\S+)")
        await shown.reads(rf"(\d+)\s+{part}\s+scratches")
        await go_to(page, "Review")
        await pick(page, part)
        await page.locator("#stage").wait_for(state="visible")
        await page.get_by_role("link", name=part, exact=True).click()
        await says(page, "#why", "scratches, decided by patch")
        await page.get_by_role("button", name="Where the network sees it").click()
        evidence = page.get_by_role("img", name="What speaks for it")
        await evidence.wait_for()
        assert await evidence.evaluate("one => one.decode().then(() => one.naturalWidth)") == 256

        await page.get_by_label("Note").fill("a thread of a cloth lies on it")
        async with page.expect_navigation():
            await page.get_by_role("button", name="defect_free").click()
        await says(page, ".say", "You say: defect_free (a thread of a cloth lies on it)")
        await says(page, "#next-set", "takes it as defect_free")
        await page.get_by_role("link", name="The next data set").click()
        row = page.locator("#labelled tr", has=page.get_by_role("link", name=part, exact=True))
        await row.wait_for()
        assert [cell.strip() for cell in (await row.locator("td").all_inner_texts())[2:]] == [
            "scratches", "Nina: defect_free a thread of a cloth lies on it", "defect_free",
        ]  # fmt: skip
        await says(page, "#too-few", "Parts of two classes at least are needed")
        await page.locator("#too-few").get_by_role("link", name="Review").click()
        await page.get_by_role("tab", name="Rejected").click()
        await page.locator("#accept:enabled").wait_for()
        await page.keyboard.press("Enter")
        await says(page, "#said", "said: 1")
        await go_to(page, "Data set")
        words = shlex.split(await page.locator("#command").inner_text())
        assert await page.locator("#too-few").count() == 0

        made = await asyncio.to_thread(
            subprocess.run, words, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr
        assert classes_of(tmp_path / "next-data-set")[part] == "defect_free"

        shown.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(shown.process.wait, END_S) == 0, "Ctrl-C ends both"


def classes_of(folder: Path) -> dict[str, str]:
    """The class of each part of a made data set."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {file["part_id"]: file["label"] for file in manifest["files"]}
