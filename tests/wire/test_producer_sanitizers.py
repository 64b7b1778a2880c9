"""The simulated camera under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer.

`gentl_exerciser.c` opens, starts, spoils, unplugs and closes it many times, from several threads, and calls every entry
point with handles that are none.
"""

import os
import subprocess
from pathlib import Path

import pytest

from sim.gentl.build import PRODUCER, SOURCES, build
from station.core.compiler import find_compiler

EXERCISER = [Path(__file__).with_name(name) for name in ("gentl_exerciser.c", "gentl_refusals.c")]
ROUNDS = 100
EMPTY = "int main(void) { return 0; }\n"


def compiled(program: Path, sanitizer: str, *sources: Path) -> subprocess.CompletedProcess[str]:
    flags = ["-std=c11", "-O1", "-g", "-D_GNU_SOURCE", "-pthread", "-Wall", "-Wextra", "-Werror", f"-I{SOURCES}"]
    command = [*find_compiler(), *flags, f"-fsanitize={sanitizer}", *map(str, sources), "-lrt", "-o", str(program)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def need(sanitizer: str, folder: Path) -> None:
    """Skip where the compiler has no such sanitizer, or the machine cannot run it; on CI that is a failure."""
    source, program = folder / "empty.c", folder / "empty"
    source.write_text(EMPTY)
    built = compiled(program, sanitizer, source)
    ran = built if built.returncode else subprocess.run([program], capture_output=True, text=True, check=False)
    if ran.returncode == 0:
        return
    reason = f"{' '.join(find_compiler())} cannot build or run -fsanitize={sanitizer} here: {ran.stderr.strip()[-200:]}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_nothing_is_wrong_in_memory_or_between_threads(
    sanitizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(sanitizer, tmp_path)
    monkeypatch.setenv("CFLAGS", f"-O1 -g -Werror -fno-sanitize-recover=all -fsanitize={sanitizer}")
    producer = build(tmp_path / PRODUCER)
    program = tmp_path / "exerciser"
    built = compiled(program, sanitizer, *EXERCISER, producer)
    assert built.returncode == 0, built.stderr
    environment = os.environ | {"STATION_GENTL_CAMERAS": "2"}
    ran = subprocess.run([program, str(ROUNDS)], capture_output=True, text=True, check=False, env=environment)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr[-4000:]
