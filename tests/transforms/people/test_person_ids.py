"""What is a person's id, what is nobody's, and what is neither."""

from __future__ import annotations

import pytest

from edx2lrs.transforms.people.person_ids import NoPersonError, id_or_name, person, session_of, username_of

IDS = {
    "a number": (43, 43),
    "digits": ("43", 43),
    "zeros before": ("0043", 43),
    "white space": (" 43\t\n", 43),
    "no-break space, byte order mark": ("\u00a043\ufeff", 43),
    "a sign": ("+43", 43),
    "of a data frame": ("43.0", 43),
    "more zeros": ("43.000", 43),
    "a whole float": (43.0, 43),
    "the largest": (2**63 - 1, 2**63 - 1),
    "the largest as text": (str(2**63 - 1), 2**63 - 1),
    "a name": ("lena", "lena"),
    "a name with white space": ("\nlena ", "lena"),
    "a name that begins with digits": ("4lena", "4lena"),
    "a name of another script": ("Zoë", "Zoë"),
}  # fmt: skip
NOBODY = [
    None, 0, 0.0, "", "0", "0.0", "00", " ", "\n", "None", "none", "NONE", "null", "NULL", "nan", "NaN", "<NA>", "undefined", r"\N",
    "nil", "(null)", "N/A", "AnonymousUser", " None\n",
]  # fmt: skip
NEITHER = [
    True, False, -1, "-1", "-1.0", 4.5, "4.5", "1e3", "4.3E+05", "\uff14\uff13", "1,000", "1.000,00", 2**63, str(2**63), "9" * 30,
    "9" * 5000, 1e300, -1.0, "true", "False", "[43]", '"43"', "{'id': 43}", "a\nb", ["43"],
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), IDS.values(), ids=IDS.keys())
def test_ids(value: object, expected: object) -> None:
    assert id_or_name(value) == expected
    assert type(id_or_name(value)) is type(expected)


@pytest.mark.parametrize("value", NOBODY, ids=repr)
def test_nobody(value: object) -> None:
    assert id_or_name(value) is None
    assert person(value, "") == (None, None)
    assert person(value, "ann") == (None, "ann")


@pytest.mark.parametrize("value", NEITHER, ids=lambda value: repr(value)[:20])
def test_what_is_neither_is_refused_and_not_shown(value: object) -> None:
    with pytest.raises(NoPersonError) as refused:
        id_or_name(value)
    assert "43" not in str(refused.value)


@pytest.mark.parametrize("value", ["lena", "lena\n", " lena", "\ufefflena\u200b", "\u3000lena\r\n"])
def test_white_space_around_a_username_is_none_of_it(value: str) -> None:
    assert username_of(value) == "lena"


@pytest.mark.parametrize("value", [None, "", " ", 0, "None", "null", "nan", "undefined", r"\N"])
def test_a_username_of_nobody(value: object) -> None:
    assert username_of(value) is None


def test_a_username_of_digits_stays_a_username() -> None:
    assert person(None, "2023") == (None, "2023")
    assert person("", 2023) == (None, "2023")
    assert person(7, "2023") == (7, "2023")


@pytest.mark.parametrize("value", ["43L", "0x2b", "eve"])
def test_a_text_for_an_id_is_the_username_or_no_id(value: str) -> None:
    assert person(value, None) == person(value, "None") == person(value, f" {value}") == (None, value)
    with pytest.raises(NoPersonError):
        person(value, "lena")


@pytest.mark.parametrize("value", [True, 5.5, -5, ["a"]])
def test_no_username(value: object) -> None:
    with pytest.raises(NoPersonError):
        person(None, value)
    assert person(7, value) == (7, None)


def test_sessions() -> None:
    assert [session_of(value) for value in (" s1\n", "None", "", True, 0, 5)] == ["s1", None, None, None, None, 5]
