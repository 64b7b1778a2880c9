"""What the operator page costs and how quick it is: figures for its chapter, measured and printed, never asserted.

    python -m tests.page_figures paint              first paint of Live, and what it weighs
    python -m tests.page_figures change             from a change in the station to a browser that shows it
    python -m tests.page_figures search COUNT       searches among so many inspections
    python -m tests.page_figures replay PARTS       memory of browser and page while so many parts' events go by
    python -m tests.page_figures pairs N            decisions without and with 50 who look, N pairs in turns

Needs `chromium` and the packages of `requirements/browser.txt`.
"""

import asyncio
import gzip
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from config import bundled
from station.bench.apart import apart
from station.bench.cell_config import simulated
from station.bench.cell_run import RECORDING, run_cell
from station.bench.housings import write_recording
from station.bench.one_network import of_one_network
from station.cell.desk import Desk
from station.core.clock import SystemClock
from station.core.events import (
    CellEvent,
    PartEntered,
    PartSorted,
    StateChanged,
    StepStarted,
    StripScored,
)
from station.core.part import Inspection, Scores
from station.core.settings import load_settings
from station.host.control_socket import ControlSocket
from station.host.watch import LINES_WAITING, Watch
from tests.cell.conftest import station_command
from tests.housings import TABLE, Destination, Verdict
from tests.many_records import write_many
from tests.page_bench import PASSWORD
from tests.page_parts import decided as decision_of
from tests.record_samples import PART_TYPE, START, part

TABS = 50
PAINTS = 30
CHANGES = 500
SEARCHES = 20
PARTS_A_RUN = 40
DRAWS = 10_000


def main() -> None:
    """Measure what is asked."""
    what, *more = sys.argv[1:] or ["-"]
    measured: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
        "paint": paint, "change": change, "search": search, "replay": replay, "pairs": pairs,
    }  # fmt: skip
    if what not in measured:
        raise SystemExit(__doc__)
    say("load before", os.getloadavg())
    asyncio.run(measured[what](*map(int, more)))
    say("load after", os.getloadavg())


def say(what: str, *figures: object) -> None:
    """A line of the answer."""
    print(f"{what}:", *figures, flush=True)  # noqa: T201


def spread(values_ms: Sequence[float]) -> str:
    """Median, 99th percentile and most, in ms."""
    return f"median {np.median(values_ms):.1f} ms, p99 {np.percentile(values_ms, 99):.1f}, at most {max(values_ms):.1f}"


# ---------------------------------------------------------------------- the page, and who looks at it


class Page:
    """A page that runs as a user starts it.

    Attributes:
        process: Its process.
        address: Where it answers.
        cookie: Of the one who is signed in.
    """

    def __init__(self, process: subprocess.Popen[str], address: str, cookie: str) -> None:
        self.process = process
        self.address = address
        self.cookie = cookie

    def browser(self) -> httpx.AsyncClient:
        """One who is signed in."""
        return httpx.AsyncClient(base_url=self.address, cookies={"station": self.cookie}, timeout=60.0)

    @property
    def resident_mb(self) -> float:
        """Its memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        (kilobytes,) = re.findall(r"VmRSS:\s+(\d+)", status)
        return int(kilobytes) / 1024


@contextmanager
def page_of(data: Path) -> Iterator[Page]:
    """`station page` of a data folder, in which one person is signed in."""
    data.mkdir(parents=True, exist_ok=True)
    with as_file(bundled("simulate.toml")) as shipped:
        config = data / "page.toml"
        config.write_text(shipped.read_text(encoding="utf-8").replace("port = 8480", "port = 0"), encoding="utf-8")
    process = subprocess.Popen(
        station_command("page", "--config", config, "--data", data), stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = code = ""
        while not code:
            line = process.stdout.readline()
            address = "".join(re.findall(r"operator page: (http://\S+)/", line)) or address
            code = "".join(re.findall(r"this code: (\S+)", line))
        form = {"code": code, "name": "Ada", "password": PASSWORD}
        answer = httpx.post(f"{address}/first", data=form, headers={"origin": address}, timeout=120.0)
        yield Page(process, address, answer.cookies["station"])
    finally:
        process.terminate()
        process.wait(30)


@asynccontextmanager
async def tab(page: Page) -> AsyncIterator[Any]:
    """A tab of chromium at Live."""
    from playwright.async_api import async_playwright  # noqa: PLC0415

    async with async_playwright() as driver:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-precise-memory-info"]
        browser = await driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        context = await browser.new_context()
        await context.add_cookies([{"name": "station", "value": page.cookie, "url": page.address}])
        opened = await context.new_page()
        opened.set_default_timeout(120_000)
        await opened.goto(page.address)
        yield opened
        await browser.close()


@asynccontextmanager
async def told(data: Path) -> AsyncIterator[Watch]:
    """A station's socket of which only the watch is at work."""
    watch = Watch("figures", TABLE.places, SystemClock())
    control = ControlSocket(data, watch)
    with control.opened():
        serving = asyncio.create_task(control.serve(NoDesk()))
        try:
            yield watch
        finally:
            serving.cancel()
            await asyncio.wait([serving])


