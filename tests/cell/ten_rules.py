"""The ten rules that the product lives by, each checked from the ledgers of both sides after a campaign.

The station's side are its records, its orders, its log and what the line PLC has read; the other side is the simulated
cell's ledger, which knows what truly happened. Of a rule that no ledger can show whole, what it can show is checked.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sim.ledger import Entry, Happening
from station.cell.packml import State
from station.core.algorithm1 import algorithm1
from station.core.errors import FAULTS
from station.core.spot_check import SpotCheck
from station.host.recipes import make_recipes
from station.offline.inspect import Inspected, Wanted, inspect_image
from station.records.reading import reading
from tests.cell.fault_bench import FaultBench
from tests.cell.plc_words import DEFECT_FREE
from tests.housings import TABLE, Destination
from tests.lines import BLOCKS_PER_TURN, LINES_PER_TURN, PATCHES_PER_PART
from tests.own_children import children
from tests.unit.housings import MEANING

JUDGED_AGAIN = 4
"""So many archived scans are judged again, the newest ones."""
OF_THE_CELL = {"state_changed", "reason_changed", "part_sorted"}
"""Events of the log whose reason is a fault's code."""
PROTOCOLS = ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
PASSED = Destination.SECOND_INSPECTION.name


@dataclass
class Books:
    """Both ledgers of a cell that was stopped in order.

    Attributes:
        bench: The cell.
        rows: The records of parts that were loaded, oldest first.
        entries: What truly happened.
    """

    bench: FaultBench
    rows: list[dict[str, Any]]
    entries: list[Entry]

    @cached_property
    def passed(self) -> list[dict[str, Any]]:
        """Records of parts that truly lie in the second inspection, or are said to."""
        return [row for row in self.rows if PASSED in (row["confirmed_bin"], self.bench.place_of(row["part_id"]))]

    @cached_property
    def again(self) -> list[tuple[dict[str, Any], Any]]:
        """Some records whose scan is archived, each with what the scan is judged to be now."""
        archived = [row for row in self.rows if row["scan_file"] and row["judgement"]["reason"] is None]
        recipes = make_recipes(self.bench.settings) if archived else None
        data, result = self.bench.folder / "data", []
        for row in archived[-JUDGED_AGAIN:]:
            assert recipes is not None
            wanted = Wanted(data / row["scan_file"], row["part_type"])
            result.append((row, inspect_image(wanted, self.bench.settings, recipes)))
        return result

    def asked(self, question: str) -> list[tuple[Any, ...]]:
        """Rows of the station's database."""
        with reading(self.bench.folder / "data") as database:
            return [tuple(row) for row in database.execute(question)]


def rule_1(books: Books) -> Iterator[str]:
    """1: A part without a confirmed, valid, complete judgement is never passed.

    What was passed was judged defect-free in every one of its 16 patches, on a valid scan, and truly is; and the PLC
    read that a part is defect-free of none other.
    """
    good = set()
    for row in books.passed:
        probabilities = np.array(row["probabilities"], np.float32)
        if (row["verdict"], row["reason"], row["scan_valid"]) != ("defect_free", None, True):
            yield f"{row['part_id']} was passed as {row['verdict']}, {row['reason']}"
        elif probabilities.shape != (PATCHES_PER_PART, 5) or probabilities.argmax(axis=1).any():
            yield f"{row['part_id']} was passed on {probabilities.tolist()}"
        elif books.bench.label_of(row["part_id"]) != "defect_free":
            yield f"{row['part_id']} was passed and truly is {books.bench.label_of(row['part_id'])}"
    for row in books.rows:
        if row["judgement"] and row["judgement"]["verdict"] == "defect_free":
            good.add(row["part_id"])
    for result in books.bench.words.results:
        if (result.decision, result.complement) == (DEFECT_FREE, 0xFFFF - DEFECT_FREE) and result.part_id not in good:
            yield f"the PLC read that {result.part_id} is defect-free"


def rule_2(books: Books) -> Iterator[str]:
    """2: A part that entered is recorded exactly once, and its record names the place that the robot confirmed."""
    counted = Counter(row["part_id"] for row in books.rows)
    yield from (f"{part} is recorded {times} times" for part, times in counted.items() if times > 1)
    yield from (f"{part} has no record" for part in books.bench.taken_on() - set(counted))
    yield from (f"{part} is recorded and never left the infeed" for part in set(counted) - books.bench.taken_on())
    for row in books.rows:
        place = books.bench.place_of(row["part_id"])
        if row["state"] not in {"sorted", "lost"} or place != (row["confirmed_bin"] or "floor"):
            yield f"{row['part_id']} lies in {place}, recorded is {row['state']} {row['confirmed_bin']}"
        for result in books.bench.words.results_of(row["part_id"]):
            if result.confirmed and _place(result.confirmed) != row["confirmed_bin"]:
                yield f"the PLC read that {row['part_id']} lies in {_place(result.confirmed)}"


