"""The site's table of course names in memory."""

from __future__ import annotations

from collections.abc import Mapping


class CourseNames:
    """Display names by course key. A course that the table lacks has no name; this is no error."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)

    def __len__(self) -> int:
        return len(self._names)

    def __call__(self, course_id: str) -> str | None:
        """The course's display name, or None."""
        return self._names.get(course_id)
