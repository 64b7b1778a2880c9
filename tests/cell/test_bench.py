"""`station bench`: figures and a verdict on standard output, words on the other."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from models.engines.processor import instruction_set
from station.bench.apart import apart_under
from station.bench.lesser import lesser
from station.bench.plan import BenchPlan
from station.core.settings import load_settings
from tests.bundles import make_grey_bundle
from tests.cell.conftest import Run, narrowest_types
from tests.screeners import PROVEN, make_pair

PARTS = 3
QUICK = ("--seconds", "0.5", "--parts", PARTS)
KEYS = {
    "machine": {"cpu", "cores", "isa"},
    "engine": {"name", "precision", "model"},
    "ceiling": {"int8_gmac_per_s", "fp32_gmac_per_s"},
    "model_only": {"images_per_s", "gmac_per_s", "two_patches_ms"},
    "end_to_end": {"images_per_s", "by_width", "of_model_only"},
    "mix": {"parts", "full", "hybrid"},
    "lesser": {"images_per_s", "choose"},
    "cameras": {"lines_per_s", "carries", "at_once"},
    "scaling": {"ms_by_patches", "twice_the_patches", "images_per_s_by_cores", "half_the_cores"},
    "torch_eager": None,
    "acquisition": {
        "mb_per_s", "lines_per_s", "blocks", "lost_blocks", "scored_blocks", "cpu_percent", "arrival_ms",
        "path_mb_per_s", "copies",
    },
    "stream": {
        "line_rate_hz", "width", "parts", "decision_ms_after_last_line", "steps_ms", "blocks_lost",
        "loop_stall_ms_max", "rescanned", "reviews", "late", "overloaded",
    },
    "memory": {"station_mb", "camera_mb", "parts", "station_growth_mb", "camera_growth_mb"},
    "startup_s": {"cold", "warm"},
    "verdict": {"runs_the_line", "highest_line_rate_hz", "limited_by", "words"},
}  # fmt: skip
"""The keys of the whole document; the tiny network has no weights for torch."""


@pytest.fixture
def config(make_config: Callable[..., Path], tmp_path: Path) -> Path:
    """The shipped simulation with a network of no cost and the two narrowest types."""
    return narrowest_types(make_config(('bundle = "promoted"', f'bundle = "{make_grey_bundle(tmp_path / "tiny-1")}"')))


def names(*wanted: str) -> tuple[str, ...]:
    return tuple(word for name in wanted for word in ("--only", name))


def document(station: Run, *arguments: str | Path | int) -> tuple[dict[str, Any], str]:
    ran = station("bench", *arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout), ran.stderr


def test_processor_network_and_judging_are_measured_without_torch_and_without_a_camera(
    station: Run, config: Path
) -> None:
    wanted = ("machine", "engine", "ceiling", "model_only", "end_to_end", "scaling", "torch_eager")
    figures, said = document(station, "--config", config, *QUICK, *names(*wanted))
    assert list(figures) == [*wanted, "verdict"]
    for name in (*wanted, "verdict"):
        assert (None if figures[name] is None else set(figures[name])) == KEYS[name], name
    assert figures["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert figures["engine"]["name"] == "openvino"
    assert figures["engine"]["model"].startswith("tiny-1@")
    assert figures["ceiling"]["fp32_gmac_per_s"] > 1
    network = figures["model_only"]
    assert 0 < network["two_patches_ms"]["p50"] <= network["two_patches_ms"]["p99"]
    assert network["gmac_per_s"] == 0.0  # this network multiplies nothing worth counting
    assert list(figures["end_to_end"]["by_width"]) == ["385", "570"]
    assert min(figures["end_to_end"]["by_width"].values()) > 0
    assert list(figures["end_to_end"]["of_model_only"]) == ["385", "570", "median"]
    assert 0 < figures["end_to_end"]["of_model_only"]["median"] < 1  # cutting a strip costs something
    assert list(figures["scaling"]["ms_by_patches"]) == ["2", "4", "8", "16", "32", "64"]
    assert next(iter(figures["scaling"]["images_per_s_by_cores"])) == "1"
    assert figures["verdict"]["limited_by"] == "network"
    assert "PyTorch left out: t" in said  # torch is not installed, or the tiny network has nothing for it


def test_full_network_and_pair_are_put_side_by_side_on_parts_of_the_usual_mix(
    station: Run, make_config: Callable[..., Path], tmp_path: Path
) -> None:
    proven = PROVEN.model_copy(update={"parts": {"smh_385": 2000, "smh_570": 995}})
    bundle = make_pair(tmp_path / "tiny-1", proven=proven).folder
    config = narrowest_types(make_config(('bundle = "promoted"', f'bundle = "{bundle}"')))
    other = make_grey_bundle(tmp_path / "tiny-2")
    figures, _said = document(station, "--config", config, *QUICK, *names("mix"), "--beside", other)
    mix = figures["mix"]
    assert set(mix) == {*KEYS["mix"], "tiny-2"}
    assert mix["parts"] == 4
    for way in ("full", "hybrid", "tiny-2"):
        assert mix[way]["images_per_s_in_all"] > 0
        assert (mix[way]["passed_alone"], mix[way]["otherwise"]) == (0, 0)
        assert sum(mix[way]["verdicts"].values()) == 4
    assert (mix["full"]["screened"], mix["tiny-2"]["screened"]) == (0, 0)
    assert any("Choose model.screener = " in words for words in figures["verdict"]["words"])


def test_a_screener_of_which_nothing_is_proven_is_left_out_with_the_reason(
    station: Run, make_config: Callable[..., Path], tmp_path: Path
) -> None:
    bundle = make_pair(tmp_path / "tiny-1", engine="onnxruntime").folder
    config = narrowest_types(make_config(('bundle = "promoted"', f'bundle = "{bundle}"')))
    text = config.read_text(encoding="utf-8").replace("[model]\n", "[model]\nscreener = false\n", 1)
    config.write_text(text, encoding="utf-8")
    figures, said = document(station, "--config", config, *QUICK, *names("mix"))
    assert set(figures["mix"]) == {"parts", "full"}
    assert "the screener left out: tiny-1: there is no proof for openvino int8" in said


@pytest.mark.slow
def test_what_a_lesser_computer_would_reach_is_measured_in_each_arithmetic(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.bench.lesser.EXTENSION", {"AVX2": "avx2"})
    settings = load_settings(config)
    said: list[str] = []
    nothing: Any = None
    found = lesser(BenchPlan(settings, 0.1, said.append, nothing, nothing))
    assert found is not None
    had = {"AVX2", "one core"} if "avx2" in instruction_set() else {"one core"}
    assert set(found["images_per_s"]) == set(found["choose"]) == {line.strip() for line in said} == had
    for rates in found["images_per_s"].values():
        assert {"int8", "f32"} <= set(rates) <= {"int8", "bf16", "f32"}
        assert min(rates.values()) > 0


def test_what_limits_instructions_is_in_the_environment_of_the_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATION_TRIED", "before")
    assert apart_under({"STATION_TRIED": "AVX2", "STATION_NEW": "1"}, 1, environment_of) == ("AVX2", "1", 1)
    assert environment_of()[:2] == ("before", None)


def environment_of() -> tuple[str | None, str | None, int]:
    return os.environ.get("STATION_TRIED"), os.environ.get("STATION_NEW"), len(os.sched_getaffinity(0))


def test_several_lines_at_once_are_tried(station: Run, config: Path) -> None:
    figures, _said = document(station, "--config", config, *QUICK, *names("cameras"), "--cameras", "2")
    assert set(figures["cameras"]) == KEYS["cameras"]
    several = figures["cameras"]
    assert list(several["at_once"]) == ["1", "2"]
    assert several["at_once"]["2"]["blocks"] >= 2 * 8
    assert 0 <= several["carries"] <= 2
    assert "Of up to 2 such lines at once it carries" in " ".join(figures["verdict"]["words"])


def test_the_cell_its_memory_and_its_start_are_measured_and_drawn(station: Run, config: Path, tmp_path: Path) -> None:
    picture = tmp_path / "bench.png"
    wanted = ("stream", "memory", "startup_s")
    figures, said = document(station, "--config", config, *QUICK, "--picture", picture, *names(*wanted))
    assert {name: set(figures[name]) for name in wanted} == {name: KEYS[name] for name in wanted}
    stream = figures["stream"]
    assert (stream["line_rate_hz"], stream["width"], stream["parts"]) == (21158.0, 5472, PARTS)
    assert (stream["blocks_lost"], stream["rescanned"]) == (0, 0)
    after = stream["decision_ms_after_last_line"]
    assert 0 < after["p50"] <= after["p99"] <= after["max"] < 5000
    assert list(stream["steps_ms"]) == ["arrived", "scored", "decided", "plc_sent", "plc_acknowledged", "committed"]
    assert all(0 <= took["p50"] <= took["p99"] for took in stream["steps_ms"].values())
    assert 0 < stream["loop_stall_ms_max"] < 1000
    assert said.count("the whole cell:") == 1  # memory looks at the run of stream
    assert figures["memory"]["parts"] == PARTS
    assert 50 < figures["memory"]["station_mb"] < 600
    assert 30 < figures["memory"]["camera_mb"] < 400
    assert 0.2 < figures["startup_s"]["warm"] < 60
    assert 0.2 < figures["startup_s"]["cold"] < 60
    assert figures["verdict"]["words"][0].startswith("This computer can")
    assert cv2.imread(str(picture)) is not None


def test_memory_alone_takes_parts_through_without_pace_and_people_read_a_table(station: Run, config: Path) -> None:
    ran = station("bench", "--config", config, *QUICK, *names("memory"))
    assert ran.returncode == 0, ran.stderr
    assert "lines free" in ran.stderr
    assert "station_growth_mb" in ran.stdout


def test_the_acquisition_is_measured_with_the_engine_that_is_asked_for(station: Run) -> None:
    figures, said = document(station, *names("engine", "acquisition"), "--precision", "f32", "--seconds", "1")
    assert figures["engine"]["precision"] == "f32"
    measured = figures["acquisition"]
    assert set(measured) == KEYS["acquisition"]
    assert measured["blocks"] + measured["lost_blocks"] == round(21158 / 448)
    assert 20_000 < measured["lines_per_s"] < 22_500
    assert 0 < measured["scored_blocks"] <= measured["blocks"]
    assert 0 < measured["arrival_ms"]["p50"] <= measured["arrival_ms"]["p99"]
    assert measured["copies"] == 1
    assert "paced: 5472 px at 21158 lines/s" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "speed"), "there is no benchmark 'speed'; there are machine, engine"),
        (("--only", "machine", "--picture", "no/such/folder/bench.png"), "--picture no/such/folder/bench.png"),
        (
            ("--only", "engine", "--engine", "onnxruntime", "--precision", "int8"),
            "onnxruntime does not compute in int8",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_with_what_can(station: Run, arguments: tuple[str, ...], said: str) -> None:
    ran = station("bench", *arguments)
    assert ran.returncode == 2
    assert said in ran.stderr


def test_another_engine_runs_in_the_first_arithmetic_that_it_has(station: Run) -> None:
    figures, _said = document(station, *names("engine"), "--engine", "onnxruntime")
    assert (figures["engine"]["name"], figures["engine"]["precision"]) == ("onnxruntime", "f32")


def test_a_fault_that_stops_the_cell_ends_the_bench_with_its_text(station: Run, config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("speed_timeout_s = 10.0", "speed_timeout_s = 0.0001"), encoding="utf-8")
    ran = station("bench", "--config", config, *QUICK, *names("stream"))
    assert ran.returncode == 2
    assert "jig.not_at_speed" in ran.stderr
    assert ran.stdout == ""


@pytest.mark.slow
def test_neither_process_grows_over_many_parts(station: Run, config: Path) -> None:
    figures, _said = document(station, "--config", config, "--parts", 150, *names("memory"))
    measured = figures["memory"]
    assert measured["parts"] == 150
    assert measured["station_growth_mb"] < 10
    assert measured["camera_growth_mb"] < 10
