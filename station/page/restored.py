"""What a database of an earlier hour must not bring back: who was signed in, and tokens that may be revoked since."""

from contextlib import closing
from datetime import datetime
from pathlib import Path

from station.core.clock import Clock
from station.core.moments import stamp
from station.page.audit import Audit, Deed
from station.page.database import PageDatabase
from station.page.schema import bring_up_to_date
from station.records.opening import connect

WHO = "station backup restore"


def bring_to_rest(path: Path, made_at: datetime, clock: Clock) -> None:
    """Make a database from a backup one that may be used: of the newest version, nobody signed in, no token good.

    Who may use the page is as it was then; that it is so stands in the audit trail. Blocks.

    Args:
        path: The database, which nobody uses yet.
        made_at: When the backup was made.
        clock: The date.

    Raises:
        PageError: It is no database of the page, or of a newer version.
        sqlite3.Error: The disk failed.
    """
    with closing(connect(path)) as connection:
        bring_up_to_date(connection, path)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM sessions")
        now = stamp(clock.now())
        revoked = connection.execute("UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL", (now,)).rowcount
        told = f"people as of {stamp(made_at)}; all signed out; {revoked} tokens revoked"
        Audit(PageDatabase(path.parent), clock).add(connection, Deed(WHO, "", "restored", told))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")
