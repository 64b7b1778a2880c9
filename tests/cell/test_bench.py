"""`station bench`: figures on standard output, words on the other."""

import json

from tests.cell.conftest import Run


def test_the_acquisition_is_measured_and_told_as_one_document(station: Run) -> None:
    ran = station("bench", "--only", "acquisition", "--seconds", "1", "--json")
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)["acquisition"]
    assert set(figures) == {
        "mb_per_s", "lines_per_s", "blocks", "lost_blocks", "scored_blocks", "cpu_percent", "arrival_ms",
        "path_mb_per_s", "copies",
    }  # fmt: skip
    assert figures["blocks"] + figures["lost_blocks"] == round(21158 / 448)
    assert 20_000 < figures["lines_per_s"] < 22_500
    assert 0 < figures["scored_blocks"] <= figures["blocks"]
    assert 0 < figures["arrival_ms"]["p50"] <= figures["arrival_ms"]["p99"]
    assert figures["copies"] == 1
    assert "paced: 5472 px at 21158 lines/s" in ran.stderr


def test_an_unknown_benchmark_is_refused_with_those_there_are(station: Run) -> None:
    ran = station("bench", "--only", "speed")
    assert ran.returncode == 2
    assert "acquisition" in ran.stderr
