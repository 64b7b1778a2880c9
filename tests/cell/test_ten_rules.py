"""The checks of the ten rules find what breaks them: the books of a good run are falsified, one entry at a time."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from sim.ledger import Happening
from tests.cell.fault_bench import FaultBench, fault_bench
from tests.cell.plc_words import DEFECT_FREE, ResultWords
from tests.cell.ten_rules import PASSED, RULES, Books
from tests.cell.test_campaign import ARCHIVED

Falsify = Callable[[Books], Any]


def first(books: Books, *, passed: bool) -> dict[str, Any]:
    return next(row for row in books.rows if (row["confirmed_bin"] == PASSED) is passed)


def first_archived(books: Books) -> dict[str, Any]:
    return next(row for row in reversed(books.rows) if row["scan_file"])


def say_of_a_part(books: Books, event: Happening) -> None:
    """This happened to a part that was sorted, once more."""
    sorted_part = next(entry for entry in books.entries if entry.place == PASSED)
    books.entries.append(replace(sorted_part, event=event))


def swap_scans(books: Books) -> None:
    ours = first_archived(books)
    other = next(row for row in books.rows if row["scan_file"] and row["verdict"] != ours["verdict"])
    ours["scan_file"], other["scan_file"] = other["scan_file"], ours["scan_file"]


def tell_the_plc(books: Books) -> None:
    """The PLC reads of a rejected part that it is defect-free."""
    part_id = first(books, passed=False)["part_id"]
    books.bench.words.results.append(ResultWords(part_id, DEFECT_FREE, 0xFFFF - DEFECT_FREE, 1, 0, 0))


FALSIFIED: list[tuple[int, Falsify]] = [
    (1, lambda books: first(books, passed=True).update(scan_valid=False)),
    (1, lambda books: first(books, passed=True).update(reason="scan.late")),
    (1, lambda books: first(books, passed=True)["probabilities"].pop()),
    (1, lambda books: first(books, passed=True)["probabilities"][7].reverse()),
    (1, tell_the_plc),
    (2, lambda books: books.rows.append(books.rows[0])),
    (2, lambda books: books.rows.pop()),
    (2, lambda books: first(books, passed=True).update(confirmed_bin="bin_pits")),
    (3, lambda books: say_of_a_part(books, Happening.COLLISION)),
    (4, lambda books: say_of_a_part(books, Happening.PLACED)),
    (4, lambda books: first(books, passed=True).update(interrupted_at="2026-01-01T00:00:00Z")),
    (5, lambda books: books.bench.log.append({"event": "part_rescanned", "fault": "jig.haunted"})),
    (5, lambda books: books.bench.log.append({"event": "bug_met"})),
    (6, lambda books: books.rows[0].update(confidence=0.987)),
    (6, lambda books: books.rows[0].update(config_sha256="0" * 64)),
    (6, swap_scans),
    (7, lambda books: first(books, passed=True)["lines"].update(delivered=3583)),
    (8, lambda books: books.rows.reverse()),
    (9, lambda books: books.rows[0].update(reason="scan.late")),
]


@contextmanager
def copied(bench: FaultBench) -> Iterator[Books]:
    """Books that may be falsified; afterwards the bench's own are as before."""
    log, results = len(bench.log), len(bench.words.results)
    yield Books(bench, deepcopy(bench.taken_records()), list(bench.truth.entries))
    del bench.log[log:], bench.words.results[results:]


async def test_every_rule_is_broken_by_what_breaks_it_and_by_nothing_else(tmp_path: Path) -> None:
    async with fault_bench(tmp_path, changes={"records": ARCHIVED}) as bench:
        await bench.until(lambda: bench.closed_records() >= 6)
        await bench.stop()
        with copied(bench) as books:
            assert [list(rule(books)) for rule in RULES] == [[]] * 10
            assert len(books.again) >= 2
        for line, (number, falsify) in enumerate(FALSIFIED):
            with copied(bench) as books:
                falsify(books)
                assert next(RULES[number - 1](books), None), f"rule {number}, line {line} of FALSIFIED"
        with socket.socket(type=socket.SOCK_DGRAM) as stray, copied(bench) as books:
            stray.bind(("127.0.0.1", 0))
            assert list(RULES[9](books))
