"""What the report of a learning says of labels: who said them, what was left out, and which to look at again."""

from datetime import UTC, datetime, timedelta

from models.evaluation.measuring.evaluation import PartRow
from models.mistakes.document import LikelyMistake, Mistakes
from station.labels.label import InspectionSubject, Label, Source, WholePart
from station.learn.counts import Counts, sayings_of
from station.learn.report_labels import NAMED, contradicted, doubted, parts_table, plain, sayings_table

NOON = datetime(2026, 5, 2, 12, 0, tzinfo=UTC)


def said(part: str, who: str, source: Source, minutes: int = 0) -> Label:
    return Label(InspectionSubject(part), WholePart(), "pits", who, NOON + timedelta(minutes=minutes), source)


def counts(**other: object) -> Counts:
    fields = {"learnt": {"pits": 4}, "held_out": {"free": 2}, "good": 3, "sayings": (), "left_out": {}, "named": ()}
    return Counts.model_validate(fields | other)


def test_labels_are_told_by_who_said_them_and_from_where_and_later_ones_do_not_count() -> None:
    labels = [
        said("A", "ada", Source.PERSON), said("A", "ada", Source.PERSON, 1), said("B", "ada", Source.PERSON),
        said("A", "bob|carl", Source.AUDIT), said("C", "ada", Source.PERSON, 9),
    ]  # fmt: skip
    sayings = sayings_of(labels, "2026-05-02T12:05:00.000Z")
    assert [(one.who, one.source, one.labels) for one in sayings] == [("ada", "person", 2), ("bob|carl", "audit", 1)]
    told = list(sayings_table(counts(sayings=sayings)))
    assert told[-2:] == ["| ada | person | 2 |", "| bob\\|carl | audit | 1 |"]


def test_what_was_left_out_is_counted_and_named() -> None:
    named = tuple(f"part_{number}: people differ" for number in range(NAMED + 3))
    told = list(parts_table(counts(left_out={"people differ": NAMED + 3}, named=named)))
    assert "| free | 0 | 2 |" in told
    assert f"- {NAMED + 3} people differ" in told
    assert "- part\\_0: people differ" in told
    assert told[-1] == "- and 3 more"
    assert "Left out:" not in list(parts_table(counts()))


def test_likely_mistakes_and_contradicted_parts_are_named() -> None:
    one = LikelyMistake(
        file="a.png", image=3, index=3, given="pits", suggested="free", self_confidence=0.1, confidence=0.9
    )
    found = Mistakes(
        code_version="1", data="d", data_sha256="ab", source="s", images=20, classes=("free", "pits"),
        joint=((1.0, 0.0), (0.0, 1.0)), mistakes=(one,),
    )  # fmt: skip
    assert list(doubted(found, "mistakes/mistakes.html")) == [
        "1 of 20 labels of the validation are likely wrong: [pictures](mistakes/mistakes.html).", "",
        "- a.png: labelled pits, rather free (0.90)",
    ]  # fmt: skip
    told = list(contradicted([row("A", "pits", 0.6), row("B", "free", 0.9), row("C", "pits", 0.8), row("D", None, 0)]))
    assert told == [
        "Of 4 parts held out it calls 2 otherwise than people do, the surest first.", "",
        "- C: labelled free, pits (0.80)", "- A: labelled free, pits (0.60)",
    ]  # fmt: skip


def test_a_name_breaks_no_line_and_no_table() -> None:
    assert plain("a|b\n# c <img>") == "a\\|b # c \\<img\\>"


def row(part_id: str, answer: str | None, confidence: float) -> PartRow:
    """A good part, as a network calls it."""
    return PartRow(
        part_id=part_id, truth="free", verdict=answer or "review", algorithm1=answer, reason=None,
        confidence=confidence, deciding_patch=None,
    )  # fmt: skip
