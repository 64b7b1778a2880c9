"""Puts a backup in place of what lies there, which is kept beside it.

A restored database is of an earlier hour than the cell: the parts that were in work then have long gone, and another
may lie on the jig now. So they are closed as lost, and a part that the cell finds is one that nobody knows, for someone
to take out. Order numbers need no care: the station goes on after those that the devices had last.

Labels are the exception: they are facts that are only added, so those of the backup are added to what lies there, and
nothing that was said since is lost. Of the operator page's database the people are those of then; who was signed in has
to sign in again, and programs need new tokens.

Every file is replaced whole. A restore that is interrupted leaves the station as it was, or one that refuses to start,
and is repeated.
"""

import os
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from models.errors import LabelError
from models.release.history import HEAD, HISTORY
from models.release.shelf import BUNDLES, REPORTS, VERDICTS, Shelf
from models.release.shelf import LOCK as SHELF_LOCK
from station.core.durable import make_folder, move, staged_file, staged_folder, sync, write_whole
from station.core.errors import FAULTS, BackupError
from station.core.moments import stamp
from station.labels.picking.draws import Draws
from station.labels.sqlite import SqliteLabels
from station.offline.upkeep.backup import Piece
from station.offline.upkeep.backup.contents import CONFIGURATION, LABELS, MODELS, Backup, demand_models
from station.offline.upkeep.backup.page import PAGE, Ready, restore_page
from station.records import store, tellings
from station.records.database import DATABASE
from station.records.folder import FILE_MODE, FOLDER_MODE, LOCK, claim
from station.records.opening import connect
from station.records.schema import migrate, read_version
from station.records.trouble import translated

LOGS = (f"{DATABASE}-wal", f"{DATABASE}-shm")


def restore(
    backup: Backup,
    pieces: Collection[Piece],
    data: Path,
    shelf: Shelf,
    configuration: Path | None,
    now: datetime,
    page_ready: Ready,
) -> list[str]:
    """Put the wanted pieces of a backup in place, and say what lies where.

    Args:
        backup: The backup.
        pieces: Which of its pieces.
        data: The data folder; no station may be at work in it.
        shelf: Where the models go.
        configuration: Where the configuration goes; None to leave it in the backup.
        now: The date; it names the folder in which what lay there is kept.
        page_ready: Makes a database of the operator page one that may be used.

    Raises:
        BackupError: The backup has no such piece, or it cannot be written.
        RecordError: A station is at work in the data folder, or the disk failed.
        LabelError: The labels cannot be written.
        PageError: The page's database cannot be used or written.
        ModelError: What lies in place of the models cannot be moved away.
    """
    if missing := sorted(set(pieces) - set(backup.pieces)):
        raise BackupError("backup.not_written", f"{backup.folder} holds no {missing[0]}")
    said: list[str] = []
    with _claimed(data), _told(data):
        aside = _free_name(f"before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}", data, shelf.folder)
        if Piece.MODELS in pieces:
            said.append(_restore_models(backup, shelf, shelf.folder / aside))
        if Piece.DATABASE in pieces:
            said.append(_restore_database(backup, data, data / aside, now))
        if Piece.LABELS in pieces:
            said.append(_restore_labels(backup, data, data / aside))
        if Piece.PAGE in pieces:
            restore_page(backup.folder, data, data / aside, page_ready, _belong)
            said.append(f"{data / PAGE}{_kept(data / aside / PAGE)}")
        if Piece.CONFIGURATION in pieces and configuration is not None:
            said.append(_restore_configuration(backup, configuration, aside))
    return said


def _free_name(name: str, *folders: Path) -> str:
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(one for one in names if not any((folder / one).exists() for folder in folders))


