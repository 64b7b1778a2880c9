"""The times of a link to robot or jig: how often it is polled, beats, and is looked at as a whole."""

from dataclasses import dataclass

from drivers.modbus.identity import IDENTITY_S
from drivers.modbus.poller import Pace
from station.core.settings import JigSettings, RobotSettings

LEISURE = 5
"""How many pauses long one is while nobody waits for the next poll, up to a heartbeat's time.

Chosen so that a device that is left alone is still read every 0.1 s with the default pause of 20 ms, soon enough for
people. What it saves was measured on 2026-11-30 (AMD EPYC, processor time of 2,000 polls over TCP): a poll takes 0.4 ms
of a core, so robot and jig take 0.8 % of one instead of 4 %, and the network may just then score a part's last patches.
"""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The times of a device's link.

    Attributes:
        poll_s: Pause between two polls while somebody waits.
        heartbeat_s: Time between two beats of the station.
        stale_after_s: For how long the device's heartbeat may stand.
        identity_s: Time between two looks at the constants while nobody waits.
    """

    poll_s: float
    heartbeat_s: float
    stale_after_s: float
    identity_s: float = IDENTITY_S

    @classmethod
    def of(cls, settings: RobotSettings | JigSettings) -> "Rhythm":
        """The times that are configured."""
        return cls(settings.link.poll_s, settings.heartbeat_s, settings.stale_after_s)

    @property
    def pace(self) -> Pace:
        """How fast is polled; at leisure no slower than the station's heartbeat is due."""
        longest_s = min(LEISURE * self.poll_s, max(self.heartbeat_s, self.poll_s))
        return Pace(self.poll_s, longest_s - self.poll_s)