class NoDesk(Desk):
    """Nobody commands here."""

    def __init__(self) -> None:
        """Nothing is at hand."""


# ---------------------------------------------------------------------- first paint


async def paint() -> None:
    """First paint of Live in a browser that has nothing of it yet, and all that it loads, compressed."""
    with tempfile.TemporaryDirectory() as folder, page_of(Path(folder)) as page:
        async with told(Path(folder)), tab(page) as first:
            took, context = [], first.context
            for _ in range(PAINTS):
                fresh = await context.browser.new_context()
                await fresh.add_cookies([{"name": "station", "value": page.cookie, "url": page.address}])
                one = await fresh.new_page()
                await one.goto(page.address)
                await one.wait_for_selector('html[data-live="yes"]')
                entry = 'performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0'
                took.append(await one.evaluate(entry))
                await fresh.close()
            say(f"first paint of Live, {PAINTS} times", spread(took))
        async with page.browser() as browser:
            sizes = {path: len(gzip.compress((await browser.get(path)).content)) for path in await loaded(browser)}
        say("Live, gzipped", f"{sum(sizes.values()) / 1000:.1f} kB in {len(sizes)} files")


async def loaded(browser: httpx.AsyncClient) -> set[str]:
    """Everything that Live loads."""
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', (await browser.get("/")).text)
    return {"/", *named}


# ---------------------------------------------------------------------- a change


NOTED = """() => { window.shown = [];
  new MutationObserver(() => { const text = document.getElementById("reason").textContent;
    requestAnimationFrame(() => window.shown.push([text, performance.timeOrigin + performance.now()])); })
    .observe(document.getElementById("reason"), { childList: true, characterData: true, subtree: true }); }"""


async def change() -> None:
    """From when the cell has changed until the frame in which a browser shows it."""
    from station.core.errors import FAULTS  # noqa: PLC0415
    from station.core.reason import Reason  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, page_of(Path(folder)) as page:
        async with told(Path(folder)) as watch, tab(page) as live:
            await live.wait_for_selector('html[data-live="yes"]')
            await live.evaluate(NOTED)
            happened = {}
            for number in range(CHANGES):
                happened[str(number)] = 1e3 * time.time()
                reason = Reason(FAULTS["robot.fault"], f"change {number}.")
                watch.take(StateChanged("EXECUTE", "HELD", reason))
                await asyncio.sleep(random.uniform(0.05, 0.15))  # noqa: S311
            await asyncio.sleep(1.0)
            shown: dict[str, float] = {}
            for text, at in await live.evaluate("window.shown"):
                shown.setdefault(re.findall(r"change (\d+)\.", text)[0], at)
    took = [shown[number] - happened[number] for number in shown]
    say(f"a change shown, {len(took)} of {CHANGES}", spread(took))


# ---------------------------------------------------------------------- search


QUESTIONS = (
    "", "verdict:review", "type:early verdict:scratches", "reason:part.low_confidence since:2025-01-05",
    "class:pits verdict:review", "model:network-1 until:2025-01-10", "id:NO-SUCH-PART",
    "since:2025-01-10 until:2025-01-11", "verdict:pits class:scratches type:late",
)  # fmt: skip


