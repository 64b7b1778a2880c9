"""The network alone, whole parts and PyTorch take turns, and only what was asked for takes part."""

from functools import partial
from importlib.resources import as_file

import numpy as np
import pytest

from config import bundled
from models.manifest import Bundle
from station.bench import network_run
from station.bench.cell_run import CellRuns
from station.bench.end_to_end import end_to_end
from station.bench.model_only import model_only
from station.bench.network_run import NetworkRun
from station.bench.plan import BenchPlan
from station.bench.torch_eager import torch_eager
from station.bench.turns import take_turns
from station.core.errors import ModelError
from station.core.geometry import Geometry
from station.core.part import EngineIdentity, ModelIdentity, Pixels, Probabilities
from station.core.settings import ModelSettings, Settings, load_settings
from tests.scoring import ScoresAlone

STRIP_S, TORCH_S = 0.004, 0.02


class Diary:
    """Whose turn it was, strip by strip, and what time it is: nothing takes time but strips."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.now_s = 0.0

    def clock(self) -> float:
        """Tells seconds."""
        return self.now_s


class Fixed(ScoresAlone):
    """An engine whose every strip takes the same time, and which writes down that it was its turn."""

    model = ModelIdentity("fixed", "0" * 64)
    engine = EngineIdentity("none", "0", "f32", "none")
    classes = ("defect_free", "imprinted", "pits", "roll_marks", "scratches")
    geometry = Geometry(3584, 448, 256, 2)

    def __init__(self, name: str, strip_s: float, diary: Diary) -> None:
        self._name = name
        self._strip_s = strip_s
        self._diary = diary

    def warm_up(self) -> None:
        """Nothing to warm."""

    def score(self, patches: Pixels) -> Probabilities:
        """Every patch is defect-free."""
        self._diary.now_s += self._strip_s
        self._diary.order.append(self._name if patches.std() > 30 else "part")  # what stands for strips alone is noise
        return np.eye(5, dtype=np.float32)[[0, 0]]


@pytest.fixture
def settings() -> Settings:
    """Two part types."""
    with as_file(bundled("simulate.toml")) as path:
        shipped = load_settings(path)
    kinds = dict(list(shipped.part_types.items())[:2])
    return shipped.model_copy(update={"part_types": kinds})


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> Diary:
    """Engines of known speed, in place of the real ones, and the clock that they move on."""
    diary = Diary()

    def torch(_bundle: Bundle, chosen: ModelSettings) -> Fixed:
        assert (chosen.engine, chosen.precision) == ("torch", "f32")
        return Fixed("torch", TORCH_S, diary)

    monkeypatch.setattr(network_run, "make_classifier", lambda _settings: Fixed("network", STRIP_S, diary))
    monkeypatch.setattr(network_run, "make_engine", torch)
    monkeypatch.setattr(network_run, "find_bundle", lambda _settings: None)
    monkeypatch.setattr(network_run, "take_turns", partial(take_turns, clock=diary.clock))
    return diary


def plan_of(settings: Settings, *wanted: str) -> BenchPlan:
    said: list[str] = []
    run = NetworkRun(settings, 0.0, wanted, said.append)
    return BenchPlan(settings, 0.0, said.append, CellRuns(settings, 1, said.append), run)


def test_parts_come_beside_strips_of_the_network_alone_and_the_ratios_are_theirs(
    settings: Settings, diary: Diary
) -> None:
    plan = plan_of(settings, "end_to_end", "torch_eager")
    whole, torch = end_to_end(plan), torch_eager(plan)
    forwards = (["network"] * 8 + ["part"] * 8) * 2 + ["torch"] * 2
    assert diary.order == forwards + forwards + forwards[::-1] + forwards
    assert whole["by_width"] == {"385": pytest.approx(1 / 8 / STRIP_S, abs=0.01), "570": whole["by_width"]["385"]}
    assert whole["of_model_only"] == {"385": 1.0, "570": 1.0, "median": 1.0}
    assert torch == {"images_per_s": pytest.approx(1 / 8 / TORCH_S, abs=0.01), "end_to_end_times": 5.0}


def test_the_network_alone_is_measured_alone_with_strips_enough_for_a_percentile(
    settings: Settings, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.bench.model_only.find_bundle", lambda _settings: None)
    monkeypatch.setattr("station.bench.model_only.gmac_per_strip", lambda _bundle: 2.0)
    plan = plan_of(settings, "model_only", "machine")
    figures = model_only(plan)
    assert set(diary.order) == {"network"}
    assert len(plan.network.strips_s()) >= 100
    assert figures == {
        "images_per_s": 31.25, "gmac_per_s": 500.0, "two_patches_ms": {"p50": 4.0, "p99": 4.0},
    }  # fmt: skip
    assert torch_eager(plan) is None


def test_without_pytorch_the_others_are_measured_all_the_same(
    settings: Settings, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(_bundle: Bundle, _chosen: ModelSettings) -> Fixed:
        raise ModelError("model.engine_unavailable", "torch is not installed")

    monkeypatch.setattr(network_run, "make_engine", absent)
    plan = plan_of(settings, "model_only", "end_to_end", "torch_eager")
    assert torch_eager(plan) is None
    assert set(diary.order) == {"network", "part"}
    assert end_to_end(plan)["images_per_s"] > 0


def test_a_fault_of_pytorchs_network_is_no_absence(
    settings: Settings, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(_bundle: Bundle, _chosen: ModelSettings) -> Fixed:
        raise ModelError("model.wrong_hash", "weights")

    monkeypatch.setattr(network_run, "make_engine", damaged)
    with pytest.raises(ModelError, match="weights"):
        torch_eager(plan_of(settings, "torch_eager"))
    assert diary.order == []
