"""SIGTERM and Ctrl-C bring the cell to Stopped safely, in bounded time; a second signal changes nothing."""

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from station.host.shutdown import SETTING_ASIDE, STOP_TIMEOUT_S, STOPPING, stopped_by_signals
from tests.cell.bench import running
from tests.cell.conftest import Run, ledger_of, station_command
from tests.cell.test_kill import Simulator, addressed, child
from tests.own_children import descendants


@pytest.mark.parametrize(
    "signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM, signal.SIGINT, signal.SIGTERM]]
)
def test_a_signal_in_mid_part_finishes_the_part_and_leaves_the_jig_at_rest(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, signals: list[int]
) -> None:
    config, data, truth = make_config(), tmp_path / "data", tmp_path / "truth.jsonl"
    simulator = [sys.executable, "-m", "sim", "--config", str(config), "--report", "json", "--truth", str(truth)]
    with child(simulator, environment, tmp_path) as process:
        addressed(config, Simulator(process).until_ready())
        with child(
            station_command("run", "--config", config, "--data", data, "--auto-reset"), environment, tmp_path
        ) as run:
            while not truth.exists() or "jig" not in [entry["place"] for entry in ledger_of(truth)]:
                time.sleep(0.01)
            began = time.monotonic()
            for number in signals:
                run.send_signal(number)
            run.communicate(timeout=STOP_TIMEOUT_S + 10)
            assert time.monotonic() - began < STOP_TIMEOUT_S
            assert run.returncode == 0
        records = json.loads(station("records", "export", "--json", "--data", data).stdout)
        ended = {entry["part_id"]: entry["place"] for entry in ledger_of(truth) if entry["event"] == "placed"}
        assert {record["part_id"]: record["confirmed_bin"] for record in records} == ended
        assert all(record["state"] == "sorted" for record in records)
        assert "jig" not in ended.values()


def test_a_killed_simulation_leaves_no_process_behind(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    config, truth = make_config(), tmp_path / "truth.jsonl"
    command = station_command("--simulate", "--config", config, "--data", tmp_path / "data", "--truth", truth)
    with child(command, environment, tmp_path) as run:
        while not truth.exists():
            time.sleep(0.01)
        family = descendants(run.pid)
        assert family
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=10)
    deadline = time.monotonic() + 10
    while (left := [pid for pid in family if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == []


async def test_afterwards_every_signal_does_what_it_did_before() -> None:
    numbers = (*STOPPING, *SETTING_ASIDE)
    own = {number: signal.signal(number, lambda _number, _frame: None) for number in numbers}
    try:
        before = [signal.getsignal(number) for number in numbers]
        async with running() as bench:
            with stopped_by_signals(bench.desk):
                meanwhile = [signal.getsignal(number) for number in numbers]
            assert [signal.getsignal(number) for number in numbers] == before
        assert not set(meanwhile) & set(before)
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has waited for does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().split()[2] != "Z"
