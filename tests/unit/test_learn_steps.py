"""Steps of a learning: done once, going on anywhere, and never made from something that has changed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import TrainingError
from station.learn.ledger import Judged
from station.learn.steps import NOTES, Outcome, Step, run_steps

BEGIN = "ab" * 32
NAMES = ("one", "two", "three")


class Killed(BaseException):
    """As a kill: nothing in the station catches it."""


class Course:
    """Three steps, each of which writes a file of what lies before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ran: list[str] = []
        self.told: list[str] = []
        self.dies_before, self.dies_after = "", ""

    def steps(self) -> list[Step]:
        return [Step(name, f"make {name}", (self.folder / name,), self._made(name)) for name in NAMES]

    def _made(self, name: str) -> Callable[[], Outcome]:
        def make() -> Outcome:
            place = self.folder / name
            assert not place.exists(), "what an interrupted step left was removed"
            place.mkdir()
            if name == self.dies_before:
                (place / "half").write_text("half")
                raise Killed
            before = sorted(path.name for path in self.folder.iterdir() if path.name in NAMES)
            (place / "made.txt").write_text(f"{name} of {before}")
            self.ran.append(name)
            if name == self.dies_after:
                raise Killed
            return Outcome(told=(f"{name} is well",), judged=Judged(parts=1))

        return make

    def run(self, begin: str = BEGIN) -> list[str]:
        return [note.result for note in run_steps(self.folder, begin, self.steps(), self.told.append)]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


def test_every_step_is_told_as_it_begins_and_runs_once(course: Course) -> None:
    first = course.run()
    assert course.told == [
        "step 1 of 3: make one", "  one is well", "step 2 of 3: make two", "  two is well",
        "step 3 of 3: make three", "  three is well",
    ]  # fmt: skip
    assert course.run() == first
    assert course.ran == list(NAMES)
    assert course.told[6] == "step 1 of 3: make one: done before"


@pytest.mark.parametrize("when", ["dies_before", "dies_after"])
@pytest.mark.parametrize("name", NAMES)
def test_a_kill_in_any_step_changes_nothing_of_the_result(course: Course, tmp_path: Path, name: str, when: str) -> None:
    other = tmp_path / "undisturbed"
    other.mkdir()
    wanted = Course(other).run()
    setattr(course, when, name)
    with pytest.raises(Killed):
        course.run()
    course.dies_before = course.dies_after = ""
    assert course.run() == wanted
    assert [one for one in course.ran if one != name] == [one for one in NAMES if one != name], "the others ran once"


def test_a_step_that_goes_on_finds_what_it_left(tmp_path: Path) -> None:
    def go_on() -> Outcome:
        assert (tmp_path / "run").read_text() == "half"
        return Outcome()

    (tmp_path / "run").write_text("half")
    run_steps(tmp_path, BEGIN, [Step("train", "train", (tmp_path / "run",), go_on, goes_on=True)], print)


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (lambda at: (at / "one" / "made.txt").write_text("other"), "has changed since"),
        (lambda at: (at / "one" / "more.txt").write_text("more"), "has changed since"),
        (lambda at: (at / "one" / "made.txt").unlink(), "has changed since"),
        (lambda at: (at / NOTES / "one.json").write_text("{"), "one.json"),
    ],
)
def test_nothing_is_made_from_what_has_changed(course: Course, harm: Callable[[Path], object], word: str) -> None:
    course.run()
    harm(course.folder)
    with pytest.raises(TrainingError, match=word) as refused:
        course.run()
    assert refused.value.code == "training.other_run"


def test_a_result_that_is_gone_is_told(course: Course) -> None:
    course.run()
    (course.folder / "three" / "made.txt").unlink()
    (course.folder / "three").rmdir()
    with pytest.raises(TrainingError, match="its result is gone"):
        course.run()


def test_what_was_made_by_another_plan_is_refused(course: Course) -> None:
    course.run()
    with pytest.raises(TrainingError, match="made from something else"):
        course.run(begin="cd" * 32)


def test_a_step_made_anew_makes_those_behind_it_unfit(course: Course) -> None:
    course.run()
    (course.folder / NOTES / "one.json").unlink()
    with pytest.raises(TrainingError, match="make two: it was made from something else"):
        course.run()


def test_the_notes_are_plain_files(course: Course) -> None:
    course.run()
    note = json.loads((course.folder / NOTES / "two.json").read_text())
    assert note["outcome"] == {
        "status": 0,
        "told": ["two is well"],
        "judged": {"parts": 1, "late": 0, "slowest_ms": None},
    }
    assert set(note) == {"step", "made_from", "result", "seconds", "outcome"}


def test_a_disk_that_fails_is_told_as_the_trainings_fault(course: Course) -> None:
    (course.folder / NOTES).write_text("in the way")
    with pytest.raises(TrainingError) as failed:
        course.run()
    assert failed.value.code in {"training.disk_failed", "training.other_run"}
