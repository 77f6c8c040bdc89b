"""Paths: local, or of one of Beam's file systems."""

from __future__ import annotations

from edx2lrs.io.paths import check_readable


def test_a_file_system_that_is_not_installed_is_told_without_the_path_and_without_the_extra_of_beam() -> None:
    told = check_readable(f"nowhere://bucket/{'x' * 200}")
    assert told is not None
    assert told.endswith("ensure the required dependency is installed")
