"""What the page's answers are made from: the records, the labels, the cell as it is heard, the people."""

from dataclasses import dataclass
from pathlib import Path

from station.core.clock import Clock
from station.core.ports.records import RecordReader
from station.core.settings import Settings
from station.core.verdicts import Classes
from station.host.follow import Follower
from station.labels.store import LabelStore
from station.page.attempts import Attempts
from station.page.audit import Audit
from station.page.grounds import Grounds
from station.page.hands import Hands
from station.page.invitation import Invitation
from station.page.metrics.meter import Meter
from station.page.people import People
from station.page.sessions import Sessions
from station.page.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Doors:
    """Who comes in.

    Attributes:
        people: Who may.
        sessions: Who has.
        attempts: Who tries too often.
        audit: What they did.
        invitation: For the first one, while there is nobody.
        tokens: By which programs come in.
    """

    people: People
    sessions: Sessions
    attempts: Attempts
    audit: Audit
    invitation: Invitation
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class PageDesk:
    """Everything that the page's answers are made from.

    Attributes:
        folder: The station's data folder.
        records: What was decided; only read.
        labels: What people say.
        follower: The cell as it is.
        doors: Who comes in.
        hands: Who commands.
        clock: The date.
        settings: The station's configuration, as it was when the page began.
        meter: What tells Prometheus, or None where it is told nothing.
        file: Where the configuration lies, or None where nobody has said.
        grounds: Why a network says what it says of a part.
    """

    folder: Path
    records: RecordReader
    labels: LabelStore
    follower: Follower
    doors: Doors
    hands: Hands
    clock: Clock
    settings: Settings
    meter: Meter | None
    file: Path | None
    grounds: Grounds

    @property
    def name(self) -> str:
        """Of the station."""
        return self.settings.station.name

    @property
    def table(self) -> Classes:
        """What a part may be called, and where it may go."""
        return self.settings.table

    @property
    def secret(self) -> bool:
        """Whether what is said to browsers is encrypted."""
        return self.settings.page.has_tls
