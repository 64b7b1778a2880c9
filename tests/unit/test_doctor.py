"""`station doctor`: a bundle that tells what is wrong, also of a station that is ill, and nothing that is secret."""

import asyncio
import json
import tarfile
import tomllib
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from config import bundled
from station.cli.app import app
from station.core.clock import SystemClock
from station.page.audit import Audit
from station.page.database import PageDatabase
from station.page.passwords import Passwords
from station.page.people import Hand, People
from station.page.roles import Role
from tests.page_bench import PASSWORD
from tests.record_samples import open_ledger

SECRET = "hunter2-of-the-broker"  # noqa: S105
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def gather(folder: Path, place: Path, *more: str) -> Result:
    return CliRunner().invoke(app, ["doctor", str(place), "--data", str(folder), *more])


def texts(place: Path) -> dict[str, str]:
    with tarfile.open(place) as bundle:
        return {one.name: (bundle.extractfile(one) or pytest.fail(one.name)).read().decode() for one in bundle}


@pytest.fixture
def ill(tmp_path: Path) -> Path:
    """A data folder with records, people, keys and a log that tells too much."""
    data = tmp_path / "data"

    async def keep() -> None:
        ledger = await open_ledger(data)
        await ledger.note("state_changed", "EXECUTE ABORTING station.bug it hung")
        await ledger.close()

    asyncio.run(keep())
    database, clock = PageDatabase(data), SystemClock()
    database.make()
    people = People(database, Audit(database, clock), Passwords(QUICK), clock)
    people.add("Ada Lovelace", Role.ADMIN, PASSWORD, Hand("a test", ""))
    (data / "opcua").mkdir()
    (data / "opcua" / "server.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    (data / "logs" / "sparkplug").mkdir(parents=True)
    (data / "logs" / "sparkplug" / "log").write_text(f'{{"event": "broker_not_connected", "said": "{SECRET}"}}\n')
    return data


def configured(folder: Path) -> Path:
    text = bundled("simulate.toml").read_text(encoding="utf-8")
    (folder / "password").write_text(f"{SECRET}\n")
    text = text.replace("[sparkplug]", f'[sparkplug]\nusername = "cell"\npassword_file = "{folder / "password"}"\n#', 1)
    (folder / "line.toml").write_text(text)
    assert tomllib.loads(text)["sparkplug"]["username"] == "cell"
    return folder / "line.toml"


def test_it_tells_what_is_wrong_and_nothing_secret(ill: Path, tmp_path: Path) -> None:
    place = tmp_path / "bundle.tar.gz"
    result = gather(ill, place, "--config", str(configured(tmp_path)))
    assert result.exit_code == 0, result.output
    found = texts(place)
    everything = "".join(found.values())
    for secret in (SECRET, PASSWORD, "argon2id", "Lovelace", "PRIVATE KEY"):
        assert secret not in everything, secret
    assert "(struck out)" in found["logs/sparkplug/log"]
    assert json.loads(found["configuration.json"])["sparkplug"]["username"] == "cell"
    assert "it hung" in found["events.json"] or "it hung" in found["stops.json"]
    assert "No station runs" in found["station.json"]
    assert "page.db" in found["folder.txt"]
    assert found["computer/proc/meminfo"].startswith("MemTotal")
    assert place.stat().st_mode & 0o007 == 0, "strangers do not read it"


def test_a_folder_without_records_is_told_of_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "bundle.tar.gz"
    (tmp_path / "data").mkdir()
    assert gather(tmp_path / "data", place).exit_code == 0
    found = texts(place)
    assert "record.unknown" in found["stops.json.missing"] or "no record" in found["stops.json.missing"]
    assert "configuration.json" in found


def test_nothing_is_overwritten_and_a_place_that_takes_nothing_is_named(tmp_path: Path) -> None:
    place = tmp_path / "bundle.tar.gz"
    place.write_text("mine")
    assert gather(tmp_path, place).exit_code != 0
    assert place.read_text() == "mine"
    refused = gather(tmp_path, tmp_path / "nowhere" / "bundle.tar.gz")
    assert refused.exit_code != 0
    assert getattr(refused.exception, "code", "") == "doctor.not_written"
