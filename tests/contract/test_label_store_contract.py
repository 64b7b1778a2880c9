"""What every store of labels does: the one in memory, and the one on the disk."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from station.labels.label import Region, Source, Subject
from station.labels.sqlite import SqliteLabels
from station.labels.store import LabelStore
from tests.contract.fake_labels import FakeLabels
from tests.label_samples import NOON, PART, REGIONS, SCAN, label


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LabelStore:
    return FakeLabels() if request.param == "memory" else SqliteLabels(tmp_path / "data")


def test_where_nobody_has_said_anything_there_is_nothing(store: LabelStore) -> None:
    assert store.labels() == []
    assert store.labels(PART) == []
    assert store.add([]) == 0


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("subject", [PART, SCAN])
def test_a_label_is_read_as_it_was_said(store: LabelStore, subject: Subject, region: Region, source: Source) -> None:
    said = replace(label(region=region), subject=subject, source=source, note='a "note",\nwith ünïcode')
    assert store.add([said]) == 1
    (found,) = store.labels(subject)
    assert found == said
    assert str(found.subject) == str(subject)  # its file, too


def test_labels_come_back_by_their_time_and_at_one_time_as_they_came(store: LabelStore) -> None:
    late, early, first, second = label("pits", minutes=9), label(minutes=-9), label("scratches"), label("imprinted")
    store.add([late])
    store.add([first, second, early])
    assert store.labels() == [early, first, second, late]


def test_one_subject_is_asked_for(store: LabelStore) -> None:
    other = replace(label(), subject=SCAN)
    store.add([label(), other])
    assert store.labels(PART) == [label()]
    assert store.labels(replace(SCAN, file="moved.png")) == [other]
    assert store.labels(replace(PART, inspection_id="20260501T060000123")) == []


def test_what_was_said_already_is_not_said_again(store: LabelStore) -> None:
    more = label(who="bob")
    assert store.add(iter([label(), label()])) == 1
    assert store.add([replace(label(), note="another word", source=Source.IMPORT), more]) == 1
    assert store.labels() == [label(), more]
    for other in (label("scratches"), label(minutes=1), label(region=REGIONS[1]), label(region=REGIONS[2])):
        assert store.add([other]) == 1


def test_a_time_is_kept_to_the_millisecond(store: LabelStore) -> None:
    store.add([replace(label(), at=NOON + timedelta(microseconds=7))])
    assert store.add([label()]) == 0


def test_all_of_an_addition_is_there_or_nothing(store: LabelStore) -> None:
    def breaking_off() -> Iterator[object]:
        yield label()
        raise KeyError

    with pytest.raises(KeyError):
        store.add(breaking_off())  # type: ignore[arg-type]
    assert store.labels() == []
