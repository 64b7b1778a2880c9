"""The cell as plain data, folded from its events: what a page, or any other program, shows of it.

    events ──▶ CellPicture ──▶ full: every section        take(event): the sections that it changed, each whole

A section replaces the former one of its name, so that who has missed a change has nothing to mend. The sections and
their fields are those of `station/host/watch.md`.
"""

from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from station.core.alarms import alarm_row
from station.core.drift.course import drift_row
from station.core.errors import FAULTS
from station.core.events import (
    AlarmsChanged,
    CellEvent,
    DriftChanged,
    HandChanged,
    LineChanged,
    OrderDone,
    OrderGiven,
    PartDecided,
    PartEntered,
    PartLost,
    PartSorted,
    PartWithdrawn,
    StateChanged,
    StepStarted,
    StripScored,
)
from station.core.hand import Holder
from station.core.moments import stamp
from station.core.part import Decision, Inspection, Order
from station.core.ports.line import LineView
from station.core.reason import Reason
from station.core.verdicts import Place
from station.view.ends import what_ends

Sections = dict[str, Any]
"""Sections by name, as JSON has them."""

ORDERS_SHOWN = 8
"""So many of the orders are shown, the one given last at the end."""
TURNS_ANEW = "spin"
"""The step with which a turn begins: what an earlier one has shown of the part is no more."""
BY_OPERATOR = FAULTS["station.stopped_by_operator"]


class CellPicture:
    """What is to be seen of one cell; used by one thread at a time.

    Args:
        places: Where parts may go.
        since: When the cell is as it is before its first event.
    """

    def __init__(self, places: Iterable[Place], since: datetime) -> None:
        self._places = tuple(places)
        self._parts = Counter[str]()
        self._full_places: frozenset[Place] = frozenset()
        self._orders: deque[Sections] = deque(maxlen=ORDERS_SHOWN)
        self._verdicts = Counter[str]()
        self._ended = Counter(sorted=0, lost=0, withdrawn=0)
        self._sections: Sections = {
            "cell": _cell("STOPPED", None, since),
            "line": _line(LineView()),
            "part": None,
            "orders": [],
            "bins": self._bins(),
            "alarms": [],
            "drift": {},
            "counters": self._counters(),
            "hand": None,
        }

    @property
    def full(self) -> Sections:
        """Every section as it is now."""
        return dict(self._sections)

    def take(self, event: CellEvent, at: datetime) -> Sections:
        """Take in one event of the cell.

        Args:
            event: What happened.
            at: When, UTC.

        Returns:
            The sections that are others now.
        """
        changed = {name: value for name, value in self._drawn(event, at).items() if value != self._sections[name]}
        self._sections |= changed
        return changed

    def _drawn(self, event: CellEvent, at: datetime) -> Sections:
        match event:
            case StateChanged():
                before = self._sections["cell"]
                since = at if event.after != before["state"] else None
                return {"cell": _cell(event.after, event.reason, since, before["since"])}
            case LineChanged():
                self._full_places = event.view.full
                return {"line": _line(event.view), "bins": self._bins()}
            case AlarmsChanged() | HandChanged() | DriftChanged():
                return _told_whole(event)
            case OrderGiven() | OrderDone():
                return {"orders": self._ordered(event)}
            case _:
                return self._of_a_part(event)

    def _of_a_part(self, event: CellEvent) -> Sections:
        match event:
            case PartEntered():
                return {"part": _entered(event.inspection)}
            case StepStarted():
                return self._part(event.inspection, step=event.step, **_unseen(event))
            case StripScored():
                seen = [surface.name for surface in event.surfaces]
                return self._part(event.inspection, patches=self._with_patches(event, seen))
            case PartDecided():
                decided = _decided(event.decision)
                return self._part(event.inspection, decision=decided, ms_after_last_line=event.ms_after_last_line)
            case PartSorted() | PartLost() | PartWithdrawn():
                return self._over(event)
            case _:
                return {}

    def _over(self, event: PartSorted | PartLost | PartWithdrawn) -> Sections:
        if isinstance(event, PartSorted):
            return self._sorted(event)
        how = "lost" if isinstance(event, PartLost) else "withdrawn"
        self._ended[how] += 1
        part = self._part(event.inspection, ended=how, why=_why(event.reason))
        return {**part, "counters": self._counters()}

    def _sorted(self, event: PartSorted) -> Sections:
        self._parts[event.confirmed.name] += 1
        self._verdicts[event.decision.verdict.name] += 1
        self._ended["sorted"] += 1
        decided = _decided(event.decision)
        part = self._part(
            event.inspection, decision=decided, confirmed=event.confirmed.name, ended="sorted",
            ms_after_last_line=event.ms_after_last_line,
        )  # fmt: skip
        return {**part, "bins": self._bins(), "counters": self._counters()}

    def _part(self, inspection: Inspection, **fields: object) -> Sections:
        """The part with other values in these fields; one that is new here, as after a restart, begins with them."""
        known = self._sections["part"]
        mine = known is not None and known["inspection"] == inspection.inspection_id
        return {"part": {**(known if mine else _entered(inspection)), **fields}}

    def _with_patches(self, event: StripScored, seen: list[str]) -> list[str | None]:
        patches: list[str | None] = list(self._part(event.inspection)["part"]["patches"])
        first = event.scores.index * len(seen)
        patches[first : first + len(seen)] = seen
        return patches

    def _ordered(self, event: OrderGiven | OrderDone) -> list[Sections]:
        if isinstance(event, OrderGiven):
            self._orders.append(_order(event.order))
        else:
            self._done(event.receipt.order, event.receipt.confirmed)
        return list(self._orders)

    def _done(self, order: Order, confirmed: int) -> None:
        """This one of the orders shown is done."""
        place = next((place.name for place in self._places if place.code == confirmed), None)
        named = (order.device, order.number)
        for shown in self._orders:
            if (shown["device"], shown["number"]) == named:
                self._orders[self._orders.index(shown)] = {**shown, "done": True, "confirmed": place}
                return

    def _bins(self) -> list[Sections]:
        return [
            {"place": place.name, "label": place.label, "parts": self._parts[place.name],
             "full": place in self._full_places}
            for place in self._places
        ]  # fmt: skip

    def _counters(self) -> Sections:
        return {**self._ended, "verdicts": dict(self._verdicts)}


