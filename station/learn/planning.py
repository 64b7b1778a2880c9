"""The plan that a command asks for, and why nothing may be learnt by it: said before any time is spent."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from models.dataset.scans import hash_recording, marks_of
from models.errors import TrainingError
from models.manifest import ARTEFACT_FILES, Bundle
from models.networks import NETWORKS
from models.release.shelf import PROMOTED, chosen_bundle
from models.version import INSTALL_TRAIN
from station.core.errors import ConfigError
from station.core.moments import moment, stamp
from station.core.room import MB, require_room
from station.core.settings import Settings, data_dir
from station.host.bundles import find_shelf
from station.labels.agreement import current
from station.labels.build import open_labels
from station.learn.plan import Plan, Recorded, Training

PACKAGES = ("torch", "timm", "tensorboard", "matplotlib", "nncf", "onnx", "onnxscript", "cleanlab")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command line asks for.

    Attributes:
        data: Data folder, or None for the configured one.
        begin_with: Name or folder of the bundle to begin with; None for the present one.
        more: Folders that are learnt from, too.
        golden: Recordings of golden parts.
        tests: Further recordings that judge.
        overkill_budget: The gate's.
        training: How the network is trained.
    """

    data: Path | None
    begin_with: str | None
    more: Sequence[Path]
    golden: Sequence[Path]
    tests: Sequence[Path]
    overkill_budget: float
    training: Training


def lacking_packages() -> str:
    """In words which training packages are missing and how they are installed; empty where all are there."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    return f"{', '.join(missing)} missing: learning needs the training packages; {INSTALL_TRAIN}" if missing else ""


def plan_for(wish: Wish, settings: Settings, now: datetime) -> Plan:
    """The plan of a command that is given now.

    Raises:
        TrainingError: `training.bad_data`: nobody has labelled anything since the present bundle came;
            `training.bad_weights`: the network to begin with answers or takes something else.
        ModelError: A bundle cannot be used.
        ConfigError: A recording is not there.
        LabelError: The labels cannot be read.
    """
    shelf = find_shelf(settings, wish.data)
    present = chosen_bundle(settings.model.bundle, shelf)
    first = chosen_bundle(wish.begin_with or settings.model.bundle, shelf)
    _require_fit(first, settings)
    entries = shelf.history() if settings.model.bundle == PROMOTED else ()
    since = entries[-1].at if entries else None
    data = data_dir(settings, wish.data).absolute()
    return Plan(
        as_of=stamp(now), name=f"{first.manifest.network}-learnt-{now:%Y%m%d-%H%M%S}",
        new_labels=_new_labels(settings, data, since, present), data=str(data), config_sha256=settings.sha256,
        against=settings.model.bundle, present=str(present.identity), begin_with=str(first.folder.absolute()),
        begin_with_sha256=first.identity.sha256, network=first.manifest.network, number=first.manifest.version + 1,
        more=tuple(str(path.absolute()) for path in wish.more), golden=_recorded("--golden", wish.golden),
        tests=_recorded("--test", wish.tests), overkill_budget=wish.overkill_budget, training=wish.training,
    )  # fmt: skip


def require_disk(folder: Path, settings: Settings) -> None:
    """Make sure that there is room for a learning.

    Raises:
        TrainingError: `training.disk_failed`.
    """
    try:
        require_room(folder, settings.learn.room_mb * MB, settings.records.reserve_bytes)
    except OSError as error:
        told = f"{error.strerror}; learn.room_mb is {settings.learn.room_mb}" if error.errno == errno.ENOSPC else error
        raise TrainingError("training.disk_failed", f"{folder}: {told}") from error


def _new_labels(settings: Settings, data: Path, since: datetime | None, present: Bundle) -> int:
    every = current(open_labels(settings, data).labels())
    if not every:
        raise TrainingError("training.bad_data", f"{data}: nobody has labelled anything; see `station label next`")
    new = [one for one in every if since is None or moment(stamp(one.at)) > since]
    if not new:
        told = f"{len(every)} labels, and none since {present.identity} was promoted at {since}"
        raise TrainingError("training.bad_data", f"{data}: {told}")
    return len(new)


def _require_fit(first: Bundle, settings: Settings) -> None:
    """Weights are taken over output by output, so that the classes must be the same in the same order."""
    manifest = first.manifest
    wanted = tuple(surface.name for surface in marks_of(settings.table))
    geometry = settings.geometry.value()
    problems = []
    if manifest.classes != wanted:
        problems.append(f"answers {', '.join(manifest.classes)}; [[classes]] has {', '.join(wanted)}")
    if manifest.layout != geometry:
        problems.append(f"takes {manifest.layout}; [geometry] is {geometry}")
    if manifest.network not in NETWORKS:
        problems.append(f"is {manifest.network}, which nobody here can train")
    if missing := set(ARTEFACT_FILES["torch"]) - set(manifest.files):
        problems.append(f"has no {', '.join(missing)}")
    if problems:
        told = "; ".join(problems)
        raise TrainingError("training.bad_weights", f"{first.identity} {told}. Give with --init another bundle")


def _recorded(option: str, folders: Sequence[Path]) -> tuple[Recorded, ...]:
    if missing := [str(path) for path in folders if not path.is_dir()]:
        raise ConfigError("config.bad_option", f"{option} {', '.join(missing)}: there is no such folder")
    return tuple(Recorded(folder=str(path.absolute()), sha256=hash_recording(path)) for path in folders)
