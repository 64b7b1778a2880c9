"""What a shift's decisions are expected to have cost, and what each rule would have cost on the same parts.

Nobody knows of a part that passed whether it was good: what is added up is what its recorded probabilities say. Golden
parts and those of a study are left out; a part without scores costs its review.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from station.core.calendar import Calendar
from station.core.cost import good, outcomes
from station.core.moments import moment
from station.core.part import Probabilities
from station.core.records import JsonObject
from station.core.rulings import Costing, Prices
from station.core.verdicts import Classes, Outputs, Verdict


@dataclass(slots=True)
class Account:
    """What parts came to.

    Attributes:
        parts: How many were decided.
        passed, rejected, reviewed: What became of them.
        escapes: Expected defective parts among those that passed.
        overkill: Expected good parts among those that were rejected.
        money: What that is expected to cost, reviews included.
        by_rule: What each rule alone would have cost on the scored parts, without the guard; and how many those are.
    """

    parts: int = 0
    passed: int = 0
    rejected: int = 0
    reviewed: int = 0
    escapes: float = 0.0
    overkill: float = 0.0
    money: float = 0.0
    by_rule: dict[str, float] = field(default_factory=dict)
    scored: int = 0

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


class Bookkeeper:
    """Adds up what decisions cost.

    Args:
        table: The configured verdicts.
        prices: What goes wrong costs.
        calendar: The plant's shifts.
    """

    def __init__(self, table: Classes, prices: Prices, calendar: Calendar) -> None:
        self._table = table
        self._prices = prices
        self._calendar = calendar

    def accounts(self, records: Iterable[JsonObject]) -> dict[str, Account]:
        """An account for each shift, by the moment that it began, as text; the oldest first.

        Args:
            records: Inspections with the columns of `station.core.ports.records.RecordReader.judged`.
        """
        found: dict[str, Account] = {}
        for record in records:
            if record["verdict"] is not None and record["tried"] is None:
                self._add(found.setdefault(self._shift(record["entered_at"]), Account()), record)
        return found

    def _shift(self, entered_at: str) -> str:
        return f"{self._calendar.begin_at(moment(entered_at)):%Y-%m-%d %H:%M}"

    def _add(self, account: Account, record: JsonObject) -> None:
        account.parts += 1
        scores, outputs = np.array(record["probabilities"], np.float32), self._outputs(record["classes"])
        scored = outputs is not None and scores.ndim == 2 and np.isfinite(scores).all()
        chance = good(scores, outputs) if scored and outputs else None
        verdict = self._table.named(record["verdict"])
        account.passed += verdict.passes
        account.rejected += verdict.is_defect
        account.reviewed += verdict.is_review
        if chance is None or outputs is None:
            account.money += self._prices.review if verdict.is_review else 0.0
            return
        account.escapes += (1 - chance) * verdict.passes
        account.overkill += chance * verdict.is_defect
        account.money += self._cost(verdict, chance)
        account.scored += 1
        for rule, cost in self._rules(scores, outputs, chance):
            account.by_rule[rule] = account.by_rule.get(rule, 0.0) + cost

    def _rules(self, scores: Probabilities, outputs: Outputs, chance: float) -> Iterator[tuple[str, float]]:
        said = outcomes(scores, outputs, self._table.review, Costing(self._prices))
        yield from ((rule, self._cost(outcome.verdict, chance)) for rule, outcome in said.items())

    def _cost(self, verdict: Verdict, chance: float) -> float:
        if verdict.passes:
            return self._prices.escape * (1 - chance)
        return self._prices.review if verdict.is_review else self._prices.overkill * chance

    def _outputs(self, names: list[str]) -> Outputs | None:
        """What the columns mean; None for classes that the table does not have any more."""
        return None if not names or self._table.unknown(names) else self._table.outputs(names)
