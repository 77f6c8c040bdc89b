"""The operators of ``match_params``: each is one type, and its words, its schema, how it is read and which values fit agree."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hamcrest import assert_that, contains_string, equal_to, has_entry, has_item, not_

from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.problem.events import ProblemCheckData
from edx2lrs.transforms.formats.unfit import UnfitError
from edx2lrs.transforms.matching import rules
from edx2lrs.transforms.matching.masks import Fit
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.matching.match_reasons import reasons
from testkit import configurations

VALUES: list[Any] = [None, "", "a", "ab", "1", 0, 1, 1.0, 2, True, False, ["a"], {"a": 1}]
WRITTEN: list[Any] = [
    *("a", "/a/", "/^b/", 1, 1.0, True, "1"),
    *({"not": "a"}, {"not": ["a", "/b$/", 1]}, {"not": [True]}, {"exists": True}, {"exists": False}),
]


def expected(value: Any, written: Any) -> bool:
    """Whether a value fits, as the page says."""
    there = value is not None and value != ""
    if isinstance(written, list):
        return any(expected(value, each) for each in written)
    if isinstance(written, dict) and "exists" in written:
        return there is written["exists"]
    if not there or isinstance(value, (list, dict)):
        return False
    if isinstance(written, dict):
        return not expected(value, written["not"])
    if isinstance(written, str) and written.startswith("/"):
        return isinstance(value, str) and re.search(written[1:-1], value) is not None
    return bool(written == value) and isinstance(written, bool) is isinstance(value, bool)


def consumer(written: Any) -> Consumer:
    return Consumer(name="c", protocol="xapi", url="https://x", access="all", match_params={"data.grade": written})


def event(value: Any) -> Event:
    return Event("problem_check", data=ProblemCheckData(grade=value))


def test_verdict_and_reason_are_what_the_page_says() -> None:
    chance = random.Random(5)
    lists = [[chance.choice(WRITTEN), chance.choice(WRITTEN)] for _ in range(200)]
    wishes = [*WRITTEN, *(each for each in lists if sum("not" in str(one) for one in each) < 2)]
    match = Matcher([consumer(written) for written in wishes])
    for value in VALUES:
        got = match(event(value))
        for index, written in enumerate(wishes):
            (_, said) = reasons(event(value), consumer(written))
            assert_that((index in got, said.passes), equal_to((expected(value, written),) * 2), f"{value!r} for {written!r}")


@pytest.mark.parametrize("written", [*WRITTEN, WRITTEN[:3]])
def test_what_was_read_is_written_so_that_it_can_be_read_again(written: Any) -> None:
    made = [each.written for each in rules.operators(written)]
    assert_that([each.written for each in rules.operators(made)], equal_to(made))


@dataclass(frozen=True)
class MoreThan:
    """A number above a bound."""

    KEY: ClassVar[str] = "above"
    EXAMPLE: ClassVar[str] = "{above: 1}"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "number"}
    bound: float

    def __call__(self, value: object) -> bool:
        return isinstance(value, (int, float)) and value > self.bound

    @property
    def words(self) -> str:
        return f"a number above {self.bound}"

    @property
    def written(self) -> Any:
        return {"above": self.bound}

    @property
    def fit(self) -> Fit:
        return Fit(tests=(self,))

    @classmethod
    def read(cls, value: object, unfit: rules.Unfit) -> MoreThan | None:
        if isinstance(value, (int, float)):
            return cls(value)
        unfit(UnfitError("no number", "a number"))
        return None


def test_an_operator_is_one_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Declared, it is read from the file, described, in the schema, matched and explained."""
    from edx2lrs.pipeline.config.faults import ConfigError
    from edx2lrs.pipeline.config.reading import read_structure

    file = tmp_path / "c.yaml"
    file.write_text(configurations.yaml_of(configurations.consumer(match_params={"data.grade": {"above": 1}})))
    with pytest.raises(ConfigError, match=r"data.grade.above: unknown key; write \{not: ...\} or \{exists: true\}"):
        read_structure(str(file))
    monkeypatch.setattr(rules, "OPERATORS", (*rules.OPERATORS, MoreThan))
    (read,) = read_structure(str(file)).config.consumers
    assert_that([Matcher([read])(event(value)) for value in (0, 2, "2", None)], equal_to([(), (0,), (), ()]))
    assert_that([reasons(event(value), read)[1].passes for value in (0, 2)], equal_to([False, True]))
    assert_that(reasons(event(0), read)[1].why, contains_string("wanted a number above 1; found a number, which does not fit"))
    assert_that(rules.wish_schema()["anyOf"], has_item(has_entry("properties", {"above": {"type": "number"}})))
    assert_that(rules.wish_words(), contains_string("`{above: 1}`: a number above a bound"))
    file.write_text(configurations.yaml_of(configurations.consumer(match_params={"data.grade": {"above": "x"}})))
    with pytest.raises(ConfigError, match=r"data.grade.above: found no number, expected a number"):
        read_structure(str(file))
    assert_that(Matcher([consumer([{"not": 1}, {"above": 5}])])(event(1)), equal_to(()))
    assert_that(Matcher([consumer([{"not": 7}, {"above": 5}])])(event(7)), not_(equal_to(())))
