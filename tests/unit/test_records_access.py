"""Who may read the records, and who may keep a station from them: nobody but their owner and its group."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from station.core.errors import RecordError
from station.core.log_file import LogFile
from station.records.folder import LOCK, claim
from tests.housings import TABLE, Destination
from tests.other_users import MEMBERS, as_another, needs_root
from tests.record_samples import PART_TYPE, blocks_of, judgement, open_ledger, part

LOCKING = """
import fcntl, sys
from tests.housings import Destination, TABLE, Verdict
from tests.housings import Destination, TABLE, Verdict
file = open(sys.argv[1])
fcntl.flock(file, fcntl.LOCK_SH)
print("locked", flush=True)
sys.stdin.read()
"""
TRY = """
for path in sys.argv[1:]:
    try:
        os.open(path, os.O_RDONLY)
        print("opened", path)
    except PermissionError:
        print("refused", path)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place that other users of the computer can reach, where files are everybody's by default."""
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="station-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): oct(path.stat().st_mode & 0o777) for path in folder.rglob("*")}


def give_to_members(data: Path) -> None:
    for path in (data, *data.glob("records*")):
        os.chown(path, -1, MEMBERS)


async def recorded(data: Path) -> None:
    ledger = await open_ledger(data, archive=[verdict.name for verdict in TABLE.verdicts])
    inspection = await ledger.enter(part("A"), PART_TYPE)
    lines = np.full((448 * 8, 1600), 100, np.uint8)
    await ledger.judged(inspection, judgement(blocks=blocks_of(lines)))
    await ledger.sorted(inspection, Destination.BIN_PITS)
    with closing(LogFile(data / "logs" / "station.jsonl", 1000, 2)) as log:
        log.take(b"{}\n")
    await ledger.close()


async def test_files_are_their_owners_and_groups_and_the_lock_is_the_owners_alone(folder: Path) -> None:
    await recorded(folder / "data")
    found = modes(folder)
    assert found.pop(f"data/{LOCK}") == "0o600"
    files = {name for name in found if Path(name).suffix}
    assert {Path(name).suffix for name in files} == {".sqlite", ".jsonl", ".png"}
    assert {found[name] for name in files} == {"0o640"}
    assert {mode for name, mode in found.items() if name not in files} == {"0o750"}


READER = """from station.core.records import RecordFilter
from station.records.query import list_records"""
LIST = """
print([row.part_id for row in list_records(Path(sys.argv[1]), RecordFilter(), 10)])
"""


@needs_root
async def test_a_member_of_the_group_reads_the_records_while_the_station_writes_them(folder: Path) -> None:
    data = folder / "data"
    ledger = await open_ledger(data)
    await ledger.enter(part("A"), PART_TYPE)
    give_to_members(data)  # as a station that runs in this group makes them
    listing = as_another(LIST, data, groups=(MEMBERS,), first=READER)
    assert (await asyncio.to_thread(listing.communicate))[0] == "['A']\n"
    await ledger.close()


@needs_root
async def test_what_an_older_version_left_open_to_everybody_is_closed(folder: Path) -> None:
    await recorded(folder / "data")
    for path in [folder / "data", *(folder / "data").rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    os.close(claim(folder / "data"))
    reached = [path for path in (folder / "data").rglob("*") if path.is_file()]
    said = as_another(TRY, *reached).communicate()[0].splitlines()
    assert said == [f"refused {path}" for path in reached]


def test_who_holds_a_lock_is_told_by_the_kernel_and_not_by_the_file(tmp_path: Path) -> None:
    os.close(claim(tmp_path))
    locking = [sys.executable, "-c", LOCKING, str(tmp_path / LOCK)]
    with subprocess.Popen(locking, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(RecordError) as caught:
            claim(tmp_path)
        holder.communicate("")
    assert caught.value.code == "record.in_use"
    assert f"process {holder.pid} (python" in caught.value.detail
