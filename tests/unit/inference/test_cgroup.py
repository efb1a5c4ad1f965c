"""What control groups leave to this process, in folders that look like the system's."""

from pathlib import Path

import pytest

from core.inference.cgroup import cpu_quota, memory_left


def files(root: Path, **contents: str) -> None:
    """Write files by path, in which __ stands for a slash and _0_ for a dot."""
    for name, content in contents.items():
        path = root / name.replace("__", "/").replace("_0_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def version_2(root: Path, own: str) -> tuple[Path, Path]:
    files(root / "fs", cgroup_0_controllers="cpu memory\n")
    (root / "own").write_text(f"0::{own}\n")
    return root / "fs", root / "own"


def test_the_strictest_group_counts(tmp_path: Path) -> None:
    where = version_2(tmp_path, "/outer/inner")
    files(where[0], outer__cpu_0_max="150000 100000\n", outer__inner__cpu_0_max="max 100000\n")
    assert cpu_quota(*where) == 1.5
    files(where[0], outer__inner__cpu_0_max="50000 100000\n")
    assert cpu_quota(*where) == 0.5


def test_in_a_container_the_group_is_the_root(tmp_path: Path) -> None:
    where = version_2(tmp_path, "/")
    files(where[0], cpu_0_max="200000 100000\n")
    assert cpu_quota(*where) == 2.0


def test_names_of_the_host_that_are_not_seen_here(tmp_path: Path) -> None:
    where = version_2(tmp_path, "/system.slice/of/the/host")
    files(where[0], cpu_0_max="300000 100000\n")
    assert cpu_quota(*where) == 3.0


def test_memory_that_can_be_dropped_counts_as_free(tmp_path: Path) -> None:
    where = version_2(tmp_path, "/g")
    files(
        where[0],
        g__memory_0_max="1000\n",
        g__memory_0_current="900\n",
        g__memory_0_stat="anon 500\ninactive_file 300\n",
    )
    assert memory_left(*where) == 400
    files(where[0], memory_0_max="500\n", memory_0_current="499\n")
    assert memory_left(*where) == 1


@pytest.mark.parametrize("quota", ["max 100000", "", "what\n"])
def test_no_limit(tmp_path: Path, quota: str) -> None:
    where = version_2(tmp_path, "/g")
    files(where[0], g__cpu_0_max=quota, g__memory_0_max="max\n", g__memory_0_current="9\n")
    assert cpu_quota(*where) is None
    assert memory_left(*where) is None


def test_no_groups_at_all(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path / "fs", tmp_path / "own") is None
    assert memory_left(tmp_path / "fs", tmp_path / "own") is None


def test_version_1(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("9:name=systemd:/\n4:memory:/job\n2:cpu,cpuacct:/job\n0::/\n")
    files(
        tmp_path / "fs",
        cpu__cpu_0_cfs_quota_us="-1\n",
        cpu__cpu_0_cfs_period_us="100000\n",
        cpu__job__cpu_0_cfs_quota_us="250000\n",
        cpu__job__cpu_0_cfs_period_us="100000\n",
        memory__job__memory_0_limit_in_bytes="1000\n",
        memory__job__memory_0_usage_in_bytes="400\n",
    )
    assert cpu_quota(tmp_path / "fs", tmp_path / "own") == 2.5
    assert memory_left(tmp_path / "fs", tmp_path / "own") == 600
