"""The two heartbeats of a link: the station's own, which goes on, and the peer's, which must not stand still."""

import math

from drivers.modbus.words import Value

LAST_BEAT = 0xFFFF


def beat_after(number: int) -> int:
    """The number after this one; 0 is none, so that a register of zeros never beats."""
    return number % LAST_BEAT + 1


class HeartbeatOut:
    """When the station's next beat is due, and which number it shows.

    Args:
        every_s: Time between two beats.

    Attributes:
        number: The beat shown last; 0 before the first.
        due_s: When the next one is due, in the event loop's time.
    """

    def __init__(self, every_s: float) -> None:
        self.number = 0
        self.due_s = -math.inf
        self._every_s = every_s

    def is_due(self, now_s: float) -> bool:
        """Whether it is time for the next beat."""
        return now_s >= self.due_s

    def beat(self, now_s: float) -> int:
        """The number to show now; the next one is due a beat's time from here."""
        self.number, self.due_s = beat_after(self.number), now_s + self._every_s
        return self.number


class Freshness:
    """A peer's heartbeat as last read, and for how long it has stood.

    Args:
        stale_after_s: For how long it may stand.
    """

    def __init__(self, stale_after_s: float) -> None:
        self._stale_after_s = stale_after_s
        self._beat: Value | None = None
        self._since_s = -math.inf
        self._has_beaten = False

    def hear(self, beat: Value | None, now_s: float) -> bool:
        """Take what stands in the peer's register; True when it has beaten: another number stood there before."""
        if beat == self._beat:
            return False
        beaten = self._beat is not None
        self._beat, self._since_s, self._has_beaten = beat, now_s, self._has_beaten or beaten
        return beaten

    def forget(self) -> None:
        """Nothing of the peer was heard: whatever stands there next is the first."""
        self._beat, self._has_beaten = None, False

    def doubt(self) -> None:
        """Its beats so far prove nothing; the next one does."""
        self._has_beaten = False

    def stood_s(self, now_s: float) -> float:
        """For how long the number that was read last has stood."""
        return now_s - self._since_s

    def stands_still(self, now_s: float) -> bool:
        """Whether it has stood for longer than it may, whether it ever beat or not."""
        return self.stood_s(now_s) > self._stale_after_s

    @property
    def fresh_until_s(self) -> float:
        """Until when the peer counts as alive without a further beat; minus infinity where it has not beaten."""
        return self._since_s + self._stale_after_s if self._has_beaten else -math.inf
