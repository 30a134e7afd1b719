"""What this process may use of the machine: RAM and processors, as far as its cgroups let it."""

import math
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

import psutil


def free_ram(root: Path = Path("/")) -> int:
    """Bytes of RAM that can be taken without swapping: the machine's, or what the cgroups (v1, v2) leave.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    free = psutil.virtual_memory().available
    for group in _cgroups(root, "memory"):
        for limit, usage, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most, used = _number(group / limit), _number(group / usage)
            if most is not None and used is not None:
                free = min(free, most - used + _entry(group / "memory.stat", cache))
    return max(0, free)


def num_threads(root: Path = Path("/")) -> int:
    """Threads worth starting: cores that this process may run on, at most what its cgroups' CPU quota pays.

    Where somebody set ``OMP_NUM_THREADS``, no more than that.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(allowed, psutil.cpu_count(logical=False) or allowed)
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdecimal() and int(asked) > 0:
        threads = min(threads, int(asked))
    for group in _cgroups(root, "cpu"):
        quota, period = _cpu_quota(group)
        if quota > 0:
            threads = min(threads, math.ceil(quota / period))
    return max(1, threads)


def processor_name(root: Path = Path("/")) -> str:
    """What the processor is called, as far as the system tells.

    Args:
        root: where ``proc`` is.
    """
    lines = _text(root / "proc/cpuinfo").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def has_vnni(root: Path = Path("/")) -> bool:
    """Whether the processor multiplies 8-bit integers several times as fast as floats; known on Linux only.

    Args:
        root: where ``proc`` is.
    """
    flags = next((line for line in _text(root / "proc/cpuinfo").splitlines() if line.startswith("flags")), "")
    return bool({"avx512_vnni", "avx_vnni", "amx_int8"} & {*flags.split()})


def _cpu_quota(group: Path) -> tuple[int, int]:
    """Microseconds of processor time per period of microseconds; 0 where there is no limit."""
    words = _text(group / "cpu.max").split()
    if len(words) == 2 and words[0] != "max":
        return int(words[0]), int(words[1])
    return _number(group / "cpu.cfs_quota_us") or 0, _number(group / "cpu.cfs_period_us") or 1


def _cgroups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's cgroup and of those around it, as far as they can be seen.

    Inside a container the path in ``/proc/self/cgroup`` may be the host's: then only the mount itself exists.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / (controller if controllers else "")
        inside = Path(path.lstrip("/"))
        yield from (mount / part for part in (inside, *inside.parents) if (mount / part).is_dir())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _number(path: Path) -> int | None:
    """The number in a file; nothing if it is not there or says ``max`` or -1, without a limit.

    Not by trying ``int``: while CPython formats its ValueError it drops the exception of a signal's handler.
    """
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _entry(path: Path, key: str) -> int:
    """A value of a file of ``key value`` lines, 0 if it is not there."""
    for line in _text(path).splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return int(value)
    return 0


def process_age() -> float:
    """Seconds since this process started.

    On Linux by the clock that starts were noted with: psutil adds them to the time of the start of the
    machine, which the kernel tells in whole seconds, and which is off once the wall clock was set.
    """
    status = Path("/proc/self/stat")
    if status.exists():
        ticks = int(status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - psutil.Process().create_time()
