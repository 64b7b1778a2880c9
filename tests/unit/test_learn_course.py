"""The seven steps as commands of the station: what each is asked, and what becomes of what it answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from models.errors import TrainingError
from models.manifest import Parity
from station.core.choices import Precision
from station.learn.commands import Commands, Ran
from station.learn.counts import Counts, Sayings
from station.learn.course import Course, next_step
from station.learn.ledger import Judged
from station.learn.limits import Limits
from station.learn.plan import Plan, Recorded, Training
from station.learn.steps import run_steps
from tests.bundles import SOUND, make_grey_bundle

SHA = "ab" * 32
PLAN = Plan(
    as_of="2026-05-02T12:00:00.000Z", name="grey-learnt", new_labels=3, data="plant", config_sha256=SHA,
    against="promoted", present="grey-1", begin_with="grey-1", begin_with_sha256=SHA, network="grey", number=2, more=(),
    golden=(Recorded(folder="golden", sha256=SHA),), tests=(Recorded(folder="test", sha256=SHA),), overkill_budget=0.02,
    training=Training(epochs=3),
)  # fmt: skip
CONFIG = Path("line.toml")
LEFT_OUT = {"people differ": 2}


class Answers:
    """In place of the station's commands: leaves what each would, and notes how it was asked."""

    def __init__(self, folder: Path, **statuses: int) -> None:
        self.limits = Limits(1, 19, 0)
        self.asked: list[list[str]] = []
        self.parity: tuple[Parity, ...] = (SOUND,)
        self._folder = folder
        self._statuses = statuses

    def __call__(self, words: Sequence[object], output: Path | None = None) -> Ran:
        said = [str(word) for word in words]
        self.asked.append(said)
        name = said[0] if said[0] != "model" else said[1]
        self._leave(name, output)
        return Ran(self._statuses.get(name, 0), Judged(parts=2, slowest_ms=9.0))

    def _leave(self, name: str, output: Path | None) -> None:
        at = self._folder
        match name:
            case "learn-parts":
                for made in ("data", "held-out", "good-parts"):
                    (at / made).mkdir()
                sayings = (Sayings(who="ada", source="person", labels=4), Sayings(who="bob", source="audit", labels=3))
                counts = Counts(learnt={}, held_out={}, good=30, sayings=sayings, left_out=LEFT_OUT, named=())
                (at / "parts.json").write_text(counts.model_dump_json())
            case "train":
                (at / "run").mkdir(exist_ok=True)
                (at / "run" / "best.pt").write_bytes(b"weights")
            case "export":
                make_grey_bundle(at / "exported" / PLAN.name, parity=self.parity)
            case "evaluate":
                (at / "measured").mkdir()
            case "gate":
                assert output is not None
                output.write_text("{}")


def run(folder: Path, answers: Answers) -> tuple[list[int], list[str]]:
    told: list[str] = []
    course = Course(folder, PLAN, cast("Commands", answers), ("openvino", "int8"), CONFIG)
    notes = run_steps(folder, PLAN.sha256, course.steps, told.append)
    return [note.outcome.status for note in notes], told


def test_every_step_is_asked_once_and_told(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    statuses, told = run(tmp_path, answers)
    assert statuses == [0] * 7
    names = [words[0] if words[0] != "model" else words[1] for words in answers.asked]
    assert names == ["learn-parts", "train", "mistakes", "export", "evaluate", "gate"]
    assert [line for line in told if line.startswith("  ")] == [
        "  7 labels of people", "  left out: 2 people differ",
        "  it cannot tell unknown parts: fewer than 200 patches were trained on",
    ]  # fmt: skip
    assert (tmp_path / "waiting" / PLAN.name / "manifest.json").exists()


def test_the_gate_judges_by_golden_parts_test_recordings_and_what_was_held_out(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    run(tmp_path, answers)
    words = answers.asked[-1]
    pairs = list(zip(words[3::2], words[4::2], strict=False))
    wanted = {
        ("--against", "promoted"), ("--golden", "golden"), ("--test", "test"), ("--test", str(tmp_path / "held-out")),
        ("--overkill-budget", "0.02"), ("--data", "plant"), ("--config", "line.toml"),
    }  # fmt: skip
    assert set(pairs) == wanted


def test_training_begins_with_the_bundle_and_takes_the_cores_that_there_are(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    run(tmp_path, answers)
    words = " ".join(answers.asked[1])
    assert "--network grey --init grey-1 --threads 1 --recipe station --epochs 3 --seed 1" in words


def off(precision: Precision, changed: int) -> Parity:
    """So many of six golden parts are decided otherwise."""
    return SOUND.model_copy(update={"precision": precision, "parts": 6, "changed_parts": changed})


@pytest.mark.parametrize(
    ("parity", "judged_in"),
    [
        ((off("int8", 0), off("bf16", 0)), []),
        ((off("int8", 4), off("bf16", 0), off("f32", 0)), ["bf16"]),
        ((off("int8", 4), off("bf16", 1), off("f32", 0)), ["f32"]),
        ((off("int8", 4),), ["f32"]),
    ],
)
def test_a_bundle_whose_int8_decides_otherwise_is_judged_in_an_arithmetic_that_does_not(
    tmp_path: Path, parity: tuple[Parity, ...], judged_in: list[str]
) -> None:
    answers = Answers(tmp_path)
    answers.parity = parity
    _statuses, told = run(tmp_path, answers)
    for words in answers.asked[-2:]:
        assert [words[at + 1] for at, word in enumerate(words) if word == "--precision"] == judged_in
    assert [line for line in told if "from here on it is judged in" in line] == [
        f"  int8 decides otherwise than the network; from here on it is judged in {one}" for one in judged_in
    ]


def test_the_gates_refusal_is_a_clean_end_and_its_failure_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert run(tmp_path / "a", Answers(tmp_path / "a", gate=1))[0] == [0, 0, 0, 0, 0, 0, 1]
    with pytest.raises(TrainingError, match="gate: exit status 2"):
        run(tmp_path / "b", Answers(tmp_path / "b", gate=2))


@pytest.mark.parametrize("step", ["learn-parts", "train", "export", "evaluate", "gate"])
def test_a_step_that_failed_is_given_again_and_those_before_it_are_not(tmp_path: Path, step: str) -> None:
    failing = Answers(tmp_path, **{step: 2})
    with pytest.raises(TrainingError) as failed:
        run(tmp_path, failing)
    assert failed.value.code == "training.step_failed"
    again = Answers(tmp_path)
    assert run(tmp_path, again)[0] == [0] * 7
    assert len(failing.asked) + len(again.asked) == 7, "only the failed one is asked twice"


def test_where_likely_mistakes_cannot_be_looked_for_learning_goes_on_and_says_so(tmp_path: Path) -> None:
    statuses, told = run(tmp_path, Answers(tmp_path, mistakes=2))
    assert statuses == [0] * 7
    assert "  not looked for, for the reason above: exit status 2" in told


def test_the_next_step_is_told_as_the_configuration_chooses_its_bundle(tmp_path: Path) -> None:
    promoted = next_step(Path("my out/b-1"), PLAN, None, CONFIG)
    assert promoted == "station model promote 'my out/b-1' --data plant --config line.toml"
    named = next_step(tmp_path / "b-1", PLAN.model_copy(update={"against": "a-1"}), None, None)
    slower = next_step(Path("my out/b-1"), PLAN, "bf16", CONFIG)
    assert slower.startswith('set precision = "bf16" in [model], see by `station bench` that it is fast enough, then: ')
    assert slower.endswith(promoted)
    assert named == f'put bundle = "{tmp_path}/b-1" into [model] in place of "a-1"'
