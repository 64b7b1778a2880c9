"""What a learning was begun with; whoever gives the command again must mean the same."""

import hashlib
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError

from models.errors import TrainingError
from models.manifest import Sha256
from station.core.durable import write_whole
from station.core.section import Section

PLAN = "plan.json"
"""Its file in the folder of the learning."""

FIRST_TIME = frozenset({"as_of", "name", "new_labels"})
"""What follows from when the command was given first."""


class Recorded(Section):
    """A recording that judges.

    Attributes:
        folder: Where it lies.
        sha256: Of all in it.
    """

    folder: str
    sha256: Sha256


class Training(Section):
    """How the network is trained; None for what the recipe says."""

    recipe: str = "station"
    epochs: Annotated[int | None, Field(ge=1)] = None
    items_per_epoch: Annotated[int | None, Field(ge=1)] = None
    rate: Annotated[float | None, Field(gt=0)] = None
    batch: Annotated[int | None, Field(ge=2)] = None
    seed: Annotated[int, Field(ge=0)] = 1


class Plan(Section):
    """Everything that the bundle follows from.

    Attributes:
        as_of: Labels that were said up to this moment count.
        name: Of the bundle.
        new_labels: How many of them were said since the present bundle came.
        data: Data folder, with archive and labels.
        config_sha256: Of the effective configuration.
        against: How the configuration names the bundle that the new one would replace.
        present: Its name and hash.
        begin_with: Folder of the bundle whose weights the training begins with.
        begin_with_sha256: Its hash.
        network: Its network.
        number: Counts the bundles of the network.
        more: Folders that are learnt from, too.
        golden: Recordings of golden parts.
        tests: Further recordings that judge.
        overkill_budget: The gate's.
        training: How the network is trained.
    """

    as_of: str
    name: str
    new_labels: int
    data: str
    config_sha256: Sha256
    against: str
    present: str
    begin_with: str
    begin_with_sha256: Sha256
    network: str
    number: int
    more: tuple[str, ...]
    golden: tuple[Recorded, ...]
    tests: tuple[Recorded, ...]
    overkill_budget: float
    training: Training

    @property
    def sha256(self) -> str:
        """Of all of it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def differences(self, other: Self) -> list[str]:
        """In words what the other one says otherwise; what follows from when each was begun apart."""
        mine, theirs = self.model_dump(mode="json"), other.model_dump(mode="json")
        return [
            f"{name}: it was {mine[name]}, now {theirs[name]}"
            for name in mine
            if name not in FIRST_TIME and mine[name] != theirs[name]
        ]


def settle(folder: Path, wanted: Plan) -> Plan:
    """The plan by which a folder goes on: the one that it was begun with, or the wanted one, which is written down.

    Args:
        folder: Of the learning; it is there.
        wanted: What the command asks for now.

    Raises:
        TrainingError: `training.other_run`: the folder was begun with another one, or holds something else;
            `training.disk_failed`.
    """
    if (begun := read_plan(folder)) is None:
        _require_unused(folder)
        write_plan(folder, wanted)
        return wanted
    if told := begun.differences(wanted):
        raise TrainingError("training.other_run", f"{folder}: {'; '.join(told)}")
    return begun


def read_plan(folder: Path) -> Plan | None:
    """The plan that a folder was begun with, or None.

    Raises:
        TrainingError: `training.other_run`: what lies there is no plan.
    """
    try:
        return Plan.model_validate_json((folder / PLAN).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise TrainingError("training.other_run", f"{folder / PLAN}: {error}") from error


def write_plan(folder: Path, plan: Plan) -> None:
    """Write a plan down.

    Raises:
        TrainingError: `training.disk_failed`.
    """
    try:
        write_whole(folder / PLAN, f"{plan.model_dump_json(indent=2)}\n".encode())
    except OSError as error:
        raise TrainingError("training.disk_failed", f"{folder / PLAN}: {error}") from error


def _require_unused(folder: Path) -> None:
    if strangers := sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")):
        raise TrainingError("training.other_run", f"{folder} holds {', '.join(strangers)} and no {PLAN}")
