"""Kept scans, judged again on a cluster of several nodes on this computer: the same rows, whatever node is killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import pytest

from station.core.errors import StationError
from tests.cell.conftest import station_command
from tests.cell.product_lines import RING, RINGS
from tests.cell.products import product
from tests.free_port import free_port
from tests.own_children import descendants

pytest.importorskip("ray", reason="needs the packages of requirements/cluster.txt: make test-cluster")

from tests.cell.test_archive_again import MakeConfig, inspect_archive, rows_in  # it needs them, too

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

SCANS = 400
STARTS = 5
"""Ray gives a node half a minute to come up, which it needs longer for on a computer that is busy."""
UP = "Ray runtime started"

COUNTED = """
import sys
from pathlib import Path
from station.core.settings import load_settings
from station.offline.archive.inspecting import Asked, inspect_again
from station.offline.archive.on_ray import on_ray
source, model, out, config = map(Path, sys.argv[1:5])
asked = Asked(str(source), str(model), out, "cell", rows_per_file=50)
outcome = inspect_again(asked, load_settings(config), None, 1, lambda order: on_ray(order, sys.argv[5]),
    lambda done, of: print(done, of, flush=True))
print("rows", outcome.rows, flush=True)
"""


@pytest.fixture
def ray_folder() -> Iterator[Path]:
    """Where Ray keeps its sockets, whose names must be short."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def environment(ray_folder: Path) -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "RAY_TMPDIR": str(ray_folder), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def config(make_config: MakeConfig, tmp_path: Path) -> Path:
    return make_config(*product(RINGS, (RING,), tmp_path))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Of three surfaces, each told from the others by its number in the background."""
    folder = tmp_path / "scans"
    folder.mkdir()
    surfaces = [RING.surface(seed, grey) for seed, grey in enumerate(RING.greys.values())]
    for number in range(SCANS):
        image = surfaces[number % len(surfaces)].copy()
        image[0, :9] = [number >> bit & 1 for bit in range(9)]
        assert cv2.imwrite(str(folder / f"{number:03}.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    (folder / "010.png").write_bytes(b"no image")
    return folder


class Node:
    """A node of the cluster, with all the processes that it has started."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child = child

    def kill(self) -> None:
        """All at once, as when the power fails."""
        for process in (self.child.pid, *descendants(self.child.pid)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def end(self) -> None:
        self.kill()
        self.child.wait()


@contextmanager
def node(environment: dict[str, str], *arguments: str) -> Iterator[Node]:
    """`station cluster start` or `join`, once it is up."""
    for _ in range(STARTS):
        child = subprocess.Popen(
            station_command("cluster", *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=environment,
        )  # fmt: skip
        assert child.stdout is not None
        with child.stdout:
            started = Node(child)
            try:
                if any(UP in line for line in child.stdout):
                    yield started
                    return
            finally:
                started.end()
    raise AssertionError(f"no node came up: {arguments}")


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["file"]))


def test_a_cluster_writes_the_same_rows_though_a_node_joins_and_another_one_is_killed_in_the_middle(
    environment: dict[str, str], config: Path, scans: Path, tmp_path: Path
) -> None:
    program, port = tmp_path / "counted.py", free_port()
    program.write_text(COUNTED, encoding="utf-8")
    address = f"127.0.0.1:{port}"
    command = [sys.executable, str(program), *map(str, (scans, tmp_path / "ring-1", tmp_path / "ray", config)), address]
    with ExitStack() as stack:
        stack.enter_context(node(environment, "start", "--port", str(port), "--cpus", "0"))
        first = stack.enter_context(node(environment, "join", address, "--cpus", "1"))
        child = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
        stack.callback(child.kill)
        assert child.stdout is not None
        assert any(0 < int(line.split()[0]) < SCANS for line in child.stdout)
        first.kill()
        stack.enter_context(node(environment, "join", address, "--cpus", "1"))
        assert child.stdout.read().splitlines()[-1] == f"rows {SCANS}"
        assert child.wait() == 0
    assert inspect_archive(scans, tmp_path / "ring-1", tmp_path / "local", config, "--cell", "cell")[0] == 1
    here, there = comparable(rows_in(tmp_path / "local")), comparable(rows_in(tmp_path / "ray"))
    assert len(there) == SCANS
    assert there == here
    assert [row["error"] for row in there if row["error"]] == ["recording.bad_image"]


def test_a_cluster_that_is_not_there_is_refused_at_once(config: Path, scans: Path, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    refused = inspect_archive(scans, tmp_path / "ring-1", tmp_path / "out", config, "--cluster", address)[1]
    assert isinstance(refused, StationError)
    assert (refused.code, address in refused.detail) == ("archive.no_cluster", True)
    both = inspect_archive(scans, tmp_path / "ring-1", tmp_path / "out", config, "--cluster", address, "--local")[1]
    assert both.code == "config.bad_option"
