"""The faults of the simulated cell while it runs: armed, struck, ended.

Whatever can break looks here: `present` tells whether a fault holds, `take` uses one up that strikes once. What cannot
look by itself, for example a network between two sockets, is told by an `Effect` when a fault begins and ends.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sim.faults import NAMED_FAULTS, ONCE, UNTIL_CLEARED, Moment, NamedFault, Wish, named_fault
from station.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Effect:
    """What is done to the cell when a fault begins and when it ends."""

    begin: Callable[[], None]
    end: Callable[[], None] = lambda: None


Strike = Callable[[str, str | None], None]
"""Told the name of every fault that strikes, and the part that it strikes, if any."""


class Breakage:
    """What is broken in one cell, and what is to break.

    Args:
        tell: Told of every fault that strikes.
        golden: Ids of the golden parts, which some faults strike alone.
    """

    def __init__(self, tell: Strike = lambda _name, _part: None, golden: frozenset[str] = frozenset()) -> None:
        self._tell = tell
        self._golden = golden
        self._armed: list[Wish] = []
        self._present: dict[str, str | None] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._effects: dict[str, Effect] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._fed = 0
        self._numbers: dict[str, int] = {}
        self._impossible: dict[str, str] = {}

    # ---- whoever switches them ----

    def bind(self, effects: dict[str, Effect]) -> None:
        """From now on these effects follow the faults with these names."""
        self._effects.update({named_fault(name).name: effect for name, effect in effects.items()})

    def forbid(self, impossible: dict[str, str]) -> None:
        """The faults with these names cannot strike in this cell, and why."""
        self._impossible.update({named_fault(name).name: why for name, why in impossible.items()})

    def arm(self, wanted: Iterable[Wish]) -> None:
        """Let these faults strike when their moment has come; those that last and wait for no part begin at once.

        One of golden parts that waits for no part waits for the next golden one.

        Raises:
            ConfigError: One of them cannot strike in this cell; none is armed.
        """
        wanted = tuple(wanted)
        for name in (wish.fault.name for wish in wanted if wish.fault.name in self._impossible):
            raise ConfigError("config.bad_option", f"the fault {name} cannot strike here: {self._impossible[name]}")
        for wish in wanted:
            if wish.part is None and wish.fault.lasts_s != ONCE and not wish.fault.golden:
                self._begin(wish.fault, None)
            else:
                self._armed.append(wish)

    def clear(self, name: str) -> None:
        """Mend this fault, or disarm it; harmless where it is neither."""
        self._armed = [wish for wish in self._armed if wish.fault.name != name]
        if name in self._present:
            self._end(named_fault(name))

    def close(self) -> None:
        """Mend all and disarm all."""
        self._armed.clear()
        for name in tuple(self._present):
            self._end(NAMED_FAULTS[name])

    @property
    def armed(self) -> tuple[str, ...]:
        """Faults that wait for their moment, as `NAME[@PART]`."""
        return tuple(map(str, self._armed))

    @property
    def struck(self) -> tuple[str, ...]:
        """Names of the faults that hold now."""
        return tuple(self._present)

    # ---- whatever can break ----

    def fed(self, part_id: str) -> None:
        """The next part is fed: parts are counted from 1, one that is fed a second time too."""
        self._fed += 1
        self._numbers[part_id] = self._fed

    def reach(self, moment: Moment, part_id: str | None) -> None:
        """A part, if there is one, has come to this moment of its way: what waits for that strikes."""
        due = [wish for wish in self._armed if wish.fault.moment is moment and self._is_meant(wish, part_id)]
        self._armed = [wish for wish in self._armed if wish not in due]
        for wish in due:
            self._begin(wish.fault, part_id)

    def is_golden(self, part_id: str) -> bool:
        """Whether this part is one whose verdict is known."""
        return part_id in self._golden

    def struck_part(self, name: str) -> str | None:
        """The part that this fault, which holds, has struck."""
        return self._present.get(name)

    def present(self, name: str) -> bool:
        """Whether this fault holds now."""
        return named_fault(name).name in self._present

    def take(self, name: str) -> bool:
        """Whether this fault, which strikes once, is to strike now; then it is over."""
        if not self.present(name):
            return False
        self._end(named_fault(name))
        return True

    @property
    def makes(self) -> str | None:
        """What a part becomes by what holds now, or None where it stays what it is."""
        return next((made for name in self._present if (made := NAMED_FAULTS[name].makes)), None)

    async def ended(self, name: str) -> None:
        """Return when this fault does not hold, or does not hold any more."""
        while self.present(name):
            await self._ended[name].wait()

    def _is_meant(self, wish: Wish, part_id: str | None) -> bool:
        if wish.fault.golden and (part_id is None or not self.is_golden(part_id)):
            return False
        if wish.part is None:
            return part_id is not None
        return part_id is not None and wish.part in (part_id, str(self._numbers.get(part_id, self._fed + 1)))

    def _begin(self, fault: NamedFault, part_id: str | None) -> None:
        if fault.name in self._present:
            return
        self._present[fault.name] = part_id
        self._ended[fault.name] = asyncio.Event()
        self._tell(fault.name, part_id)
        if fault.name in self._effects:
            self._effects[fault.name].begin()
            if fault.lasts_s == ONCE:
                self._end(fault)
        if fault.lasts_s not in (ONCE, UNTIL_CLEARED):
            loop = asyncio.get_running_loop()
            self._timers[fault.name] = loop.call_later(fault.lasts_s, self.clear, fault.name)

    def _end(self, fault: NamedFault) -> None:
        del self._present[fault.name]
        if timer := self._timers.pop(fault.name, None):
            timer.cancel()
        if fault.name in self._effects:
            self._effects[fault.name].end()
        self._ended.pop(fault.name).set()
