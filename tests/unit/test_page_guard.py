"""Who may: every way into the page, for everybody, and what is asked before anybody looks at who asks."""

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from station.page.app import ENTRIES, application
from station.page.guard import COOKIE, Guarded
from station.page.roles import Role
from station.page.shield import POLICY
from tests.page_bench import PASSWORD, PageBench, SetClock, page_settings, paged

ALL = set(Role)
COMMANDERS = {Role.MAINTENANCE, Role.ENGINEER, Role.ADMIN}
LABELLERS = {Role.QUALITY, Role.ENGINEER, Role.ADMIN}
MAY: dict[tuple[str, str], set[Role] | None] = {
    ("GET", "/sign-in"): None, ("POST", "/sign-in"): None, ("GET", "/first"): None, ("POST", "/first"): None,
    ("GET", "/static/{version}/{name}"): None,
    ("POST", "/sign-out"): ALL, ("POST", "/here"): ALL, ("GET", "/session"): ALL,
    ("GET", "/"): ALL, ("GET", "/events"): ALL, ("GET", "/events/surface"): ALL,
    ("POST", "/acknowledge"): {Role.OPERATOR, Role.MAINTENANCE, Role.ENGINEER, Role.ADMIN},
    ("GET", "/alarms"): ALL, ("GET", "/alarms/shelved"): ALL, ("GET", "/faults"): ALL,
    ("POST", "/alarms/shelve"): {Role.OPERATOR, Role.MAINTENANCE, Role.ENGINEER, Role.ADMIN},
    ("POST", "/alarms/unshelve"): {Role.OPERATOR, Role.MAINTENANCE, Role.ENGINEER, Role.ADMIN},
    ("GET", "/system"): COMMANDERS,
    ("POST", "/command"): {Role.OPERATOR, Role.MAINTENANCE, Role.ENGINEER, Role.ADMIN},
    ("POST", "/hand"): COMMANDERS, ("POST", "/hand/back"): COMMANDERS,
    ("GET", "/parts"): ALL, ("GET", "/parts/{inspection}"): ALL, ("GET", "/parts/{inspection}/surface.png"): ALL,
    ("GET", "/review"): LABELLERS, ("GET", "/review/queue"): LABELLERS, ("POST", "/review/labels"): LABELLERS,
    ("GET", "/review/parts/{inspection}"): LABELLERS,
    ("GET", "/search"): ALL, ("GET", "/shift"): ALL, ("GET", "/shift.csv"): ALL,
    ("GET", "/models"): ALL, ("GET", "/models/{sha256}"): ALL,
    ("POST", "/models/promote"): {Role.ENGINEER, Role.ADMIN}, ("POST", "/models/rollback"): {Role.ENGINEER, Role.ADMIN},
    ("GET", "/password"): ALL, ("POST", "/password"): ALL,
    ("GET", "/people"): {Role.ADMIN}, ("POST", "/people"): {Role.ADMIN},
    ("POST", "/people/role"): {Role.ADMIN}, ("POST", "/people/password"): {Role.ADMIN},
    ("GET", "/programs"): {Role.ADMIN}, ("POST", "/programs"): {Role.ADMIN}, ("POST", "/programs/revoke"): {Role.ADMIN},
    ("GET", "/parts/{inspection}/scan"): ALL, ("GET", "/parts/{inspection}/scan/{row}/{column}.png"): ALL,
    ("GET", "/parts/{inspection}/grounds"): ALL, ("GET", "/parts/{inspection}/grounds/{number}.png"): ALL,
    ("GET", "/data-set"): LABELLERS,
    ("GET", "/api/1/inspections"): ALL, ("GET", "/api/1/inspections/{inspection}"): ALL,
    ("GET", "/api/1/scans/{sha256}"): ALL, ("GET", "/api/1/state"): ALL, ("GET", "/api/1/events"): ALL,
    ("GET", "/api/1/alarms"): ALL, ("GET", "/api/1/alarms/history"): ALL, ("GET", "/api/1/stops"): ALL,
    ("GET", "/api/1/labels"): ALL, ("POST", "/api/1/labels"): LABELLERS, ("GET", "/api/1/openapi.json"): ALL,
    ("GET", "/metrics"): ALL,
}  # fmt: skip
"""Who may do what: typed in, not taken from the code. None: everybody, signed in or not."""


def test_every_way_in_is_in_the_table_of_who_may() -> None:
    assert {(entry.method, entry.path) for entry in ENTRIES} == set(MAY)
    assert len(ENTRIES) == len(MAY), "each way once"


