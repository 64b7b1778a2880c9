"""Builds the simulated camera: `python -m sim.gentl.build`. Needs nothing but Python and a C compiler."""

from collections.abc import Sequence
from pathlib import Path

from station.core import compiler

SOURCES = Path(__file__).resolve().parent
PRODUCER = "station_linescan.cti"

# What a camera keeps without power must outlive the consumer's unloading of the library, within its process.
_STAYS_LOADED = "-Wl,-z,nodelete"
FOUND = (f"-I{SOURCES}", f'-DNODEMAP_FOLDER="{SOURCES.as_posix()}/descriptions"')
"""Flags that tell the compiler where headers and descriptions lie."""

_FLAGS = ("-O2", "-pthread", _STAYS_LOADED, *FOUND)


def build(target: Path) -> Path:
    """Compile the producer to this file.

    Raises:
        CompilerError: There is no compiler, or it failed; its messages are in the text.
    """
    return compiler.compile_library(target, SOURCES.glob("*/*.c"), _FLAGS, ("-lrt", "-ldl", "-lm"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Build from the command line; the exit status is 0 when there is a producer."""
    return compiler.build_from_command_line(
        "sim.gentl.build", "the simulated camera", SOURCES / PRODUCER, build, arguments
    )


if __name__ == "__main__":
    raise SystemExit(main())
