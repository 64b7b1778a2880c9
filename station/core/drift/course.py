"""How the parts of one type went since their calibration: what each showed, and what that came to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from station.core.drift.limits import LAST_PARTS, Limits, Measured
from station.core.drift.martingale import Order, Wealth
from station.core.novelty.conformal import Calibration
from station.core.promise import Suspension

EPOCH = 20_000
"""After so many parts the bets begin anew, with the calibrated parts alone to hold others against."""
ALARMS = {"lamp": "camera.lamp_faded", "edge_px": "camera.out_of_focus", "streak": "camera.dirt"}
"""The fault that each figure stands for when it is beyond its limit."""
UNLIKE = "quality.drift"
"""The fault of parts that are no longer like those before."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one scan shows, as it is recorded; what it does not tell is None.

    Attributes:
        lamp: Grey value of the reference area, at the type's own exposure.
        edge_px: Columns that the part's edges take, of light to dark.
        streak: Grey values by which the brightest stretch of the background stands out of it.
        score: How unlike the training the part is; None of one that is called a defect, or was not judged whole.
        lot: The part's own random number, 0 to 1, with which it is given its place among equals.
        covered: What the part covers, in words; empty where the whole reference area is seen.
    """

    lamp: float | None = None
    edge_px: float | None = None
    streak: float | None = None
    score: float | None = None
    lot: float = 0.0
    covered: str = ""

    def figures(self) -> dict[str, float]:
        """What it tells of lamp, focus and dirt, by name."""
        told = {name: getattr(self, name) for name in ALARMS}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Drift:
    """What the parts of a type have come to with this one, as it is recorded; a restart goes on from it.

    Attributes:
        parts: Parts since the bets began.
        p: This part's place among all so far, 0 to 1; None where it has none.
        wealth: What the bets have come to, as a decimal logarithm.
        suspended: Since when, and why, what is promised of this type does not hold; None while it does.
        calibration: SHA-256 of what the promise rests on; None without one.
        first: How lamp, edges and streak were at first, by name, as far as it is known.
        now: How they are now.
        beyond: Codes of the faults that hold with this part.
    """

    parts: int
    p: float | None
    wealth: float
    suspended: Suspension | None
    calibration: str | None
    first: Mapping[str, float] = field(default_factory=dict)
    now: Mapping[str, float] = field(default_factory=dict)
    beyond: tuple[str, ...] = ()

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Self:
        """The same as a record has it."""
        suspended = Suspension.of(recorded["suspended"])
        return cls(**{**recorded, "beyond": tuple(recorded["beyond"]), "suspended": suspended})

    @property
    def unlike(self) -> bool:
        """Whether it was found that parts are no longer like those before."""
        return self.suspended is not None and UNLIKE in self.suspended.because


@dataclass(frozen=True, slots=True)
class Watched:
    """What a part showed, and what all parts of its type have come to with it; None before that is summed."""

    seen: Seen
    drift: Drift | None = None

    def recorded(self) -> dict[str, dict[str, Any] | None]:
        """As plain data, by the record's columns."""
        return {"conditions": asdict(self.seen), "drift": asdict(self.drift) if self.drift is not None else None}

    @classmethod
    def of(cls, conditions: Mapping[str, Any], drift: Mapping[str, Any]) -> Self:
        """The same as a record has it."""
        return cls(Seen(**conditions), Drift.of(drift))


def drift_row(drift: Drift) -> dict[str, Any]:
    """What the parts of a type have come to, as those who watch the station are told."""
    return {
        "promise_suspended": drift.suspended is not None,
        "suspended_since": drift.suspended and drift.suspended.since,
        "suspended_because": list(drift.suspended.because) if drift.suspended else [],
        "beyond": list(drift.beyond),
        "now": dict(drift.now),
        "first": dict(drift.first),
    }


