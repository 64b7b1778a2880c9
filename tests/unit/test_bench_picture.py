"""The picture of a bench must be drawn of whatever was measured."""

from typing import Any

import cv2
import numpy as np
import pytest

from station.bench.capability import Capability
from station.bench.cell_run import CellRun
from station.bench.picture import draw, median_part

JUDGED = Capability(True, 70_000, "network", ("It runs the line.", "The network limits."))
BLOCK_NS = 21_174_000


def ledger(after_ms: float) -> dict[str, int]:
    """A turn of eight blocks, each scored 6 ms after it came; the PLC has the decision after this time."""
    times = {"armed": 0, "index_pulse": 10_000_000}
    for number in range(8):
        last = 10_000_000 + (number + 1) * BLOCK_NS
        times[f"block_{number}_last_line"] = last
        times[f"block_{number}_arrived"] = last + 900_000
        times[f"block_{number}_scored"] = last + 6_000_000
    last = times["block_7_last_line"]
    times |= {"decided": last + 6_200_000, "plc_sent": last + 6_400_000}
    times["plc_acknowledged"] = last + round(after_ms * 1e6)
    times["committed"] = last + round(after_ms * 1e6) + 4_500_000
    return times


FIGURES: dict[str, Any] = {
    "machine": {"cpu": "a processor", "cores": 2, "isa": "x86_64"},
    "engine": {"name": "openvino", "precision": "int8", "model": "network@0123"},
    "model_only": {"images_per_s": 26.0},
    "end_to_end": {"by_width": {"385": 24.0, "570": 23.5, "1575": 22.0}},
    "scaling": {"images_per_s_by_cores": {"1": 13.0, "2": 23.5}},
    "torch_eager": {"images_per_s": 1.3},
    "stream": {
        "width": 5472, "line_rate_hz": 21158.0, "decision_ms_after_last_line": {"p50": 7.2, "p99": 9.9, "max": 12.0},
    },
}  # fmt: skip


def decoded(picture: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)


def test_everything_that_was_measured_is_drawn() -> None:
    times = 7.2 + np.random.default_rng(1).gamma(2.0, 0.6, 200)
    full = decoded(draw(FIGURES, JUDGED, CellRun(8, ledgers=[ledger(float(ms)) for ms in times])))
    empty = decoded(draw({}, JUDGED, None))
    assert full.shape == empty.shape == (960, 1500, 3)
    assert (full < 255).mean() > 2 * (empty < 255).mean()


@pytest.mark.parametrize("left_out", ["machine", "engine", "model_only", "end_to_end", "scaling", "stream"])
def test_what_was_not_measured_is_left_out(left_out: str) -> None:
    figures = {name: value for name, value in FIGURES.items() if name != left_out}
    assert decoded(draw(figures, JUDGED, CellRun(8, ledgers=[ledger(8.0)]))) is not None


def test_torch_that_is_not_installed_is_left_out() -> None:
    assert decoded(draw({**FIGURES, "torch_eager": None}, JUDGED, None)) is not None


def test_the_median_part_is_the_one_in_the_middle_by_its_time() -> None:
    run = CellRun(8, ledgers=[ledger(30.0), ledger(7.0), {"decided": 1}, ledger(8.0)])
    assert median_part(run) == ledger(8.0)
    assert median_part(CellRun(8, ledgers=[{"decided": 1}])) is None
