"""Builds the compiled passes: `python -m station.flow.pixels.build`. Needs nothing but Python and a C compiler."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from station.core import compiler

SOURCES = Path(__file__).resolve().parent
LIBRARY = "libpasses.so"

# Sums of floats keep their order and are rounded one by one, on every processor: no contraction, no reordering.
_FLAGS = ("-O3", "-ffp-contract=off")


def build(target: Path) -> Path:
    """Compile the passes to this file.

    Raises:
        CompilerError: There is no compiler, or it failed; its messages are in the text.
    """
    made_from = f'-DSTATION_SOURCES="{sources_sha256()}"'
    return compiler.compile_library(target, SOURCES.glob("*.c"), (*_FLAGS, made_from), ("-lm",))


def sources_sha256() -> str:
    """Hash of all that the passes are compiled from; a library tells the one that it was made from."""
    digest = hashlib.sha256()
    for source in sorted((*SOURCES.glob("*.c"), *SOURCES.glob("*.h"))):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build from the command line; the exit status is 0 when there is a library."""
    return compiler.build_from_command_line(
        "station.flow.pixels.build", "the compiled passes", SOURCES / LIBRARY, build, arguments
    )


if __name__ == "__main__":
    raise SystemExit(main())
