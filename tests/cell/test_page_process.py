"""The page as a user starts it: a process of its own, alone or beside a simulated station."""

import asyncio
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from station.core.clock import SystemClock
from station.core.errors import ConfigError, PageError
from station.core.page_settings import PageSettings
from station.core.settings import load_settings
from station.page.serving import address_of, listening, opened_page
from tests.cell.conftest import TIMEOUT_S, Run, station_command
from tests.page_bench import page_settings, paged

ROOT = Path(__file__).parents[2]
FREE_PORT = ("port = 8480", "port = 0")
IN_THE_BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""A shell starts what runs in its background with SIGINT ignored."""


@contextmanager
def started(
    environment: dict[str, str], folder: Path, *arguments: str | Path, before: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*before, *station_command(*arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(TIMEOUT_S)
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def heard(process: subprocess.Popen[str], pattern: str) -> str:
    """What the process says of this, as soon as it does."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"it ended without {pattern}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_page_says_where_it_is_and_ends_in_order(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    with started(environment, tmp_path, "page", "--config", make_config(FREE_PORT), "--data", tmp_path) as process:
        address = heard(process, r"(http://127\.0\.0\.1:\d+/)")
        code = heard(process, r"code: (\S+)")
        answer = httpx.get(f"{address}first")
        assert answer.status_code == 200
        assert code not in answer.text
        process.send_signal(number)
        assert process.wait(TIMEOUT_S) == 0


def test_the_page_ends_with_its_parent(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    arguments = ("page", "--config", make_config(FREE_PORT), "--data", tmp_path, "--end-with-parent")
    with started(environment, tmp_path, *arguments) as process:
        heard(process, r"(http://\S+)")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(TIMEOUT_S) == 0


def test_a_simulated_station_and_its_page_start_and_end_together_also_in_a_shells_background(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    arguments = ("--simulate", "--page", "--config", make_config(FREE_PORT), "--parts", "3", "--data", data)
    with started(environment, tmp_path, *arguments, before=IN_THE_BACKGROUND) as process:
        address, code = heard(process, r"(http://\S+)"), heard(process, r"code: (\S+)")
        origin = {"origin": address.rstrip("/")}
        with httpx.Client(base_url=address, headers=origin, timeout=TIMEOUT_S) as browser:
            form = {"code": code, "name": "Ada", "password": "correct horse battery"}
            assert browser.post("/first", data=form).headers["location"] == "/"
            with browser.stream("GET", "/events") as answer:
                lines = answer.iter_lines()
                shown = re.compile(r'"sorted": [23]\b')
                assert any(shown.search(line) for line in lines if line.startswith("data: "))
            heard(process, "(stays until Ctrl-C)")
            assert browser.get("/").status_code == 200, "the page stays when the parts are through"
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 0
    with socket.socket() as there, pytest.raises(ConnectionRefusedError):
        there.connect(("127.0.0.1", int(address.rstrip("/").rpartition(":")[2])))


def test_a_simulated_cell_with_a_page_that_is_stopped_may_be_started_again_and_ends_when_it_is_told_to(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, station: Run
) -> None:
    config, data = make_config(FREE_PORT), tmp_path / "data"
    told = ("--config", config, "--data", data)
    with started(environment, tmp_path, "--simulate", "--page", *told) as process:
        address, code = heard(process, r"(http://\S+)"), heard(process, r"code: (\S+)")
        with httpx.Client(base_url=address, headers={"origin": address.rstrip("/")}, timeout=TIMEOUT_S) as browser:
            browser.post("/first", data={"code": code, "name": "Ada", "password": "correct horse battery"})
            with browser.stream("GET", "/events") as answer:
                lines = answer.iter_lines()
                for word, state in ((None, "EXECUTE"), ("stop", "STOPPED"), ("reset", "IDLE"), ("start", "EXECUTE")):
                    if word:
                        assert station("command", word, *told).returncode == 0, word
                    assert any(f'"state": "{state}"' in line for line in lines), state
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 0, "Ctrl-C once ends both"


# ---------------------------------------------------------------------- where it listens


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "0.0.0.0"}, {"host": "192.168.0.7"}, {"host": "::"}, {"host": "cell.plant"}, {"tls_key": "key.pem"},
        {"host": "0.0.0.0", "tls_certificate": "cert.pem"}, {"idle_minutes": 0}, {"names": ["no name"]},
    ],
    ids=str,
)  # fmt: skip
def test_a_page_that_others_could_reach_without_a_secret_is_refused(
    make_config: Callable[..., Path], wrong: dict[str, object]
) -> None:
    with pytest.raises((ConfigError, ValueError)):
        page_settings(**wrong)
    with pytest.raises(ConfigError, match="tls_certificate"):
        load_settings(make_config(('host = "127.0.0.1"                 # another', 'host = "0.0.0.0"  # another')))


async def test_a_port_that_another_has_is_told(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench:
        taken = int(bench.origin.rpartition(":")[2])
        with pytest.raises(PageError) as caught:
            async with paged(tmp_path, configuration=page_settings(port=taken)):
                pass
    assert caught.value.code == "page.cannot_listen"
    assert str(taken) in caught.value.detail


async def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nothing")
    configuration = page_settings(tls_certificate=str(tmp_path / "cert.pem"), tls_key=str(tmp_path / "key.pem"))
    with pytest.raises(PageError) as caught:
        async with opened_page(configuration, tmp_path, SystemClock(), print):
            pass
    assert caught.value.code == "page.bad_certificate"


def test_the_address_is_what_a_browser_wants() -> None:
    with listening(PageSettings(port=0)) as listener:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address_of(PageSettings(), listener))
        secret = PageSettings(tls_certificate="a", tls_key="b", names=["cell.plant"])
        assert re.fullmatch(r"https://cell\.plant:\d+/", address_of(secret, listener))


def test_the_running_station_loads_nothing_of_the_page(tmp_path: Path) -> None:
    code = "import sys; import station.host.service, station.host.simulate, station.cli.app; print(*sys.modules)"
    ran = subprocess.run([*station_command()[:2], code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert not loaded & {"starlette", "uvicorn", "jinja2", "argon2", "babel"}
    assert "station.page" not in ran.stdout.split()


def test_without_its_packages_the_page_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from station.cli.page import require_page  # noqa: PLC0415

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(PageError) as caught:
        require_page()
    assert caught.value.code == "page.not_installed"
    assert "uvicorn is missing: pip install" in caught.value.detail


async def test_nobody_is_waited_for_when_the_page_ends(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench:
        port = int(bench.origin.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n")
    assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()
