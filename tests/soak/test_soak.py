"""How a soak looks and reckons; and, slowly, a small one that is broken off and gone on with."""

import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.__main__ import main, samples_in, table
from tests.soak.cell import parts_through
from tests.soak.held import BYTES_PER_MB, held_by, role_of
from tests.soak.slopes import FLAT, Sample, Slope, judged, limit_of, slopes


def runs_of(rise: float, name: str, *begins: float) -> list[Sample]:
    """Runs of 3,000 parts, each from its own beginning, and in all a figure that rises by so much in a thousand."""
    return [
        Sample(run, parts, {name: begin + rise * parts / 1_000})
        for run, begin in enumerate(begins, 1)
        for parts in range(0, 3_001, 100)
    ]


def of(samples: list[Sample]) -> Slope:
    (slope,) = slopes(samples)
    return slope


@pytest.mark.parametrize("rise", [-2.0, 0.0, 0.25, 7.5])
def test_a_slope_is_what_comes_with_a_thousand_parts_wherever_each_run_begins(rise: float) -> None:
    slope = of(runs_of(rise, "station: descriptors", 40.0, 90.0, 12.0))
    assert slope.per_thousand == pytest.approx(rise)
    assert slope.first == pytest.approx(40.0 + 0.3 * rise)
    assert slope.last == pytest.approx(12.0 + 3.0 * rise)


def test_what_fills_at_the_beginning_of_a_run_is_no_slope() -> None:
    samples = [Sample(1, parts, {"station: threads": min(parts, 300) / 10}) for parts in range(0, 2_001, 100)]
    assert of(samples).per_thousand == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("station: descriptors", 0.5),
        ("camera: MB of its own", 1.0),
        ("shared memory: segments", 0.5),
        ("shared memory: MB", 0.1),
        ("database: MB", None),
        ("rows: inspections", None),
    ],
)
def test_what_parts_leave_may_grow_and_what_a_process_holds_may_not(name: str, limit: float | None) -> None:
    assert limit_of(name) == limit


@pytest.mark.parametrize("what", sorted(FLAT))
def test_what_grows_more_than_it_may_is_told(what: str) -> None:
    name = f"shared memory: {what}"
    grows, stays = of(runs_of(FLAT[what] * 1.01, name, 1.0)), of(runs_of(FLAT[what] * 0.99, name, 1.0))
    assert (grows.grows, stays.grows) == (True, False)
    assert "more than" in table([grows])
    assert "more than" not in table([stays])


def test_a_short_run_tells_nothing() -> None:
    assert not judged([Sample(1, parts, {}) for parts in (0, 1_000, 2_299)])
    assert judged([Sample(1, 2_300, {})])


def test_what_a_process_holds_is_counted(tmp_path: Path) -> None:
    before = held_by(os.getpid())
    shared = os.memfd_create("soak")
    os.ftruncate(shared, BYTES_PER_MB)
    with mmap.mmap(shared, BYTES_PER_MB), (tmp_path / "open").open("w"):
        held = held_by(os.getpid())
        assert before is not None
        assert held is not None
        assert held.descriptors == before.descriptors + 3, "of the memory, of its mapping, of the file"
        added = held.segments.keys() - before.segments.keys()
        assert [held.segments[inode] for inode in added] == [BYTES_PER_MB]
    os.close(shared)
    assert held.threads >= 1
    assert 10 < held.private_mb < 100_000


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert held_by(1 << 22) is None  # the kernel gives no such number


def test_a_process_is_named_after_what_it_runs() -> None:
    program = ("-c", "print(flush=True); input()", "drivers.camera.process.service", "one more")
    with subprocess.Popen([sys.executable, *program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        assert role_of(other.pid) == "camera"
        other.stdin.write(b"\n")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_soak_goes_on_where_it_was_left_and_looks_at_every_process(tmp_path: Path) -> None:
    for _run in (1, 2):
        parts = parts_through(tmp_path / "data") + 12
        assert main(["--folder", str(tmp_path), "--parts", str(parts), "--every", "4"]) == 2
        assert parts_through(tmp_path / "data") >= parts
    samples = list(samples_in(tmp_path))
    assert {one.run for one in samples} == {1, 2}
    roles = {name.split(":")[0] for name in samples[-1].figures}
    assert roles >= {"station", "camera", "simulated cell", "page", "opcua", "sparkplug", "shared memory", "database"}
    assert samples[-1].figures["rows: inspections"] >= 16