async def test_there_is_no_way_in_but_the_guarded_ones(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench:
        whole = application(bench.served.desk, ())._page  # type: ignore[attr-defined]
        assert isinstance(whole, Starlette)
        assert len(whole.routes) == len(ENTRIES)
        assert all(isinstance(route.endpoint, Guarded) for route in whole.routes)  # type: ignore[attr-defined]
        async with bench.browser() as browser:
            for path in ("/docs", "/openapi.json", "/static/x/../app.py", "/static/x/%2e%2e%2fapp.py", "/.git/config"):
                assert (await browser.get(path)).status_code in {404, 422}, path


async def knock(browser: httpx.AsyncClient, method: str, path: str, accept: str = "*/*") -> httpx.Response:
    """Ask, and hear only how the answer begins: some have no end."""
    request = browser.build_request(method, path.replace("{name}", "page.css"), headers={"accept": accept})
    answer = await browser.send(request, stream=True)
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        await answer.aread()
    await answer.aclose()
    return answer


async def test_every_way_in_is_open_to_those_of_the_table_and_to_nobody_else(tmp_path: Path) -> None:
    wrong = []
    async with paged(tmp_path) as bench:
        people = {role: bench.admit(role) for role in Role}
        for (method, path), roles, role in ((way, roles, role) for way, roles in MAY.items() for role in (None, *Role)):
            async with bench.browser(people[role] if role else None) as browser:
                answer = await knock(browser, method, path)
                refused = 401 if role is None else 403
                unknown = answer.status_code == 404 and not answer.json()["refused"]
                let_in = answer.status_code not in {401, 403, 405, 500, 503} and not unknown
                if (roles is None or role in roles) != let_in or (not let_in and answer.status_code != refused):
                    wrong.append((method, path, role, answer.status_code))
    assert wrong == []


async def test_who_is_not_signed_in_is_led_to_the_sign_in_and_at_first_to_the_code(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        assert (await knock(browser, "GET", "/", "text/html")).headers["location"] == "/first"
        assert (await browser.get("/sign-in")).headers["location"] == "/first"
        bench.admit(Role.ADMIN)
        assert (await knock(browser, "GET", "/", "text/html")).headers["location"] == "/sign-in"
        assert (await browser.get("/first")).headers["location"] == "/sign-in"


# ---------------------------------------------------------------------- origin, host, headers


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "https://{host}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
async def test_what_changes_something_must_come_from_the_page_itself(tmp_path: Path, headers: dict[str, str]) -> None:
    async with paged(tmp_path) as bench:
        person = bench.admit(Role.ADMIN)
        async with bench.browser(person) as browser:
            sent = {name: value.replace("{host}", bench.origin.partition("//")[2]) for name, value in headers.items()}
            form = {"name": "Eve", "role": "admin", "password": PASSWORD}
            assert (await browser.post("/people", data=form, headers=sent)).status_code == 403
            del browser.headers["origin"]
            assert (await browser.post("/people", data=form)).status_code == 403
        assert [one.name for one in bench.served.desk.doors.people.everybody()] == ["Admin"]


async def test_a_name_that_is_not_the_pages_is_refused(tmp_path: Path) -> None:
    async with paged(tmp_path, configuration=page_settings(names=["cell.plant"])) as bench, bench.browser() as browser:
        port = bench.origin.rpartition(":")[2]
        for host, status in (
            (f"evil.example:{port}", 403), ("", 403), (f"cell.plant.evil.example:{port}", 403),
            (f"cell.plant:{port}", 303), (f"localhost:{port}", 303),
        ):  # fmt: skip
            assert (await browser.get("/sign-in", headers={"host": host})).status_code == status, host


@pytest.mark.parametrize("path", ["/sign-in", "/static/x/page.css", "/nothing", "/", "/events", "/first"])
async def test_every_answer_has_the_headers(tmp_path: Path, path: str) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        for host in ({}, {"host": "evil.example"}):
            headers = (await browser.get(path, headers=host)).headers
            assert headers["content-security-policy"] == POLICY
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin", "or a browser sends a form with the origin null"
            assert headers["cache-control"] in {"no-store", "no-cache"}
            assert "server" not in headers
    assert "unsafe" not in POLICY
    assert POLICY.startswith("default-src 'none'")


# ---------------------------------------------------------------------- sessions


async def test_a_session_ends_when_nobody_touches_anything_and_looking_on_is_no_touch(tmp_path: Path) -> None:
    clock = SetClock()
    async with paged(tmp_path, clock) as bench, bench.browser(bench.admit(Role.OPERATOR)) as browser:
        for _ in range(3):
            clock.go_on(minutes=14)
            assert (await browser.post("/here")).status_code == 204
        clock.go_on(minutes=14)
        assert (await browser.get("/session")).status_code == 204
        clock.go_on(minutes=2)
        assert (await browser.get("/session")).status_code == 401


async def test_a_session_ends_after_a_shift_however_busy(tmp_path: Path) -> None:
    clock = SetClock()
    async with paged(tmp_path, clock) as bench, bench.browser(bench.admit(Role.OPERATOR)) as browser:
        for _ in range(12 * 6):
            assert (await browser.post("/here")).status_code == 204
            clock.go_on(minutes=10)
        clock.go_on(minutes=1)
        assert (await browser.post("/here")).status_code == 401


async def test_who_signs_out_is_out_wherever_the_token_went(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.OPERATOR)) as browser:
        token = browser.cookies[COOKIE]
        gone = await browser.post("/sign-out")
        assert gone.headers["location"] == "/sign-in"
        assert f'{COOKIE}=""' in gone.headers["set-cookie"]
        assert "Max-Age=0" in gone.headers["set-cookie"]
        assert (await browser.get("/session", headers={"cookie": f"{COOKIE}={token}"})).status_code == 401


async def test_who_gets_another_role_or_is_shut_out_has_to_sign_in_again(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench:
        admin, other = bench.admit(Role.ADMIN), bench.admit(Role.ENGINEER)
        async with bench.browser(admin) as browser, bench.browser(other) as others:
            await browser.post("/people/role", data={"name": other.name, "role": "operator"})
            assert (await others.get("/session")).status_code == 401
            await sign_in(others, other.name)
            assert (await others.get("/session")).status_code == 204
            await browser.post("/people/role", data={"name": other.name, "role": "no"})
            assert (await others.get("/session")).status_code == 401
            assert (await sign_in(others, other.name)).status_code == 403
            answer = await browser.post("/people/role", data={"name": admin.name, "role": "no"})
            assert "no admin would be left" in answer.text
            assert (await browser.get("/session")).status_code == 204


async def sign_in(browser: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.Response:
    return await browser.post("/sign-in", data={"name": name, "password": password})


async def test_the_cookie_is_the_pages_alone(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        person = bench.admit(Role.OPERATOR)
        answer = await sign_in(browser, person.name)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        said = answer.headers["set-cookie"].lower()
        assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in said.split(";")}
        token = browser.cookies[COOKIE]
        assert token not in (tmp_path / "page.db").read_bytes().decode("latin-1"), "only its hash is kept"


async def test_too_many_attempts_are_not_listened_to_even_if_the_last_is_right(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        person, other = bench.admit(Role.OPERATOR), bench.admit(Role.QUALITY)
        for _ in range(5):
            assert (await sign_in(browser, person.name, "wrong")).status_code == 403
        answer = await sign_in(browser, person.name)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 901
        assert (await sign_in(browser, other.name)).status_code == 303, "who shares the address is not locked out yet"


async def test_many_attempts_at_the_same_time_are_no_more_than_one_after_the_other(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        person = bench.admit(Role.OPERATOR)
        answers = await asyncio.gather(*(sign_in(browser, person.name, f"wrong {number}") for number in range(12)))
        assert sorted(answer.status_code for answer in answers) == [403] * 5 + [429] * 7


async def test_nobody_learns_which_names_there_are(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        bench.admit(Role.OPERATOR, "Ada")
        answers = [await sign_in(browser, name, "wrong") for name in ("Ada", "Bob")]
        first, second = (answer.text.replace("Ada", "").replace("Bob", "") for answer in answers)
        assert first == second


# ---------------------------------------------------------------------- the first person


async def come_first(bench: PageBench, browser: httpx.AsyncClient, **fields: str) -> httpx.Response:
    code = bench.served.desk.doors.invitation.code
    form = {"code": code, "name": "Ada", "password": PASSWORD, **fields}
    return await browser.post("/first", data=form)


async def test_the_first_person_needs_the_code_of_the_terminal_and_is_an_admin(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        (code,) = [line.rpartition(" ")[2] for line in bench.said if "code" in line]
        assert (await come_first(bench, browser, code="AAAA-AAAA-AAAA-AAAA")).status_code == 403
        assert (await come_first(bench, browser, password="short")).status_code == 422  # noqa: S106
        assert (await come_first(bench, browser, name=" ")).status_code == 422
        assert (await come_first(bench, browser, code=code.lower().replace("-", " "))).headers["location"] == "/"
        (person,) = bench.served.desk.doors.people.everybody()
        assert (person.name, person.role) == ("Ada", Role.ADMIN)
        assert (await browser.get("/people")).status_code == 200
        assert (await come_first(bench, browser, name="Eve")).status_code == 422, "the code is good once"
    async with paged(tmp_path) as bench:
        assert not [line for line in bench.said if "code" in line], "and no other start makes one"


async def test_the_code_cannot_be_tried_out(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        for _ in range(5):
            assert (await come_first(bench, browser, code="wrong")).status_code == 403
        assert (await come_first(bench, browser)).status_code == 429


async def test_one_changes_ones_own_password_with_the_old_one(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        person = bench.admit(Role.OPERATOR)
        await sign_in(browser, person.name)
        renewed = PASSWORD[::-1]
        assert (await browser.post("/password", data={"old": "wrong", "password": renewed})).status_code == 403
        assert (await browser.post("/password", data={"old": PASSWORD, "password": "short"})).status_code == 422
        assert (await browser.post("/password", data={"old": PASSWORD, "password": renewed})).status_code == 303
        assert (await browser.get("/session")).status_code == 401
        assert (await sign_in(browser, person.name, renewed)).status_code == 303


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"x" * 70_000),
        ("application/x-www-form-urlencoded", b"&".join(b"a=b" for _ in range(40))),
        ("application/x-www-form-urlencoded", b"name=%ff"),
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x--"),
    ],
)
async def test_what_is_no_form_is_refused(tmp_path: Path, kind: str, body: bytes) -> None:
    async with paged(tmp_path) as bench, bench.browser() as browser:
        answer = await browser.post("/sign-in", content=body, headers={"content-type": kind})
        assert answer.status_code == 422
        assert "refused" in answer.json()
