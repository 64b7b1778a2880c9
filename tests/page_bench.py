"""The operator page as browsers reach it: a real server, real sockets, and people who sign in."""

import ssl
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from argon2 import PasswordHasher

from config import bundled
from station.core.clock import Clock, SystemClock
from station.core.settings import Settings, parse_settings
from station.page.guard import COOKIE
from station.page.passwords import Passwords
from station.page.people import Hand, Person
from station.page.roles import Role
from station.page.serving import Served, opened_page

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""As argon2id as any, and done at once."""
PASSWORD = "correct horse battery"  # noqa: S105
PATIENCE_S = 60.0
NO_SECRET = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What a browser knows of certificates; made once, for it takes its time."""
HAND = Hand("a test", "127.0.0.1")


class SetClock(SystemClock):
    """A date that tests move."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 1, 6, tzinfo=UTC)

    def now(self) -> datetime:
        """The date that was set."""
        return self.at

    def go_on(self, **by: float) -> None:
        """So much later."""
        self.at += timedelta(**by)


class PageBench:
    """A page, and those who look at it."""

    def __init__(self, served: Served, said: list[str]) -> None:
        self.served = served
        self.said = said

    @property
    def origin(self) -> str:
        """What a browser calls the page's origin."""
        return f"http://127.0.0.1:{self.served.address.rstrip('/').rpartition(':')[2]}"

    def admit(self, role: Role, name: str = "") -> Person:
        """Let somebody in."""
        person = Person(name or role.value.title(), role, active=True)
        self.served.desk.doors.people.add(person.name, role, PASSWORD, HAND)
        return person

    def browser(self, person: Person | None = None) -> httpx.AsyncClient:
        """A browser in which this person is signed in, or nobody."""
        cookies = {}
        if person is not None:
            cookies[COOKIE] = self.served.desk.doors.sessions.begin(person, "127.0.0.1")
        return httpx.AsyncClient(
            base_url=self.origin, cookies=cookies, headers={"origin": self.origin}, timeout=PATIENCE_S, verify=NO_SECRET
        )


def page_settings(plant: dict[str, object] | None = None, **changes: object) -> Settings:
    """The shipped simulation's configuration, with a page on a free port."""
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    document["page"] |= {"port": 0, **changes}
    document["plant"] |= plant or {}
    return parse_settings(document, "test")


@asynccontextmanager
async def paged(
    folder: Path, clock: Clock | None = None, configuration: Settings | None = None
) -> AsyncIterator[PageBench]:
    """The page of a data folder, while in this context."""
    said: list[str] = []
    say: Callable[[str], None] = said.append
    passwords = Passwords(QUICK)
    async with opened_page(configuration or page_settings(), folder, clock or SystemClock(), say, passwords) as served:
        yield PageBench(served, said)
