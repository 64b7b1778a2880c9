"""The archive's scans in a store that speaks as Amazon's S3 does, and the commands that tell how all that stands."""

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore
from typer.testing import CliRunner, Result

from config import bundled
from station.cli.app import app
from station.core.errors import PlantError
from station.plant.central.connection import connect
from station.plant.central.scans import ScanStore
from station.plant.central.sending import MAKE_MONTH
from station.plant.central.verifying import Asked
from tests.housings import Verdict
from tests.plant.central import (
    Replicating,
    ask,
    caught_up,
    count,
    holds,
    inspect,
    prepared,
    verifying,
    waits_for_a_lock,
)
from tests.plant.postgres import Postgres, postgres
from tests.plant.scan_store import Store, scan_store
from tests.record_samples import START, HandClock

pytestmark = [pytest.mark.plant, pytest.mark.timeout(240)]

STATION = (sys.executable, "-c", "from station.cli import main; main()")
KEPT = {"archive": ["pits"]}
PARTS = {"A1": Verdict.PITS, "A2": Verdict.DEFECT_FREE, "A3": Verdict.PITS}
ROWS = "SELECT inspection_id, state, object FROM scans ORDER BY entered_at"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    obstore.put(MemoryStore(), "first", b"")  # what it works with stays for as long as the process does
    with postgres() as running:
        running.make_user("station")
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with scan_store(tmp_path) as running:
        yield running


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:60]


def archived(folder: Path, inspection: str) -> Path:
    (found,) = (folder / "archive").rglob(f"{inspection}.png")
    return found


async def test_the_archives_scans_lie_there_under_their_hashes_and_classes_once(
    server: Postgres, database: str, store: Store, tmp_path: Path
) -> None:
    settings, cell = prepared(server, database, store=store.settings()), tmp_path / "cell"
    ids = await inspect(cell, PARTS, **KEPT)
    await caught_up(settings, cell)
    files = {name: archived(cell, ids[name]).read_bytes() for name in ("A1", "A3")}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    keys = {name: f"scans/pits/{digest[:2]}/{digest}" for name, digest in digests.items()}
    assert ask(server, database, ROWS) == [(ids[name], "stored", keys[name]) for name in ("A1", "A3")]
    listed = {item["path"] for batch in obstore.list(store.client()) for item in batch}
    assert listed == set(keys.values())
    for name, key in keys.items():
        assert bytes(obstore.get(store.client(), key).bytes()) == files[name]
    assert await caught_up(settings, cell) == 0


async def test_a_store_that_is_away_holds_up_no_record_and_gets_its_scans_when_it_is_back(
    server: Postgres, database: str, store: Store, tmp_path: Path
) -> None:
    settings, cell = prepared(server, database, store=store.settings()), tmp_path / "cell"
    await inspect(cell, PARTS, **KEPT)
    store.stop()
    async with Replicating(settings, cell).at_work() as replicating:
        await replicating.hears("The store for scans cannot be reached")
        await holds(server, database, 3)
        assert ask(server, database, ROWS) == []
        store.start()
        await holds(server, database, 2, "scans")
    assert {state for _id, state, _key in ask(server, database, ROWS)} == {"stored"}


async def test_a_scan_that_is_gone_or_altered_is_not_copied_and_told(
    server: Postgres, database: str, store: Store, tmp_path: Path
) -> None:
    settings, cell = prepared(server, database, store=store.settings()), tmp_path / "cell"
    ids = await inspect(cell, PARTS, **KEPT)
    archived(cell, ids["A1"]).unlink()
    archived(cell, ids["A3"]).write_bytes(b"another scan")
    await caught_up(settings, cell)
    assert ask(server, database, ROWS) == [(ids["A1"], "missing", None), (ids["A3"], "altered", None)]
    assert not [item for batch in obstore.list(store.client()) for item in batch]
    with connect(settings.central) as connection:
        found = verifying(connection, settings, cell).verify()
    assert found.findings == [
        f"{ids['A1']}: its scan was missing when it was to be copied",
        f"{ids['A3']}: its scan was altered when it was to be copied",
    ]


async def test_an_object_that_is_not_what_was_put_there_is_found(
    server: Postgres, database: str, store: Store, tmp_path: Path
) -> None:
    settings, cell = prepared(server, database, store=store.settings()), tmp_path / "cell"
    ids = await inspect(cell, PARTS, **KEPT)
    await caught_up(settings, cell)
    (_a1, _state, first), (_a3, _stored, second) = ask(server, database, ROWS)
    obstore.put(store.client(), first, b"rubbish")
    obstore.delete(store.client(), second)
    with connect(settings.central) as connection:
        store_of_the_plant = ScanStore(settings.central.store)
        found = verifying(connection, settings, cell, store_of_the_plant).verify(Asked(objects=True))
    assert found.objects == 2
    assert found.findings == [
        f"{ids['A1']}: its scan {first} is not what was put there",
        f"{ids['A3']}: its scan {second} is not in the store",
    ]


