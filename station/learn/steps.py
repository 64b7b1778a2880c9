"""Steps one after the other, each with a result and a note of what it was made from, so that they go on anywhere.

A step is done when its note lies there; the note is written when the result is whole. The result's hash is part of what
the next step is made from, so that nothing is ever made from something that changed since.
"""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from models.dataset.store import file_sha256
from models.errors import TrainingError
from models.manifest import Sha256
from station.core.clock import SystemClock
from station.core.durable import make_folder, write_whole
from station.core.section import Section
from station.learn.ledger import Judged

NOTES = "steps"
"""Folder of the notes in that of the learning."""


class Outcome(Section):
    """What a step came to.

    Attributes:
        status: Exit status of what it ran; where it is not 0, the result is there all the same.
        told: What a person should know of it.
        judged: Parts that the line judged meanwhile.
    """

    status: int = 0
    told: tuple[str, ...] = ()
    judged: Judged = Judged()


class Note(Section):
    """That a step is done.

    Attributes:
        step: Its name.
        made_from: Hash of the plan and of all results before.
        result: Hash of its result.
        seconds: How long it took, the last time that it was given.
        outcome: What it came to.
    """

    step: str
    made_from: Sha256
    result: Sha256
    seconds: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: A word.
        what: What it does, for people.
        results: Files and folders that are there when it is done.
        run: Makes them.
        goes_on: Whether it goes on with what an interrupted one left; otherwise that is removed first.
    """

    name: str
    what: str
    results: tuple[Path, ...]
    run: Callable[[], Outcome]
    goes_on: bool = False


def run_steps(folder: Path, begin: str, steps: Sequence[Step], tell: Callable[[str], None]) -> list[Note]:
    """Run what is not done yet; the notes of all steps.

    Args:
        folder: Of the learning.
        begin: Hash of what the first step is made from.
        steps: In their order.
        tell: Is told each step as it begins, and what it came to.

    Raises:
        TrainingError: `training.other_run`: a result has changed since; `training.disk_failed`; what a step raises.
    """
    notes = list[Note]()
    reached = begin
    for number, step in enumerate(steps, 1):
        made_from = hashlib.sha256(f"{reached} {step.name}".encode()).hexdigest()
        heading = f"step {number} of {len(steps)}: {step.what}"
        if note := read_note(folder, step):
            _require_unchanged(step, note, made_from)
            tell(f"{heading}: done before")
        else:
            tell(heading)
            note = _run(folder, step, made_from)
        for line in note.outcome.told:
            tell(f"  {line}")
        reached = hashlib.sha256(f"{made_from} {note.result}".encode()).hexdigest()
        notes.append(note)
    return notes


def read_note(folder: Path, step: Step) -> Note | None:
    """The note of a step, or None where it is not done.

    Raises:
        TrainingError: `training.other_run`: what lies there is no note.
    """
    path = _place(folder, step)
    try:
        return Note.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise TrainingError("training.other_run", f"{path}: {error}") from error


def hash_result(paths: Sequence[Path]) -> str:
    """One hash of files, and of all files in folders.

    Raises:
        OSError: One is not there, or cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in files:
            name = f"{path.name}/{file.relative_to(path)}"
            digest.update(f"{name} {file_sha256(file)}\n".encode())
    return digest.hexdigest()


def _run(folder: Path, step: Step, made_from: str) -> Note:
    clock = SystemClock()
    begun_ns = clock.monotonic_ns()
    try:
        if not step.goes_on:
            _remove(step.results)
        outcome = step.run()
        note = Note(
            step=step.name, made_from=made_from, result=hash_result(step.results),
            seconds=round((clock.monotonic_ns() - begun_ns) / 1e9, 1), outcome=outcome,
        )  # fmt: skip
        make_folder(folder / NOTES)
        write_whole(_place(folder, step), f"{note.model_dump_json(indent=2)}\n".encode())
    except OSError as error:
        raise TrainingError("training.disk_failed", f"{step.what}: {error}") from error
    return note


def _remove(results: Sequence[Path]) -> None:
    for path in results:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _require_unchanged(step: Step, note: Note, made_from: str) -> None:
    if note.made_from != made_from:
        raise TrainingError("training.other_run", f"{step.what}: it was made from something else than what lies there")
    try:
        found = hash_result(step.results)
    except OSError as error:
        raise TrainingError("training.other_run", f"{step.what}: its result is gone: {error}") from error
    if found != note.result:
        changed = ", ".join(map(str, step.results))
        raise TrainingError("training.other_run", f"{step.what}: what it made has changed since: {changed}")


def _place(folder: Path, step: Step) -> Path:
    return folder / NOTES / f"{step.name}.json"
