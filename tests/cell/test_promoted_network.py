"""A station that runs the promoted network runs no other without a word."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from models.manifest import load_bundle
from models.release.shelf import Shelf
from models.weights import SHIPPED
from station.core.errors import ModelError
from station.core.settings import Settings
from station.core.watchers import Watchers
from station.host.build import open_station
from station.host.check import check_station
from station.records.ledger import SqliteLedger
from tests.bundles import GREYS, make_grey_bundle
from tests.cell.fault_bench import quick_settings
from tests.record_samples import JUDGED_BY, PART_TYPE, HandClock, judgement, part
from tests.unit.housings import Surface


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A station that runs the promoted network; new-2 was promoted."""
    shipped = make_grey_bundle(tmp_path / "shipped-1")
    monkeypatch.setattr(
        "models.release.shelf.bundle_folder", lambda name: shipped if name in (SHIPPED, shipped.name) else Path(name)
    )
    shelf = Shelf(tmp_path / "data" / "models")
    shelf.promote(make_grey_bundle(tmp_path / "new-2", GREYS | {Surface.DEFECT_FREE: 59}), None, "a trial", "me@here")
    quick = quick_settings(tmp_path)
    return quick.model_copy(update={"model": quick.model.model_copy(update={"bundle": "promoted"})})


async def opened(settings: Settings, data: Path) -> str:
    async with open_station(settings, data, Watchers()) as station:
        (model,) = station.models
        return model.name


def events(data: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(data / "records.sqlite")) as connection:
        return connection.execute("SELECT event, detail FROM events").fetchall()


@pytest.mark.parametrize("harm", ["delete", "cut", "zeros"])
def test_a_station_whose_history_is_damaged_does_not_start(settings: Settings, tmp_path: Path, harm: str) -> None:
    assert asyncio.run(opened(settings, tmp_path / "data")) == "new-2"
    history = tmp_path / "data" / "models" / "history.jsonl"
    whole = history.read_bytes()
    history.write_bytes({"delete": b"", "cut": whole[:-1], "zeros": whole + b"\0" * 100}[harm])
    if harm == "delete":
        history.unlink()
    with pytest.raises(ModelError) as caught:
        asyncio.run(opened(settings, tmp_path / "data"))
    assert caught.value.code == "model.bad_history"
    model = next(one for one in asyncio.run(check_station(settings, tmp_path / "data")) if one.what == "model")
    assert model.problem is not None
    assert model.problem.code == "model.bad_history"
    history.write_bytes(whole)
    assert asyncio.run(opened(settings, tmp_path / "data")) == "new-2"


def by_its_type(settings: Settings) -> Settings:
    """The same, but that the part type names the promoted network, and the station as a whole another one."""
    (name,) = settings.part_types
    kind = settings.part_types[name].model_copy(update={"bundle": "promoted"})
    model = settings.model.model_copy(update={"bundle": SHIPPED})
    return settings.model_copy(update={"part_types": {name: kind}, "model": model})


@pytest.mark.parametrize("named", [lambda settings: settings, by_its_type], ids=["by the station", "by a part type"])
def test_a_history_that_no_seal_covers_is_told_of_at_the_start_and_by_check(
    settings: Settings, tmp_path: Path, named: Callable[[Settings], Settings]
) -> None:
    settings = named(settings)
    (tmp_path / "data" / "models" / "history.head").unlink()
    with structlog.testing.capture_logs() as log:
        assert asyncio.run(opened(settings, tmp_path / "data")) == "new-2"
    (told,) = [line["detail"] for line in log if line["event"] == "history_not_sealed"]
    assert "the last 1 of 1 lines are not sealed" in told
    model = next(one for one in asyncio.run(check_station(settings, tmp_path / "data")) if one.what == "model")
    assert model.problem is None
    assert told in model.said


async def judge_one(settings: Settings, data: Path) -> None:
    configuration = (settings.sha256, settings.model_dump_json())
    ledger = await SqliteLedger.open(data, settings.records, HandClock(), configuration, settings.table)
    by = replace(JUDGED_BY, model=Shelf(data / "models").active(), config_sha256=settings.sha256)
    found = replace(judgement(), by=by)
    await ledger.judged(await ledger.enter(part(), PART_TYPE), found)
    await ledger.close()


def test_another_network_than_judged_the_last_part_is_told_of_even_where_the_whole_shelf_is_gone(
    settings: Settings, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    asyncio.run(judge_one(settings, data))
    asyncio.run(opened(settings, data))
    assert events(data) == []
    shutil.rmtree(data / "models")
    with structlog.testing.capture_logs() as log:
        assert asyncio.run(opened(settings, data)) == "shipped-1"
    assert [line["now"] for line in log if line["event"] == "network_changed"] == [
        str(load_bundle(tmp_path / "shipped-1").identity)
    ]
    ((event, detail),) = events(data)
    assert event == "network_changed"
    assert "new-2" in detail
    assert "shipped-1" in detail
