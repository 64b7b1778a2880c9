"""Those who mean the page no good: too much, too slowly, from elsewhere, under a dead station, with a name of code."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from station.page import connections, forms
from station.page.app import ENTRIES
from station.page.connections import WAITING
from station.page.roles import Role
from tests.page_bench import HAND, PageBench, paged
from tests.page_parts import STRANGE, Inspected

PATIENCE_S = 50.0
LITTLE_S = 0.2
SLOW = 500


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    return Inspected.at(tmp_path_factory.mktemp("hostile") / "data")


@pytest.fixture(autouse=True)
def nobody_came_before(inspected: Inspected) -> None:
    for file in inspected.folder.glob("page.db*"):
        file.unlink()


@asynccontextmanager
async def connected(bench: PageBench) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection to the page."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(bench.origin.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def head(bench: PageBench, method: str, path: str, **headers: object) -> bytes:
    host = bench.origin.partition("//")[2]
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", f"origin: {bench.origin}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


# ---------------------------------------------------------------------- too much


async def test_ten_megabytes_are_refused_before_they_are_sent(inspected: Inspected) -> None:
    async with paged(inspected.folder) as bench, connected(bench) as (reader, writer):
        token = bench.served.desk.doors.tokens.make("MES", Role.QUALITY, 1, HAND)
        said = head(
            bench, "POST", "/api/1/labels", content_type="application/json", content_length=10_000_000,
            authorization=f"Bearer {token}",
        )  # fmt: skip
        writer.write(said + b'{"labels": {"' + b"x" * (forms.MOST_BYTES + 1))
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.readuntil(b"}")
        assert answer.startswith(b"HTTP/1.1 422")
        assert b"more than 65536 bytes" in answer


@pytest.mark.parametrize("sent", ["[" * 60_000, '{"labels": ' * 5_000, '{"a": NaN}', "1e999", '"' + "x" * 60_000])
async def test_json_that_is_made_to_hurt_is_refused(inspected: Inspected, sent: str) -> None:
    async with paged(inspected.folder) as bench, bench.browser() as browser:
        token = bench.served.desk.doors.tokens.make("MES", Role.QUALITY, 1, HAND)
        kind = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        answer = await browser.post("/api/1/labels", content=sent, headers=kind)
        assert answer.status_code == 422
        assert "refused" in answer.json()


# ---------------------------------------------------------------------- too slowly


async def test_five_hundred_who_connect_and_say_half_of_it_keep_nobody_out(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench:
        person = bench.admit(Role.OPERATOR)
        slow = [await half_a_question(bench) for _ in range(SLOW)]
        try:
            async with asyncio.timeout(PATIENCE_S), bench.browser(person) as browser:
                assert (await browser.get("/session")).status_code == 204
                async with browser.stream("GET", "/events") as stream:
                    assert stream.status_code == 200
        finally:
            for one in slow:
                one.close()


async def is_hung_up_on(one: socket.socket) -> bool:
    """Return when the other end has ended it; false where it has said something."""
    try:
        return await asyncio.get_running_loop().sock_recv(one, 1) == b""
    except ConnectionError:
        return True


async def half_a_question(bench: PageBench) -> socket.socket:
    """Somebody who has connected and says no more than a beginning."""
    one = socket.socket()
    one.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(one, ("127.0.0.1", int(bench.origin.rpartition(":")[2])))
    await loop.sock_sendall(one, b"GET /session HTTP/1.1\r\nhost: 127.0.0.1\r\n")
    return one


async def test_of_those_who_wait_the_ones_that_waited_longest_go_first(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench:
        slow = [await half_a_question(bench) for _ in range(WAITING + 1)]
        try:
            async with asyncio.timeout(PATIENCE_S):
                assert await is_hung_up_on(slow[0])
        finally:
            for one in slow:
                one.close()


@pytest.mark.parametrize("asked_before", [False, True], ids=["at once", "after a question that was answered"])
async def test_who_asks_byte_by_byte_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, asked_before: bool
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", LITTLE_S)
    async with paged(tmp_path) as bench, connected(bench) as (reader, writer):
        async with asyncio.timeout(PATIENCE_S):
            if asked_before:
                writer.write(head(bench, "GET", "/session"))
                await reader.readuntil(b"}")
            with pytest.raises(ConnectionError):
                await drip(writer, head(bench, "GET", "/session", x_padding="x" * 60_000))


async def drip(writer: asyncio.StreamWriter, said: bytes) -> None:
    """Say it byte by byte."""
    for byte in said:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(LITTLE_S / 10)


async def test_who_does_not_send_what_was_promised_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "SENT_S", LITTLE_S)
    async with paged(tmp_path) as bench, connected(bench) as (reader, writer):
        kind = "application/x-www-form-urlencoded"
        writer.write(head(bench, "POST", "/sign-in", content_type=kind, content_length=100) + b"name=Ada")
        async with asyncio.timeout(PATIENCE_S):
            assert b"not all there" in await reader.readuntil(b"}")


async def test_who_asks_for_a_scan_and_does_not_read_it_is_hung_up_on(
    inspected: Inspected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READ_S", LITTLE_S)
    monkeypatch.setattr("station.page.api.inspections.read_scan", lambda *_: b"x" * 64_000_000)
    async with paged(inspected.folder) as bench, connected(bench) as (reader, writer):
        token = bench.served.desk.doors.tokens.make("MES", Role.OPERATOR, 1, HAND)
        record = bench.served.desk.records.record(inspected.pits)
        path = f"/api/1/scans/{record['scan_sha256']}"
        writer.write(head(bench, "GET", path, authorization=f"Bearer {token}"))
        async with asyncio.timeout(PATIENCE_S):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            with pytest.raises(ConnectionError):
                await drip(writer, b"x" * 60_000)


# ---------------------------------------------------------------------- a name that bites


async def test_a_part_with_a_script_for_a_name_is_text_on_every_screen(inspected: Inspected) -> None:
    """Every screen that there is, those of tomorrow among them; what is no HTML says of what kind it is."""
    async with paged(inspected.folder) as bench, bench.browser(bench.admit(Role.ADMIN, "O'Neill")) as browser:
        for entry in ENTRIES:
            if entry.method != "GET" or "/events" in entry.path:
                continue
            numbers = dict.fromkeys(("row", "column", "number", "version"), 0)
            path = entry.path.format(inspection=inspected.pits, name="page.css", sha256="0" * 64, **numbers)
            answer = await browser.get(path, headers={"accept": "text/html"})
            assert answer.headers["x-content-type-options"] == "nosniff"
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert STRANGE not in answer.text, path
        listed = (await browser.get("/parts")).text
        assert "&lt;b&gt;&amp;&#39;&#34;&lt;/b&gt;" in listed
        told = (await browser.get("/api/1/inspections")).json()["inspections"]
        assert told[-1]["part_id"] == STRANGE


# ---------------------------------------------------------------------- a dead station, a session that is over


async def test_a_page_bound_to_a_dead_station_answers_and_says_so(inspected: Inspected) -> None:
    """Its socket is there and nobody behind it takes what is said."""
    dead = socket.socket(socket.AF_UNIX)
    where = inspected.folder / "station.socket"
    dead.bind(str(where))
    dead.listen(1)
    try:
        async with paged(inspected.folder) as bench, bench.browser(bench.admit(Role.MAINTENANCE)) as browser:
            assert (await browser.get("/api/1/state")).json()["live"] is False
            assert (await browser.get("/parts")).status_code == 200
            async with browser.stream("GET", "/events") as stream:
                assert stream.status_code == 200
    finally:
        dead.close()
        where.unlink()


async def test_nothing_opens_with_a_session_that_was_ended(inspected: Inspected) -> None:
    async with paged(inspected.folder) as bench, bench.browser(bench.admit(Role.ENGINEER)) as browser:
        cookie = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
        await browser.post("/sign-out")
        for entry in ENTRIES:
            if entry.roles is not None:
                answer = await browser.request(entry.method, entry.path, headers=cookie)
                assert answer.status_code == 401, entry.path
                assert set(json.loads(answer.text)) == {"refused"}
