"""What cameras there are and what they can do, asked in a process of its own: a foreign producer may crash or hang.

    find_devices, find_features ══ one JSON document ══ drivers.camera_surveyor ── harvesters ── producer (.cti)

Nothing is written to a camera.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drivers.camera_child import CODE_ROOT, obituary
from drivers.camera_link import FeatureValue
from station.core.errors import CameraError

SURVEY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A camera that a producer sees; a text is empty where the producer does not tell it.

    Attributes:
        model: Its model.
        serial_number: What `camera.serial_number` selects it by.
        vendor: Its maker.
        access: `read and write`, `busy` …: whether it can be opened now.
        transport: Transport layer: `GEV`, `U3V`, `CXP`, `CL`, `Custom` …
        producer: The producer's file.
    """

    model: str
    serial_number: str
    vendor: str
    access: str
    transport: str
    producer: str


@dataclass(frozen=True, slots=True)
class FoundFeature:
    """A feature of a camera's node map.

    Attributes:
        category: Where it stands in the tree, `AcquisitionControl/Trigger` for example.
        name: Its name, as `camera.setup` takes it.
        kind: `integer`, `float`, `enumeration`, `boolean`, `text` or `command`.
        value: Its value now, or None where it cannot be read.
        access: `RO`, `WO`, `RW`, `NA` not available now, `NI` not implemented.
        visibility: `beginner`, `expert`, `guru` or `invisible`.
        lowest: Lowest value of a number, or None.
        highest: Highest value of a number, or None.
        step: Distance of an integer's values, or None.
        unit: Unit, empty without one.
        entries: The values that an enumeration takes now.
        selectors: Features that choose which of several values this one is.
        meaning: What its maker says of it.
    """

    category: str
    name: str
    kind: str
    value: FeatureValue | None
    access: str
    visibility: str
    lowest: float | None
    highest: float | None
    step: int | None
    unit: str
    entries: tuple[str, ...]
    selectors: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found, and in `problems` what is wrong with the producers that could not be asked, by their files."""

    devices: tuple[FoundDevice, ...]
    problems: dict[str, str]


def find_devices(producers: Sequence[str]) -> Survey:
    """The cameras of all producers; blocks for at most 30 s a producer.

    Each producer is asked in a process of its own, so one that crashes or hangs keeps nobody from the others.
    """
    devices: list[FoundDevice] = []
    problems: dict[str, str] = {}
    for producer in producers:
        try:
            devices += [FoundDevice(**row) for row in _ask("devices", producer)]
        except CameraError as error:
            problems[producer] = error.detail
    return Survey(tuple(devices), problems)


def find_features(producers: Sequence[str], serial_number: str) -> tuple[FoundFeature, ...]:
    """The feature tree of one camera, which is opened for it; blocks for at most 30 s.

    Raises:
        CameraError: There is no such camera, it cannot be opened, or its producer failed.
    """
    rows = _ask("features", serial_number, *producers)
    return tuple(FoundFeature(**_with_tuples(row)) for row in rows)


def _with_tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def _ask(question: str, *arguments: str) -> list[dict[str, Any]]:
    path = os.pathsep.join(filter(None, (CODE_ROOT, os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryFile() as answer:
        command = [sys.executable, "-P", "-m", "drivers.camera_surveyor", str(answer.fileno()), question, *arguments]
        try:
            ended = subprocess.run(  # noqa: S603 - the station's own interpreter
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(answer.fileno(),),
                env={**os.environ, "PYTHONPATH": path},
                timeout=SURVEY_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CameraError("camera.process_died", f"no answer within {SURVEY_TIMEOUT_S:g} s") from error
        answer.seek(0)
        said = answer.read()
    if not said:
        raise CameraError("camera.process_died", obituary(ended.returncode, ended.stderr))
    told = json.loads(said)
    if "code" in told:
        raise CameraError(told["code"], told["detail"])
    rows: list[dict[str, Any]] = told["rows"]
    return rows
