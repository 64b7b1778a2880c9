"""Builds the simulated camera: `python -m sim.gentl.build`. Needs nothing but Python and a C compiler.

The compiler is $CC, else cc, gcc or clang, else the one inside the `ziglang` package. $CFLAGS is added, for example
`-fsanitize=thread -g`.
"""

import argparse
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
PRODUCER = "station_linescan.cti"

_WARNINGS = ("-Wall", "-Wextra")
_FLAGS = ("-std=c11", "-O2", "-D_GNU_SOURCE", "-fPIC", "-fvisibility=hidden", "-pthread", "-shared")
# What a camera keeps without power must outlive the consumer's unloading of the library, within its process.
_STAYS_LOADED = "-Wl,-z,nodelete"


class CompilerError(Exception):
    """There is no C compiler, or it refused the sources; the message says which and why."""


def find_compiler() -> list[str]:
    """The command of a C compiler.

    Raises:
        CompilerError: There is none.
    """
    if chosen := os.environ.get("CC", "").strip():
        return shlex.split(chosen)
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            return [path]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise CompilerError(
        "The simulated camera needs a C compiler and there is none. Install one (Debian: apt install gcc), "
        "or the package that carries one (pip install ziglang), or name one in the environment variable CC."
    )


def build(target: Path) -> Path:
    """Compile the producer to this file; a running program keeps the library that it has loaded.

    Raises:
        CompilerError: There is no compiler, or it failed; its messages are in the text.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    command = [
        *find_compiler(),
        *_FLAGS,
        _STAYS_LOADED,
        *_WARNINGS,
        *shlex.split(os.environ.get("CFLAGS", "")),
        f'-DNODEMAP_FOLDER="{SOURCES.as_posix()}"',
        *sorted(str(path) for path in SOURCES.glob("*.c")),
        "-lrt",
        "-ldl",
        "-lm",
        "-o",
        str(draft),
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user's compiler
        if result.returncode:
            raise CompilerError(f"{shlex.join(command)}\n{result.stdout}{result.stderr}")
        draft.replace(target)
    except OSError as error:
        raise CompilerError(f"{command[0]}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """Build from the command line; the exit status is 0 when there is a producer."""
    parser = argparse.ArgumentParser(prog="python -m sim.gentl.build", description="Build the simulated camera.")
    parser.add_argument(
        "--output", type=Path, default=SOURCES / PRODUCER, help="the file to write (default: %(default)s)"
    )
    try:
        target = build(parser.parse_args(arguments).output)
    except CompilerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
