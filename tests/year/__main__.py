"""`python -m tests.year`: many histories, resumed where it was left; whatever breaks a rule is shrunk.

    python -m tests.year --parts 100000 --folder FOLDER      goes on in FOLDER until so many parts are through
    python -m tests.year --replay FOLDER/failed-17.json      plays one history that failed
    python -m tests.year --seed 17 --each 100 --out FILE     plays one seed, and writes its history

In FOLDER lie `histories.jsonl`, a line a history, and of each that failed `failed-SEED.json` with the shortest history
that still fails, and its lines in `failed-SEED.txt`. Exit status 1 where a rule was broken.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.year.history import Told, play
from tests.year.misfortunes import Row, draw
from tests.year.shrink import shrink


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.year", description=__doc__.split("\n")[0])
    parser.add_argument("--parts", type=int, default=100_000, help="parts in all histories together")
    parser.add_argument("--each", type=int, default=100, help="parts of one history")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--step", type=int, default=1, help="from one seed to the next: for several runs side by side")
    parser.add_argument("--folder", type=Path, help="where histories are kept, and gone on from")
    parser.add_argument("--seed", type=int, help="play this one alone")
    parser.add_argument("--out", type=Path, help="where the history of --seed is written")
    parser.add_argument("--replay", type=Path, help="a history that failed")
    said = parser.parse_args(arguments)
    if said.replay:
        return _replay(json.loads(said.replay.read_text(encoding="utf-8")))
    if said.seed is not None:
        return _one(said.seed, said.each, said.out)
    if said.folder is None:
        parser.error("--folder is needed")
    return _many(said)


def _one(seed: int, parts: int, out: Path | None) -> int:
    told = play(seed, parts)
    if out is not None:
        out.write_bytes(told.content)
    _say(
        f"seed {seed}: {told.parts} parts, {told.lives} lives, {told.sha256}; {told.violations or 'no rule is broken'}"
    )
    return 1 if told.violations else 0


def _replay(kept: dict[str, Any]) -> int:
    told = play(kept["seed"], kept["parts"], [Row(**row) for row in kept["rows"]])
    _say("\n".join(told.lines))
    return 1 if told.violations else 0


def _many(said: argparse.Namespace) -> int:
    folder: Path = said.folder
    folder.mkdir(parents=True, exist_ok=True)
    done = list(_before(folder / "histories.jsonl"))
    through, broken = sum(one["parts"] for one in done), sum(bool(one["violations"]) for one in done)
    spent_s = sum(one["cpu_s"] for one in done)
    seed = max([said.first - said.step, *(one["seed"] for one in done)]) + said.step
    while through < said.parts:
        began_s = time.process_time()
        told = play(seed, said.each, folder=folder)
        one = _kept(told, time.process_time() - began_s)
        with (folder / "histories.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(one) + "\n")
        if told.violations:
            broken += 1
            _shrink(folder, told, said.each)
        through, spent_s = through + told.parts, spent_s + one["cpu_s"]
        ms = 1000 * spent_s / max(1, through)
        _say(
            f"seed {seed}: {through} of {said.parts} parts, {ms:.0f} ms of a processor each, {broken} histories failed"
        )
        seed += said.step
    _say(_summary(list(_before(folder / "histories.jsonl"))))
    return 1 if broken else 0


def _before(file: Path) -> Iterator[dict[str, Any]]:
    """The histories that were played; a line that its end has cut is none."""
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _kept(told: Told, cpu_s: float) -> dict[str, Any]:
    return {
        "seed": told.seed, "parts": told.parts, "lives": told.lives, "steps": told.steps, "sha256": told.sha256,
        "virtual_s": round(told.virtual_s), "cpu_s": round(cpu_s, 3), "codes": sorted(told.codes),
        "violations": told.violations, "befell": dict(Counter(told.befell)),
    }  # fmt: skip


def _shrink(folder: Path, told: Told, parts: int) -> None:
    rule = told.violations[0][0]
    _say(f"seed {told.seed} broke rule {rule}: {told.violations[0][1][:300]}")

    def fails(fewer: int, rows: Sequence[Row]) -> bool:
        return any(broken == rule for broken, _how in play(told.seed, fewer, rows, folder).violations)

    shrunk = shrink(parts, draw(told.seed, parts), fails, tries=60)
    again = play(told.seed, shrunk.parts, shrunk.rows, folder)
    kept = {
        "seed": told.seed, "parts": shrunk.parts, "rows": [row.as_json() for row in shrunk.rows],
        "violations": again.violations or told.violations,
    }  # fmt: skip
    (folder / f"failed-{told.seed}.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    (folder / f"failed-{told.seed}.txt").write_bytes(again.content if again.violations else told.content)
    _say(f"  shrunk to {shrunk.parts} parts and {[row.name for row in shrunk.rows]} in {shrunk.tries} tries")


def _summary(done: list[dict[str, Any]]) -> str:
    befell = Counter[str]()
    for one in done:
        befell.update(one["befell"])
    codes = sorted({code for one in done for code in one["codes"]})
    return (
        f"{sum(one['parts'] for one in done)} parts, {len(done)} histories, {sum(one['lives'] for one in done)} lives, "
        f"{sum(befell.values())} misfortunes of {len(befell)} kinds, {sum(one['cpu_s'] for one in done):.0f} s of a "
        f"processor, {sum(one['virtual_s'] - 1000 for one in done) / 3600:.1f} h of the cell's time; "
        f"faults shown: {', '.join(codes)}"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
