"""The versions of the plant's database, and the way from each to the next.

A version is a module with statements that bring the tables of the version before up to its own; one that was released
is never changed again. All lies in one schema, `inspection_station`, which tells its version, and how old a program may
be that still writes there: the plant's database is brought up first, then one cell after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from station.core.errors import PlantError
from station.plant.central import version_1, version_2
from station.plant.central.connection import one
from station.plant.central.version_1 import SCHEMA


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the tables.

    Attributes:
        statements: What makes it of the one before.
        oldest: Programs that know this version, or a newer one, may still write.
    """

    statements: Sequence[str]
    oldest: int


VERSIONS = (Version(version_1.STATEMENTS, 1), Version(version_2.STATEMENTS, 1))
TELLS_OLDEST = 2
"""Since this version the database tells how old a program may be."""
LOCK = 5352752
"""Only one migrates at a time."""

BEGIN = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.versions (
        version integer PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now()
    )""",
)
GRANTS = (
    "GRANT USAGE ON SCHEMA {schema} TO {user}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {user}",
    "GRANT INSERT, UPDATE ON {schema}.cells, {schema}.inspections, {schema}.decisions, {schema}.defects TO {user}",
    "GRANT INSERT, UPDATE ON {schema}.scans, {schema}.alarms TO {user}",
    "GRANT INSERT ON {schema}.labels, {schema}.journal TO {user}",
    "GRANT EXECUTE ON FUNCTION {schema}.make_month(date) TO {user}",
)
"""What a cell's user needs: it changes no label and no event, and removes nothing."""
MADE = f"INSERT INTO {SCHEMA}.versions (version) VALUES (%s)"  # noqa: S608  # constants
MAY_WRITE = f"UPDATE {SCHEMA}.versions SET oldest = %s WHERE version = %s"  # noqa: S608  # constants
NEWEST = f"SELECT coalesce(max(version), 0) FROM {SCHEMA}.versions"  # noqa: S608  # constants
OLDEST = f"SELECT oldest FROM {SCHEMA}.versions ORDER BY version DESC LIMIT 1"  # noqa: S608  # constants
IS_THERE = "SELECT to_regclass(%s)"


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did.

    Attributes:
        before: The version that was there, 0 for none.
        now: The version that is there.
    """

    before: int
    now: int


def read_version(connection: psycopg.Connection) -> int:
    """The version of the tables, 0 where there are none; it may be newer than this program knows.

    Raises:
        psycopg.Error: The database cannot be asked.
    """
    if one(connection, IS_THERE, (f"{SCHEMA}.versions",)) is None:
        return 0
    return int(one(connection, NEWEST))


def require_usable(connection: psycopg.Connection) -> None:
    """Make sure that the tables are those that this program knows, or newer ones that it may still write.

    Raises:
        PlantError: `plant.wrong_schema`.
        psycopg.Error: The database cannot be asked.
    """
    version, known = read_version(connection), len(VERSIONS)
    if version < known:
        told = f"it has version {version}" if version else "it has no tables of a station"
        raise PlantError("plant.wrong_schema", f"{told}; needed is version {known}")
    if version > known and int(one(connection, OLDEST)) > known:
        raise _too_new(version)


def migrate(connection: psycopg.Connection, grant: str | None = None) -> Migrated:
    """Bring the tables up to the newest version, all of it or nothing; cells go on writing, before and after it.

    Args:
        connection: Of a user who may make a schema; in autocommit.
        grant: A user who is given what a cell needs; None for nobody.

    Raises:
        PlantError: `plant.wrong_schema`: of a newer version.
        psycopg.Error: It may not, or cannot.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        before = read_version(connection)
        if before > len(VERSIONS):
            raise _too_new(before)
        for statement in BEGIN:
            connection.execute(statement)
        connection.execute(f"SET LOCAL search_path = {SCHEMA}")
        for number, version in enumerate(VERSIONS[before:], before + 1):
            for statement in version.statements:
                connection.execute(statement)
            connection.execute(MADE, (number,))
            if number >= TELLS_OLDEST:
                connection.execute(MAY_WRITE, (version.oldest, number))
        if grant is not None:
            _grant(connection, grant)
    return Migrated(before, len(VERSIONS))


def _too_new(version: int) -> PlantError:
    return PlantError("plant.wrong_schema", f"it has version {version}, known are versions to {len(VERSIONS)}")


def _grant(connection: psycopg.Connection, user: str) -> None:
    names = {"schema": sql.Identifier(SCHEMA), "user": sql.Identifier(user)}
    for statement in GRANTS:
        connection.execute(sql.SQL(statement).format(**names))
