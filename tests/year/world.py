"""The whole cell on one loop: the simulated cell on made-up ground, and one life of the station after the other.

World ┬ cell: truth, devices, infeed, wires in memory ─▶ happens, and is looked at by the rules
├ life: the station, put together as ever, on wires, disk and threads in memory
└ operator: brings the cell back as a person does
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from sim.faults import NAMED_FAULTS, UNTIL_CLEARED
from sim.ledger import Entry, Happening, Place
from sim.report import Listening
from sim.running import Ground, Plan, RunningCell, cell_on
from station.cell.packml import Command, State
from station.core.choices import Speed
from station.core.errors import StationError
from station.core.events import CellEvent
from station.core.settings import Settings
from tests.year.ground import Base, Parts, Wires
from tests.year.life import Life
from tests.year.loop import OWNER

UNLIKE = frozenset({"exc_info", "stack", "model"})
"""What differs each time: the network is made anew for each run, and its graph's names count on."""
PATIENCE_S = 1.0
"""How long an operator takes to come."""
RESTART_S = 1.5
"""From the end of a life to the next one."""
BY_A_PERSON = "station.stopped_by_operator"
OPERATOR = {
    State.STOPPED: Command.RESET, State.IDLE: Command.START, State.HELD: Command.UNHOLD, State.ABORTED: Command.CLEAR,
}  # fmt: skip


