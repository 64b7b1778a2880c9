"""Who may command the station where it serves the registers, and what is news from whom.

Among the listed commanders only one has the command: the connection that wrote the PLC's heartbeat last, with a value
that was new from it; while that one is silent or gone, whoever writes first. A number is news when the one who writes
it did not write it before: what an earlier master left standing, and writes on, starts nothing a second time.
"""

import asyncio
from collections.abc import Iterable
from enum import Enum
from ipaddress import ip_address, ip_network

from drivers.modbus.callers import Caller
from drivers.modbus.tally import Tally
from station.core.errors import FAULTS, Fault


class News(Enum):
    """What a sequence number is that was written."""

    BY_THE_NUMBER = "by the number"
    """The same master goes on: another number than the one before is new."""
    NEW = "new"
    """New, whatever number another master wrote before it."""
    OLD = "old"
    """It stood before."""


class Masters:
    """The listed addresses, the connection that has the command, and the numbers that each one has standing.

    Args:
        commanders: Addresses and networks that may write.
        readers: Addresses and networks that may read only.
        stale_after_s: How long a heartbeat may stand still.
        tally: Logs who has the command.
    """

    def __init__(self, commanders: Iterable[str], readers: Iterable[str], stale_after_s: float, tally: Tally) -> None:
        self._commanders = [ip_network(one) for one in commanders]
        self._readers = [ip_network(one) for one in readers]
        self._stale_after_s = stale_after_s
        self._tally = tally
        self._commanding: Caller | None = None
        self._beats: dict[Caller, int] = {}
        self._beat_at_s = 0.0
        self._displaced_at_s: dict[str, float] = {}
        self._disputed_at_s: float | None = None
        self._writers: dict[str, Caller] = {}
        self._standing: dict[Caller, dict[str, int]] = {}
        self._left_standing: dict[str, dict[str, int]] = {}

    def may_connect(self, address: str) -> bool:
        """Whether this address may read."""
        return self.may_command(address) or any(ip_address(address) in network for network in self._readers)

    def may_command(self, address: str) -> bool:
        """Whether this address may take the command and write."""
        return any(ip_address(address) in network for network in self._commanders)

    def commands(self, caller: Caller) -> bool:
        """Whether this connection has the command."""
        return caller is self._commanding

    @property
    def fault(self) -> Fault | None:
        """`plc.two_masters` while two addresses take the command from each other, or None."""
        disputed = self._disputed_at_s is not None and self._now_s() - self._disputed_at_s < self._stale_after_s
        return FAULTS["plc.two_masters"] if disputed else None

    def may_write(self, caller: Caller, beat: int | None) -> bool:
        """Whether a request of this caller is taken.

        Args:
            caller: Who asks.
            beat: The heartbeat that the request writes, or None.
        """
        if not self.may_command(caller.address):
            return False
        return self.commands(caller) or not self._is_alive() or self._beats_itself(caller, beat)

    def wrote(self, caller: Caller, beat: int | None) -> None:
        """A request of this caller was taken."""
        if not self.commands(caller):
            self._take_over(caller)
        if self._beats_itself(caller, beat):
            self._beat_at_s = self._now_s()
        if beat is not None:
            self._beats[caller] = beat

    def news(self, caller: Caller, name: str, number: int, before: int) -> News:
        """What the sequence number is that this caller has written.

        Args:
            caller: Who has written it.
            name: The register's name.
            number: What was written.
            before: What stood there until then.
        """
        own = self._standing.setdefault(caller, {})
        known, heard = self._known(caller, name)
        same = self._writers.get(name) is caller or number == before
        self._writers[name] = caller
        own[name] = number
        if same:
            return News.BY_THE_NUMBER
        return News.OLD if number in known or not heard else News.NEW

    def left(self, caller: Caller) -> None:
        """The connection is closed."""
        self._beats.pop(caller, None)
        if standing := self._standing.pop(caller, None):
            self._left_standing.setdefault(caller.address, {}).update(standing)
        if self.commands(caller):
            self._commanding = None

    def _known(self, caller: Caller, name: str) -> tuple[set[int], bool]:
        """Numbers that stand from this caller, or else from its address, and whether there are any."""
        if name in self._standing[caller]:
            return {self._standing[caller][name]}, True
        others = [rows for one, rows in self._standing.items() if one.address == caller.address]
        others.append(self._left_standing.get(caller.address, {}))
        known = {rows[name] for rows in others if name in rows}
        return known, bool(known)

    def _take_over(self, caller: Caller) -> None:
        before, now_s = self._commanding, self._now_s()
        self._tally.count("plc_command_taken", caller.address, f"after {before.address if before else 'nobody'}")
        if before is not None and before.address != caller.address and self._is_alive():
            self._displaced_at_s[before.address] = now_s
            lost_at_s = self._displaced_at_s.get(caller.address)
            if lost_at_s is not None and now_s - lost_at_s < self._stale_after_s:
                self._disputed_at_s = now_s
        self._commanding, self._beat_at_s = caller, now_s

    def _beats_itself(self, caller: Caller, beat: int | None) -> bool:
        return beat is not None and beat != self._beats.get(caller)

    def _is_alive(self) -> bool:
        """Whether the one that has the command beats."""
        return self._commanding is not None and self._now_s() - self._beat_at_s < self._stale_after_s

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()
