"""The page as a process: it listens, follows the cell, and answers until it is told to stop."""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TextIO

import uvicorn
from starlette.types import ASGIApp

from station.core.clock import Clock
from station.core.errors import PageError
from station.core.page_settings import PageSettings
from station.core.settings import Settings
from station.page.app import application
from station.page.attempts import Attempts
from station.page.build import make_desk
from station.page.connections import WAITING, TimedConnection
from station.page.desk import PageDesk
from station.page.passwords import Passwords

BACKLOG = 64
"""So many connections may wait to be accepted."""
AT_ONCE = 128
"""So many requests at least are answered at once, streams among them, whoever else is connected."""
END_S = 1
"""So long streams may still run when the page ends."""
KEPT_S = 20
"""So long a connection is kept for the next request."""

Say = Callable[[str], None]


async def serve_page(
    settings: Settings, data: Path | None, clock: Clock, say: Say, parent: TextIO | None = None,
    *, file: Path | None = None,
) -> None:  # fmt: skip
    """Serve the page until a signal stops it, or its parent is gone.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
        clock: The date.
        say: Told the address, and while nobody may use the page, how the first person comes in.
        parent: What ends when the parent does, or None where there is none to wait for.
        file: Where the configuration lies, if it lies anywhere.

    Raises:
        PageError: It cannot listen, its certificate or its database cannot be used.
    """
    async with opened_page(settings, data, clock, say, file=file) as page:
        with _ended_by_signals(page), _ended_by(parent, page):
            await page.served


class Served:
    """A page that answers.

    Attributes:
        address: Where it does, as a browser wants it.
        desk: What its answers are made from.
        served: Ends when the page does.
    """

    def __init__(self, address: str, desk: PageDesk, server: "_Server", served: "asyncio.Task[None]") -> None:
        self.address = address
        self.desk = desk
        self._server = server
        self.served = served

    def end(self) -> None:
        """Answer nobody any more."""
        self._server.should_exit = True


@asynccontextmanager
async def opened_page(
    settings: Settings, data: Path | None, clock: Clock, say: Say, passwords: Passwords | None = None,
    *, file: Path | None = None,
) -> AsyncIterator[Served]:  # fmt: skip
    """The page, while in this context, unless it is ended before.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
        clock: The date.
        say: As for `serve_page`.
        passwords: Hashes and proves.
        file: As for `serve_page`.

    Raises:
        PageError: As for `serve_page`.
    """
    attempts = Attempts(asyncio.get_running_loop().time)
    desk = await asyncio.to_thread(make_desk, settings, data, clock, attempts, passwords, file=file)
    with listening(settings.page) as listener:
        address = address_of(settings.page, listener)
        server = _Server(_configured(settings.page, application(desk, {settings.page.host, *settings.page.names})))
        following = asyncio.create_task(desk.follower.run(), name="follower")
        serving = asyncio.create_task(server.serve([listener]), name="page")
        try:
            await server.is_up(serving)
            say(f"operator page: {address}")
            if await asyncio.to_thread(desk.doors.people.there_are_none):
                say(f"nobody may use it yet; who comes first needs this code: {desk.doors.invitation.code}")
            yield Served(address, desk, server, serving)
        finally:
            server.should_exit = True
            await desk.hands.close()
            await desk.grounds.close()
            following.cancel()
            await asyncio.gather(serving, following, return_exceptions=True)


def listening(settings: PageSettings) -> socket.socket:
    """A socket at the page's address.

    Raises:
        PageError: `page.cannot_listen`.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        where = f"page.host {settings.host}, page.port {settings.port}"
        raise PageError("page.cannot_listen", f"{where}: {error.strerror}") from error
    return listener


def address_of(settings: PageSettings, listener: socket.socket) -> str:
    """The page's address, as a browser wants it."""
    port = listener.getsockname()[1]
    host = settings.names[0] if settings.names else settings.host
    return f"{'https' if settings.has_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/"


class _Server(uvicorn.Server):
    """Says when it answers, and leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: the process ends in order by itself."""
        yield

    async def is_up(self, serving: "asyncio.Task[None]") -> None:
        """Return when it answers.

        Raises:
            Exception: What kept it from that.
        """
        while not self.started:
            if serving.done():
                serving.result()
                raise PageError("page.cannot_listen", "it ended before it answered")
            await asyncio.sleep(0.01)


def _configured(settings: PageSettings, page: ASGIApp) -> uvicorn.Config:
    """What uvicorn is told.

    Raises:
        PageError: `page.bad_certificate`.
    """
    config = uvicorn.Config(
        page, http=TimedConnection, ws="none", lifespan="off", log_config=None, log_level="warning", access_log=False,
        server_header=False, proxy_headers=False, limit_concurrency=AT_ONCE + WAITING, timeout_keep_alive=KEPT_S,
        timeout_graceful_shutdown=END_S, ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None,
    )  # fmt: skip
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        files = f"{settings.tls_certificate}, {settings.tls_key}"
        raise PageError("page.bad_certificate", f"{files}: {error.strerror or error}") from error
    return config


@contextmanager
def _ended_by_signals(page: Served) -> Iterator[None]:
    """While in this context, SIGINT and SIGTERM end the page."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, page.end)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextmanager
def _ended_by(parent: TextIO | None, page: Served) -> Iterator[None]:
    """While in this context, the end of the parent ends the page."""
    if parent is None:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_reader(parent, page.end)
    try:
        yield
    finally:
        loop.remove_reader(parent)
