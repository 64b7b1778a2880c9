"""A whole simulated cell whose turns have 1792 lines: four blocks, eight patches; the network is a scripted one."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from station.core.errors import ModelError
from station.core.events import CellEvent, PartSorted, ScanJudged
from station.core.geometry import Geometry
from station.core.part import EngineIdentity, FeatureSnapshot, LineAccount, ModelIdentity, Pixels, Probabilities
from station.core.settings import load_settings
from station.host.simulate import Simulation, SimulationOptions, SimulationResult
from tests.cell.conftest import ledger_of
from tests.turned import turned

GEOMETRY = Geometry(lines_per_turn=1792, lines_per_block=448, patch_px=256, patches_per_strip=2)
WIDTH_PX, MARGIN_PX = 570, 40
GREY, BRIGHT, DARK = 150, 215, 95
"""Of the surface, of a scratch and of pits, as the scripted network knows them."""
TURN = """
[geometry]
lines_per_turn = 1792
lines_per_block = 448
patch_px = 256
patches_per_strip = 2

[crop]
"""


class ByGrey:
    """A network that calls a patch by the grey value of its brightest and darkest corner."""

    model = ModelIdentity("by-grey", "0" * 64)
    engine = EngineIdentity("scripted", "1", "f32", "none")
    classes = ("defect_free", "imprinted", "pits", "roll_marks", "scratches")

    def __init__(self, geometry: Geometry = GEOMETRY) -> None:
        self.geometry = geometry

    def warm_up(self) -> None:
        """Nothing to warm."""

    def score(self, patches: Pixels) -> Probabilities:
        """0.96 for what the patch shows, with the rest shared by the others."""
        assert patches.shape == (2, 256, 256)
        rows = np.full((2, 5), 0.01, np.float32)
        for row, patch in zip(rows, patches, strict=True):
            means = cv2.blur(patch, (32, 32))[16:240, 16:240]
            row[4 if means.max() > 190 else 2 if means.min() < 120 else 0] = 0.96
        return rows


def part(seed: int, spot: tuple[slice, slice] | None = None, grey: int = GREY) -> Pixels:
    """A turn of 1792 lines on black, with a spot of soft edges in these rows and columns of the part."""
    surface = turned(seed, WIDTH_PX, GREY, lines=1792)
    if spot is not None:
        share = np.zeros(surface.shape, np.float32)
        share[spot] = 1
        soft = cv2.GaussianBlur(share, (0, 0), 16)
        surface = np.asarray(surface + soft * (grey - GREY) + 0.5, np.uint8)
    image = np.random.default_rng(seed).integers(0, 12, (1792, WIDTH_PX + 2 * MARGIN_PX), np.uint8)
    image[:, MARGIN_PX : MARGIN_PX + WIDTH_PX] = surface
    return image


IN_THE_LAST_BLOCK = (slice(1500, 1640), slice(380, 480))
IN_THE_SECOND_BLOCK = (slice(600, 740), slice(60, 160))
PARTS = {
    "GOOD-1": (part(1), "defect_free", None),
    "SCRATCHED": (part(2, IN_THE_LAST_BLOCK, BRIGHT), "scratches", 7),
    "PITTED": (part(3, IN_THE_SECOND_BLOCK, DARK), "pits", 2),
    "GOOD-2": (part(4), "defect_free", None),
}
PLACES = {"defect_free": "second_inspection", "scratches": "bin_scratches", "pits": "bin_pits"}


def recording(folder: Path, **others: Pixels) -> Path:
    folder.mkdir()
    rows = []
    for name, image in {**{name: image for name, (image, _label, _patch) in PARTS.items()}, **others}.items():
        assert cv2.imwrite(str(folder / f"{name}.png"), image)
        label = PARTS[name][1] if name in PARTS else None
        rows.append({"file": f"{name}.png", "part_id": name, "part_type": "smh_570", "label": label})
    (folder / "recording.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


@pytest.fixture
def config(make_config: Callable[..., Path]) -> Path:
    return make_config(
        ('feature = "AcquisitionFrameCount"\nvalue = 8', 'feature = "AcquisitionFrameCount"\nvalue = 4'),
        ("\n[crop]\n", TURN),
    )


class Run:
    """One run of the whole cell in this process, the simulated one in its own."""

    def __init__(self, config: Path, tmp_path: Path, images: Path) -> None:
        self.truth = tmp_path / "truth.jsonl"
        self.sorted: dict[str, PartSorted] = {}
        self.scans: list[tuple[LineAccount, FeatureSnapshot]] = []
        self.said: list[str] = []
        options = SimulationOptions(config, images, None, "max", self.truth, tmp_path / "data")
        self._simulation = Simulation(load_settings(config), options, self._watch, self.said.append)

    def _watch(self, event: CellEvent) -> None:
        """Whoever kept a scan's blocks would keep the camera's memory."""
        if isinstance(event, ScanJudged):
            self.scans.append((event.evidence.account, event.evidence.features))
        elif isinstance(event, PartSorted):
            self.sorted[event.inspection.part.part_id] = event

    async def result(self) -> SimulationResult:
        return await self._simulation.run()


async def test_parts_of_1792_lines_are_scanned_judged_and_sorted_rightly(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, environment[name])
    monkeypatch.setattr("station.host.build.make_engine", lambda *_: ByGrey())
    housing = np.concatenate([part(5), part(6)])
    run = Run(config, tmp_path, recording(tmp_path / "recording", HOUSING=housing))
    result = await run.result()
    assert (result.fault, result.detail) == (None, "")
    assert {name: event.decision.verdict.label for name, event in run.sorted.items()} == {
        name: label for name, (_image, label, _patch) in PARTS.items()
    }
    for name, (_image, label, patch) in PARTS.items():
        decision = run.sorted[name].decision
        assert decision.probabilities.shape == (8, 5)
        assert patch in (None, decision.deciding_patch)
        assert run.sorted[name].confirmed.label == PLACES[label]
    ended = {entry["part_id"]: entry["place"] for entry in ledger_of(run.truth) if entry["part_id"] in PARTS}
    assert ended == {name: PLACES[label] for name, (_image, label, _patch) in PARTS.items()}
    assert len(run.scans) == len(PARTS)
    for account, features in run.scans:
        assert (account.valid, account.expected_lines, account.delivered_lines) == (True, 1792, 1792)
        assert (account.frame_ids, features["AcquisitionFrameCount"]) == ((0, 1, 2, 3), 4)
    left_out = [words for words in run.said if words.startswith("left out HOUSING")]
    assert left_out, run.said
    assert "it has 3584 lines, allowed are 1792" in left_out[0]


async def test_a_network_of_another_geometry_is_refused_before_anything_moves(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, environment[name])
    monkeypatch.setattr("station.host.build.make_engine", lambda *_: ByGrey(Geometry(3584, 448, 256, 2)))
    run = Run(config, tmp_path, recording(tmp_path / "recording"))
    with pytest.raises(ModelError) as refused:
        await run.result()
    assert refused.value.code == "model.wrong_geometry"
    assert "part type smh_570 has 1792 lines a turn, the network 3584" in refused.value.detail
    assert {entry["event"] for entry in ledger_of(run.truth)} <= {"fed"}
    assert (run.sorted, run.scans) == ({}, [])
