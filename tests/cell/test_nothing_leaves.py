"""Nothing leaves the computer that is not configured, no name is looked up: the kernel tells it of every process."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cell.conftest import TIMEOUT_S, station_command

SILENCING = ("CI", "TF_BUILD", "JENKINS_URL")
"""Where one of these is set libraries keep silent that speak on a line."""

CALLS = "connect,sendto,sendmsg,sendmmsg,openat"
LOOKED_UP = ("/etc/resolv.conf", "/nscd/", "/run/systemd/resolve")
"""What a look-up of a name opens or connects to, whatever answers it."""

ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"')


@pytest.fixture(autouse=True)
def strace() -> None:
    if shutil.which("strace") is None:
        if os.environ.get("CI"):
            pytest.fail("strace is not installed: apt-get install strace")
        pytest.skip("strace, which this test sees the calls of the kernel with, is not installed")


def traced(trace: Path, *command: str) -> list[str]:
    return ["strace", "--follow-forks", "--seccomp-bpf", "--quiet=all", f"--trace={CALLS}", "-o", str(trace), *command]


def led_away(trace: Path) -> Iterator[str]:
    """The calls that look up a name, or reach for anything but this computer's own addresses."""
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        port, address = found.groups() if (found := ADDRESS.search(line)) else ("", "127.0.0.1")
        if any(name in line for name in LOOKED_UP) or port == "53" or not address.startswith("127."):
            yield line


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("--simulate", 0),
        pytest.param("inspect", 0, marks=pytest.mark.slow),
        pytest.param("check", 1, marks=pytest.mark.slow),
        ("models", 0),
        ("onnxruntime", 0),
    ],
)
def test_no_process_reaches_for_anything_that_is_not_configured(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, what: str, status: int
) -> None:
    home, trace, root = tmp_path / "home", tmp_path / "trace", Path(__file__).parents[2]
    home.mkdir()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    scan = next((root / "sim" / "recordings" / "housings").glob("*.png"))
    config = make_config()
    command = {
        "--simulate": station_command("--simulate", "--config", config, "--parts", 1, "--speed", "max",
                                      "--data", tmp_path / "data"),
        "inspect": station_command("inspect", scan, "--config", config),
        "check": station_command("check", "--config", config, "--data", tmp_path / "data"),
        "models": [station_command()[0], "-c", "import models, openvino"],
        "onnxruntime": [station_command()[0], "-c", "import models.engines.engine, openvino, onnxruntime"],
    }[what]  # fmt: skip
    loud = {name: value for name, value in environment.items() if name not in SILENCING}
    ran = subprocess.run(
        traced(trace, *command), capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=tmp_path,
        env={**loud, "HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert ran.returncode == status, ran.stderr
    assert "openvino" in trace.read_text(encoding="utf-8", errors="replace"), "the engine was loaded, and seen"
    assert list(led_away(trace)) == []
    assert list(home.iterdir()) == [], "no identification of the user is made"
    assert list(temporary.iterdir()) == [], "and nothing is left beside"
