"""The C compiler, for what is compiled when the station is installed: the passes over pixels, the simulated camera.

The compiler is $CC, else cc, gcc or clang, else the one inside the `ziglang` package. $CFLAGS is added, for example
`-fsanitize=thread -g`. Needs nothing but Python: it is used before any requirement is installed. `python -m
station.core.compiler` tells whether there is one.
"""

import argparse
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from station.core.durable import put

FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-fPIC", "-fvisibility=hidden", "-shared", "-Wall", "-Wextra")


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
        "The station is installed with a C compiler and there is none. Install one (Debian: apt install gcc), "
        "or the package that carries one (pip install ziglang), or name one in the environment variable CC."
    )


def compile_library(target: Path, sources: Iterable[Path], flags: Sequence[str], libraries: Sequence[str] = ()) -> Path:
    """Compile a shared library to this file; a running program keeps the one that it has loaded.

    Raises:
        CompilerError: There is no compiler, or it failed; its messages are in the text.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    own_flags = shlex.split(os.environ.get("CFLAGS", ""))
    files = sorted(map(str, sources))
    command = [*find_compiler(), *FLAGS, *flags, *own_flags, *files, *libraries, "-o", str(draft)]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user's compiler
        if result.returncode:
            raise CompilerError(f"{shlex.join(command)}\n{result.stdout}{result.stderr}")
        put(draft, target)
    except OSError as error:
        raise CompilerError(f"{command[0]}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def build_from_command_line(
    module: str, what: str, default: Path, build: Callable[[Path], Path], arguments: Sequence[str] | None
) -> int:
    """Build from the command line; the exit status is 0 when there is a library.

    Args:
        module: How the command is called, `python -m` and this.
        what: What is built, in words.
        default: The file to write where the command names none.
        build: Compiles to a file.
        arguments: The command line without its name, None for the process's own.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"Build {what}.")
    parser.add_argument("--output", type=Path, default=default, help="the file to write (default: %(default)s)")
    try:
        target = build(parser.parse_args(arguments).output)
    except CompilerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{target}\n")
    return 0


def main() -> int:
    """The exit status is 0 when there is a compiler."""
    try:
        find_compiler()
    except CompilerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