def rule_3(books: Books) -> Iterator[str]:
    """3: Jig and robot never move against each other: nothing collided, and no such order was given.

    From an order to spin until the order to stop was confirmed the robot is ordered nothing. A jig that was stopped
    while the book could not be written, or that stopped by itself, has no such order; what it did is seen in the truth.
    """
    yield from (f"collision: {entry}" for entry in books.entries if entry.event is Happening.COLLISION)
    spin, meanwhile = None, list[str]()
    for number, device, verb, done in books.asked("SELECT number, device, verb, done_at FROM orders ORDER BY order_id"):
        if device == "robot" and spin is not None:
            meanwhile.append(f"robot order {number}, {verb}, while the jig turned after its order {spin}")
        elif device == "jig":
            if verb == "stop" and done:
                yield from meanwhile
            spin, meanwhile = (number if verb == "spin" else None), []


def rule_4(books: Books) -> Iterator[str]:
    """4: Each inspection has its own id, no part is sorted twice, and what was interrupted went to review."""
    ids = Counter(row["inspection_id"] for row in books.rows)
    yield from (f"inspection {one} is there {times} times" for one, times in ids.items() if times > 1)
    laid = Counter(
        entry.part_id
        for entry in books.entries
        if entry.event is Happening.PLACED and entry.place.startswith(("bin_", "second"))
    )
    yield from (f"{part} was laid away {times} times" for part, times in laid.items() if times > 1)
    for row in books.rows:
        if row["interrupted_at"] and row["verdict"] != "review":
            yield f"{row['part_id']} was interrupted and is {row['verdict']}"
    orders = Counter(books.asked("SELECT device, number, issued_ns FROM orders"))
    yield from (f"order {order} was given {times} times" for order, times in orders.items() if times > 1)


def rule_5(books: Books) -> Iterator[str]:
    """5: Every fault that showed has a code, a text and a reaction, none was a bug, and an operator came out of it.

    That every fault has a test is compared in `test_every_fault_has_a_test.py`.
    """
    keys = [(entry, "fault") for entry in books.bench.log]
    keys += [(entry, "reason") for entry in books.bench.log if entry["event"] in OF_THE_CELL]
    told = {str(entry[key]) for entry, key in keys if entry.get(key)}
    told |= {row["reason"] for row in books.rows if row["reason"]}
    told |= {alarm.fault.code for alarm in books.bench.desk.view.alarms}
    yield from (f"{code} is not in the table of faults" for code in told - set(FAULTS))
    yield from (f"{code} has no text" for code in told & set(FAULTS) if not FAULTS[code].text)
    yield from (f"{entry}" for entry in books.bench.log if entry["event"] == "bug_met")
    if books.bench.desk.view.state is not State.STOPPED:
        yield f"the cell was not stopped in order, it is {books.bench.desk.view.state.name}"


def rule_6(books: Books) -> Iterator[str]:
    """6: A decision can be made again from its record: from its scores, and bit for bit from its archived scan."""
    known = {row[0] for row in books.asked("SELECT sha256 FROM configurations")}
    judging = {model.sha256 for model in books.bench.station.models}
    for row in books.rows:
        if row["judgement"] is None:
            continue
        if row["model_sha256"] not in judging or row["config_sha256"] not in known:
            yield f"{row['part_id']} does not name what judged it"
        if row["algorithm1"] is not None:
            outcome = algorithm1(np.array(row["probabilities"], np.float32), MEANING.outputs)
            again = (outcome.verdict.name, outcome.confidence, outcome.deciding_patch, outcome.defect_patches)
            if again != (row["algorithm1"], row["confidence"], row["deciding_patch"], row["defect_patches"]):
                yield f"{row['part_id']}: its scores give {again}"
        yield from _unlike_its_novelty(row)
        yield from _unlike_its_draw(row)
    yield from _otherwise_now(books)


def _otherwise_now(books: Books) -> Iterator[str]:
    """What archived scans are judged to be now, held against their records."""
    for row, again in books.again:
        if not isinstance(again, Inspected):
            yield f"{row['part_id']}: its scan is refused: {again}"
        elif again.decision.probabilities.tolist() != row["probabilities"]:
            yield f"{row['part_id']}: its scan gives other scores"
        elif (again.decision.novelty and again.decision.novelty.score) != (row["novelty"] and row["novelty"]["score"]):
            yield f"{row['part_id']}: its scan is otherwise unlike the training: {again.decision.novelty}"
        elif again.decision.verdict.name != _before_the_draw(row):
            yield f"{row['part_id']}: its scan gives {again.decision.verdict.name}"


def _before_the_draw(row: dict[str, Any]) -> str:
    """What a part was judged to be; one that was drawn by lot would have passed."""
    drawn = row["judgement"]["reason"] == "part.spot_check"
    return str(row["algorithm1"] if drawn else row["judgement"]["verdict"])


