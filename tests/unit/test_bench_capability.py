"""What `station bench` says in words must follow from its figures."""

from importlib.resources import as_file
from typing import Any

import pytest

from config import bundled
from station.bench.capability import capability
from station.core.settings import Settings, load_settings

STREAM = {
    "line_rate_hz": 21158.0, "width": 5472, "parts": 200, "blocks_lost": 0, "late": 0, "overloaded": 0,
    "decision_ms_after_last_line": {"p50": 7.1, "p99": 10.2, "max": 14.0},
}  # fmt: skip
ACQUISITION = {
    "lost_blocks": 0, "blocks": 100, "scored_blocks": 100, "cpu_percent": 10.0, "lines_per_s": 21158.0,
    "path_mb_per_s": 2000.0,
}  # fmt: skip
MACHINE = {"cpu": "one", "cores": 2, "isa": "x86_64"}


def whole(**rates: float) -> dict[str, Any]:
    return {"images_per_s": 20.0, "by_width": rates}


@pytest.fixture(scope="module")
def settings() -> Settings:
    with as_file(bundled("simulate.toml")) as path:
        return load_settings(path)


def test_a_cell_that_lost_nothing_and_was_never_late_runs_the_line(settings: Settings) -> None:
    judged = capability({"stream": STREAM, "acquisition": ACQUISITION}, settings)
    assert judged.runs_the_line is True
    assert judged.words[0] == "This computer can run the configured line, 5472 px at 21,158 lines/s."
    assert "7.1 ms after the last line" in judged.words[1]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("stream", {"blocks_lost": 1}),
        ("stream", {"late": 1}),
        ("stream", {"overloaded": 11}),
        ("acquisition", {"lost_blocks": 1}),
        ("acquisition", {"scored_blocks": 99}),
    ],
)
def test_whatever_was_lost_late_or_left_out_says_that_it_does_not(
    settings: Settings, name: str, change: dict[str, int]
) -> None:
    figures = {"stream": STREAM, "acquisition": ACQUISITION}
    judged = capability({**figures, name: {**figures[name], **change}}, settings)
    assert judged.runs_the_line is False
    assert "can NOT run" in judged.words[0]


def test_a_few_parts_that_found_the_computer_busy_do_not_count_against_it(settings: Settings) -> None:
    judged = capability({"stream": {**STREAM, "overloaded": 10}}, settings)
    assert judged.runs_the_line is True
    assert "Of 200 parts 10 found the network slower than the lines" in " ".join(judged.words)


def test_the_slowest_width_and_the_cameras_share_of_the_cores_give_the_highest_rate(settings: Settings) -> None:
    figures = {"machine": MACHINE, "acquisition": ACQUISITION, "end_to_end": whole(narrow=50.0, wide=25.0)}
    judged = capability(figures, settings)
    strip_s, camera_s = 1 / 25 / 8, 0.1 / 21158
    assert judged.highest_line_rate_hz == round(1 / (strip_s / 448 + camera_s / 2))
    assert judged.limited_by == "network"
    assert "a strip takes 5.0 ms, a block is exposed in 21.2 ms" in " ".join(judged.words)


def test_a_slow_way_from_the_camera_limits_before_a_fast_network(settings: Settings) -> None:
    figures = {"acquisition": {**ACQUISITION, "path_mb_per_s": 54.72}, "end_to_end": whole(one=1000.0)}
    judged = capability(figures, settings)
    assert judged.highest_line_rate_hz == 10_000
    assert judged.limited_by == "camera"


def test_without_a_cell_the_estimate_decides(settings: Settings) -> None:
    slow = capability({"end_to_end": whole(one=1 / 8 / 0.0448)}, settings)  # 44.8 ms a strip: 10,000 lines/s
    assert (slow.runs_the_line, slow.highest_line_rate_hz) == (False, 10_000)
    assert "Too fast for it: smh_385" in " ".join(slow.words)
    fast = capability({"model_only": {"two_patches_ms": {"p50": 5.0, "p99": 6.0}}}, settings)
    assert fast.runs_the_line is True
    assert "Too fast" not in " ".join(fast.words)


def test_types_that_turn_slowly_enough_are_said_to_fit_below_the_cameras_rate(settings: Settings) -> None:
    judged = capability({"end_to_end": whole(one=1 / 8 / 0.0214)}, settings)  # 20,935 lines/s
    assert judged.runs_the_line is False
    assert "The configured part types turn slowly enough for it." in judged.words


def test_nothing_measured_says_nothing(settings: Settings) -> None:
    judged = capability({"machine": MACHINE}, settings)
    assert (judged.runs_the_line, judged.highest_line_rate_hz, judged.limited_by, judged.words) == (
        None,
        None,
        None,
        (),
    )


def test_a_computer_that_was_busy_before_is_named_so(settings: Settings) -> None:
    assert capability({}, settings, 0.05).words == ()
    assert "62% of the processor was already in use" in capability({}, settings, 0.62).words[-1]
