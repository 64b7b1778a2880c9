"""System: the devices, the disk, rights, versions, how the light drifts, the last warnings, the configuration."""

import asyncio
from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from station.core.drift.course import drift_row
from station.core.errors import RecordError
from station.core.records import JsonObject, RecordFilter
from station.page import health
from station.page.chart import HEIGHT, WIDTH, Course
from station.page.desk import PageDesk
from station.page.findings import listed, reason_text
from station.page.guard import Entry, Visit
from station.page.paint import painted
from station.page.roles import WHO_MAINTAIN

PARTS_LOOKED_AT = 2000
NEWEST = 20
"""Among so many parts the one is looked for that was judged last."""


async def show_system(visit: Visit) -> Response:
    """The screen.

    Raises:
        RecordError: The records cannot be read.
    """
    seen = await asyncio.to_thread(_seen, visit.desk)
    devices = health.devices(visit.desk.settings, visit.desk.follower)
    return painted(visit, "system", devices=devices, width=WIDTH, height=HEIGHT, reason_text=reason_text, **seen)


ENTRIES = (Entry("/system", "GET", WHO_MAINTAIN, show_system),)


def courses(rows: Iterable[JsonObject]) -> list[Course]:
    """How the parts of each type were lit, of rows the newest first."""
    by_type: dict[str, list[JsonObject]] = {}
    for row in rows:
        by_type.setdefault(row["part_type"], []).insert(0, row)
    return [
        Course(name, of[0]["entered_at"], of[-1]["entered_at"], [row["level"] for row in of])
        for name, of in sorted(by_type.items())
    ]


def _seen(desk: PageDesk) -> dict[str, Any]:
    """What is read from files. Blocks."""
    return {
        "backup": health.backup(desk.folder, desk.settings, desk.clock.now()),
        "drifts": _drifts(desk),
        "disk": health.disk(desk.folder, desk.settings),
        "rights": health.rights(desk.folder),
        "versions": health.versions(),
        "warnings": health.last_warnings(desk.folder),
        "courses": courses(_light(desk)),
        "reference": desk.settings.light.reference,
        "configuration": desk.settings.model_dump_json(indent=2),
        "sha256": desk.settings.sha256,
        "judged_by": _judged_by(desk),
    }


def _light(desk: PageDesk) -> list[JsonObject]:
    try:
        return desk.records.light(PARTS_LOOKED_AT)
    except RecordError as error:
        if error.code == "record.unknown":
            return []
        raise


def _drifts(desk: PageDesk) -> dict[str, JsonObject]:
    """What the parts of each type have come to, as those who watch the station are told."""
    try:
        return {name: drift_row(drift) for name, drift in sorted(desk.records.drifts().items())}
    except RecordError as error:
        if error.code == "record.unknown":
            return {}
        raise


def _judged_by(desk: PageDesk) -> str | None:
    """The hash of the configuration that the newest part was judged by, or None."""
    newest = (row for row in listed(desk.records, RecordFilter(), NEWEST) if row.verdict)
    hashes = (desk.records.record(row.inspection_id)["config_sha256"] for row in newest)
    return next((sha256 for sha256 in hashes if sha256), None)
