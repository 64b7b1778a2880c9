"""The OPC UA server as a process: it shows the cell as it is heard, tells of every part that ends, and obeys the desk.

Follower ─▶ sections ─▶ own nodes · PackML · vision system · machine
records  ─▶ parts that ended ─▶ values of the last one, events
clients  ─▶ methods ─▶ Commander ─▶ the station's socket
"""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

from asyncua import Server, ua

from station.core.clock import Clock
from station.core.errors import PlantError
from station.core.moments import stamp
from station.core.settings import Settings, data_dir
from station.host.follow import Follower
from station.host.records import read_records
from station.page.attempts import Attempts
from station.page.audit import Audit
from station.page.database import PageDatabase
from station.page.hands import Hands
from station.page.passwords import Passwords
from station.page.people import People
from station.plant.opcua.admission import Doorkeeper, StationServer, Visits
from station.plant.opcua.certificates import TrustedCertificates, own_certificate
from station.plant.opcua.commanding import Commander
from station.plant.opcua.projecting import build, tell_cell, tell_parts
from station.plant.running import Say, alone, ended_from_outside

PRODUCT = "urn:inspection-station:product"


async def serve_opcua(
    settings: Settings, data: Path | None, clock: Clock, say: Say, parent: TextIO | None = None
) -> None:
    """Serve until a signal stops it, or its parent is gone; whatever becomes of clients and station.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
        clock: The date.
        say: Told the address.
        parent: What ends when the parent does, or None where there is none to wait for.

    Raises:
        PlantError: `plant.runs_already`, or one of `opcua`.
        PageError: The people cannot be read.
    """
    with ended_from_outside(parent) as ended:
        async with served(settings, data, clock, say) as server:
            ending = asyncio.create_task(ended.wait())
            await asyncio.wait({ending, server.showing}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if server.showing.done():
                server.showing.result()


class Served:
    """A server that answers.

    Attributes:
        address: Where it does.
        server: Its sessions and subscriptions.
        people: Who may sign in.
        showing: Ends only where it fails.
    """

    def __init__(self, address: str, server: StationServer, people: People, showing: "asyncio.Task[None]") -> None:
        self.address = address
        self.server = server
        self.people = people
        self.showing = showing


@asynccontextmanager
async def served(
    settings: Settings, data: Path | None, clock: Clock, say: Say, passwords: Passwords | None = None
) -> AsyncIterator[Served]:
    """The server, while in this context.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
        clock: The date.
        say: Told the address.
        passwords: Proves who comes.

    Raises:
        PlantError, PageError: As for `serve_opcua`.
    """
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # what a client does wrong is told by its status code
    folder = data_dir(settings, data)
    with alone(folder, "opcua"):
        database = PageDatabase(folder, settings.records.reserve_bytes)
        await asyncio.to_thread(database.make)
        audit = Audit(database, clock)
        people = People(database, audit, passwords or Passwords(), clock)
        inner = await asyncio.to_thread(_inner, settings, folder, people)
        hands = Hands(folder, Visits(inner, people), audit)
        inner.on_closed = hands.give_back
        records, follower = read_records(settings, data), Follower(folder, clock)
        server = await _configured(settings, folder, inner)
        projection = await build(
            server, settings, records, lambda own: Commander(folder, hands, audit, own.tell_refusal)
        )
        works = (follower.run(), tell_cell(projection, follower, inner),
                 tell_parts(projection, follower, records, stamp(clock.now())))  # fmt: skip
        async with _listening(server, settings, inner):
            showing = asyncio.create_task(_all(*works), name="opcua")
            try:
                address = f"opc.tcp://{_bracketed(settings.opcua.host)}:{_port(server)}/"
                say(f"OPC UA: {address}")
                yield Served(address, inner, people, showing)
            finally:
                showing.cancel()
                await asyncio.gather(showing, return_exceptions=True)
                await hands.close()


def _inner(settings: Settings, folder: Path, people: People) -> StationServer:
    """Asyncua's server, with whom it lets in."""
    opcua = settings.opcua
    trusted = None
    if opcua.security != "none":
        trusted = TrustedCertificates(folder, every=opcua.trust_any_certificate)
    attempts = Attempts(time.monotonic)
    doorkeeper = Doorkeeper(people, attempts, trusted, anonymous=opcua.anonymous)
    return StationServer(doorkeeper, opcua.max_sessions, opcua.session_timeout_s)


async def _configured(settings: Settings, folder: Path, inner: StationServer) -> Server:
    """A server with its name, its certificate and its policies.

    Raises:
        PlantError: `opcua.bad_certificate`.
    """
    opcua, name = settings.opcua, settings.station.name
    server = Server(iserver=inner)
    await server.init()
    uri = f"urn:{socket.gethostname()}:inspection-station:{name.replace(' ', '-')}"
    server.name, server.product_uri, server.manufacturer_name = f"Inspection station {name}", PRODUCT, ""
    server.application_type = ua.ApplicationType.Server
    await server.set_application_uri(uri)
    server.set_endpoint(f"opc.tcp://{_bracketed(opcua.host)}:{opcua.port}/")
    tokens: list[type] = [ua.UserNameIdentityToken]
    server.set_identity_tokens([*tokens, ua.AnonymousIdentityToken] if opcua.anonymous else tokens)
    if opcua.security == "none":
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        return server
    server.set_security_policy(
        [ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt, ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt]
    )
    certificate, key = await asyncio.to_thread(own_certificate, folder, name, uri, opcua.host)
    try:
        await server.load_certificate(certificate)
        await server.load_private_key(key)
    except (OSError, ValueError) as error:
        raise PlantError("opcua.bad_certificate", f"{certificate}, {key}: {error}") from error
    return server


@asynccontextmanager
async def _listening(server: Server, settings: Settings, inner: StationServer) -> AsyncIterator[None]:
    """While in this context clients may come.

    Raises:
        PlantError: `opcua.cannot_listen`.
    """
    try:
        await server.start()
    except OSError as error:
        where = f"opcua.host {settings.opcua.host}, opcua.port {settings.opcua.port}"
        raise PlantError("opcua.cannot_listen", f"{where}: {error.strerror}") from error
    try:
        yield
    finally:
        await inner.close_sessions()
        await server.stop()


async def _all(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of these, until one fails."""
    async with asyncio.TaskGroup() as tasks:
        for work in works:
            tasks.create_task(work)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _port(server: Server) -> int:
    """At which port it listens: the configured one, or a free one that was chosen."""
    listening = server.bserver
    assert listening is not None  # noqa: S101  # it was started
    return int(listening.port)
