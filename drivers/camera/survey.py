"""What cameras there are and what they can do, asked in a process of its own: a foreign producer may crash or hang.

    find_devices, find_features ══ one JSON document ══ drivers.camera.process.surveyor ── harvesters ── producer (.cti)

Nothing is written to a camera. Each producer is asked in a process of its own, all at once: one that is no library, has
not the functions, crashes or hangs is named and left out, and keeps nobody from the camera of another.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from drivers.camera.child import CODE_ROOT, exit_reason
from station.core.errors import CameraError
from station.core.part import FeatureValue

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
class Limits:
    """What values a number can have; nothing is known where it is none, or cannot be read.

    Attributes:
        lowest: Lowest value, or None.
        highest: Highest value, or None.
        step: Distance of an integer's values, or None.
        unit: Unit, empty without one.
    """

    lowest: float | None = None
    highest: float | None = None
    step: int | None = None
    unit: str = ""


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
        limits: Of a number.
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
    limits: Limits
    entries: tuple[str, ...]
    selectors: tuple[str, ...]
    meaning: str

    def as_row(self) -> dict[str, Any]:
        """All that is known of it as one flat row of JSON."""
        row: dict[str, Any] = {}
        for name, value in asdict(self).items():
            row |= value if name == "limits" else {name: value}
        return row

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """What `as_row` was made of, lists in place of tuples or not."""
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
        }
        limits = Limits(**{one.name: known.pop(one.name) for one in fields(Limits)})
        return cls(limits=limits, **known)


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found, and in `problems` what is wrong with the producers that could not be asked, by their files."""

    devices: tuple[FoundDevice, ...]
    problems: dict[str, str]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Each producer that could not be asked, with the reason."""
        return tuple(f"{producer}: {problem}" for producer, problem in self.problems.items())

    def producer_of(self, serial_number: str) -> str:
        """The first producer that sees the camera of this serial number, or the only camera where it is empty.

        Raises:
            CameraError: There is no such camera, more than one, or no producer could be asked.
        """
        seen: dict[str, str] = {}
        for device in self.devices:
            seen.setdefault(device.serial_number, device.producer)
        if serial_number in seen or (not serial_number and len(seen) == 1):
            return seen[serial_number or next(iter(seen))]
        if not seen and self.problems:
            raise CameraError("camera.no_producer", f"none sees a camera, and not usable: {'; '.join(self.left_out)}")
        sought = f"serial number {serial_number}" if serial_number else "exactly one camera, or its serial number"
        without = f"; not usable: {'; '.join(self.left_out)}" if self.problems else ""
        raise CameraError(
            "camera.not_found", f"looked for {sought}, found {', '.join(sorted(seen)) or 'none'}{without}"
        )


async def find_devices(producers: Sequence[str], timeout_s: float = SURVEY_TIMEOUT_S) -> Survey:
    """The cameras of all producers, in their order.

    Args:
        producers: The files.
        timeout_s: How long a producer may take.
    """
    answers = await asyncio.gather(*(_devices(producer, timeout_s) for producer in producers))
    devices = [device for answer in answers if not isinstance(answer, CameraError) for device in answer]
    told = zip(producers, answers, strict=True)
    return Survey(tuple(devices), {path: answer.detail for path, answer in told if isinstance(answer, CameraError)})


async def find_features(producer: str, serial_number: str) -> tuple[FoundFeature, ...]:
    """The feature tree of one camera of a producer, which is opened for it; takes at most 30 s.

    Raises:
        CameraError: There is no such camera, it cannot be opened, or its producer failed.
    """
    rows = await _ask(SURVEY_TIMEOUT_S, "features", producer, serial_number)
    return tuple(FoundFeature.of_row(row) for row in rows)


async def _devices(producer: str, timeout_s: float) -> list[FoundDevice] | CameraError:
    try:
        return [FoundDevice(**row) for row in await _ask(timeout_s, "devices", producer)]
    except CameraError as error:
        return error


async def _ask(timeout_s: float, question: str, *arguments: str) -> list[dict[str, Any]]:
    path = os.pathsep.join(filter(None, (CODE_ROOT, os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as stderr:
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-P",
                "-m",
                "drivers.camera.process.surveyor",
                str(answer.fileno()),
                question,
                *arguments,
            ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=(answer.fileno(),),
            env={**os.environ, "PYTHONPATH": path},
        )
        try:
            async with asyncio.timeout(timeout_s):
                status = await process.wait()
        except TimeoutError as error:
            raise CameraError("camera.process_died", f"no answer within {timeout_s:g} s") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        answer.seek(0)
        stderr.seek(0)
        said, stderr_tail = answer.read(), stderr.read()
    if not said:
        raise CameraError("camera.process_died", exit_reason(status, stderr_tail))
    told = json.loads(said)
    if "code" in told:
        raise CameraError(told["code"], told["detail"])
    rows: list[dict[str, Any]] = told["rows"]
    return rows
