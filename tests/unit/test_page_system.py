"""The system on the page: devices, disk, the course of the light, the log's last warnings, the configuration."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from station.core.light import Light
from station.page.chart import HEIGHT, Course
from station.page.roles import Role
from station.page.system import courses
from station.records.reader import SqliteReader
from tests.page_bench import page_settings, paged
from tests.page_parts import Inspected
from tests.record_samples import PART_TYPE, TABLE, HandClock, judgement, open_ledger, part


async def test_the_light_of_every_part_is_read_and_drawn_in_its_order(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await open_ledger(tmp_path, clock)
    for number, level in enumerate((100.0, None, 50.0, 0.0)):
        light = None if level is None else Light(level, 1.0)
        await ledger.judged(
            await ledger.enter(part(f"P{number}", number + 1), PART_TYPE), replace(judgement(), light=light)
        )
        clock.advance(seconds=10)
    await ledger.close()
    rows = SqliteReader(tmp_path, TABLE).light(10)
    assert [row["level"] for row in rows] == [0.0, 50.0, 100.0]
    assert len(SqliteReader(tmp_path, TABLE).light(2)) == 2
    [course] = courses(rows)
    assert (course.name, list(course.values)) == (PART_TYPE.name, [100.0, 50.0, 0.0])
    assert course.first < course.last
    points = [tuple(map(float, point.split(","))) for point in course.points.split()]
    assert [x for x, _y in points] == [0.0, 500.0, 1000.0]
    assert [y for _x, y in points] == sorted(y for _x, y in points), "what fades goes down"
    assert points[-1][1] == HEIGHT


def test_one_dark_part_is_a_course_as_well() -> None:
    assert Course("A", "", "", [0.0]).points == f"0.0,{HEIGHT:.1f}"


async def test_the_screen_shows_the_configuration_the_disk_and_what_the_log_warns_of(tmp_path: Path) -> None:
    inspected = await asyncio.to_thread(Inspected.at, tmp_path / "data")
    lines = [
        {"event": "model_loaded", "level": "info", "timestamp": "1"},
        {"event": "camera_lost", "level": "warning", "timestamp": "2", "detail": "<b>no cable</b>"},
    ]
    log = inspected.folder / "logs" / "station.jsonl"
    log.parent.mkdir(exist_ok=True)
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "half a li", encoding="utf-8")
    settings = page_settings()
    async with (
        paged(inspected.folder, configuration=settings) as bench,
        bench.browser(bench.admit(Role.MAINTENANCE)) as browser,
    ):
        text = (await browser.get("/system")).text
    assert "camera_lost" in text
    assert "&lt;b&gt;no cable" in text
    assert "model_loaded" not in text
    assert "records.sqlite" in text
    assert f"{settings.robot.link.host}:" in text
    assert "The station is not heard." in text
    assert settings.sha256[:12] in text
    assert "judged by another configuration" in text, "the samples are of another"


async def test_a_part_shows_what_happened_in_the_cell_meanwhile(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await open_ledger(tmp_path, clock)
    await ledger.note("state_changed", "IDLE STARTING")
    clock.advance(seconds=10)
    inspection = await ledger.enter(part("A"), PART_TYPE)
    clock.advance(seconds=1)
    await ledger.note("hand_taken", "Ada for 600 s: the <belt>")
    clock.advance(seconds=1)
    await ledger.judged(inspection, judgement())
    clock.advance(seconds=10)
    await ledger.note("state_changed", "EXECUTE STOPPING")
    await ledger.close()
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.OPERATOR)) as browser:
        text = (await browser.get(f"/parts/{inspection.inspection_id}")).text
    assert "Ada for 600 s: the &lt;belt&gt;" in text
    assert "IDLE STARTING" not in text
    assert "EXECUTE STOPPING" not in text
