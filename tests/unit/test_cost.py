"""The cost rule: the cheapest answer, within its budget, and never a pass that Algorithm 1 does not give."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from config import bundled
from station.cli.records import records_app
from station.core.algorithm1 import algorithm1
from station.core.cost import ReviewBudget, cheapest, expected, good, outcomes, rulings
from station.core.errors import FAULTS, ConfigError
from station.core.part import Probabilities, ScanHealth, Scores
from station.core.recipe import DecisionRule
from station.core.records import RecordFilter
from station.core.rulings import Costing, Prices, Rulings
from station.flow.decide import decide
from station.offline.money import Bookkeeper
from station.records.reader import SqliteReader
from tests.cell.bench import settings
from tests.housings import OUTPUTS, TABLE, Verdict, column
from tests.housings import rule as rule_of
from tests.record_samples import PART_TYPE, decision, judgement, open_ledger, part

HEALTHY = ScanHealth(None, "", 12.0)
FREE = column(Verdict.DEFECT_FREE)


def table(free: float, patches: int = 16) -> Probabilities:
    """Patches that are good with this probability, and otherwise pits."""
    rows = np.zeros((patches, 5), np.float32)
    rows[:, FREE], rows[:, column(Verdict.PITS)] = free, 1 - free
    return rows


def drawn(count: int) -> Iterator[tuple[Probabilities, Costing]]:
    """Random tables of every sharpness, with random prices; among them ties, zeros and budgets that are spent."""
    random = np.random.default_rng(21)
    for number in range(count):
        scores = random.dirichlet(np.full(5, 10.0 ** random.uniform(-2, 1)), 16).astype(np.float32)
        if number % 2:
            scores[:, FREE] += random.uniform(0, 30)
            scores /= scores.sum(axis=1, keepdims=True)
        if number % 7 == 0:
            scores[3] = (0.5, 0, 0.5, 0, 0)
        prices = Prices(*(random.choice((0.0, 1.0, 10.0 ** random.uniform(-2, 6))) for _ in range(3)))
        yield scores, Costing(prices, (None, 0, 1)[number % 3])


def test_it_never_passes_what_algorithm_1_does_not_pass_and_takes_the_cheapest_of_what_is_left() -> None:
    passed = set()
    for scores, costing in drawn(3000):
        ruled, said = algorithm1(scores, OUTPUTS), cheapest(scores, OUTPUTS, TABLE.review, costing)
        assert ruled.verdict.passes or not said.verdict.passes
        assert not (said.verdict.is_review and costing.reviews_left == 0)
        cost = expected(scores, OUTPUTS, costing)
        chosen = {True: cost.passed, False: cost.reviewed if said.verdict.is_review else cost.rejected}
        others = [one for one in (cost.passed, cost.rejected, cost.reviewed) if one is not None]
        assert chosen[said.verdict.passes] == min(others)
        if said.verdict.is_defect and not ruled.verdict.passes:
            assert said == ruled
        passed.add((ruled.verdict.passes, said.verdict.passes, said.verdict.is_review))
    assert passed == {
        (True, True, False), (True, False, True), (True, False, False), (False, False, True), (False, False, False),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("free", "prices", "verdict"),
    [
        (0.999, Prices(1000, 10, 1), "review"),  # 16 patches: good with 0.984, a pass is expected to cost 15.9
        (0.999, Prices(50, 10, 1), "defect_free"),  # 0.79
        (0.999, Prices(1000, 0.5, 1), "pits"),  # to reject costs 0.49
        (0.4, Prices(0, 1000, 1), "pits"),  # the good chance is 4e-7
        (0.999, Prices(0, 0, 0), "review"),  # of equal prices the review
    ],
)
def test_the_answer_is_the_one_with_the_least_expected_cost(free: float, prices: Prices, verdict: str) -> None:
    assert good(table(free), OUTPUTS) == pytest.approx(free**16, rel=1e-4)
    assert cheapest(table(free), OUTPUTS, TABLE.review, Costing(prices)).verdict.name == verdict


def cost_rule(prices: Prices, left: int | None = None) -> DecisionRule:
    usual = rule_of()
    return DecisionRule(
        usual.outputs, usual.geometry, usual.review, "cost", usual.min_confidence, usual.deadline_ms,
        costing=Costing(prices, left),
    )  # fmt: skip


def strips(scores: Probabilities) -> list[Scores]:
    return [Scores(index, scores[2 * index : 2 * index + 2]) for index in range(8)]


def test_a_review_says_what_every_answer_was_expected_to_cost_and_the_record_what_each_rule_says(
    tmp_path: Path,
) -> None:
    said = decide(strips(table(0.999)), HEALTHY, cost_rule(Prices(1000, 10, 1), 3))
    assert (said.verdict, said.fault) == (TABLE.review, FAULTS["part.review_cheaper"])
    assert said.detail == "good with 0.9841; expected to cost: pass 15.88, defect 9.841, review 1"
    assert said.rulings is not None
    assert said.rulings.verdicts == {"algorithm1": "defect_free", "most_severe": "defect_free", "cost": "review"}
    assert Rulings.of(said.rulings.as_json()) == said.rulings
    spent = decide(strips(table(0.999)), HEALTHY, cost_rule(Prices(1000, 20, 1), 0))
    assert (spent.verdict.name, spent.fault) == ("defect_free", None)


def test_other_rules_record_what_they_say_without_prices_too() -> None:
    said = decide(strips(table(0.4)), HEALTHY, rule_of())
    assert said.rulings == Rulings({"algorithm1": "pits", "most_severe": "pits"})
    late = decide(strips(table(0.4))[:7], HEALTHY, rule_of())
    assert late.rulings is None


def test_a_budget_counts_over_a_hundred_parts() -> None:
    budget = ReviewBudget()
    for number in range(150):
        budget.take(reviewed=number in (10, 60, 149))
    assert (budget.left(2), budget.left(1), budget.left(5)) == (0, 0, 3)  # the one of part 10 counts no more


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ({"escape": -1, "overkill": 1, "review": 1}, "decision.prices.escape = -1"),
        ({"escape": 100, "review": 1}, "decision.prices.overkill: must be given"),
        (None, 'rule = "cost" takes decision.prices'),
    ],
)
def test_prices_that_are_negative_or_missing_are_refused(prices: dict[str, object] | None, words: str) -> None:
    kinds = settings().model_dump(mode="json")["part_types"]["smh_385"]
    with pytest.raises(ConfigError) as caught:
        settings(decision={"prices": prices}, part_types={"smh_385": kinds | {"rule": "cost"}})
    assert words in caught.value.detail


def ruled(scores: Probabilities, costing: Costing) -> Rulings:
    return rulings(outcomes(scores, OUTPUTS, TABLE.review, costing), scores, OUTPUTS, costing)


async def test_a_shift_costs_what_its_records_say_and_each_rule_is_held_against_it(tmp_path: Path) -> None:
    prices, ledger = Prices(1000, 10, 1), await open_ledger(tmp_path)
    sure, doubtful = ruled(table(0.99999), Costing(prices)), table(0.999)
    for chosen in (
        decision(Verdict.DEFECT_FREE, None, table(0.99999)),
        decision(Verdict.REVIEW, FAULTS["part.review_cheaper"], doubtful),
        decision(Verdict.REVIEW, FAULTS["part.golden"], table(0.1)),
        decision(Verdict.PITS, None, table(0.4)),
    ):
        await ledger.judged(await ledger.enter(part(), PART_TYPE), judgement(chosen))
    await ledger.close()
    assert sure.verdicts["cost"] == "defect_free"
    book = Bookkeeper(TABLE, prices, settings().plant.calendar)

    (account,) = book.accounts(SqliteReader(tmp_path, TABLE).judged(RecordFilter())).values()
    assert (account.parts, account.passed, account.rejected, account.reviewed) == (3, 1, 1, 1)
    assert account.money == pytest.approx(1000 * (1 - 0.99999**16) + 1 + 10 * 0.4**16, rel=1e-2)
    assert account.by_rule["algorithm1"] == pytest.approx(account.money - 1 + 15.88, rel=1e-3)
    assert account.by_rule["cost"] == pytest.approx(account.money, rel=1e-3)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    prices = '[decision.prices]\nescape = 1000\noverkill = 10\nreview = 1\ncurrency = "EUR"\n'
    path = tmp_path / "cell.toml"
    path.write_text(f"{bundled('simulate.toml').read_text(encoding='utf-8')}\n{prices}", encoding="utf-8")
    return path


async def test_the_record_and_the_commands_tell_what_each_rule_says(tmp_path: Path, config: Path) -> None:
    said = decide(strips(table(0.999)), HEALTHY, cost_rule(Prices(1000, 10, 1), 3))
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.judged(inspection, judgement(said))
    read = (await ledger.journal(inspection)).decision
    await ledger.close()
    assert read is not None
    assert read.rulings == said.rulings

    def told(*words: str) -> str:
        return CliRunner().invoke(records_app, [*words, "--config", str(config), "--data", str(tmp_path)]).output

    shown = json.loads(told("show", inspection.inspection_id, "--json"))
    assert shown["rules"]["verdicts"] == {"algorithm1": "defect_free", "most_severe": "defect_free", "cost": "review"}
    assert shown["rules"]["costing"] == {"prices": {"escape": 1000, "overkill": 10, "review": 1}, "reviews_left": 3}
    assert "cost review; good with 0.9841" in " ".join(told("show", inspection.inspection_id).split())
    (account,) = json.loads(told("cost", "--json")).values()
    assert (account["parts"], account["reviewed"], account["money"]) == (1, 1, 1.0)
    assert "cost EUR" in told("cost")