async def search(count: int = 1_000_000) -> None:
    """Each question some times, as the browser has its answer."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        await asyncio.to_thread(write_many, Path(folder), count)
        say("made", f"{count} inspections in {time.monotonic() - begun:.0f} s")
        with page_of(Path(folder)) as page:
            async with page.browser() as browser:
                every = []
                for question in QUESTIONS:
                    took = []
                    for _ in range(SEARCHES):
                        begun = time.monotonic()
                        answer = await browser.get("/search", params={"q": question})
                        took.append(1e3 * (time.monotonic() - begun))
                        assert answer.status_code == 200, question
                    say(repr(question), spread(took))
                    every += took
                say("all", spread(every))


# ---------------------------------------------------------------------- a day's parts


async def replay(parts: int = 86_400) -> None:
    """Memory of the browser's tab and of the page while the events of so many parts go by."""
    with tempfile.TemporaryDirectory() as folder, page_of(Path(folder)) as page:
        async with told(Path(folder)) as watch, tab(page) as live:
            await live.wait_for_selector('html[data-live="yes"]')
            session = await live.context.new_cdp_session(live)
            begun = time.monotonic()
            for number in range(parts + 1):
                if number % max(1, parts // 12) == 0:
                    await asyncio.sleep(2.0)
                    await session.send("HeapProfiler.collectGarbage")
                    heap = (await session.send("Runtime.getHeapUsage"))["usedSize"] / 1e6
                    nodes = await live.evaluate("document.querySelectorAll('*').length")
                    shown = await live.evaluate("document.getElementById('part-id').textContent")
                    say(
                        f"{number} parts, {time.monotonic() - begun:.0f} s",
                        f"heap {heap:.2f} MB, {nodes} elements, page {page.resident_mb:.1f} MB, shows {shown}",
                    )
                for event in journey_events(number):
                    watch.take(event)
                await drained(watch)


def journey_events(number: int) -> Iterator[CellEvent]:
    """All that happens with one part, as those who watch are told it."""
    verdict = (Verdict.DEFECT_FREE, Verdict.PITS, Verdict.REVIEW)[number % 3]
    one = Inspection(f"{number:026d}", number, part(f"R{number}"), PART_TYPE, START)
    decision = decision_of(verdict, "part.low_confidence" if verdict is Verdict.REVIEW else None)  # type: ignore[arg-type]
    yield PartEntered(one)
    for step in ("load", "spin", "scan"):
        yield StepStarted(one, step)
    for strip in range(8):
        surfaces = (Verdict.PITS if strip == number % 8 else Verdict.DEFECT_FREE, Verdict.DEFECT_FREE)
        yield StripScored(one, Scores(strip, decision.probabilities[2 * strip : 2 * strip + 2]), surfaces)
    for step in ("decide", "unload"):
        yield StepStarted(one, step)
    yield PartSorted(one, decision, Destination.BIN_REVIEW, 12.0, scan_valid=True, cycle_ms=3500.0)


async def drained(watch: Watch) -> None:
    """Return when those who watch have taken nearly all of it: a seat that is full would be given up."""
    await asyncio.sleep(0)
    while any(seat._lines.qsize() > LINES_WAITING // 4 for seat in watch._seats):  # noqa: ASYNC110
        await asyncio.sleep(0.001)


# ---------------------------------------------------------------------- with 50 who look


async def pairs(count: int = 40) -> None:
    """The decision after the last line, the median of a run, without and with 50 event streams, in turns."""
    ratios = []
    for number in range(count):
        order = [0, TABS] if number % 2 == 0 else [TABS, 0]
        took = {tabs: await decided(tabs) for tabs in order}
        ratios.append(took[TABS] / took[0])
        say(f"pair {number + 1}", f"{took[0]:.2f} ms without, {took[TABS]:.2f} ms with, load {os.getloadavg()[0]:.1f}")
    drawn = np.random.default_rng(1).choice(ratios, (DRAWS, len(ratios)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    say(
        f"ratio with to without, median of {len(ratios)} pairs",
        f"{np.median(ratios):.3f}, 95 % {low:.3f} to {high:.3f}",
    )


async def decided(tabs: int) -> float:
    """The median time from the last line to the decision at the PLC, in ms, while so many look."""
    with as_file(bundled("simulate.toml")) as shipped:
        settings, _left_out = of_one_network(simulated(load_settings(shipped)))
    with tempfile.TemporaryDirectory(prefix="station-bench-") as name:
        folder = Path(name)
        await asyncio.to_thread(write_recording, settings, folder / RECORDING)
        async with AsyncExitStack() as stack:
            if tabs:
                page = stack.enter_context(page_of(folder / "data"))
                watching = [asyncio.create_task(look_on(page)) for _ in range(tabs)]
                stack.callback(lambda: [one.cancel() for one in watching])
            run = await asyncio.to_thread(apart, run_cell, settings, PARTS_A_RUN, "line rate", folder)
            if tabs:
                heard = [one.seen for one in WATCHERS]
                assert min(heard) > PARTS_A_RUN, heard
                WATCHERS.clear()
        return statistics.median(run.decisions_ms)


class Looking:
    """How much one who looks has seen."""

    def __init__(self) -> None:
        self.seen = 0


WATCHERS: list[Looking] = []


async def look_on(page: Page) -> None:
    """Take in everything that a browser at Live is told."""
    looking = Looking()
    WATCHERS.append(looking)
    async with page.browser() as browser, browser.stream("GET", "/events", timeout=None) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                looking.seen += 1
                json.loads(line[6:])


if __name__ == "__main__":
    main()
