"""What the report of a learning says of labels and parts: who said what, what was left out, what to look at again."""

from collections.abc import Iterator, Sequence

from models.evaluation.measuring.evaluation import PartRow
from models.mistakes.document import Mistakes
from station.learn.counts import Counts

NAMED = 20
"""So many of a kind are told by name; the documents in the folder have all."""
MARKS = frozenset("\\|`*_<>[]")


def sayings_table(counts: Counts) -> Iterator[str]:
    """Who has labelled how much, from where."""
    yield from ("## Labels", "", "| who | from | labels |", "|---|---|---|")
    yield from (f"| {plain(one.who)} | {one.source} | {one.labels} |" for one in counts.sayings)


def parts_table(counts: Counts) -> Iterator[str]:
    """Parts by class and side, and what was left out, with names."""
    yield from ("## Parts", "", f"{counts.good} good parts were kept for the calibration.", "")
    yield from ("| class | learnt from | held out |", "|---|---|---|")
    for name in {**counts.learnt, **counts.held_out}:
        yield f"| {name} | {counts.learnt.get(name, 0)} | {counts.held_out.get(name, 0)} |"
    if counts.left_out or counts.named:
        yield from ("", "Left out:", "")
        yield from (f"- {count} {plain(why)}" for why, count in counts.left_out.items())
        yield from _listed([plain(told) for told in counts.named])


def doubted(found: Mistakes, page: str) -> Iterator[str]:
    """Labels of the validation that are likely wrong.

    Args:
        found: By confident learning.
        page: Where their pictures are.
    """
    yield f"{len(found.mistakes)} of {found.images} labels of the validation are likely wrong: [pictures]({page})."
    told = [
        f"{plain(one.file)}: labelled {one.given}, rather {one.suggested} ({one.confidence:.2f})"
        for one in found.mistakes
    ]
    yield from ("", *_listed(told)) if told else ()


def contradicted(rows: Sequence[PartRow]) -> Iterator[str]:
    """Parts held out of which the network says something else than people, the surest first."""
    wrong = sorted((row for row in rows if row.algorithm1 not in {None, row.truth}), key=lambda row: -row.confidence)
    yield f"Of {len(rows)} parts held out it calls {len(wrong)} otherwise than people do, the surest first."
    told = [f"{plain(row.part_id)}: labelled {row.truth}, {row.algorithm1} ({row.confidence:.2f})" for row in wrong]
    yield from ("", *_listed(told)) if told else ()


def plain(text: str) -> str:
    """A text in one line that Markdown takes as it is."""
    return "".join(f"\\{one}" if one in MARKS else one for one in " ".join(text.split()))


def _listed(told: Sequence[str]) -> Iterator[str]:
    yield from (f"- {one}" for one in told[:NAMED])
    if len(told) > NAMED:
        yield f"- and {len(told) - NAMED} more"
