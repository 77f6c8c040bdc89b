"""Rules of users where the table of external ids says which user id a username has: rules and statements mean the same person."""

from __future__ import annotations

from typing import Any

import pytest

from edx2lrs.io.external_ids_database import in_memory
from edx2lrs.io.tables import ExternalIdRow
from edx2lrs.transforms.config_types import Access, Consumer, UserRule
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.problem.events import ProblemCheckData
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.matching.match_reasons import reasons
from edx2lrs.transforms.matching.rules import by_table

TABLE = in_memory(
    enumerate([
        ExternalIdRow(8, "ann", "XAPI", "ann-x", None),
        ExternalIdRow(9, "test_bob", "XAPI", "bob-x", None),
        ExternalIdRow(None, "eve", "XAPI", "eve-x", None),
    ])
)
USERS = by_table(TABLE.user_id_of)

CASES: dict[str, tuple[list[Any] | None, list[Any], tuple[Any, Any], bool]] = {
    "blocked under another name": (None, ["ann"], (8, "zed"), False),
    "blocked without a name": (None, ["ann"], (8, None), False),
    "blocked by name alone": (None, ["ann"], (None, "ann"), False),
    "another is blocked": (None, ["ann"], (9, "test_bob"), True),
    "allowed under another name": (["ann"], [], (8, "zed"), True),
    "allowed without a name": (["ann"], [], (8, None), True),
    "another with an allowed name": (["ann"], [], (7, "ann"), False),
    "another with an allowed name, by expression": (["/^ann$/"], [], (7, "ann"), False),
    "another with the name of somebody, some are blocked": (None, ["zed"], (7, "ann"), False),
    "by expression": (["/^test_/"], [], (9, "test_bob"), True),
    "by an expression that blocks": (None, ["/^test_/"], (9, "test_bob"), False),
    "allowed id, known by name alone": ([8], [], (None, "ann"), True),
    "blocked id, known by name alone": (None, [8], (None, "ann"), False),
    "a name that the table lacks": (["new"], [], (12, "new"), True),
    "a name without an id in the table": (["eve"], [], (None, "eve"), True),
    "white space in the rule": ([" ann\n"], [], (8, "ann"), True),
}  # fmt: skip


@pytest.mark.parametrize(("allow", "block", "who", "expected"), CASES.values(), ids=CASES.keys())
def test_a_rule_names_a_person(allow: Any, block: Any, who: tuple[Any, Any], expected: bool) -> None:
    access = Access(users=UserRule(allow=allow, block=block))
    one = Consumer(name="c", protocol="xapi", url="https://x", access=access)
    event = Event("problem_check", user_id=who[0], username=who[1], data=ProblemCheckData())
    assert (Matcher([one], users=USERS)(event) == (0,)) is expected
    assert all(reason.passes for reason in reasons(event, one, users=USERS)) is expected


def test_who_has_a_username() -> None:
    assert [TABLE.user_id_of(name) for name in ("ann", "test_bob", "eve", "ANN", "")] == [8, 9, None, None, None]
