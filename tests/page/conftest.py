"""The page in a real browser, which fails a test by whatever it complains of and wherever else it asks."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from station.page.guard import COOKIE
from station.page.people import Person
from tests.page_bench import PageBench

if TYPE_CHECKING:
    from playwright.async_api import Browser, ConsoleMessage, Page, Request

FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]
PATIENCE_MS = 60_000
SMALL, LARGE = {"width": 1024, "height": 768}, {"width": 3840, "height": 2160}

Opened = Callable[..., Awaitable["Page"]]


@pytest.fixture
async def chromium() -> AsyncIterator["Browser"]:
    """A browser, at the end of the test none."""
    from playwright.async_api import async_playwright  # noqa: PLC0415

    where = shutil.which("chromium")
    if where is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed: apt-get install chromium")
        pytest.skip("the browser that looks at the page is not installed: apt-get install chromium")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=where, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def opened(chromium: "Browser") -> AsyncIterator[Opened]:
    """Opens a screen as a person sees it; the test fails by what the browser complains of, or asks of others."""
    complaints: list[str] = []

    async def open_(
        bench: PageBench, path: str, person: Person | None = None, *, size: dict[str, int] | None = None, **more: Any
    ) -> "Page":
        context = await chromium.new_context(base_url=bench.origin, viewport=size or SMALL, **more)  # type: ignore[arg-type]
        if person is not None:
            token = bench.served.desk.doors.sessions.begin(person, "127.0.0.1")
            await context.add_cookies(
                [{"name": COOKIE, "value": token, "url": bench.origin, "httpOnly": True, "sameSite": "Strict"}]
            )
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        page.on("console", lambda message: complaints.extend(_complaint(message)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        context.on("request", lambda request: complaints.extend(_elsewhere(request, bench.origin)))
        await page.goto(path)
        return page

    yield open_
    assert complaints == []


def _complaint(message: "ConsoleMessage") -> list[str]:
    """What a browser complains of, but that what was ended or refused on purpose did not answer."""
    known = (
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED_ENCODING",
        "status of 4",
        "ERR_EMPTY_RESPONSE",
        "ERR_CONNECTION_RESET",
    )
    if message.type not in {"error", "warning"} or any(word in message.text for word in known):
        return []
    return [message.text]


def _elsewhere(request: "Request", origin: str) -> list[str]:
    return [] if request.url.startswith(f"{origin}/") else [f"asked elsewhere: {request.url}"]
