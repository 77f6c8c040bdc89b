"""The site that the sample logs come from: its courses, problems and learners. All of it is made up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID


class Question(NamedTuple):
    """``suffix`` ends its input's name; ``answers`` (what is sent, what is shown), the right one first."""

    suffix: str
    text: str
    response_type: str
    input_type: str
    answers: tuple[tuple[str | list[str], str | list[str]], ...]


class Problem(NamedTuple):
    block: str
    name: str
    questions: tuple[Question, ...]


class Video(NamedTuple):
    block: str
    duration: float
    code: str


class Course(NamedTuple):
    """``key`` is the course's key; ``prefix`` begins the usage keys of its blocks."""

    key: str
    prefix: str
    org: str
    name: str
    videos: tuple[Video, ...]
    problems: tuple[Problem, ...]
    sequences: tuple[str, ...]


class Learner(NamedTuple):
    user_id: int
    username: str
    ip: str
    agent: str
    accept_language: str
    xapi_id: UUID
    caliper_id: UUID


class Site(NamedTuple):
    courses: tuple[Course, ...]
    learners: tuple[Learner, ...]


_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_3) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.3 Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
)
_LANGUAGES = ("en-US,en;q=0.9", "fr-FR,fr;q=0.9,en;q=0.5", "de-DE,de;q=0.9,en;q=0.6", "zh-CN,zh;q=0.9", "cs,en;q=0.7")
_USERNAMES = (
    *("ada", "bilal", "chiara", "dmitri", "elif", "fatou", "giorgos", "hana", "ines", "jun", "katya", "luis", "maya"),
    *("noor", "olu", "priya", "quinn", "rosa", "søren", "tomás", "ulla", "vikram", "wanjiru", "xin", "yusuf", "žofie"),
    *(
        "李雷",
        "amélie_d",
        "ben.k",
        "cleo-9",
        "dora_77",
        "emre",
        "filip",
        "greta",
        "hugo",
        "ida",
        "jamal",
        "kofi",
        "lena",
    ),
    "2023",
)
_QUESTIONS = (
    Question(
        "2_1",
        "What is the time complexity of binary search?",
        "multiplechoiceresponse",
        "choicegroup",
        (("choice_1", "O(log n)"), ("choice_0", "O(1)"), ("choice_2", "O(n)"), ("choice_3", "O(n log n)")),
    ),
    Question(
        "3_1",
        "Which of these are immutable in Python?",
        "choiceresponse",
        "checkboxgroup",
        (
            (["choice_0", "choice_2"], ["tuple", "str"]),
            (["choice_1"], ["list"]),
            (["choice_0", "choice_1", "choice_2"], ["tuple", "list", "str"]),
        ),
    ),
    Question(
        "4_1",
        "What is 15% of 80?",
        "numericalresponse",
        "formulaequationinput",
        (("12", "12"), ("12.5", "12.5"), ("1.2e1 ", "1.2e1 ")),
    ),
    Question(
        "5_1",
        "Traduisez: \u201cthe work\u201d, \u201ca summer\u201d",
        "stringresponse",
        "textline",
        (("l'œuvre, un été", "l'œuvre, un été"), ("le travail", "le travail"), ("工作 & été", "工作 & été")),
    ),
    Question(
        "6_1",
        "The nucleus holds the cell's …",
        "optionresponse",
        "optioninput",
        (("DNA", "DNA"), ("ribosomes", "ribosomes"), ("café 😀", "café 😀")),
    ),
)
_PROBLEMS = (
    ("Checkpoint 1", (0,)),
    ("Immutable types", (1,)),
    ("Percentages", (2,)),
    ("Révision: les saisons", (3,)),
    ("Unit test", (0, 1, 2)),
    ("Final quiz: all of it", (0, 1, 2, 3, 4)),
)
_COURSES = (
    ("course-v1:NorthX+CS101+2024_T1", "NorthX", "Introduction to Computing"),
    ("course-v1:NorthX+BIO200+2024_T1", "NorthX", "Biology: Cells & Genes"),
    ("course-v1:HarborX+FR110+2024_T1", "HarborX", "Français débutant (A1)"),
)


def made_up_site(seed: int, learners: int) -> Site:
    """The site for ``seed``, the same in every Python."""
    chance = random.Random(f"site {seed}")  # noqa: S311 (made-up data)
    return Site(
        tuple(_course(chance, *course) for course in _COURSES),
        tuple(_learner(chance, number) for number in range(learners)),
    )


def _course(chance: random.Random, key: str, org: str, name: str) -> Course:
    prefix = f"block-v1:{key.partition(':')[2]}"
    return Course(
        key,
        prefix,
        org,
        name,
        tuple(
            Video(_hex32(chance), round(60 + 900 * chance.random(), length), "hls" if length else "3_yD_cEKoCk")
            for length in (0, 2, 3, 1)
        ),
        tuple(Problem(_hex32(chance), title, _pick(_QUESTIONS, which)) for title, which in _PROBLEMS),
        tuple(_hex32(chance) for _ in range(3)),
    )


def _learner(chance: random.Random, number: int) -> Learner:
    user_id = 5 + number
    return Learner(
        user_id,
        _USERNAMES[number] if number < len(_USERNAMES) else f"learner_{user_id}",
        f"203.0.113.{1 + number % 254}",
        _AGENTS[number % len(_AGENTS)],
        _LANGUAGES[number % len(_LANGUAGES)],
        UUID(int=chance.getrandbits(128), version=4),
        UUID(int=chance.getrandbits(128), version=4),
    )


def _hex32(chance: random.Random) -> str:
    return f"{chance.getrandbits(128):032x}"


def _pick(questions: Sequence[Question], which: Sequence[int]) -> tuple[Question, ...]:
    return tuple(questions[place] for place in which)
