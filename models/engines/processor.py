"""What of the processor decides how fast, and with which bits, a network is computed."""

import os
import platform
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
EXTENSIONS = (
    "avx2",
    "avx512f",
    "avx_vnni",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimddp",
    "i8mm",
    "bf16",
)
"""Extensions of x86-64 and of ARMv8 that engines choose their arithmetic by, as Linux names them."""


def instruction_set(cpu_info: Path = CPU_INFO) -> str:
    """Architecture and the extensions that matter, for example `x86_64 avx2 avx512f avx512_vnni avx512_bf16`."""
    found = _flags(cpu_info)
    return " ".join([platform.machine(), *(name for name in EXTENSIONS if name in found)])


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def _flags(cpu_info: Path) -> set[str]:
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return set(value.split())
    return set()
