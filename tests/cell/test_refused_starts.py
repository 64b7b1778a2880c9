"""What keeps a station from starting: it says so by the fault's code, moves nothing, and starts when that is mended.

On the command line the same refusals are one clear message and exit status 2: `test_refusals.py`.
"""

import asyncio
import os
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from sim.running import Plan, running_cell
from station.core.choices import Speed
from station.core.errors import FAULTS, Reaction, StationError
from station.core.settings import Settings
from station.core.watchers import Watchers
from station.host.build import open_station
from station.host.service import serve
from station.records.folder import claim
from tests.cell.conftest import station_command
from tests.cell.fault_bench import Truth, make_recording, quick_settings
from tests.cell.reason_codes import REASON_CODE

Mend = Callable[[], object]
DATABASE = "records.sqlite"


@dataclass(frozen=True)
class Refused:
    """A fault, and what brings it about: it may change the configuration, and returns what mends it."""

    code: str
    provoke: Callable[[Settings, Path], tuple[Settings, Mend]]


def bundle_of(settings: Settings) -> Path:
    return Path(settings.model.bundle)


def without_network(settings: Settings, _data: Path) -> tuple[Settings, Mend]:
    file = bundle_of(settings) / "model.bin"
    away = file.rename(file.with_suffix(".away"))
    return settings, lambda: away.rename(file)


def with_an_edited_network(settings: Settings, _data: Path) -> tuple[Settings, Mend]:
    return settings, replaced(bundle_of(settings) / "model.xml", lambda text: text + b" ")


def with_a_manifest_of_nothing(settings: Settings, _data: Path) -> tuple[Settings, Mend]:
    return settings, replaced(bundle_of(settings) / "manifest.json", lambda _text: b"{}")


def with_a_network_of_other_classes(settings: Settings, _data: Path) -> tuple[Settings, Mend]:
    manifest = bundle_of(settings) / "manifest.json"
    return settings, replaced(manifest, lambda text: text.replace(b'"pits"', b'"rust"'))


def with_an_engine_that_cannot_compute_so(settings: Settings, _data: Path) -> tuple[Settings, Mend]:
    """It is mended in the configuration, so the next start has another one."""
    model = settings.model.model_copy(update={"engine": "onnxruntime", "precision": "int8"})
    return settings.model_copy(update={"model": model}), lambda: None


def with_records_of_a_newer_version(settings: Settings, data: Path) -> tuple[Settings, Mend]:
    asyncio.run(opens(settings, data))
    known = version(data)
    set_version(data, 99)
    return settings, lambda: set_version(data, known)


def replaced(file: Path, change: Callable[[bytes], bytes]) -> Mend:
    before = file.read_bytes()
    file.write_bytes(change(before))
    return lambda: file.write_bytes(before)


def version(data: Path) -> int:
    with closing(sqlite3.connect(data / DATABASE)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def set_version(data: Path, number: int) -> None:
    with closing(sqlite3.connect(data / DATABASE)) as database:
        database.execute(f"PRAGMA user_version = {number}")
        database.commit()


def with_records_of_another_program(settings: Settings, data: Path) -> tuple[Settings, Mend]:
    data.mkdir()
    (data / DATABASE).write_bytes(b"no database" * 1000)
    return settings, (data / DATABASE).unlink


def with_records_in_use(settings: Settings, data: Path) -> tuple[Settings, Mend]:
    data.mkdir()
    descriptor = claim(data)
    return settings, lambda: os.close(descriptor)


def with_a_port_that_is_taken(settings: Settings, _data: Path) -> tuple[Settings, Mend]:
    taken = socket.create_server(("127.0.0.1", 0))
    link = settings.plc.link.model_copy(update={"port": taken.getsockname()[1]})
    plc = settings.plc.model_copy(update={"role": "server", "link": link})
    return settings.model_copy(update={"plc": plc}), taken.close


def with_an_address_of_another_computer(settings: Settings, _data: Path) -> tuple[Settings, Mend]:
    link = settings.plc.link.model_copy(update={"host": "192.0.2.1"})  # RFC 5737: an address for documents
    plc = settings.plc.model_copy(update={"role": "server", "link": link})
    return settings.model_copy(update={"plc": plc}), lambda: None


ROWS = (
    Refused("model.missing", without_network),
    Refused("model.wrong_hash", with_an_edited_network),
    Refused("model.bad_manifest", with_a_manifest_of_nothing),
    Refused("model.wrong_classes", with_a_network_of_other_classes),
    Refused("model.engine_unavailable", with_an_engine_that_cannot_compute_so),
    Refused("record.newer_schema", with_records_of_a_newer_version),
    Refused("record.database_damaged", with_records_of_another_program),
    Refused("record.in_use", with_records_in_use),
    Refused("plc.port_in_use", with_a_port_that_is_taken),
    Refused("plc.cannot_listen", with_an_address_of_another_computer),
)


async def opens(settings: Settings, data: Path) -> None:
    """A station begins to serve with this; its devices are not there, so it waits for them."""
    async with open_station(settings, data, Watchers()) as station:
        running = asyncio.create_task(station.operation.run())
        await asyncio.wait([running], timeout=0.1)
        assert not running.done(), running.exception()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_a_station_that_cannot_start_says_why_and_starts_when_that_is_mended(row: Refused, tmp_path: Path) -> None:
    sound = quick_settings(tmp_path)
    settings, mend = row.provoke(sound, tmp_path / "data")
    with pytest.raises(StationError) as refused:
        asyncio.run(asyncio.wait_for(serve(settings, tmp_path / "data", Watchers(), auto_reset=False), 20))
    assert refused.value.code == row.code
    assert refused.value.fault.number == REASON_CODE[row.code]
    assert FAULTS[row.code].reaction is Reaction.REFUSE or row.code == "record.database_damaged"
    mend()
    mended_elsewhere = (settings.model, settings.plc.link.host) == (sound.model, sound.plc.link.host)
    asyncio.run(opens(settings if mended_elsewhere else sound, tmp_path / "data"))


UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
WITHOUT_THE_RIGHT = ("setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service")


@pytest.mark.skipif(int(UNPRIVILEGED.read_text()) <= 502, reason="here every user may listen on port 502")
def test_a_user_who_may_not_listen_on_port_502_is_told_so_and_not_of_another_program(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    plc = '[plc.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = '
    config = make_config((plc + "0", plc + "502"), ('role = "client"', 'role = "server"'))
    as_user = WITHOUT_THE_RIGHT if os.geteuid() == 0 else ()
    run = station_command("run", "--config", config, "--data", tmp_path / "data")
    environment = {**environment, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(
        [*as_user, *run], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path, env=environment
    )
    assert ended.returncode == 2, ended.stderr
    assert "plc.port_not_permitted" in ended.stderr
    assert "another program" not in ended.stderr
    assert "127.0.0.1:502" in ended.stderr


def test_a_simulated_cell_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    plan = Plan(make_recording(tmp_path / "recording"), 1, Speed.MAX, None)
    settings = quick_settings(tmp_path)

    async def begin(port: int) -> None:
        link = settings.robot.link.model_copy(update={"port": port})
        robot = settings.robot.model_copy(update={"link": link})
        async with running_cell(settings.model_copy(update={"robot": robot}), plan, Truth()):
            pass

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(StationError) as refused:
        asyncio.run(begin(taken.getsockname()[1]))
    assert refused.value.code == "config.port_in_use"
    assert refused.value.fault.number == REASON_CODE["config.port_in_use"]
    asyncio.run(begin(0))
