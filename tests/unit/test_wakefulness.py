"""Cores kept awake: asked for while it matters, given up after it, and done without where it is refused."""

import os
from pathlib import Path

import pytest

from station.core import wakefulness
from station.core.wakefulness import cores_awake
from tests.open_files import held_open


def effective_us(file: Path) -> int:
    return int.from_bytes(file.read_bytes()[:4], "little")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "cpu_dma_latency"
    file.write_bytes(b"")
    monkeypatch.setattr(wakefulness, "LATENCY_FILE", file)
    return file


def test_the_request_is_zero_microseconds_and_is_held_as_long_as_the_context(file: Path) -> None:
    with cores_awake() as allowed:
        assert allowed
        assert held_open(file)
        assert file.read_bytes() == b"\0\0\0\0"
    assert not held_open(file)


def test_the_request_ends_with_an_error_too(file: Path) -> None:
    with pytest.raises(RuntimeError, match="in the turn"), cores_awake():
        raise RuntimeError("in the turn")
    assert not held_open(file)


def test_nothing_is_asked_for_where_it_is_not_wanted(file: Path) -> None:
    with cores_awake(wanted=False) as allowed:
        assert not allowed
        assert not held_open(file)


@pytest.mark.parametrize("refusal", ["missing", "full"])
def test_where_it_is_refused_everything_goes_on(refusal: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = {"missing": file.with_name("no_such_file"), "full": Path("/dev/full")}[refusal]
    monkeypatch.setattr(wakefulness, "LATENCY_FILE", refusing)
    with cores_awake() as allowed:
        assert not allowed
        assert not held_open(refusing)


def test_the_kernel_takes_the_request_and_drops_it_with_the_file() -> None:
    file = wakefulness.LATENCY_FILE
    if not os.access(file, os.R_OK | os.W_OK):
        pytest.skip(f"{file} cannot be read and written here")
    if effective_us(file) == 0:
        pytest.skip("another program keeps the cores awake")
    with cores_awake():
        assert effective_us(file) == 0
    assert effective_us(file) > 0
