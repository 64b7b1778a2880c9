"""The alarm list alone: whatever happens in whatever order, nothing that a person has not seen is lost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core.alarms import NO_ALARMS, Alarm, AlarmList, AlarmSummary
from station.core.errors import FAULTS, REACTIONS, Reaction, StationError

AT = datetime(2026, 5, 1, 6, tzinfo=UTC)
JIG, CAMERA, STALE = FAULTS["jig.fault"], FAULTS["camera.lost"], FAULTS["plc.stale"]

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("raise"), st.sampled_from(["jig.fault", "camera.lost", "plc.stale"])),
        st.tuples(st.just("acknowledge"), st.sampled_from(["jig.fault", "camera.lost", "plc.stale"])),
        st.tuples(st.sampled_from(["clear", "clear_unlatched", "acknowledge_all"]), st.none()),
    ),
    max_size=40,
)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def test_an_alarm_goes_through_its_four_states() -> None:
    book = AlarmList()
    assert (book.alarms, book.summary) == ((), NO_ALARMS)
    raised = book.raise_(JIG, Reaction.HOLD, "fault 7", AT)
    assert (raised.active, raised.acknowledged, raised.count) == (True, False, 1)
    assert book.summary == AlarmSummary(1, 1, JIG)
    seen = book.acknowledge("jig.fault", later(1), "anna")
    assert (seen.active, seen.acknowledged, seen.acknowledged_by) == (True, True, "anna")
    assert book.summary == AlarmSummary(1, 0, None)
    assert [alarm.listed for alarm in book.clear(later(2))] == [False]
    assert (book.alarms, book.summary) == ((), NO_ALARMS)


def test_what_is_over_stays_listed_until_it_is_acknowledged() -> None:
    book = AlarmList()
    book.raise_(JIG, Reaction.HOLD, "", AT)
    (over,) = book.clear(later(1))
    assert (over.active, over.listed, over.cleared_at) == (False, True, later(1))
    assert book.summary == AlarmSummary(0, 1, JIG)
    assert book.clear(later(2)) == []
    assert not book.acknowledge("jig.fault", later(3), "plc").listed
    assert book.alarms == ()


def test_what_happens_again_counts_up_and_wants_to_be_seen_again() -> None:
    book = AlarmList()
    book.raise_(JIG, Reaction.HOLD, "first", AT)
    book.raise_(CAMERA, Reaction.HOLD, "", later(1))
    book.acknowledge_all(later(2), "plc")
    again = book.raise_(JIG, Reaction.HOLD, "second", later(3))
    assert (again.count, again.detail, again.acknowledged) == (2, "second", False)
    assert (again.raised_at, again.last_at) == (AT, later(3))
    assert [alarm.fault for alarm in book.alarms] == [CAMERA, JIG]
    assert book.summary == AlarmSummary(2, 1, JIG)


def test_only_what_does_not_latch_goes_by_itself() -> None:
    book = AlarmList()
    for fault, reaction in ((JIG, Reaction.HOLD), (STALE, Reaction.SUSPEND), (CAMERA, Reaction.ABORT)):
        assert book.raise_(fault, reaction, "", AT).latched is REACTIONS[reaction].latched
    assert [alarm.fault for alarm in book.clear_unlatched(later(1))] == [STALE]
    assert [alarm.fault for alarm in book.alarms if alarm.active] == [JIG, CAMERA]


def test_what_is_not_on_the_list_cannot_be_acknowledged() -> None:
    book = AlarmList()
    with pytest.raises(StationError) as refused:
        book.acknowledge("jig.fault", AT, "anna")
    assert refused.value.code == "station.no_such_alarm"


def test_to_acknowledge_twice_changes_nothing() -> None:
    book = AlarmList()
    book.raise_(JIG, Reaction.HOLD, "", AT)
    first = book.acknowledge("jig.fault", later(1), "anna")
    assert book.acknowledge("jig.fault", later(2), "bert") is first
    assert book.acknowledge_all(later(3), "bert") == []


@given(STEPS)
def test_whatever_happens_the_list_holds_what_is_active_or_unseen_and_counts_every_time(
    steps: list[tuple[str, str | None]],
) -> None:
    book, model, told = AlarmList(), dict[str, list[int]](), dict[str, Alarm]()  # code: [active, unseen, count]
    for second, (verb, code) in enumerate(steps):
        told |= {alarm.fault.code: alarm for alarm in _step(book, verb, code, later(second))}
        _step_model(model, verb, code)
        expected = {known: tuple(values) for known, values in model.items()}
        assert {a.fault.code: (a.active, not a.acknowledged, a.count) for a in book.alarms} == expected
        unseen = [known for known, values in model.items() if values[1]]
        newest = FAULTS[unseen[-1]] if unseen else None
        assert book.summary == AlarmSummary(sum(v[0] for v in model.values()), len(unseen), newest)
        assert {c: alarm for c, alarm in told.items() if alarm.listed} == {a.fault.code: a for a in book.alarms}
        assert AlarmList(book.alarms).alarms == book.alarms


def _step(book: AlarmList, verb: str, code: str | None, at: datetime) -> list[Alarm]:
    """Do one step; the alarms that it told of."""
    match verb, code:
        case "raise", str():
            reaction = Reaction.SUSPEND if code == "plc.stale" else Reaction.HOLD
            return [book.raise_(FAULTS[code], reaction, "", at)]
        case "acknowledge", str():
            try:
                return [book.acknowledge(code, at, "anna")]
            except StationError:
                return []
        case "clear", _:
            return book.clear(at)
        case "clear_unlatched", _:
            return book.clear_unlatched(at)
        case _:
            return book.acknowledge_all(at, "anna")


def _step_model(model: dict[str, list[int]], verb: str, code: str | None) -> None:
    if verb == "raise" and code is not None:
        count = model.pop(code, [0, 0, 0])[2]
        model[code] = [True, True, count + 1]
    for known, values in list(model.items()):
        if verb == "clear" or (verb == "clear_unlatched" and known == "plc.stale"):
            values[0] = False
        if verb == "acknowledge_all" or (verb == "acknowledge" and known == code):
            values[1] = False
        if not values[0] and not values[1]:
            del model[known]