def _told_whole(event: AlarmsChanged | HandChanged | DriftChanged) -> Sections:
    """A section of which an event tells all there is."""
    match event:
        case AlarmsChanged():
            return {"alarms": [alarm_row(alarm) for alarm in reversed(event.alarms)]}
        case HandChanged():
            return {"hand": _hand(event.holder)}
        case DriftChanged():
            return {"drift": {name: drift_row(drift) for name, drift in event.drifts.items()}}


def _cell(state: str, reason: Reason | None, since: datetime | None, before: str = "") -> Sections:
    return {
        "state": state,
        "since": stamp(since) if since else before,
        "reason": _why(reason),
        "ends": what_ends(state, by_operator=reason is not None and reason.fault is BY_OPERATOR),
    }


def _hand(holder: Holder | None) -> Sections | None:
    if holder is None:
        return None
    return {"who": holder.who, "why": holder.why, "since": stamp(holder.since), "until": stamp(holder.until)}


def _line(view: LineView) -> Sections:
    waiting = view.waiting and {"id": view.waiting.part_id, "type_code": view.waiting.type_code}
    return {
        "permission": view.permission,
        "fault": _why(Reason(view.fault) if view.fault else None),
        "waiting": waiting,
    }


def _why(reason: Reason | None) -> Sections | None:
    if reason is None:
        return None
    fault = reason.fault
    return {"code": fault.code, "number": fault.number, "text": fault.text, "detail": reason.detail}


def _order(order: Order) -> Sections:
    return {
        "device": order.device, "number": order.number, "verb": order.verb, "argument": order.argument,
        "done": False, "confirmed": None,
    }  # fmt: skip


def _entered(inspection: Inspection) -> Sections:
    geometry = inspection.part_type.geometry
    return {
        "inspection": inspection.inspection_id,
        "number": inspection.number,
        "id": inspection.part.part_id,
        "type": inspection.part_type.name,
        "entered_at": stamp(inspection.entered_at),
        "strips": geometry.blocks_per_turn,
        "patches_per_strip": geometry.patches_per_strip,
        "patches": [None] * geometry.patches_per_part,
        "step": None,
        "decision": None,
        "ms_after_last_line": None,
        "confirmed": None,
        "ended": None,
        "why": None,
    }


def _unseen(event: StepStarted) -> Sections:
    """Where a turn begins, nothing of it has been seen yet."""
    if event.step != TURNS_ANEW:
        return {}
    return {"patches": [None] * event.inspection.part_type.geometry.patches_per_part}


def _decided(decision: Decision) -> Sections:
    reason = Reason(decision.fault, decision.detail) if decision.fault else None
    return {
        "verdict": decision.verdict.name,
        "algorithm1": decision.algorithm1 and decision.algorithm1.name,
        "confidence": round(float(decision.confidence), 4),
        "deciding_patch": decision.deciding_patch,
        "defect_patches": decision.defect_patches,
        "destination": decision.destination.name,
        "reason": _why(reason),
    }
