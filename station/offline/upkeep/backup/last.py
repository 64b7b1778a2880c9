"""When the last backup of a data folder was made, and where: noted in the folder, so that its age can be seen."""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from station.core.durable import write_whole
from station.core.errors import BackupError
from station.core.section import Section
from station.offline.upkeep.backup.contents import Backup

LAST = "last-backup.json"
MODE = 0o640


class LastBackup(Section):
    """The backup that was made last."""

    folder: Annotated[str, Field(min_length=1, description="Where it was made.")]
    made_at: Annotated[datetime, Field(description="When, UTC.")]


def note(backup: Backup, data: Path) -> None:
    """Note that a backup was made.

    Args:
        backup: The backup.
        data: The data folder that it is of.

    Raises:
        BackupError: `backup.not_noted`: the backup is whole; its age will not be seen.
    """
    last, place = LastBackup(folder=str(backup.folder.absolute()), made_at=backup.manifest.made_at), data / LAST
    try:
        write_whole(place, last.model_dump_json().encode())
        place.chmod(MODE)
        owner = data.stat()
        with suppress(PermissionError):
            os.chown(place, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise BackupError("backup.not_noted", f"{place}: {error.strerror}") from error


def last_backup(data: Path) -> LastBackup | None:
    """The last backup of a data folder; None where none was made, or none was noted.

    Raises:
        BackupError: `backup.not_noted`: the note cannot be read.
    """
    place = data / LAST
    try:
        return LastBackup.model_validate_json(place.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BackupError("backup.not_noted", f"{place}: {error.strerror}") from error
    except ValidationError as error:
        raise BackupError("backup.not_noted", f"{place} is no note of a backup") from error