class Course:
    """The parts of one type, in their order.

    Args:
        calibration: What good parts of the type came to; None where nobody has measured it: then nothing is bet.
        limits: How far things may drift.
        history: What the records have of the type, oldest first; what is of another calibration begins anew.
    """

    def __init__(self, calibration: Calibration | None, limits: Limits, history: Sequence[Watched] = ()) -> None:
        self._calibration = calibration
        self._limits = limits
        last = history[-1].drift if history else None
        if last is None or last.calibration != self._sha256:
            history, last = (), Drift(0, None, 0.0, suspended=None, calibration=self._sha256)
        self._drift = last
        self._measured = {name: Measured(rule, self._drift.first.get(name)) for name, rule in limits.rules.items()}
        self._begin()
        self._go_on(history)

    @property
    def drift(self) -> Drift:
        """What all parts have come to."""
        return self._drift

    def take(self, seen: Seen, inspection_id: str, at: str) -> Drift:
        """What all parts have come to with this one.

        Args:
            seen: What its scan shows.
            inspection_id: Of the part.
            at: When it was taken on, UTC, as `station.core.moments` writes it.
        """
        if self._parts >= EPOCH:
            self._begin()
        p_value = self._count(seen)
        self._drift = self._summed(p_value, inspection_id, at)
        return self._drift

    def _go_on(self, history: Sequence[Watched]) -> None:
        """Take in again what the bets, and the last figures, were made of; what is suspended is as it was recorded."""
        begun = max(0, len(history) - self._drift.parts)  # a part may be missing that could not be recorded
        for one in history[max(0, begun - LAST_PARTS) : begun]:
            if one.drift is not None and one.drift.calibration == self._sha256:
                self._measure(one.seen)
        for one in history[begun:]:
            self._count(one.seen)
        self._drift = replace(self._drift, parts=self._parts)

    def _begin(self) -> None:
        """Bet anew; what is suspended stays so."""
        self._parts = 0
        self._wealth = Wealth()
        self._order = Order(self._calibration.scores if self._calibration is not None else ())

    def _count(self, seen: Seen) -> float | None:
        """Let a part count; its p-value."""
        self._parts += 1
        p_value = self._bet(seen)
        self._measure(seen)
        return p_value

    def _bet(self, seen: Seen) -> float | None:
        """This part's p-value; once it is found that parts are unlike there is nothing left to bet on."""
        if self._calibration is None or seen.score is None or self._drift.unlike:
            return None
        p_value = self._order.p_value(seen.score, seen.lot)
        self._wealth = self._wealth.after(p_value)
        return p_value

    def _measure(self, seen: Seen) -> None:
        for name, value in seen.figures().items():
            self._measured[name].take(value)

    def _summed(self, p_value: float | None, inspection_id: str, at: str) -> Drift:
        before = self._drift
        unlike = before.unlike or self._wealth.total >= self._limits.wealth_max
        beyond = [ALARMS[name] for name, figure in self._measured.items() if figure.is_beyond]
        beyond += [UNLIKE] if unlike else []
        return Drift(
            parts=self._parts,
            p=p_value,
            wealth=before.wealth if before.unlike else self._wealth.log10,
            suspended=_suspended(before.suspended, beyond, inspection_id, at),
            calibration=self._sha256,
            first={name: figure.first for name, figure in self._measured.items() if figure.first is not None},
            now={name: figure.now for name, figure in self._measured.items() if figure.now is not None},
            beyond=tuple(beyond),
        )

    @property
    def _sha256(self) -> str | None:
        return self._calibration.sha256 if self._calibration is not None else None


def _suspended(before: Suspension | None, beyond: Sequence[str], inspection_id: str, at: str) -> Suspension | None:
    """Whether a promise is suspended once these faults hold; what was found before stays found."""
    if before is None:
        return Suspension(at, inspection_id, tuple(beyond)) if beyond else None
    return replace(before, because=(*before.because, *(code for code in beyond if code not in before.because)))
