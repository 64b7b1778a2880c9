"""A network looks at an inspected part once more, to show why: in a process of its own, which the page starts and ends.

    stdin: `Question` ──▶ the patch, as it was judged ─┬▶ evidence for its class
    stdout: `Answer` ◀── both, as pictures ────────────┴▶ what of the training is most like it

It has the lowest priority and one thread of the engine's: what the cell does goes first.
"""

import base64
import os
import sys
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from pydantic import ValidationError

from models.engines import make_engine
from models.evidence import evidence_map
from models.manifest import load_bundle
from station.core.errors import StationError
from station.core.light import Light, multiplied
from station.core.part import Crop, Pixels, Roi
from station.core.ports.network import PatchClassifier
from station.flow.light import gain_of
from station.flow.patch import StripRoom, make_strip
from station.offline.inspect import mark_evidence
from station.offline.nearest import nearest_known
from station.page.findings import geometry_of
from station.page.grounds import Answer, Question
from station.page.surface import as_png, read_part

LEAST_PRIORITY = 19


def look(question: Question) -> Answer:
    """The answer to a question.

    Raises:
        PageError: The scan is not there, or not the one that was archived.
        ModelError: The bundle cannot be used, or the network fails.
    """
    alone = question.model.model_copy(update={"threads": 1, "pinning": False, "realtime": False, "keep_awake": False})
    network = make_engine(load_bundle(Path(question.bundle)), alone)
    geometry = geometry_of(question.record)
    strip = _strip(question)
    place = question.patch % geometry.patches_per_strip
    like = nearest_known(network, strip, place)
    return Answer(
        evidence=_text(_evidence(network, strip[place], question.surface, geometry.patches_per_strip)),
        like=tuple(_text(one.picture) for one in like),
        classes=tuple(one.surface for one in like),
    )


def _strip(question: Question) -> Pixels:
    """The patches (patches, height, width) uint8 of the strip with the patch, as they were judged."""
    record, geometry = question.record, geometry_of(question.record)
    number = question.patch // geometry.patches_per_strip
    lines = slice(number * geometry.lines_per_block, (number + 1) * geometry.lines_per_block)
    columns = np.ascontiguousarray(read_part(record, Path(question.folder))[lines])
    patches = make_strip(Crop(number, Roi(0, columns.shape[1]), columns), StripRoom(geometry)).patches
    if record["light"] is None:
        return patches.copy()
    light = Light(record["light"]["level"], record["light"]["gain"], tuple(record["light"]["gains"]))
    return multiplied(patches, gain_of(light, patches.shape))


def _evidence(network: PatchClassifier, patch: Pixels, surface: str, at_once: int) -> Pixels:
    """The patch in colours, where most speaks for its class outlined."""
    picture = np.asarray(cv2.cvtColor(patch, cv2.COLOR_GRAY2BGR), np.uint8)
    if surface:
        column = network.classes.index(surface)
        heat = evidence_map(lambda strip: network.in_full(strip).probabilities, patch, column, at_once)
        if heat.any():
            mark_evidence(picture, heat)
    return picture


def _text(picture: Pixels) -> str:
    """A picture with the turn from left to right, as the surface is shown."""
    return base64.b64encode(as_png(np.ascontiguousarray(picture.swapaxes(0, 1)))).decode()


def main() -> None:
    """Answer the one question on standard input."""
    with suppress(OSError):  # a service may not be allowed to, and has less priority anyway
        os.nice(LEAST_PRIORITY)
    try:
        answer = look(Question.model_validate_json(sys.stdin.buffer.read()))
    except (StationError, ValidationError) as error:
        answer = Answer(refused=str(error))
    sys.stdout.write(answer.model_dump_json())
