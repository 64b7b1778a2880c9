"""What learning may take of a computer on which the station works.

Core, priority and policy are a thread's, and a process that it starts inherits them before its first instruction. So a
thread of its own takes them and starts every step; the command itself stays as it is. At the lowest priority the policy
is SCHED_IDLE, and a process is given the processor, and the disk, only where nobody else wants it.

Source: sched(7), setpriority(2) "nice is per thread", ioprio_set(2): without a priority of one's own, that of the disk
follows from the policy; proc_pid_oom_score_adj(5): 1000 is ended first when the memory is used up.
"""

import os
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

MB = 1_000_000
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""How libraries are told of how many threads to make."""
FIRST_TO_GO = "1000"
LOWEST = 19


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be taken.

    Attributes:
        cores: How many, the last of those that the process may use.
        nice: The lowest priority is 19, and of idle time alone; one that is lower already stays.
        memory_mb: Of a step; 0 for any.
    """

    cores: int
    nice: int
    memory_mb: int

    @property
    def usable(self) -> set[int]:
        """The numbers of the cores."""
        return set(sorted(os.sched_getaffinity(0))[-self.cores :])

    @property
    def environment(self) -> dict[str, str]:
        """The process's, in which libraries make no more threads than there are cores."""
        return {**os.environ, **dict.fromkeys(POOLS, str(len(self.usable)))}

    def take(self) -> None:
        """Hold back this thread, and what it starts."""
        os.sched_setaffinity(0, self.usable)
        os.setpriority(os.PRIO_PROCESS, 0, max(self.nice, os.getpriority(os.PRIO_PROCESS, 0)))
        if self.nice == LOWEST:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    def hold(self, process: int) -> None:
        """Bound a process's memory, and have it go first when there is none left."""
        with suppress(ProcessLookupError):  # it has ended already
            if self.memory_mb:
                bound = self.memory_mb * MB
                resource.prlimit(process, resource.RLIMIT_DATA, (bound, bound))
            with suppress(FileNotFoundError):
                Path(f"/proc/{process}/oom_score_adj").write_text(FIRST_TO_GO, encoding="ascii")


def held_back(limits: Limits, work: Callable[[], Found]) -> Found:
    """What work gives that a thread does which is held back."""
    with ThreadPoolExecutor(1, "learn", limits.take) as pool:
        return pool.submit(work).result()
