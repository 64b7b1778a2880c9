"""Every engine, in every precision of the shipped bundle, decides the bundled recording as OpenVINO in f32 does."""

import numpy as np
import pytest

from config import bundled
from sim.recordings import bundled_recording
from station.core.algorithm1 import algorithm1
from station.core.part import Pixels, Probabilities
from station.core.ports.network import PatchClassifier
from station.core.recording import read_recording, read_scan
from station.core.settings import load_settings
from station.flow.crop import crop_block, find_part
from station.flow.patch import StripRoom, blocks_of, make_strip
from tests.contract.engine_choices import EACH_CHOICE, start
from tests.scoring import scored
from tests.turned import GEOMETRY
from tests.unit.housings import MEANING

REFERENCE = ("openvino", "f32")
FARTHEST = {"f32": 1e-4, "bf16": 0.1, "int8": 0.25}
"""By how much a probability may differ from the reference, by precision; the decision may not."""


@pytest.fixture(scope="module")
def parts() -> list[list[Pixels]]:
    settings = load_settings(bundled("simulate.toml"))
    found = []
    for scan in read_recording(bundled_recording(), settings.part_types).scans:
        assert scan.part_type is not None
        part_type = settings.type_named(scan.part_type)
        blocks = blocks_of(read_scan(scan.file, {GEOMETRY.lines_per_turn}), GEOMETRY)
        roi = find_part(blocks[0].pixels, settings.crop)
        found.append(
            [
                make_strip(crop_block(block, roi, part_type, settings.crop), StripRoom(GEOMETRY)).patches
                for block in blocks
            ]
        )
    return found


def scores(engine: PatchClassifier, parts: list[list[Pixels]]) -> list[Probabilities]:
    return [np.concatenate([scored(engine, strip) for strip in strips]) for strips in parts]


@pytest.fixture(scope="module")
def reference(parts: list[list[Pixels]]) -> list[Probabilities]:
    return scores(start(*REFERENCE, threads=0), parts)


@pytest.mark.parametrize("choice", [choice for choice in EACH_CHOICE if choice.values[0] != REFERENCE])
def test_it_decides_as_the_reference_does(
    choice: tuple[str, str], parts: list[list[Pixels]], reference: list[Probabilities]
) -> None:
    found = scores(start(*choice, threads=0), parts)
    decided = [[algorithm1(part, MEANING.outputs).verdict for part in parts] for parts in (found, reference)]
    assert decided[0] == decided[1]
    assert np.abs(np.stack(found) - np.stack(reference)).max() <= FARTHEST[choice[1]]


@pytest.mark.parametrize("choice", EACH_CHOICE)
def test_bright_grey_values_are_told_apart(choice: tuple[str, str]) -> None:
    engine = start(*choice)
    flat = [np.stack([np.full((256, 256), grey, np.uint8) for grey in pair]) for pair in ((180, 205), (230, 255))]
    assert len(np.unique(np.concatenate([scored(engine, strip).copy() for strip in flat]), axis=0)) == 4
