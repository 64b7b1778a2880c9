"""Of each person the latest label counts; where all agree there is one class, where not the place is told."""

from station.labels.agreement import current, disagreements, findings
from station.labels.label import WITHDRAWN
from tests.label_samples import REGIONS, label


def test_the_latest_of_a_person_counts_whatever_came_first() -> None:
    first, last = label("pits"), label("scratches", minutes=5)
    assert current([first, last]) == current([last, first]) == [last]


def test_at_one_time_what_came_later_counts() -> None:
    assert current([label("pits"), label("scratches")]) == [label("scratches")]


def test_another_place_or_person_is_another_matter() -> None:
    said = [label("pits"), label("scratches", "bob", 1), *(label("pits", region=one, minutes=2) for one in REGIONS[1:])]
    assert current(said) == said


def test_what_was_withdrawn_does_not_count_and_may_be_said_again() -> None:
    said = [label("pits"), label("pits", "bob", 1), label(WITHDRAWN, minutes=2)]
    assert current(said) == [label("pits", "bob", 1)]
    again = label("scratches", minutes=3)
    assert current([*said, again]) == [label("pits", "bob", 1), again]


def test_two_people_agree_or_differ_place_by_place() -> None:
    patch = REGIONS[1]
    said = [label("pits"), label("pits", "bob"), label("pits", region=patch), label("scratches", "bob", region=patch)]
    whole, part = findings(said)
    assert (whole.agreed, whole.region, whole.labels) == ("pits", REGIONS[0], (said[0], said[1]))
    assert (part.agreed, part.classes, part.region) == (None, ("pits", "scratches"), patch)
    assert disagreements(said) == [part]


def test_who_comes_round_ends_the_disagreement() -> None:
    said = [label("pits"), label("scratches", "bob")]
    assert len(disagreements(said)) == 1
    assert disagreements([*said, label("pits", "bob", 1)]) == []
    assert disagreements([*said, label(WITHDRAWN, "bob", 1)]) == []
    assert findings([label("pits"), label(WITHDRAWN, minutes=1)]) == []
