"""Of each person the latest label counts; where all agree there is one class, where not the place is told."""

from hypothesis import given
from hypothesis import strategies as st

from station.labels.agreement import current, disagreements, findings
from station.labels.label import WITHDRAWN, Label
from tests.label_samples import REGIONS, label


def test_the_latest_of_a_person_counts_whatever_came_first() -> None:
    first, last = label("pits"), label("scratches", minutes=5)
    assert current([first, last]) == current([last, first]) == [last]


def test_of_one_millisecond_the_same_counts_whatever_came_first() -> None:
    said = [label("pits"), label("scratches")]
    assert current(said) == current(reversed(said)) == [label("scratches")]


LABELS = st.lists(
    st.builds(
        label, st.sampled_from(["pits", "scratches", WITHDRAWN]), st.sampled_from(["ada", "bob"]),
        st.integers(0, 3), st.sampled_from(REGIONS[:2]),
    ),
    max_size=12,
)  # fmt: skip


@given(st.data(), LABELS)
def test_labels_of_two_computers_come_to_the_same_in_any_order_and_more_than_once(
    data: st.DataObject, said: list[Label]
) -> None:
    again = data.draw(st.permutations([*said, *data.draw(st.lists(st.sampled_from(said)) if said else st.just([]))]))
    assert set(current(again)) == set(current(said))
    found = [{(one.region, one.agreed, frozenset(one.labels)) for one in findings(some)} for some in (said, again)]
    assert found[0] == found[1]
    for finding in findings(said):
        assert len({one.who for one in finding.labels}) == len(finding.labels)
        assert (finding.agreed is None) == (len(finding.classes) > 1)


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
