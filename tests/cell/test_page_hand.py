"""The hand from a browser: by role, with a reason, in the audit; over with the session and with the page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from station.cell.packml import State
from station.core.errors import FAULTS
from station.page.hands import SIGNED_OUT
from station.page.roles import Role
from tests.cell.bench import Bench, listening, running, until
from tests.page_bench import PageBench, paged

at_work = partial(running, within_s=100.0)
WISH = {"why": "the belt was  changed", "minutes": 15}


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Bench, PageBench]]:
    async with at_work() as cell, listening(cell.desk, folder), paged(folder) as bench:
        yield cell, bench


def deeds(bench: PageBench, *names: str) -> list[tuple[str, str, str]]:
    """What is in the audit of these, the oldest first."""
    rows = reversed(bench.served.desk.doors.audit.rows(100))
    return [(row.who, row.what, row.detail) for row in rows if row.what in names]


async def says(browser: httpx.AsyncClient, command: str) -> tuple[int, str]:
    answer = await browser.post("/command", json={"command": command})
    return answer.status_code, answer.json().get("refused", "")


async def test_an_operator_stops_at_once_and_is_told_why_nothing_else(tmp_path: Path) -> None:
    async with served(tmp_path) as (cell, bench), bench.browser(bench.admit(Role.OPERATOR, "Olga")) as browser:
        await cell.start()
        assert await says(browser, "hold") == (409, f"{FAULTS['hand.needed'].text} (hold)")
        assert (await browser.post("/hand", json=WISH)).status_code == 403
        assert await says(browser, "stop") == (200, "")
        await cell.desk.reached(State.STOPPED)
        status, why = await says(browser, "stop")
        assert status == 422
        assert "STOP in STOPPED" in why
        assert [one[:2] for one in deeds(bench, "commanded")] == [("Olga", "commanded")] * 2
        assert (await says(browser, "jump"))[0] == 422


async def test_who_has_the_hand_commands_until_the_session_is_over(tmp_path: Path) -> None:
    async with served(tmp_path) as (cell, bench):
        async with bench.browser(bench.admit(Role.MAINTENANCE, "Max")) as browser:
            for bad in ({**WISH, "why": " "}, {**WISH, "minutes": 7}, {**WISH, "why": "x" * 201}, {**WISH, "why": 3}):
                assert (await browser.post("/hand", json=bad)).status_code == 422
            assert (await browser.post("/hand", json=WISH)).status_code == 200
            other = bench.browser(bench.admit(Role.ENGINEER, "Eve"))
            async with other:
                taken = await other.post("/hand", json=WISH)
                assert taken.status_code == 409
                assert "Max" in taken.json()["refused"]
                assert (await says(other, "reset"))[0] == 409
                await other.post("/hand/back")
            assert await says(browser, "reset") == (200, "")
            await cell.desk.reached(State.IDLE)
            assert await says(browser, "stop") == (200, ""), "and keeps the hand"
            await cell.desk.reached(State.STOPPED)
            assert await says(browser, "reset") == (200, "")
            await cell.desk.reached(State.IDLE)
            await browser.post("/sign-out")
        await until(lambda: deeds(bench, "hand_ended"))
        assert deeds(bench, "hand_taken", "hand_ended") == [
            ("Max", "hand_taken", "900 s: the belt was changed"), ("Max", "hand_ended", SIGNED_OUT),
        ]  # fmt: skip
        assert next(detail for event, detail in cell.ledger.events if event == "hand_ended").startswith("Max (")


async def test_a_stop_goes_through_though_the_hand_is_gone_at_that_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(tmp_path) as (cell, bench), bench.browser(bench.admit(Role.ENGINEER)) as browser:
        await cell.start()
        assert (await browser.post("/hand", json=WISH)).status_code == 200
        hands = bench.served.desk.hands
        through = hands.command

        async def taken_back_meanwhile(token: str, word: str) -> str | None:
            cell.line.command("start")
            await until(lambda: not hands.has(token))
            return str(await through(token, word)) if hands.has(token) else "gone"

        monkeypatch.setattr(hands, "command", taken_back_meanwhile)
        assert await says(browser, "stop") == (200, "")
        await cell.desk.reached(State.STOPPED)


async def test_a_page_that_ends_leaves_nobody_with_the_hand(tmp_path: Path) -> None:
    async with at_work() as cell, listening(cell.desk, tmp_path):
        async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.ADMIN)) as browser:
            assert (await browser.post("/hand", json=WISH)).status_code == 200
        await until(lambda: [event for event, _detail in cell.ledger.events if event == "hand_ended"])
