import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from relume.machine import free_ram, has_vnni, num_threads, processor_name

MIB = 2**20


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_free_ram_of_a_bare_machine(tmp_path: Path):
    assert 0 < free_ram(tmp_path) <= psutil.virtual_memory().total


def test_free_ram_in_a_cgroup_v2_counts_reclaimable_cache(tmp_path: Path):
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user/job\n",
            "sys/fs/cgroup/user/job/memory.max": f"{100 * MIB}\n",
            "sys/fs/cgroup/user/job/memory.current": f"{70 * MIB}\n",
            "sys/fs/cgroup/user/job/memory.stat": f"anon 5\ninactive_file {20 * MIB}\nslab 1\n",
        },
    )
    assert free_ram(root) == 50 * MIB


def test_free_ram_obeys_the_tightest_group_around(tmp_path: Path):
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user/job\n",
            "sys/fs/cgroup/user/memory.max": f"{80 * MIB}\n",
            "sys/fs/cgroup/user/memory.current": f"{70 * MIB}\n",
            "sys/fs/cgroup/user/job/memory.max": "max\n",
            "sys/fs/cgroup/user/job/memory.current": "1\n",
        },
    )
    assert free_ram(root) == 10 * MIB


def test_free_ram_in_a_cgroup_v1_container_whose_path_is_the_hosts(tmp_path: Path):
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/docker/0123\n1:cpu,cpuacct:/docker/0123\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{64 * MIB}\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{60 * MIB}\n",
            "sys/fs/cgroup/memory/memory.stat": f"cache 1\ntotal_inactive_file {2 * MIB}\n",
        },
    )
    assert free_ram(root) == 6 * MIB


def test_free_ram_is_never_negative(tmp_path: Path):
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "10\n",
            "sys/fs/cgroup/memory.current": "30\n",
        },
    )
    assert free_ram(root) == 0


def test_threads_follow_the_quota(tmp_path: Path):
    unlimited = num_threads(tmp_path)
    assert 1 <= unlimited <= len(os.sched_getaffinity(0))
    v2 = {"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/cpu.max": "50000 100000\n"}
    assert num_threads(write(tmp_path / "v2", v2)) == 1
    v2["sys/fs/cgroup/job/cpu.max"] = "max 100000\n"
    assert num_threads(write(tmp_path / "free", v2)) == unlimited
    v1 = {
        "proc/self/cgroup": "2:cpu,cpuacct:/job\n",
        "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "90000\n",
        "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
    }
    assert num_threads(write(tmp_path / "v1", v1)) == 1
    v1["sys/fs/cgroup/cpu/job/cpu.cfs_quota_us"] = "-1\n"
    assert num_threads(write(tmp_path / "v1free", v1)) == unlimited


def test_threads_follow_the_affinity(tmp_path: Path):
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert num_threads(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize(("flags", "found"), [("fpu avx2 avx512_vnni", True), ("fpu avx2", False)])
def test_8_bit_arithmetic_is_told_by_the_flags(tmp_path: Path, flags: str, found: bool):
    root = write(tmp_path, {"proc/cpuinfo": f"processor\t: 0\nflags\t\t: {flags}\n\n"})
    assert has_vnni(root) is found
    assert has_vnni(tmp_path / "no such root") is False


def test_the_processor_is_named_as_the_system_does(tmp_path: Path):
    root = write(tmp_path, {"proc/cpuinfo": "processor\t: 0\nmodel name\t: Z80 at 4 MHz\n\n"})
    assert processor_name(root) == "Z80 at 4 MHz"
    assert processor_name(tmp_path / "no such root")


@pytest.mark.parametrize(("asked", "threads"), [("1", 1), ("1,2", 1), ("0", 4), ("many", 4), ("99", 4)])
def test_threads_that_somebody_asked_for(
    asked: str, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr("psutil.cpu_count", lambda logical: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert num_threads(tmp_path) == threads


def test_the_age_of_a_process_is_not_more_than_it_can_be():
    code = "from relume.machine import process_age; print(process_age())"
    for _ in range(3):
        start = time.monotonic()
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert 0 < float(told) < time.monotonic() - start + 0.1
