"""`python -m tests.soak`: many parts through a whole cell in real time, and how much is left of each thousand.

    python -m tests.soak --folder FOLDER --parts 20000     goes on in FOLDER until so many parts are through
    python -m tests.soak --folder FOLDER --parts 0         only tells the slopes of what is there

In FOLDER lie `samples.jsonl`, a line a look, `slopes.json` and what each process said. Exit status 1 where something
grows that is to stay flat, 2 where no run was long enough to tell.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.soak.cell import parts_through, running
from tests.soak.held import figures
from tests.soak.slopes import Sample, Slope, judged, slopes

LOOK_S = 0.5
STANDS_S = 300.0
"""A cell in which no part gets through for so long is ended, and started anew."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="where everything is kept, and gone on from")
    parser.add_argument("--parts", type=int, default=20_000, help="parts in all runs together")
    parser.add_argument("--every", type=int, default=100, help="parts from one look to the next")
    said = parser.parse_args(arguments)
    folder: Path = said.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    while (left := said.parts - parts_through(folder / "data")) > 0:
        take_through(folder, left, said.every)
    samples = list(samples_in(folder))
    found = slopes(samples)
    (folder / "slopes.json").write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n", encoding="utf-8")
    _say(table(found))
    if not judged(samples):
        return 2
    return 1 if any(one.grows for one in found) else 0


def take_through(folder: Path, parts: int, every: int) -> None:
    """One run: until so many parts are through, or none comes any more.

    Args:
        folder: Where everything is kept.
        parts: How many.
        every: From one look to the next.
    """
    data = folder / "data"
    run = 1 + max((one.run for one in samples_in(folder)), default=0)
    before = parts_through(data)
    through, due, moved_s = 0, 0, time.monotonic()
    with running(folder, parts) as started, (folder / "samples.jsonl").open("a", encoding="utf-8") as file:
        while through < parts and time.monotonic() - moved_s < STANDS_S:
            time.sleep(LOOK_S)
            now = parts_through(data) - before
            if now == through:
                continue
            through, moved_s = now, time.monotonic()
            if through >= due:
                due = through + every
                sample = Sample(run, through, figures(started, data))
                file.write(json.dumps(asdict(sample)) + "\n")
                file.flush()
                _say(f"run {run}: {through} of {parts} parts")


def samples_in(folder: Path) -> Iterator[Sample]:
    """What was looked at; a line that its end has cut is none."""
    file = folder / "samples.jsonl"
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            yield Sample(**json.loads(line))
        except ValueError:
            continue


def table(found: Sequence[Slope]) -> str:
    """The slopes, a line a figure; what grows and is to stay flat is marked."""
    width = max((len(one.name) for one in found), default=0)
    lines = [f"{'':{width}}  {'first':>12}  {'last':>12}  per 1,000 parts"]
    for one in found:
        marked = f"  more than {one.limit:g}" if one.grows else ""
        lines.append(f"{one.name:{width}}  {one.first:12.2f}  {one.last:12.2f}  {one.per_thousand:+15.3f}{marked}")
    return "\n".join(lines)


_say: Callable[[str], None] = lambda line: print(line, flush=True)  # noqa: E731, T201  # it is a command

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that what was started is ended, too
    raise SystemExit(main(sys.argv[1:]))
