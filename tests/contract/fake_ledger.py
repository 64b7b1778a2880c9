"""A ledger in memory, for tests that need no disk; the contract suite keeps it honest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from station.core.alarms import Alarm
from station.core.challenge import Step
from station.core.clock import Clock, SystemClock
from station.core.cost import WINDOW
from station.core.drift.course import Watched
from station.core.errors import FAULTS, BugError, Fault
from station.core.judgement import Journal, Judgement, Published, Written
from station.core.part import Announcement, Decision, Device, Inspection, ModelIdentity, Order, PartType, Receipt
from station.core.ports.records import LedgerRoom
from station.core.ports.references import Remembered
from station.core.spent import Spent
from station.core.study import Study
from station.core.timeline import SettleTimes
from station.core.tried import TRIED
from tests.housings import Destination, Verdict

NUMBERS = 0xFFFF


@dataclass(slots=True)
class Entry:
    """What the fake knows of one inspection."""

    inspection: Inspection
    state: str = "open"
    verdict: Verdict | None = None
    reason: Fault | None = None
    detail: str = ""
    judgement: Judgement | None = None
    confirmed: Destination | None = None
    settled: SettleTimes | None = None
    told: bool = False


class FakeReferences:
    """Golden parts and studies, in lists."""

    def __init__(self, ledger: "FakeLedger") -> None:
        self._ledger = ledger
        self.steps: list[Step] = []
        self.studies: dict[Study, bool] = {}
        self.judged: list[tuple[str, Inspection, int, Decision]] = []

    async def remembered(self) -> Remembered:
        passed = {step.part_type: number for number, step in enumerate(self.steps) if step.name == "passed"}
        steps = [step for number, step in enumerate(self.steps) if number >= passed.get(step.part_type, 0)]
        study = next((study for study, ended in self.studies.items() if not ended), None)
        return Remembered(steps, study, await self._ledger.last_taken_on())

    async def keep(self, steps: Sequence[Step]) -> None:
        self.steps += steps

    async def begin(self, study: Study) -> None:
        self.studies.setdefault(study, False)

    async def end(self, study: Study) -> None:
        self.studies[study] = True

    async def keep_trial(self, study: Study, inspection: Inspection, trial: int, decision: Decision) -> None:
        self._ledger.require(inspection)
        self.judged.append((study.name, inspection, trial, decision))
        await self.begin(study)

    async def trials(self, study: Study, part_id: str) -> int:
        return sum((name, one.part.part_id) == (study.name, part_id) for name, one, _trial, _said in self.judged)


class FakeLedger:
    """Keeps everything in plain lists that a test can look at."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._last: dict[Device, int] = {"robot": 0, "jig": 0}
        self.entries: dict[str, Entry] = {}
        self.orders: list[tuple[Order, Inspection | None]] = []
        self.receipts: list[Receipt] = []
        self.events: list[tuple[str, str]] = []
        self.looked_again_at: list[datetime] = []
        self.alarms: list[Alarm] = []
        self.references = FakeReferences(self)

    async def enter(self, part: Announcement, part_type: PartType) -> Inspection:
        now = self._clock.now()
        number = len(self.entries) + 1
        entered_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        inspection = Inspection(f"fake-{number:06}", number, part, part_type, entered_at)
        self.entries[inspection.inspection_id] = Entry(inspection)
        return inspection

    async def order(self, device: Device, verb: str, argument: int, inspection: Inspection | None) -> Order:
        if inspection is not None:
            self._entry(inspection, "open", "judged", "sorted", "lost", "withdrawn")
        self._last[device] = self._last[device] % NUMBERS + 1
        order = Order(device, self._last[device], verb, argument)
        self.orders.append((order, inspection))
        return order

    async def adopt_order_number(self, device: Device, last: int) -> None:
        own = self._last[device]
        if last and (own == 0 or (own - last) % NUMBERS > NUMBERS // 2):
            self._last[device] = last

    async def receipt(self, receipt: Receipt) -> None:
        given = [order for order, _inspection in self.orders]
        if receipt.order not in given or receipt.order in [ended.order for ended in self.receipts]:
            raise BugError("station.bug", "no such order waits for a receipt")
        self.receipts.append(receipt)

    async def judged(self, inspection: Inspection, judgement: Judgement) -> None:
        scores = judgement.decision.probabilities
        if scores.size and scores.shape[1:] != (len(judgement.by.classes),):
            raise BugError("station.bug", "scores without the names of their classes")
        entry = self._entry(inspection, "open")
        entry.state, entry.judgement = "judged", judgement
        decision = judgement.decision
        entry.verdict, entry.reason, entry.detail = decision.verdict, decision.fault, decision.detail

    async def interrupted(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        entry = self._entry(inspection, "open", "judged")
        entry.state, entry.verdict, entry.reason, entry.detail = "judged", Verdict.REVIEW, fault, detail

    async def sorted(self, inspection: Inspection, confirmed: Destination, settled: SettleTimes | None = None) -> None:
        entry = self._entry(inspection, "judged")
        entry.state, entry.confirmed, entry.settled = "sorted", confirmed, settled

    async def told(self, inspection: Inspection) -> None:
        self._entry(inspection, "sorted").told = True

    async def untold(self) -> Sequence[Published]:
        return [
            Published(entry.inspection, decision, journal.ms_after_last_line, entry.confirmed)
            for entry in self.entries.values()
            if entry.state == "sorted" and not entry.told
            for journal in [await self.journal(entry.inspection)]
            if (decision := journal.decision) is not None
        ]

    async def lost(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        entry = self._entry(inspection, "open", "judged")
        entry.state, entry.verdict, entry.reason, entry.detail = "lost", Verdict.REVIEW, fault, detail

    async def withdrawn(self, inspection: Inspection, fault: Fault, _detail: str) -> None:
        entry = self._entry(inspection, "open")
        entry.state, entry.reason = "withdrawn", fault

    async def open_inspections(self) -> Sequence[Inspection]:
        return [entry.inspection for entry in self.entries.values() if entry.state in ("open", "judged")]

    async def journal(self, inspection: Inspection) -> Journal:
        entry = self._entry(inspection, "open", "judged", "sorted", "lost", "withdrawn")
        orders = [self._written(order, whose) for order, whose in self.orders if whose == inspection]
        return Journal(_decision(entry), entry.judgement.ms_after_last_line if entry.judgement else None, tuple(orders))

    async def last_order(self, device: Device) -> Written | None:
        given = [(order, whose) for order, whose in self.orders if order.device == device]
        return self._written(*given[-1]) if given else None

    async def last_taken_on(self) -> Announcement | None:
        taken = [entry.inspection.part for entry in self.entries.values() if entry.state != "withdrawn"]
        return taken[-1] if taken else None

    async def last_model(self) -> ModelIdentity | None:
        models = [entry.judgement.by.model for entry in self.entries.values() if entry.judgement]
        return models[-1] if models else None

    def _written(self, order: Order, inspection: Inspection | None) -> Written:
        confirmed = next((receipt.confirmed for receipt in self.receipts if receipt.order == order), None)
        return Written(order, inspection.inspection_id if inspection else None, confirmed)

    async def drift_history(self, part_type: str) -> tuple[Watched, ...]:
        judged = [one.judgement for one in self.entries.values() if one.inspection.part_type.name == part_type]
        return tuple(one.watched for one in judged if one is not None and one.watched is not None)

    async def spent(self, since: datetime) -> Spent:
        judged = [one for one in self.entries.values() if one.judgement is not None]
        reviews: dict[str, list[bool]] = {}
        for one in judged:
            fault = one.judgement.decision.fault if one.judgement else None
            if fault is None or fault.code not in TRIED:
                asked = fault is FAULTS["part.review_cheaper"]
                reviews.setdefault(one.inspection.part_type.name, []).append(asked)
        looks = tuple(at for at in self.looked_again_at if at >= since)
        return Spent(looks, {name: tuple(rows[1 - WINDOW :]) for name, rows in reviews.items()})

    async def keep_alarm(self, alarm: Alarm) -> None:
        known = [one for one in self.alarms if one.fault is alarm.fault and one.listed]
        for one in known:
            self.alarms.remove(one)
        if alarm not in self.alarms:
            self.alarms.append(alarm)

    async def listed_alarms(self) -> Sequence[Alarm]:
        return sorted((alarm for alarm in self.alarms if alarm.listed), key=lambda alarm: alarm.last_at)

    async def note(self, event: str, detail: str) -> None:
        self.events.append((event, detail))
        if event == "part_looked_at_again":
            self.looked_again_at.append(self._clock.now())

    async def answers(self) -> None:
        """Nothing is ever waiting."""

    async def look(self) -> None:
        """What lies in memory lies in its place."""

    async def prune(self) -> int:
        return 0

    async def room(self) -> LedgerRoom:
        return LedgerRoom(free=1 << 40, journal=0)

    async def readers(self) -> str:
        return ""

    async def close(self) -> None:
        """Nothing is open."""

    def require(self, inspection: Inspection) -> None:
        """Refuse an inspection that was never entered."""
        self._entry(inspection, "open", "judged", "sorted", "lost", "withdrawn")

    def _entry(self, inspection: Inspection, *states: str) -> Entry:
        entry = self.entries.get(inspection.inspection_id)
        if entry is None or entry.state not in states:
            raise BugError(
                "station.bug", f"inspection {inspection.inspection_id} does not stand where that is possible"
            )
        return entry


def _decision(entry: Entry) -> Decision | None:
    """The verdict as it stands now, on the grounds of the judgement, if there was one."""
    if entry.verdict is None:
        return None
    nothing = Decision(entry.verdict, None, None, "", 0.0, None, 0, np.zeros((0, 1), np.float32))
    judged = entry.judgement.decision if entry.judgement else nothing
    return replace(judged, verdict=entry.verdict, fault=entry.reason, detail=entry.detail)