class Chronicle:
    """What happened, as it is compared.

    Args:
        root: A folder whose name is no part of it.

    Attributes:
        lines: One a happening.
        violations: Rules that were broken, and how.
        befell: The misfortunes that came.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self.lines: list[str] = []
        self.violations: list[tuple[int, str]] = []
        self.befell: list[str] = []

    def tell(self, at_s: float, who: str, what: str) -> None:
        """One line."""
        self.lines.append(f"{at_s:.6f} {who} {what}".replace(self._root, "DISK"))

    def befall(self, at_s: float, name: str, whom: str = "") -> None:
        """A misfortune has come."""
        self.befell.append(name)
        self.tell(at_s, "misfortune", f"{name} {whom}".rstrip())


class World:
    """A cell, its station, its operator, and what is seen of them.

    Args:
        base: What it is made of.
        rules: Looks at everything.
        chronicle: Where it is written down.
        parts: What is fed.

    Attributes:
        life: The station's present life.
        lives: How many there were.
        running: The simulated cell.
        fed: How many parts were brought to the infeed.
        emptied: No other will come.
        on_held: What a person mends at the disk who reads that the records are in trouble.
        at_end: What is ended at the end.
    """

    def __init__(self, base: Base, rules: Any, chronicle: Chronicle, parts: Parts) -> None:
        self.base = base
        self.rules = rules
        self.chronicle = chronicle
        self.parts = parts
        self.life: Life | None = None
        self.lives = 0
        self.running: RunningCell
        self.fed = 0
        self.emptied = False
        self._due: defaultdict[int, list[Callable[[], object]]] = defaultdict(list)
        self.on_held: list[Callable[[], None]] = []
        self.at_end: list[Callable[[], None]] = []
        rules.world = self

    def when_fed(self, number: int, call: Callable[[], object]) -> None:
        """Have something called when this part is brought to the infeed, counted from 1; never where that has been."""
        self._due[number].append(call)

    # ---- what is seen

    def tell(self, who: str, what: str) -> None:
        """One line of the history."""
        self.chronicle.tell(self.base.loop.time(), who, what)

    def broken(self, rule: int, how: str) -> None:
        """A rule is broken."""
        self.chronicle.violations.append((rule, how))
        self.tell("rule", f"{rule}: {how}")

    def befall(self, name: str, whom: str = "") -> None:
        """A misfortune has come."""
        self.chronicle.befall(self.base.loop.time(), name, whom)

    def told(self, event: CellEvent) -> None:
        """The station tells."""
        self.tell("station", _short(event))
        self.rules.told(event)

    def log(self, _logger: Any, _method: str, said: dict[str, Any]) -> Any:
        """A line of the station's log; a processor of structlog."""
        owner = OWNER.get()
        if not (isinstance(owner, Life) and owner.dead):
            words = {key: value for key, value in said.items() if key not in UNLIKE}
            self.tell(
                "log", f"{said['event']} " + " ".join(f"{key}={words[key]}" for key in sorted(words) if key != "event")
            )
            self.rules.logged(said)
        raise structlog.DropEvent

    # ---- the simulated cell's report

    def ready(self, where: Listening) -> None: ...
    def scan_left_out(self, file: str, error: StationError) -> None: ...
    def result_read(self, number: int, decision: str) -> None:
        self.tell("plc", f"read {number} {decision}")

    def infeed_empty(self, fed: int) -> None:
        del fed
        self.emptied = True

    def fault_struck(self, name: str, part_id: str | None) -> None:
        self.befall(name, part_id or "")
        self.rules.struck(name, part_id)

    def answered(self, answer: Any) -> None: ...

    def happened(self, entry: Entry) -> None:
        self.tell("cell", f"{entry.event} {entry.part_id} {entry.place}")
        if entry.event is Happening.FED:
            self.fed += 1
            for call in self._due.pop(self.fed, []):
                call()
        self.rules.happened(entry)

    # ---- what it stands on

    def wires(self) -> Wires:
        """To the station."""
        return Wires(self.base.settings, self.base.network)

    def cell_settings(self) -> Settings:
        """The simulated cell's configuration."""
        return self.base.settings

    # ---- running

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """The cell runs; the station lives, and the operator watches."""
        base = self.base
        ground = Ground(base.clock, self.wires(), base.scene, "/year", self.parts)
        plan = Plan(Path(), None, Speed.REAL, None, (), breakable=True)
        async with cell_on(ground, self.cell_settings(), plan, self) as self.running:
            self.rules.watch(self.running)
            operator = asyncio.ensure_future(self._operate())
            self.start()
            try:
                yield
            finally:
                operator.cancel()
                await asyncio.gather(operator, return_exceptions=True)
                if self.life is not None:
                    await self.life.stop()
                await asyncio.sleep(5)

    def start(self) -> None:
        """The next life begins, on a disk that somebody has looked at."""
        self.mend_disk()
        self.lives += 1
        self.life = Life(self, self.lives)
        self.base.disk.on_cut, self.base.disk.cut_at = lambda: None, None  # a cut that was drawn for the life before
        self.life.begin()

    async def _operate(self) -> None:
        """What the supervisor and a person do who want the cell to run."""
        while True:
            await asyncio.sleep(0.25)
            life = self.life
            assert life is not None
            if life.over.is_set():
                await asyncio.sleep(RESTART_S)
                self.start()
                continue
            if life.desk is None:
                continue
            view = life.desk.view
            state = view.state
            wanted = OPERATOR.get(state)
            if state is State.SUSPENDED and view.reason is not None and view.reason.fault.code == BY_A_PERSON:
                wanted = Command.UNSUSPEND
            if wanted is None:
                continue
            if state in (State.HELD, State.ABORTED) or life.desk.view.reason is not None:
                await asyncio.sleep(PATIENCE_S)
                self._mend(life)
            if life.desk is not None and life.desk.view.state is state:
                with suppress(StationError):
                    life.desk.command(wanted, "an operator")

    def _mend(self, life: Life) -> None:
        """What a person does at the cell before it is to run again; what wears is seen by nobody who comes for that."""
        broken = self.running.broken
        for name in broken.struck:
            if NAMED_FAULTS[name].lasts_s == UNTIL_CLEARED and not NAMED_FAULTS[name].wears:
                broken.clear(name)
        reason = life.desk.view.reason if life.desk else None
        if reason is not None and reason.fault.code.startswith("record."):
            self.mend_disk()
        if reason is not None and reason.fault.code == "part.unexpected":
            self._take_away()

    def mend_disk(self) -> None:
        """Put back what was taken away, and make room."""
        for mend in self.on_held:
            mend()
        self.on_held.clear()

    def _take_away(self) -> None:
        """A hand takes away what the station does not know."""
        cell = self.running.cell
        for seat in (Place.JIG, Place.GRIPPER):
            if (part := cell._seats.pop(seat, None)) is not None:
                if seat is Place.JIG:
                    self.base.scene.show(None)
                cell._ledger.enter(Happening.REMOVED, part, seat)

    @property
    def is_done(self) -> bool:
        """Whether all parts are through, and the cell is empty."""
        cell = self.running.cell
        empty = all(cell.part_at(seat) is None for seat in Place)
        return self.emptied and empty and self.rules.all_closed()


def _short(event: CellEvent) -> str:
    name = type(event).__name__
    inspection = getattr(event, "inspection", None)
    said = [name]
    if inspection is not None:
        said.append(inspection.part.part_id)
    for key in ("before", "after", "step", "order", "decision", "confirmed", "reason"):
        value = getattr(event, key, None)
        if value is None:
            continue
        if key == "decision":
            value = f"{value.verdict.name} {value.fault.code if value.fault else '-'} {value.confidence:.4f}"
        elif key == "reason":
            value = f"{value.fault.code}: {value.detail}"
        elif key == "confirmed":
            value = value.name
        said.append(f"{key}={value}")
    return " ".join(said)
