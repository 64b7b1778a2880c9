"""How old the last backup is: noted with every backup, told on the page, and a reason to see to it when it is old."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from station.core.errors import BackupError
from station.offline.upkeep.backup.contents import Backup, Manifest
from station.offline.upkeep.backup.last import LAST, last_backup, note
from station.page.health import Saved, backup
from station.page.roles import Role
from tests.page_bench import page_settings, paged

MADE = datetime(2026, 5, 1, 6, tzinfo=UTC)
WEEK = page_settings(backup_days=7)


def made(folder: Path) -> Backup:
    """A backup that was made there."""
    folder.mkdir()
    manifest = Manifest(station="a cell", made_at=MADE, made_by="1", database_version=7, map_versions={}, files={})
    return Backup(folder, manifest)


def test_a_backup_is_noted_in_the_data_folder(tmp_path: Path) -> None:
    assert last_backup(tmp_path) is None
    note(made(tmp_path / "backup"), tmp_path)
    found = last_backup(tmp_path)
    assert found is not None
    assert (found.made_at, found.folder) == (MADE, str(tmp_path / "backup"))
    assert (tmp_path / LAST).stat().st_mode & 0o777 == 0o640


def test_a_folder_that_takes_no_note_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="last-backup") as refused:
        note(made(tmp_path / "backup"), tmp_path / "gone")
    assert refused.value.code == "backup.not_noted"


@pytest.mark.parametrize(("age", "amiss"), [(0, False), (6, False), (7, True), (400, True)])
def test_an_old_backup_is_amiss(tmp_path: Path, age: int, amiss: bool) -> None:  # noqa: FBT001
    note(made(tmp_path / "backup"), tmp_path)
    now = MADE + timedelta(days=age, hours=1)
    found = backup(tmp_path, WEEK, now)
    assert (found.days, found.there, found.amiss) == (age, True, amiss)
    assert not backup(tmp_path, page_settings(backup_days=0), now).amiss


def test_none_is_amiss_and_one_that_is_gone_is_told_apart(tmp_path: Path) -> None:
    assert backup(tmp_path, WEEK, MADE) == Saved(amiss=True)
    assert not backup(tmp_path, page_settings(backup_days=0), MADE).amiss
    note(made(tmp_path / "backup"), tmp_path)
    (tmp_path / "backup").rmdir()
    assert not backup(tmp_path, WEEK, MADE).there


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"folder": "x", "made_at": "then"}', "\x00"])
async def test_a_note_that_is_none_is_told_on_the_page(tmp_path: Path, content: str) -> None:
    (tmp_path / LAST).write_text(content, encoding="utf-8")
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.MAINTENANCE)) as browser:
        answer = await browser.get("/system")
    assert (answer.status_code, "is no note of a backup" in answer.text) == (200, True)


async def test_the_page_tells_the_age_and_how_to_make_one(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.MAINTENANCE)) as browser:
        assert "station backup make" in (await browser.get("/system")).text
        note(made(tmp_path / "backup"), tmp_path)
        text = (await browser.get("/system")).text
    assert "2026-05-01 06:00:00" in text
    assert str(tmp_path / "backup") in text
