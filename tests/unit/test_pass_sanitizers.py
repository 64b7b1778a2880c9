"""The compiled passes under AddressSanitizer and UndefinedBehaviorSanitizer, called as the station calls them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from station.core.compiler import find_compiler
from station.flow.pixels import build
from tests.wire.test_producer_sanitizers import need

ROOT = Path(__file__).parents[2]
BLOCKS = 300
SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=all"
OVERRUN = """
import ctypes, sys
import numpy as np
line = np.zeros(2000, np.uint8)
ctypes.PyDLL(sys.argv[1]).station_white(ctypes.c_void_p(line.ctypes.data), ctypes.c_ssize_t(0), 1, 2001)
"""


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of the passes; without clones by processor, which are chosen before the sanitizer is there."""
    folder = tmp_path_factory.mktemp("sanitized")
    need("address,undefined", folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("CFLAGS", f"-O1 -g -DSTATION_ONE_TARGET {SANITIZE}")
        return build.build(folder / build.LIBRARY)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with the sanitizer's memory, in which the arrays of numpy lie apart."""
    runtime = subprocess.run(
        [*find_compiler(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    environment = os.environ | {
        "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )


def test_no_pass_touches_memory_beside_its_own(sanitized: Path) -> None:
    ran = run(str(Path(__file__).with_name("passes_exerciser.py")), str(sanitized), str(BLOCKS))
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr[-4000:]


def test_a_byte_behind_an_array_is_noticed(sanitized: Path) -> None:
    ran = run("-c", OVERRUN, str(sanitized))
    assert ran.returncode != 0
    assert "heap-buffer-overflow" in ran.stderr
    assert "station_white" in ran.stderr