@contextmanager
def _claimed(data: Path) -> Iterator[None]:
    with translated(data):
        make_folder(data, FOLDER_MODE)
        descriptor = claim(data)
        _belong(data / LOCK, data)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _told(data: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupError("backup.not_written", f"{error.filename or data}: {error.strerror or error}") from error


# ---------------------------------------------------------------------- database


def _restore_database(backup: Backup, data: Path, aside: Path, now: datetime) -> str:
    path, staged = data / DATABASE, data / f".{DATABASE}.restored"
    with staged_file(path, staged, FILE_MODE):
        shutil.copyfile(backup.folder / DATABASE, staged)
        with translated(staged):
            lost = _bring_to_rest(staged, backup, now)
        _belong(staged, data)
        sync(staged)  # before anything that lies there is touched
        _keep_database(path, aside)
    parts = f"; {lost} parts that were in work then are closed as lost" if lost else ""
    return f"{path}{_kept(aside / DATABASE)}{parts}"


def _bring_to_rest(staged: Path, backup: Backup, now: datetime) -> int:
    """Make it a database of the newest version in which nothing is in work; how many inspections were."""
    detail = f"the records were restored from a backup of {stamp(backup.manifest.made_at)}"
    with closing(connect(staged)) as connection:
        migrate(connection, read_version(connection, staged))
        connection.execute("BEGIN IMMEDIATE")
        unfinished = store.unfinished(connection)
        for inspection in unfinished:
            store.close_lost(connection, inspection, FAULTS["part.interrupted"], detail, now)
        tellings.give_up(connection, now)  # the line may have been told since, and would count them twice
        store.note(connection, "records_restored", f"{backup.folder.name}: {detail}", now)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")
    return len(unfinished)


def _keep_database(path: Path, aside: Path) -> None:
    """Keep what lies there. Its log goes first: a log beside another database would be brought into that one."""
    logs = [log for log in (path.with_name(name) for name in LOGS) if log.exists()]
    if not path.exists() and not logs:
        return
    make_folder(aside)
    for log in logs:
        shutil.copyfile(log, aside / log.name)
    if path.exists():
        os.link(path, aside / path.name)
        if _bring_log_in(path):
            for log in logs:
                (aside / log.name).unlink()
    for file in (*aside.iterdir(), aside):
        sync(file)
    for log in logs:
        log.unlink(missing_ok=True)
    sync(path.parent)


def _bring_log_in(path: Path) -> bool:
    """Whether all that the log holds is in the database's own file now; not where that is damaged."""
    with suppress(sqlite3.Error), closing(connect(path)) as connection:
        busy, _pages, _brought = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    return False


# ---------------------------------------------------------------------- labels


def _restore_labels(backup: Backup, data: Path, aside: Path) -> str:
    saved, drawn = SqliteLabels(backup.folder).labels(), Draws(backup.folder).all()
    there, path = SqliteLabels(data), data / LABELS
    try:
        there.labels()
    except LabelError as error:
        if error.code != "label.database_damaged":
            raise
        make_folder(aside)
        for file in (path.with_name(f"{LABELS}{ending}") for ending in ("", "-wal", "-shm")):
            if file.exists():
                move(file, aside / file.name)
    Draws(data).add(drawn)
    return f"{path}: {there.add(saved)} labels, beside those that are there{_kept(aside / LABELS)}"


# ---------------------------------------------------------------------- models


def _restore_models(backup: Backup, shelf: Shelf, aside: Path) -> str:
    source, folder = backup.folder / MODELS, shelf.folder
    with shelf.at_rest():
        _belong(folder / SHELF_LOCK, folder)
        _keep_models(folder, source, aside)
        for name in (BUNDLES, REPORTS, VERDICTS):
            for wanted in sorted((source / name).glob("*")):
                _put(wanted, folder / name / wanted.name)
        for name in (HISTORY, HEAD):  # the head last: until then the history is refused
            if (source / name).is_file():
                write_whole(folder / name, (source / name).read_bytes())
                _belong(folder / name, folder)
        demand_models(shelf)
    return f"{folder}{_kept(aside)}"


def _keep_models(folder: Path, source: Path, aside: Path) -> None:
    """Move aside what is not in the backup or differs from it; of the history a copy, so that it is always there."""
    for name in (BUNDLES, REPORTS, VERDICTS):
        for found in sorted((folder / name).glob("*")):
            if not _alike(found, source / name / found.name):
                make_folder(aside / name)
                move(found, aside / name / found.name)
    for name in (HISTORY, HEAD):
        old, new = folder / name, source / name
        if old.is_file() and not _alike(old, new):
            make_folder(aside)
            write_whole(aside / name, old.read_bytes())
            if not new.exists():
                old.unlink()


def _put(source: Path, place: Path) -> None:
    """Copy a file or a bundle to its place, whole; what is there already is alike."""
    if place.exists():
        return
    staged = place.with_name(f".{place.name}.restored")
    make_folder(place.parent)
    _belong(place.parent, place.parent.parent)
    if source.is_dir():
        with staged_folder(place, staged):
            shutil.copytree(source, staged, dirs_exist_ok=True)
            for path in (*staged.rglob("*"), staged):
                _belong(path, place.parent.parent)
    else:
        with staged_file(place, staged):
            shutil.copyfile(source, staged)
            _belong(staged, place.parent.parent)


def _alike(one: Path, other: Path) -> bool:
    if one.is_dir() and other.is_dir():
        names = {path.name for path in one.iterdir()}
        return names == {path.name for path in other.iterdir()} and all(
            _alike(one / name, other / name) for name in names
        )
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


# ---------------------------------------------------------------------- configuration


def _restore_configuration(backup: Backup, place: Path, aside: str) -> str:
    content = (backup.folder / CONFIGURATION).read_bytes()
    kept = place.with_name(f"{place.name}.{aside}")
    if place.exists() and place.read_bytes() != content:
        shutil.copyfile(place, kept)
        sync(kept)
    make_folder(place.parent)
    write_whole(place, content)
    return f"{place}{_kept(kept)}"


def _kept(aside: Path) -> str:
    return f"; what lay there is in {aside}" if aside.exists() else ""


def _belong(path: Path, folder: Path) -> None:
    """Have a file belong to whom its folder does: what root restores the station must be able to use."""
    owner = folder.stat()
    with suppress(PermissionError):
        os.chown(path, owner.st_uid, owner.st_gid)