def _unlike_its_draw(row: dict[str, Any]) -> Iterator[str]:
    """What a record says of a draw, held against the draw made again from its seed."""
    kept, drawn = row["spot_check"], row["judgement"]["reason"] == "part.spot_check"
    again = SpotCheck(kept["one_in"], kept["seed"]).draw(row["inspection_id"]) if kept else None
    if (again and again.lot) != (kept and kept["lot"]) or drawn != bool(again and again.drawn):
        yield f"{row['part_id']} has the draw {kept}, and its reason is {row['judgement']['reason']}"


def _unlike_its_novelty(row: dict[str, Any]) -> Iterator[str]:
    """What a record says of an unknown part, held against how unlike the training it says that the part is."""
    novelty, judged = row["novelty"], row["judgement"]["reason"]
    unknown = novelty is not None and novelty["p"] is not None and novelty["p"] <= novelty["alpha"]
    if (judged == "part.unknown") > unknown or (unknown and judged in {None, "part.low_confidence"}):
        yield f"{row['part_id']} is {novelty}, and its reason is {judged}"


def rule_7(books: Books) -> Iterator[str]:
    """7: That a passed part turned once, whole, was proven: by every line's account, and by the pixels once more."""
    whole = (LINES_PER_TURN, LINES_PER_TURN, BLOCKS_PER_TURN, 0, None)
    for row in books.passed:
        lines = row["lines"] or {}
        seen = tuple(lines.get(key) for key in ("expected", "delivered", "blocks", "discarded_blocks", "fault"))
        if seen != whole:
            yield f"{row['part_id']} was passed on {lines}"
    for row, again in books.again:
        if isinstance(again, Inspected) and not again.scan_valid:
            yield f"{row['part_id']}: the pixels of its scan say {again.decision.detail}"


def rule_8(books: Books) -> Iterator[str]:
    """8: What is announced is looked at again before anything moves: parts left the infeed as they were recorded."""
    picked = dict.fromkeys(entry.part_id for entry in books.entries if entry.event is Happening.PICKED)
    recorded = [row["part_id"] for row in books.rows]
    for number, (truly, told) in enumerate(zip(picked, recorded, strict=False)):
        if truly != told:
            yield f"part number {number + 1} to leave the infeed was {truly}, recorded is {told}"
            return


def rule_9(books: Books) -> Iterator[str]:
    """9: Nothing that only shows has stopped, slowed or misled the cell: no decision came late, no call hung."""
    late = [row for row in books.rows if row["reason"] == "scan.late"]
    yield from (f"{row['part_id']} was judged late: {row['detail']}" for row in late)
    yield from (f"{entry}" for entry in books.bench.log if entry["event"] == "event_loop_stalled")


def rule_10(books: Books) -> Iterator[str]:
    """10: Nothing leaves the computer: the sockets of these processes are the cell's own, on the loopback.

    That no name is looked up either is seen in `test_nothing_leaves.py`.
    """
    del books
    for pid in ("self", *map(str, children())):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            yield from _led_away(Path("/proc") / pid)


def _led_away(process: Path) -> Iterator[str]:
    """The sockets of a process that lead away from this computer, or might."""
    own = set()
    for one in (process / "fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed
            own.add(str(one.readlink()))
    for protocol in [one for one in PROTOCOLS if (process / "net" / one).exists()]:
        for line in (process / "net" / protocol).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            here, there, socket = fields[1], fields[2], f"socket:[{fields[9]}]"
            if socket in own and not (protocol == "tcp" and _is_near(here) and (_is_near(there) or _is_none(there))):
                yield f"{protocol} from {here} to {there} of {(process / 'comm').read_text().strip()}"


def _is_near(address: str) -> bool:
    """Whether an IPv4 address, as the kernel prints it, is one of the loopback."""
    return address.partition(":")[0].endswith("7F")


def _is_none(address: str) -> bool:
    """Whether it is the peer of a socket that listens."""
    return address.partition(":")[0] == "00000000"


RULES: tuple[Callable[[Books], Iterator[str]], ...] = (
    rule_1, rule_2, rule_3, rule_4, rule_5, rule_6, rule_7, rule_8, rule_9, rule_10,
)  # fmt: skip
TOLD = 5
"""So many violations of a rule are told."""


def check_rules(bench: FaultBench, told: str) -> None:
    """All ten rules hold, in a cell that was stopped in order.

    Args:
        bench: The cell.
        told: How to play the campaign again.
    """
    books = Books(bench, bench.taken_records(), bench.truth.entries)
    broken = {number: list(rule(books)) for number, rule in enumerate(RULES, 1)}
    lines = [f"rule {number}, {len(ways)} times: {ways[:TOLD]}" for number, ways in broken.items() if ways]
    assert not lines, "\n".join([told, *lines])


def _place(code: int) -> str:
    place = TABLE.place_of(code)
    return place.name if place else str(code)
