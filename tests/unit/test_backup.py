"""A backup holds what a station cannot make anew, is known to be whole, and is put back without losing anything."""

import asyncio
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from config import bundled
from models.manifest import load_bundle
from models.release.shelf import Shelf
from models.weights import SHIPPED
from station.cli.app import app
from station.core.errors import RecordError, StationError
from station.core.records import RecordFilter
from station.core.settings import load_settings
from station.offline.upkeep.backup import restore as restoring
from station.offline.upkeep.backup.contents import open_backup, own_bundles
from station.offline.upkeep.backup.last import LAST, last_backup
from station.offline.upkeep.backup.restore import restore
from station.records import copying, opening, reading, schema, tellings
from station.records.copying import copy_database, held_still
from station.records.folder import claim
from station.records.query import list_records, show_record
from station.records.schema import VERSIONS
from tests.bundles import GREYS, make_grey_bundle
from tests.disk import Disk
from tests.file_systems import mounted
from tests.housings import Destination
from tests.record_samples import PART_TYPE, START, judgement, open_ledger, part
from tests.unit.housings import Surface
from tests.unit.test_records_schema import NEWEST, old_database, version_of

DATABASE = "records.sqlite"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def config(tmp_path: Path, data: Path) -> Path:
    """A real line's configuration, which runs the promoted bundle."""
    path = tmp_path / "line.toml"
    shipped = bundled("station.toml").read_text(encoding="utf-8")
    path.write_text(shipped.replace("/var/lib/inspection-station", str(data)), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small bundle in place of the shipped one."""
    folder = make_grey_bundle(tmp_path / "package" / "shipped-1")
    for module in ("models.release.shelf", "station.offline.upkeep.backup.make"):
        monkeypatch.setattr(
            f"{module}.bundle_folder", lambda name: folder if name in (SHIPPED, folder.name) else Path(name)
        )
    return folder


@pytest.fixture
def shelf(tmp_path: Path, data: Path) -> Shelf:
    """One on which new-2 was promoted."""
    shelf = Shelf(data / "models")
    new = make_grey_bundle(tmp_path / "new-2", GREYS | {Surface.DEFECT_FREE: 59})
    shelf.promote(new, None, "a trial", "me@here")
    return shelf


def command(*words: object) -> Result:
    return CliRunner().invoke(app, ["backup", *map(str, words)])


def done(*words: object) -> str:
    """What a command says that must succeed."""
    result = command(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(*words: object) -> StationError:
    """Why a command is refused."""
    error = command(*words).exception
    assert isinstance(error, StationError), error
    return error


def made(config: Path, *more: object) -> Path:
    """A backup."""
    target = config.parent / "backups"
    before = set(target.glob("*"))
    done("make", target, "--config", config, *more)
    (folder,) = set(target.iterdir()) - before
    return folder


def ids(data: Path) -> list[str]:
    """The parts, newest first, as any version of the program reads them."""
    with closing(sqlite3.connect(data / DATABASE)) as database:
        return [row[0] for row in database.execute("SELECT part_id FROM inspections ORDER BY number DESC")]


def record(data: Path, *part_ids: str, close_last: bool = True) -> None:
    """Have a station inspect parts; the last of them may still be in work."""
    asyncio.run(inspected(data, part_ids, close_last))


async def inspected(data: Path, part_ids: tuple[str, ...], close_last: bool) -> None:  # noqa: FBT001
    ledger = await open_ledger(data)
    for part_id in part_ids:
        inspection = await ledger.enter(part(part_id), PART_TYPE)
        if part_id != part_ids[-1] or close_last:
            await ledger.judged(inspection, judgement())
            await ledger.sorted(inspection, Destination.BIN_PITS)
    await ledger.close()


async def made_at_work(data: Path, config: Path) -> Path:
    """A backup that is made between two parts of a station at work."""
    ledger = await open_ledger(data)
    await ledger.enter(part("SMH-0003"), PART_TYPE)
    backup = made(config)
    await ledger.enter(part("SMH-0004"), PART_TYPE)
    await ledger.close()
    return backup


def start(data: Path) -> list[str]:
    """Let a station open its records; the ids of what is in work."""

    async def opened() -> list[str]:
        ledger = await open_ledger(data)
        found = await ledger.open_inspections()
        await ledger.close()
        return [inspection.part.part_id for inspection in found]

    return asyncio.run(opened())


# ---------------------------------------------------------------------- made and restored


def test_what_is_made_while_a_station_writes_is_restored_in_another_folder(
    tmp_path: Path, data: Path, config: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(data, "SMH-0001", "SMH-0002")
    disk = Disk(monkeypatch)
    backup = asyncio.run(made_at_work(data, config))
    assert disk.holds(backup)
    shelf.promote(make_grey_bundle(tmp_path / "newer-3", GREYS | {Surface.PITS: 99}), None, "more", "me@here")
    assert "whole" in done("verify", backup)
    other, line = tmp_path / "other", tmp_path / "etc" / "line.toml"
    done("restore", backup, "--data", other, "--config", line)
    history = other / "models" / "history.jsonl"
    assert disk.holds(other / "records.sqlite", history, history.with_suffix(".head"), line)
    assert ids(other) == ["SMH-0003", "SMH-0002", "SMH-0001"]
    before = show_record(data, list_records(data, RecordFilter(part_id="SMH-0001"), 1)[0].inspection_id)
    assert show_record(other, before["inspection_id"]) == before
    restored = Shelf(other / "models")
    assert [entry.bundle for entry in restored.history()] == ["new-2"]
    assert (restored.open_active().identity.name, restored.doubt()) == ("new-2", None)
    assert line.read_bytes() == config.read_bytes()
    assert ids(data)[0] == "SMH-0004"
    assert Shelf(data / "models").active().name == "newer-3"


def test_a_part_that_was_in_work_then_is_lost_so_that_another_on_the_jig_is_not_taken_for_it(
    tmp_path: Path, data: Path, config: Path
) -> None:
    record(data, "SMH-0001", "SMH-0002", close_last=False)
    backup = made(config)
    assert "1 parts that were in work then are closed as lost" in done("restore", backup, "--data", tmp_path / "other")
    assert start(tmp_path / "other") == []
    lost = show_record(tmp_path / "other", list_records(tmp_path / "other", RecordFilter(), 1)[0].inspection_id)
    assert (lost["state"], lost["verdict"], lost["reason"]) == ("lost", "review", "part.interrupted")
    assert "restored from a backup of 20" in lost["detail"]
    with closing(sqlite3.connect(tmp_path / "other" / DATABASE)) as connection:
        (event,) = connection.execute("SELECT detail FROM events WHERE event = 'records_restored'").fetchone()
    assert backup.name in event


def test_what_is_copied_is_the_database_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PAGES_AT_A_TIME", 1)
    with closing(sqlite3.connect(tmp_path / "at-work", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE rows (row)")
        writer.execute("INSERT INTO rows VALUES (1)")
        with closing(sqlite3.connect(tmp_path / "at-work", isolation_level=None)) as reader, held_still(reader):
            writer.execute("INSERT INTO rows VALUES (2)")
            copy_database(reader, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("SELECT row FROM rows").fetchall() == [(1,)]
    assert not list(tmp_path.glob("copy?*"))


def test_bundles_in_folders_of_their_own_are_saved_each_once_and_their_places_told(
    tmp_path: Path, data: Path, config: Path
) -> None:
    """The bundle of the other types, and one of two types; the general one of the configuration is not there at all."""
    own = make_grey_bundle(tmp_path / "own-4"), make_grey_bundle(tmp_path / "own-5", GREYS | {Surface.PITS: 99})
    head, *types = re.split(r"(?m)^(?=\[part_types\.)", config.read_text(encoding="utf-8"))
    named = [f'{text.rstrip()}\nbundle = "{own[number > 1]}"\n\n' for number, text in enumerate(types)]
    text = head.replace('bundle = "promoted"', 'bundle = "/not/there"') + "".join(named)
    config.write_text(text, encoding="utf-8")
    record(data, "SMH-0001")
    backup = made(config)
    result = done("verify", backup)
    saved = {str(load_bundle(folder).identity): backup / "bundle" / str(load_bundle(folder).identity) for folder in own}
    assert sorted((backup / "bundle").iterdir()) == sorted(saved.values())
    for name, folder in saved.items():
        assert str(load_bundle(folder).identity) == name
        assert f"the configuration names the folder of the bundle {name}; its files are in {folder}" in result


def test_the_one_bundle_of_an_older_backup_is_found_where_it_lay(tmp_path: Path) -> None:
    own = make_grey_bundle(tmp_path / "bundle")
    assert own_bundles(tmp_path) == [own]
    assert own_bundles(tmp_path / "elsewhere") == []


# ---------------------------------------------------------------------- what lay there


def test_a_damaged_database_is_replaced_and_kept(data: Path, config: Path, shelf: Shelf) -> None:
    record(data, "SMH-0001")
    backup = made(config)
    (data / DATABASE).write_bytes(b"no database" * 1000)
    with pytest.raises(RecordError):
        start(data)
    (data / f"{DATABASE}-wal").write_bytes(b"its log")
    history = (data / "models" / "history.jsonl").stat()
    assert f"restored {data / DATABASE}; what lay there is in " in done("restore", backup, "--only", "database")
    record(data, "SMH-0002")
    assert ids(data) == ["SMH-0002", "SMH-0001"]
    (aside,) = data.glob("before-restore-*")
    assert (aside / DATABASE).read_bytes() == b"no database" * 1000
    assert (aside / f"{DATABASE}-wal").read_bytes() == b"its log"
    assert (data / "models" / "history.jsonl").stat() == history
    assert shelf.active().name == "new-2"


def test_what_lay_in_the_log_of_a_database_that_is_replaced_is_kept_in_it(data: Path, config: Path) -> None:
    record(data, "SMH-0001")
    backup = made(config)
    record(data, "SMH-0002")
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        connection.execute("INSERT INTO events (at, event, detail) VALUES ('', 'in_the_log', '')")
        connection.commit()
        for name in (DATABASE, f"{DATABASE}-wal"):
            shutil.copyfile(data / name, config.parent / name)
    for name in (DATABASE, f"{DATABASE}-wal"):
        shutil.copyfile(config.parent / name, data / name)
    assert (data / f"{DATABASE}-wal").stat().st_size
    done("restore", backup)
    (aside,) = data.glob("before-restore-*")
    assert ids(aside) == ["SMH-0002", "SMH-0001"]
    with closing(sqlite3.connect(aside / DATABASE)) as connection:
        assert connection.execute("SELECT count(*) FROM events WHERE event = 'in_the_log'").fetchone() == (1,)
    assert ids(data) == ["SMH-0001"]


@pytest.mark.parametrize("harm", ["edited", "gone"])
def test_a_history_that_cannot_be_used_is_restored_alone(
    tmp_path: Path, data: Path, config: Path, shelf: Shelf, harm: str
) -> None:
    record(data, "SMH-0001")
    backup = made(config)
    record(data, "SMH-0002")
    shelf.promote(make_grey_bundle(tmp_path / "newer-3", GREYS | {Surface.PITS: 99}), None, "more", "me@here")
    history = data / "models" / "history.jsonl"
    whole = history.read_bytes()
    history.write_bytes({"edited": whole.replace(b"a trial", b"a fraud"), "gone": b""}[harm])
    with pytest.raises(StationError):
        shelf.history()
    done("restore", backup, "--only", "models")
    assert (shelf.active().name, [path.name[:5] for path in shelf.bundles()]) == ("new-2", ["new-2", "shipp"])
    assert ids(data) == ["SMH-0002", "SMH-0001"]
    (aside,) = (data / "models").glob("before-restore-*")
    assert [path.name[:7] for path in (aside / "bundles").iterdir()] == ["newer-3"]
    shelf.promote(tmp_path / "newer-3", None, "again", "me@here")


def test_a_restore_that_breaks_off_anywhere_loses_nothing_and_is_repeated(
    tmp_path: Path, data: Path, config: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(data, "SMH-0001")
    backup = made(config)
    record(data, "SMH-0002")
    shelf.promote(make_grey_bundle(tmp_path / "newer-3", GREYS | {Surface.PITS: 99}), None, "more", "me@here")
    found = open_backup(backup)
    for last in range(200):
        folder = tmp_path / f"broken-{last}"
        shutil.copytree(data, folder)
        broken = None
        with monkeypatch.context() as patched, counted(patched, last):
            try:
                restore(found, found.pieces, folder, Shelf(folder / "models"), None, START, Path.touch)
            except StationError as error:
                broken = error
        assert ids(folder) in (["SMH-0002", "SMH-0001"], ["SMH-0001"])
        if broken is None:
            break
        assert still_as_promoted(folder) in ("newer-3", "new-2", "refused")
        restore(found, found.pieces, folder, Shelf(folder / "models"), None, START, Path.touch)
        assert (ids(folder), still_as_promoted(folder)) == (["SMH-0001"], "new-2")
        shutil.rmtree(folder)
    assert last > 20, "too little broke off"


def still_as_promoted(data: Path) -> str:
    try:
        return Shelf(data / "models").open_active().identity.name
    except StationError:
        return "refused"


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, last: int) -> Iterator[None]:
    """Let every step after so many fail as on a disk that has failed."""
    left = [last]
    for owner, name in ((os, "link"), (os, "fsync"), (Path, "replace"), (Path, "rename"), (Path, "mkdir")):

        def limited(*args: object, _true: object = getattr(owner, name), **kwargs: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(5, "Input/output error")
            return _true(*args, **kwargs)  # type: ignore[operator]

        monkeypatch.setattr(owner, name, limited)
    yield


# ---------------------------------------------------------------------- refused


def test_nothing_is_restored_under_a_station_at_work(data: Path, config: Path) -> None:
    record(data, "SMH-0001")
    backup = made(config)
    record(data, "SMH-0002")
    held = claim(data)
    assert refused("restore", backup).code == "record.in_use"
    os.close(held)
    assert ids(data) == ["SMH-0002", "SMH-0001"]


def test_a_backup_that_is_not_as_it_was_made_is_refused(data: Path, config: Path, shelf: Shelf) -> None:
    record(data, "SMH-0001")
    backup = made(config)
    for name, harm, told in (
        ("records.sqlite", flip, "was changed"),
        ("models/history.head", lambda file: file.write_bytes(file.read_bytes()[:-1]), "was changed"),
        ("configuration.toml", lambda file: file.unlink(), "is missing"),
        ("models/bundles/more", lambda file: file.touch(), "was not there when the backup was made"),
        ("models/history.jsonl", lambda file: (file.unlink(), file.symlink_to("/nowhere")), "No such file"),
    ):
        spoilt = config.parent / "spoilt"
        shutil.copytree(backup, spoilt)
        harm(spoilt / name)
        error = refused("restore", spoilt, "--data", config.parent / "other")
        assert error.code in ("backup.altered", "backup.unreadable")
        assert told in error.detail
        assert not (config.parent / "other").exists()
        shutil.rmtree(spoilt)


def flip(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("manifest", [None, "", "{}", '{"format": 2}'])
def test_a_folder_that_is_no_backup_is_refused(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    assert refused("verify", tmp_path).code == "backup.unreadable"


def test_a_data_folder_without_a_database_has_nothing_to_save(config: Path) -> None:
    assert refused("make", config.parent / "backups", "--config", config).code == "record.unknown"
    assert not list((config.parent / "backups").iterdir())


def test_a_backup_that_cannot_be_written_leaves_nothing(data: Path, config: Path) -> None:
    record(data, "SMH-0001")
    taken = config.parent / "taken"
    taken.touch()
    error = refused("make", taken, "--config", config)
    assert (error.code, str(taken) in error.detail) == ("backup.not_written", True)


def test_a_full_disk_costs_neither_the_backup_that_is_there_nor_the_records(
    tmp_path: Path, data: Path, config: Path
) -> None:
    with mounted(tmp_path / "small", "-o", "size=600k") as small:
        record(data, "SMH-0001")
        backup = small / made(config).name
        shutil.move(config.parent / "backups" / backup.name, backup)
        shutil.copytree(data, small / "data")
        (small / "filler").write_bytes(bytes(4096))
        with suppress(OSError), (small / "filler").open("ab", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass
        assert refused("make", small, "--config", config).code == "backup.not_written"
        assert refused("restore", backup, "--data", small / "data").code in ("backup.not_written", "record.disk_failed")
        assert sorted(path.name for path in small.iterdir()) == [backup.name, "data", "filler"]
        assert ids(small / "data") == ["SMH-0001"]
        (small / "filler").unlink()
        assert "whole" in done("verify", backup)


def test_a_history_that_cannot_be_used_is_not_saved(data: Path, config: Path, shelf: Shelf) -> None:
    record(data, "SMH-0001")
    (data / "models" / "history.head").write_text('{"lines": 9, "sha256": null}')
    assert refused("make", config.parent / "backups", "--config", config).code == "model.bad_history"
    assert not list((config.parent / "backups").iterdir())


def test_a_rehearsal_in_another_folder_never_touches_models_that_lie_apart(
    tmp_path: Path, data: Path, config: Path
) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[model]\n", f'[model]\nmodels_dir = "{tmp_path}/apart"\n'), encoding="utf-8")
    shelf = Shelf(tmp_path / "apart")
    shelf.promote(make_grey_bundle(tmp_path / "new-2"), None, "a trial", "me@here")
    record(data, "SMH-0001")
    backup = made(config)
    shelf.roll_back(None, "overkill", "me@here")
    error = refused("restore", backup, "--data", tmp_path / "other")
    assert (error.code, f"{tmp_path}/apart" in error.detail) == ("config.invalid", True)
    done("restore", backup, "--data", tmp_path / "other", "--models", tmp_path / "tried")
    assert Shelf(tmp_path / "tried").active().name == "new-2"
    assert shelf.active().name == "shipped-1"
    done("restore", backup)
    assert shelf.active().name == "new-2"


# ---------------------------------------------------------------------- upgrade, and the way back


@contextmanager
def version_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program as it was one version of the database ago."""
    with monkeypatch.context() as patched:
        for module in (schema, opening, reading):
            patched.setattr(module, "VERSIONS", VERSIONS[:-1])
        patched.setattr(tellings, "give_up", lambda *_: 0)  # it had no tellings
        yield


def test_the_version_before_goes_on_with_what_was_saved_before_the_upgrade(
    tmp_path: Path, data: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir()
    old_database(data, NEWEST - 1)
    with version_before(monkeypatch):
        before = ids(data)
        backup = made(config)
    saved = config.read_bytes()
    config.write_text(config.read_text(encoding="utf-8") + "\n[new_section]\nkey = 1\n", encoding="utf-8")
    record(data, "SMH-0009")  # upgraded
    assert version_of(data / DATABASE) == NEWEST
    with version_before(monkeypatch):
        with pytest.raises(RecordError) as caught:
            start(data)
        assert caught.value.code == "record.newer_schema"
        assert "station backup restore" in caught.value.fault.text
        done("restore", backup, "--config", config)
        assert version_of(data / DATABASE) == NEWEST - 1
        assert start(data) == []
        assert ids(data) == before
    assert config.read_bytes() == saved
    load_settings(config)
    (kept,) = tmp_path.glob("line.toml.before-restore-*")
    assert b"new_section" in kept.read_bytes()
    (aside,) = data.glob("before-restore-*")
    assert ids(aside)[0] == "SMH-0009"


def test_a_newer_version_restores_what_an_older_one_saved(
    data: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir()
    old_database(data, NEWEST - 1)
    with version_before(monkeypatch):
        backup = made(config)
        before = ids(data)
    done("restore", backup)
    assert (version_of(data / DATABASE), ids(data)) == (NEWEST, before)


def test_the_older_version_refuses_what_a_newer_one_saved(
    data: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(data, "SMH-0001")
    backup = made(config)
    with version_before(monkeypatch):
        assert refused("restore", backup).code == "record.newer_schema"
    assert ids(data) == ["SMH-0001"]


def test_what_differs_from_the_version_that_made_a_backup_is_said(data: Path, config: Path) -> None:
    record(data, "SMH-0001")
    backup = made(config)
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["made_by"] = "0.0.9"
    manifest["map_versions"]["plc"] = 7
    (backup / "manifest.json").write_text(json.dumps(manifest))
    said = done("verify", backup)
    assert "made by version 0.0.9" in said
    assert "the register map plc was version 7, this program has 1: what talks to it must fit it" in said


def test_files_of_root_are_given_to_whom_the_folder_belongs(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("only root can give files away")
    tmp_path.joinpath("file").touch()
    os.chown(tmp_path, 12345, 23456)
    restoring._belong(tmp_path / "file", tmp_path)
    assert ((tmp_path / "file").stat().st_uid, (tmp_path / "file").stat().st_gid) == (12345, 23456)


def test_a_backup_that_is_made_is_noted_where_the_page_looks(data: Path, config: Path) -> None:
    record(data, "SMH-0001")
    folder = made(config)
    noted = last_backup(data)
    assert noted is not None
    assert noted.folder == str(folder)
    (data / LAST).unlink()
    (data / LAST).mkdir()
    assert "does not tell when it was made" in done("make", config.parent / "more", "--config", config)


def test_where_a_part_lies_is_told_to_no_line_that_may_have_been_told_since(data: Path, config: Path) -> None:
    record(data, "SMH-0001")
    assert untold(data) == ["SMH-0001"]
    backup = made(config)
    done("restore", backup)
    assert untold(data) == []


def untold(data: Path) -> list[str]:
    """Parts of whose place a station that begins would tell the line."""

    async def asked() -> list[str]:
        ledger = await open_ledger(data)
        try:
            return [one.inspection.part.part_id for one in await ledger.untold()]
        finally:
            await ledger.close()

    return asyncio.run(asked())
