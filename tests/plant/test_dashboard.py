"""Debian's Prometheus scrapes the running station, and every query of the dashboard that is shipped has an answer."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config import bundled
from station.core.clock import SystemClock
from station.page.audit import Audit
from station.page.database import PageDatabase
from station.page.people import Hand
from station.page.roles import Role
from station.page.tokens import Tokens
from tests.cell.conftest import station_command
from tests.free_port import free_port

pytestmark = [pytest.mark.plant, pytest.mark.timeout(540)]  # it starts the station

PATIENCE_S = 420.0
PAUSE_S = 1.0
ENDS_WITHIN_S = 40.0
WINDOW = "1m"
"""What Grafana puts in place of `$__rate_interval`."""
FAULTY = "lamp-dark@2"
"""A part goes to review, so that there is a reason to count."""


@pytest.fixture
def prometheus() -> str:
    """The program."""
    program = shutil.which("prometheus")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("prometheus is not installed: apt-get install prometheus")
        pytest.skip("prometheus is not installed: apt-get install prometheus")
    return program


def test_every_query_of_the_dashboard_has_an_answer(
    tmp_path: Path, make_config: Callable[..., Path], environment: dict[str, str], prometheus: str
) -> None:
    data, page, asked = tmp_path / "data", free_port(), free_port()
    config = make_config(("port = 8480", f"port = {page}\nmetrics = true"))
    (tmp_path / "token").write_text(token_for(data), encoding="ascii")
    (tmp_path / "prometheus.yml").write_text(scraping(page, tmp_path / "token"), encoding="utf-8")
    began_s = time.time()
    station = station_command(
        "--simulate", "--page", "--parts", "3", "--fault", FAULTY, "--data", data, "--config", config, "--json"
    )
    scraper = [
        prometheus, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{asked}",
    ]  # fmt: skip
    with running(scraper, environment, tmp_path), running(station, environment, tmp_path):
        unanswered = queries()
        until_s = time.monotonic() + PATIENCE_S
        while unanswered and time.monotonic() < until_s:
            time.sleep(PAUSE_S)
            unanswered = [query for query in unanswered if not answered(asked, query, began_s)]
    assert unanswered == []


def queries() -> list[str]:
    """Those of every panel, as Grafana asks them."""
    dashboard = json.loads(bundled("deploy/inspection-station.grafana.json").read_text(encoding="utf-8"))
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert found
    return [query.replace("$__rate_interval", WINDOW) for query in found]


def answered(port: int, query: str, since_s: float) -> bool:
    """Whether Prometheus has a value for it, at any moment since.

    Raises:
        HTTPError: The query is wrong.
    """
    asked = urllib.parse.urlencode({"query": query, "start": since_s, "end": time.time(), "step": 1})
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query_range?{asked}", timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
    except ConnectionError:
        return False
    except urllib.error.URLError as error:
        if isinstance(error, urllib.error.HTTPError) and error.code != 503:  # not ready yet
            raise
        return False
    return bool(told["data"]["result"])


def token_for(data: Path) -> str:
    """What Prometheus comes in by."""
    database = PageDatabase(data)
    database.make()
    clock = SystemClock()
    return Tokens(database, Audit(database, clock), clock).make("Prometheus", Role.OPERATOR, 1, Hand("a test", ""))


def scraping(port: int, token: Path) -> str:
    """Prometheus' configuration, as the page of the API shows it."""
    return f"""
global: {{ scrape_interval: 1s }}
scrape_configs:
  - job_name: inspection-station
    authorization: {{ credentials_file: {token} }}
    static_configs: [{{ targets: ["127.0.0.1:{port}"] }}]
"""


@contextmanager
def running(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    """A child, while in this context; what it says lies in a file of its name."""
    said = folder / f"{Path(command[0]).name}.log"
    with said.open("wb") as log:
        child = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, stdin=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
