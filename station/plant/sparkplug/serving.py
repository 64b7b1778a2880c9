"""The node as a process: it follows the cell, and keeps a connection to the broker for as long as it runs."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

import structlog
from aiomqtt import Client, MqttError, Will
from aiomqtt.exceptions import MqttConnectError

from models.version import code_version
from station.core.clock import Clock
from station.core.errors import PlantError, StationError
from station.core.moments import stamp
from station.core.settings import Settings, data_dir
from station.core.sparkplug_settings import SparkplugSettings
from station.host.follow import Follower
from station.host.records import read_records
from station.plant.cell_values import rows_of
from station.plant.running import Say, alone, ended_from_outside
from station.plant.sparkplug.connection import Cell, Connection
from station.plant.sparkplug.hosting import PrimaryHost, PrimaryHostGoneError
from station.plant.sparkplug.node import Topics, death
from station.plant.sparkplug.outbox import Outbox
from station.plant.sparkplug.payload import DataType, Metric

RETRY_S = 2.0
"""Pause before the broker is tried again."""
ANSWER_S = 10.0
"""So long the broker may take for an answer."""
WAITING = 64
"""So many messages may wait to be read; what comes then is dropped."""

log = structlog.get_logger()


async def serve_sparkplug(
    settings: Settings, data: Path | None, clock: Clock, say: Say, parent: TextIO | None = None
) -> None:
    """Be the node until a signal stops it, or its parent is gone; whatever becomes of broker and station.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
        clock: The date.
        say: Told where it publishes.
        parent: What ends when the parent does, or None where there is none to wait for.

    Raises:
        PlantError: `plant.runs_already`, `sparkplug.bad_secret`, `sparkplug.book_unusable`.
    """
    with ended_from_outside(parent) as ended:
        async with published(settings, data, clock, say) as publishing:
            ending = asyncio.create_task(ended.wait())
            await asyncio.wait({ending, publishing}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if publishing.done():
                publishing.result()


@asynccontextmanager
async def published(
    settings: Settings, data: Path | None, clock: Clock, say: Say, retry_s: float = RETRY_S
) -> AsyncIterator["asyncio.Task[None]"]:
    """The node, while in this context, as the task that keeps it; it ends only where it fails.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
        clock: The date.
        say: Told where it publishes.
        retry_s: Pause before the broker is tried again.

    Raises:
        PlantError: As for `serve_sparkplug`.
    """
    folder = data_dir(settings, data)
    mqtt = settings.sparkplug
    with alone(folder, "sparkplug"):
        secret = await asyncio.to_thread(_Secret, mqtt)
        follower = Follower(folder, clock)
        cell = Cell(
            folder, follower, rows_of(settings.table), _fixed(settings), Outbox(read_records(settings, data), folder),
            clock, tuple(mqtt.commands),
        )  # fmt: skip
        following = asyncio.create_task(follower.run(), name="follower")
        publishing = asyncio.create_task(_keep(mqtt, secret, cell, retry_s), name="sparkplug")
        say(f"Sparkplug: {mqtt.group}/{mqtt.node} at {mqtt.host}:{mqtt.port}")
        try:
            yield publishing
        finally:
            publishing.cancel()
            following.cancel()
            await asyncio.gather(publishing, following, return_exceptions=True)


class _Secret:
    """What the connection is secured with, read once.

    Raises:
        PlantError: `sparkplug.bad_secret`.
    """

    def __init__(self, mqtt: SparkplugSettings) -> None:
        try:
            self.password = _first_line(Path(mqtt.password_file)) if mqtt.password_file else None
            self.context = _context(mqtt) if mqtt.tls else None
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            named = ", ".join(filter(None, (mqtt.password_file, mqtt.tls_ca, mqtt.tls_certificate, mqtt.tls_key)))
            raise PlantError("sparkplug.bad_secret", f"{named}: {error}") from error


def _first_line(path: Path) -> str:
    return path.read_text("utf-8").partition("\n")[0].rstrip("\r")


def _context(mqtt: SparkplugSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=mqtt.tls_ca or None)
    if mqtt.tls_certificate:
        context.load_cert_chain(mqtt.tls_certificate, mqtt.tls_key)
    return context


async def _keep(mqtt: SparkplugSettings, secret: _Secret, cell: Cell, retry_s: float) -> None:
    """Connect again and again.

    Raises:
        PlantError: `sparkplug.book_unusable`.
    """
    told = ""
    while True:
        try:
            await _connect(mqtt, secret, cell)
        except PrimaryHostGoneError:
            log.info("primary_host_gone", host=mqtt.primary_host)
        except MqttError as error:
            told = _tell(told, _translated(mqtt, error))
        except StationError as error:
            if error.code == "sparkplug.book_unusable":
                raise
            told = _tell(told, error)
        await asyncio.sleep(retry_s)


async def _connect(mqtt: SparkplugSettings, secret: _Secret, cell: Cell) -> None:
    """One connection, from its begin to its end.

    Raises:
        MqttError, PrimaryHostGoneError, StationError: As for `Connection.run`; or it is refused.
    """
    topics = Topics(mqtt.group, mqtt.node)
    bd_seq = await cell.outbox.begin(stamp(cell.clock.now()))
    will = Will(topics.of("NDEATH"), death(bd_seq, cell.now_ms), qos=1, retain=False)
    client = Client(
        mqtt.host, mqtt.port, identifier=f"{mqtt.group}-{mqtt.node}", will=will, clean_session=True,
        keepalive=mqtt.keepalive_s, timeout=ANSWER_S, username=mqtt.username or None, password=secret.password,
        tls_context=secret.context, max_queued_incoming_messages=WAITING,
    )  # fmt: skip
    async with client:
        log.info("broker_connected", host=mqtt.host, port=mqtt.port, bd_seq=bd_seq)
        await Connection(client, topics, cell, PrimaryHost(mqtt.primary_host), bd_seq).run()


def _translated(mqtt: SparkplugSettings, error: MqttError) -> PlantError:
    code = "sparkplug.refused" if isinstance(error, MqttConnectError) else "sparkplug.no_broker"
    return PlantError(code, f"{mqtt.host}:{mqtt.port}: {error}")


def _tell(before: str, error: StationError) -> str:
    """Log what goes wrong when it is another than before; what it was."""
    if str(error) != before:
        log.warning("broker_not_connected", fault=error.code, detail=error.detail)
    return str(error)


def _fixed(settings: Settings) -> tuple[Metric, ...]:
    text = {"Station/Name": settings.station.name, "Station/Version": code_version()}
    return tuple(Metric(name, DataType.STRING, value) for name, value in text.items())
