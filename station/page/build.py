"""The composition root of the page: what it reads, what it keeps, whom it hears."""

from datetime import timedelta
from pathlib import Path

from station.core.clock import Clock
from station.core.page_settings import PageSettings
from station.core.settings import Settings, data_dir
from station.host.follow import Follower
from station.host.records import count_records, read_records
from station.labels.build import open_labels
from station.page.attempts import Attempts
from station.page.audit import Audit
from station.page.database import PageDatabase
from station.page.desk import Doors, PageDesk
from station.page.grounds import Grounds
from station.page.hands import Hands
from station.page.invitation import Invitation
from station.page.metrics.meter import Meter
from station.page.passwords import Passwords
from station.page.people import People
from station.page.sessions import Lives, Sessions
from station.page.tokens import Tokens


def make_desk(
    settings: Settings, data: Path | None, clock: Clock, attempts: Attempts, passwords: Passwords | None = None,
    *, file: Path | None = None,
) -> PageDesk:  # fmt: skip
    """Everything that the page's answers are made from; its database is made, if need be. Blocks.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
        clock: The date.
        attempts: Who tries too often.
        passwords: Hashes and proves.
        file: Where the configuration lies, if it lies anywhere.

    Raises:
        PageError: The database cannot be used.
    """
    folder = data_dir(settings, data)
    database = PageDatabase(folder, settings.records.reserve_bytes)
    database.make()
    audit = Audit(database, clock)
    sessions = Sessions(database, audit, clock, _lives(settings.page))
    return PageDesk(
        folder=folder,
        records=read_records(settings, data),
        labels=open_labels(settings, data),
        follower=Follower(folder, clock),
        doors=Doors(
            people=People(database, audit, passwords or Passwords(), clock),
            sessions=sessions,
            attempts=attempts,
            audit=audit,
            invitation=Invitation(),
            tokens=Tokens(database, audit, clock),
        ),
        hands=Hands(folder, sessions, audit),
        clock=clock,
        settings=settings,
        file=file,
        grounds=Grounds(folder, settings),
        meter=Meter(count_records(settings, data), folder) if settings.page.metrics else None,
    )


def _lives(settings: PageSettings) -> Lives:
    return Lives(timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.session_hours))
