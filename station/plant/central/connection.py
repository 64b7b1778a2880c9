"""A connection to the plant's database: how it is secured, how it is cut, and what its errors are called here."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors

from station.core.central_settings import CentralSettings
from station.core.errors import PlantError

CONNECT_S = 10
ANSWER_MS = 10_000
"""So long what was sent may stay unanswered by the other computer before the connection counts as broken."""
NAME = "inspection-station"

REFUSED = (
    errors.InsufficientPrivilege, errors.InvalidAuthorizationSpecification, errors.InvalidPassword,
    errors.InvalidCatalogName,
)  # fmt: skip
WRONG_TABLES = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.InvalidSchemaName)
NOT_TAKEN = (psycopg.DataError, psycopg.IntegrityError)
NO_FILE = f"{os.devnull}/none"
"""Where no file can be."""
SAID_REFUSED = (
    "authentication failed",
    "no pg_hba.conf entry",
    "does not exist",
    "no password supplied",
    "not permitted",
)
"""What a server that refuses a connection says: until there is one, its error has no code."""


def connect(settings: CentralSettings) -> psycopg.Connection:
    """A connection, in autocommit: each transaction says where it begins.

    Raises:
        PlantError: `plant.no_database`, `plant.refused`, `plant.bad_secret`.
    """
    mode, authorities = ("verify-full", settings.tls_ca or "system") if settings.tls else ("prefer", None)
    password, passfile = _secret(settings)
    with told(settings):
        return psycopg.connect(
            host=settings.host, port=settings.port, dbname=settings.database, user=settings.user,
            password=password, passfile=passfile, application_name=NAME, connect_timeout=CONNECT_S,
            keepalives_idle=5, keepalives_interval=2, keepalives_count=3, tcp_user_timeout=ANSWER_MS, autocommit=True,
            sslmode=mode, sslrootcert=authorities,
        )  # fmt: skip


@contextmanager
def told(settings: CentralSettings) -> Iterator[None]:
    """Turn every error of the database inside into one of the station's.

    Raises:
        PlantError: `plant.no_database`, `plant.refused`, `plant.wrong_schema`, `plant.database_full`,
            `plant.not_taken`.
    """
    try:
        yield
    except psycopg.Error as error:
        where = f"{settings.user}@{settings.host}:{settings.port}/{settings.database}"
        raise PlantError(_code(error), f"{where}: {' '.join(str(error).split())}") from error


def cut(connection: psycopg.Connection) -> None:
    """End a connection from another thread: what waits for an answer there is told at once that it is broken."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as held:
        held.shutdown(socket.SHUT_RDWR)


def one(connection: psycopg.Connection, question: str, values: Any = None) -> Any:
    """The first column of the first row.

    Raises:
        psycopg.Error: The database cannot be asked.
    """
    row = connection.execute(question, values).fetchone()
    return None if row is None else row[0]


def _code(error: psycopg.Error) -> str:
    if isinstance(error, REFUSED):
        return "plant.refused"
    if isinstance(error, WRONG_TABLES):
        return "plant.wrong_schema"
    if isinstance(error, errors.DiskFull):
        return "plant.database_full"
    if isinstance(error, NOT_TAKEN):
        return "plant.not_taken"
    if error.sqlstate is None and any(words in str(error) for words in SAID_REFUSED):
        return "plant.refused"
    return "plant.no_database"


def _secret(settings: CentralSettings) -> tuple[str | None, str | None]:
    """The password, and the file in which it is looked for where there is none; None for the usual one.

    Where it would go to another computer in the clear there is none, not even one that lies in `~/.pgpass` or in the
    environment, as every program that speaks to PostgreSQL would take it from there.

    Raises:
        PlantError: `plant.bad_secret`.
    """
    if settings.password_file:
        try:
            return first_lines(Path(settings.password_file), 1)[0], None
        except (OSError, ValueError) as error:
            raise PlantError("plant.bad_secret", f"{settings.password_file}: {error}") from error
    if settings.tls or settings.is_local:
        return None, None
    return "", NO_FILE


def first_lines(file: Path, count: int) -> list[str]:
    """The first lines of a file, which has as many.

    Raises:
        ValueError: It has fewer, or is no text.
        OSError: It cannot be read.
    """
    lines = file.read_text("utf-8").splitlines()
    if len(lines) < count or not all(lines[:count]):
        raise ValueError(f"it has not {count} line{'s' * (count > 1)} of text")
    return lines[:count]