async def test_a_key_that_cannot_be_read_is_told(server: Postgres, database: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("only one line\n")
    settings = prepared(server, database, store={"bucket": "any", "key_file": str(tmp_path / "key")})
    await inspect(tmp_path / "cell", ["A1"])
    with pytest.raises(PlantError) as refused:
        await caught_up(settings, tmp_path / "cell")
    assert refused.value.code == "plant.bad_secret"


async def test_a_scan_that_is_lost_on_its_way_or_in_the_store_is_found_and_copied_again(
    server: Postgres, database: str, store: Store, tmp_path: Path
) -> None:
    settings, cell = prepared(server, database, store=store.settings()), tmp_path / "cell"
    parts = {f"A{number}": Verdict.PITS for number in range(1, 6)}
    ids = await inspect(cell, parts, **KEPT)
    away = archived(cell, ids["A1"])
    content = away.read_bytes()
    away.unlink()
    await caught_up(settings, cell)
    away.write_bytes(content)
    keys = {inspection: key for inspection, _state, key in ask(server, database, ROWS)}
    obstore.put(store.client(), keys[ids["A2"]], b"rubbish")
    obstore.delete(store.client(), keys[ids["A3"]])
    with server.owner(database) as owner:
        owner.execute("DELETE FROM scans WHERE inspection_id = %s", (ids["A4"],))
        owner.execute("UPDATE scans SET class = 'good' WHERE inspection_id = %s", (ids["A5"],))
    with connect(settings.central) as connection:
        comparing = verifying(connection, settings, cell, ScanStore(settings.central.store))
        found = comparing.verify(Asked(objects=True, repair=True))
        assert found.findings == [
            f"{ids['A1']}: its scan was missing when it was to be copied",
            f"{ids['A4']}: not in scans",
            f"{ids['A5']}: scans: class differ",
            f"{ids['A2']}: its scan {keys[ids['A2']]} is not what was put there",
            f"{ids['A3']}: its scan {keys[ids['A3']]} is not in the store",
        ]
        assert found.written == 5
        again = comparing.verify(Asked(objects=True))
    assert (again.objects, again.findings) == (5, [])


# ---------------------------------------------------------------------- the commands


def configuration(folder: Path, port: int, database: str, user: str) -> Path:
    file = folder / f"{user}.toml"
    text = bundled("simulate.toml").read_text(encoding="utf-8")
    wanted = f'[central]\nport = {port}\ndatabase = "{database}"\nuser = "{user}"\ncell = "left"\n#'
    file.write_text(text.replace("[central]", wanted, 1).replace("\nport = 5432", "\n# port", 1), encoding="utf-8")
    return file


def plant(*words: object) -> Result:
    return CliRunner().invoke(app, ["plant", *map(str, words)])


def test_an_engineer_migrates_replicates_looks_searches_and_verifies(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    server.make_database(database)
    cell = tmp_path / "cell"
    clock = HandClock()
    ids = asyncio.run(inspect(cell, {"A1": Verdict.PITS, "A2": Verdict.DEFECT_FREE}, clock))
    owner, user = (configuration(tmp_path, server.port, database, name) for name in ("owner", "station"))
    here = ("--config", user, "--data", cell)
    before = plant("status", *here)
    assert before.exit_code == 1
    assert "plant.wrong_schema" in before.output
    assert "they were of version 0" in plant("migrate", "--grant", "station", "--config", owner).output
    assert "of version 2 already" in plant("migrate", "--config", owner).output
    words = ["plant", "replicate", "--once", *map(str, here)]
    done = subprocess.run([*STATION, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "inspections, events, alarms, labels and scans were replicated" in done.stdout
    status = plant("status", "--json", *here)
    assert status.exit_code == 0, status.output
    told = json.loads(status.output)
    assert (told["cell"], told["waiting"], told["last"], told["problem"]) == ("left", 0, ids["A2"], None)
    found = json.loads(plant("search", "verdict:pits", "since:2026-05-01", "--json", "--config", user).output)
    assert [(row["cell"], row["part_id"], row["verdict"]) for row in found["rows"]] == [("left", "A1", "pits")]
    assert plant("search", "nonsense:1", "--config", user).exit_code != 0
    shift = plant("shift", "--day", f"{START:%Y-%m-%d}", "--csv", "--config", user)
    assert shift.exit_code == 0, (shift.output, shift.exception)
    lines = shift.output.splitlines()
    assert lines[0] == "cell,what,of,value,unit"
    assert "left,parts,pits,1,parts" in lines
    assert ",parts,pits,1,parts" in lines
    assert "together" in plant("shift", "--day", f"{START:%Y-%m-%d}", "--config", user).output
    assert plant("shift", "--cell", "nobody", "--config", user).exit_code != 0
    assert "2 inspections compared, 0 wait" in plant("verify", *here).output
    with server.owner(database) as connection:
        connection.execute("UPDATE decisions SET confidence = 0.5")
    spoilt = plant("verify", "--repair", *here)
    assert spoilt.exit_code == 1
    assert "2 of them were written again." in spoilt.output
    assert plant("verify", *here).exit_code == 0


def test_a_replication_that_is_killed_in_the_middle_of_a_batch_loses_none_and_doubles_none(
    server: Postgres, database: str, tmp_path: Path
) -> None:
    settings, cell = prepared(server, database, cell="left"), tmp_path / "cell"
    asyncio.run(inspect(cell, [f"A{number}" for number in range(1, 6)]))
    here = ("--config", str(configuration(tmp_path, server.port, database, "station")), "--data", str(cell))
    with server.owner(database) as owner:
        owner.execute(MAKE_MONTH, ("2026-05-01",))
    with server.owner(database) as lock, lock.transaction():
        lock.execute("LOCK TABLE decisions")  # the inspections are written then, the decisions are not
        with subprocess.Popen([*STATION, "plant", "replicate", *here], stdout=subprocess.DEVNULL) as replicating:
            asyncio.run(waits_for_a_lock(server, database))
            replicating.kill()
    asyncio.run(caught_up(settings, cell))
    assert (count(server, database), count(server, database, "decisions")) == (5, 5)
    with connect(settings.central) as connection:
        assert verifying(connection, settings, cell).verify().findings == []
