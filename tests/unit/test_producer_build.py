"""How the simulated camera's build finds a compiler, and what it says when it cannot build."""

import importlib.util
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sim.gentl
from sim.gentl import build as producer_build
from station.core import compiler
from station.core.errors import CameraError


@pytest.mark.parametrize(
    ("chosen", "installed", "expected"),
    [
        ("clang-16 -m64", {"cc"}, ["clang-16", "-m64"]),
        ("", {"cc", "gcc", "clang"}, ["/bin/cc"]),
        ("", {"gcc", "clang"}, ["/bin/gcc"]),
        ("", {"clang"}, ["/bin/clang"]),
        ("", {"ziglang"}, [sys.executable, "-m", "ziglang", "cc"]),
    ],
)
def test_the_compiler_is_the_chosen_one_else_the_first_installed(
    monkeypatch: pytest.MonkeyPatch, chosen: str, installed: set[str], expected: list[str]
) -> None:
    monkeypatch.setenv("CC", chosen)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name in installed else None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in installed else None)
    assert compiler.find_compiler() == expected


def test_without_a_compiler_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert producer_build.main(["--output", str(tmp_path / "camera.cti")]) == 1
    assert "pip install ziglang" in capsys.readouterr().err


@pytest.mark.parametrize(("installed", "status"), [({"gcc"}, 0), ({"ziglang"}, 0), (set(), 1)])
def test_it_can_be_asked_whether_there_is_a_compiler(
    monkeypatch: pytest.MonkeyPatch, installed: set[str], status: int
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name in installed else None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in installed else None)
    assert compiler.main() == status


@pytest.mark.parametrize("failing", ["no-such-compiler", "false"])
def test_a_failing_compiler_leaves_what_was_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failing: str
) -> None:
    target = tmp_path / "camera.cti"
    target.write_bytes(b"the one before")
    monkeypatch.setenv("CC", failing)
    with pytest.raises(compiler.CompilerError, match=failing):
        producer_build.build(target)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"the one before"]


def test_no_compiler_warning_is_tolerated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CFLAGS", "-Werror -Wpedantic -Wno-overlength-strings -Wshadow -Wvla")
    assert producer_build.build(tmp_path / "camera.cti").stat().st_size > 10_000


def test_a_warning_of_another_compiler_does_not_end_a_users_build(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CFLAGS", "-Wcast-qual -Wconversion")
    assert producer_build.build(tmp_path / "camera.cti").exists()


ELF_MACHINES = {"x86_64-linux-gnu.2.17": 62, "aarch64-linux-gnu.2.17": 183}


@pytest.mark.parametrize("target", ELF_MACHINES)
def test_it_is_built_for_the_processors_of_both_kinds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str
) -> None:
    if subprocess.run([sys.executable, "-m", "ziglang", "version"], capture_output=True, check=False).returncode:
        pytest.skip("needs a compiler for other processors: pip install ziglang")
    monkeypatch.setenv("CC", f"{shlex.quote(sys.executable)} -m ziglang cc -target {target}")
    monkeypatch.setenv("CFLAGS", "-Werror")
    library = producer_build.build(tmp_path / "camera.cti").read_bytes()
    assert (library[:4], int.from_bytes(library[18:20], "little")) == (b"\x7fELF", ELF_MACHINES[target])


def test_a_missing_producer_is_refused_with_the_command_that_builds_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sim.gentl, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(CameraError, match=r"python -m sim\.gentl\.build") as missing:
        sim.gentl.producer_path()
    assert missing.value.code == "camera.no_producer"
