"""Keys of courses and blocks: what is a key, its normal form, and what a text that holds a key shows."""

from __future__ import annotations

import pytest

from edx2lrs.transforms.keys.course_key import normal_course_key, org_of
from edx2lrs.transforms.keys.links import course_in, shown_by_link
from edx2lrs.transforms.keys.problem_inputs import named_in_inputs, named_in_referrer
from edx2lrs.transforms.keys.usage_key import key_of_block, normal_usage_key, shown_by_block

A, B = "course-v1:OrgA+CA+RA", "course-v1:OrgB+CB+RB"
BLOCK_OF_A, BLOCK_OF_B = "block-v1:OrgA+CA+RA+type@video+block@x", "block-v1:OrgB+CB+RB+type@video+block@x"
NOT_TOLD = (None, None)

COURSE_KEYS = {
    A: A,
    f" {A}\r\n": A,
    f"\u00a0{A}\t": A,
    f"{A}+branch@draft": A,
    f"{A}+branch@draft+version@5f3a": A,
    f"{A}+version@5f3a": A,
    "course-v1:Universit\u00e4t+Mathe-1.0_x~y+2024:1": "course-v1:Universit\u00e4t+Mathe-1.0_x~y+2024:1",
    "ccx-v1:OrgA+CA+RA+branch@draft+ccx@12": "ccx-v1:OrgA+CA+RA+ccx@12",
    "library-v1:OrgA+Lib": "library-v1:OrgA+Lib",
    "lib:OrgA:Lib": "lib:OrgA:Lib",
    "edX/Demo.X_1/2012-T1": "edX/Demo.X_1/2012-T1",
    f"course-v1:{A}": None,
    "course-v1:x:OrgA+CA+RA": None,
    f'"{A}"': None,
    "course-v1:Org A+CA+RA": None,
    "course-v1:OrgA%2BCA%2BRA": None,
    f"{A}/../{B}": None,
    f"{A}#x": None,
    f"{A}?x": None,
    "edX/../2012": None,
    "../../..": None,
    "": None,
    "course-v1:" + "x" * 600 + "+C+R": None,
}


@pytest.mark.parametrize(("text", "key"), COURSE_KEYS.items())
def test_the_normal_form_of_a_course_key(text: str, key: str | None) -> None:
    assert normal_course_key(text) == key


@pytest.mark.parametrize(
    ("key", "org"),
    [(A, "OrgA"), ("ccx-v1:OrgA+C+R+ccx@1", "OrgA"), ("library-v1:OrgA+L", "OrgA"), ("lib:OrgA:L", "OrgA"), ("OrgA/C/R", "OrgA")],
)
def test_the_organisation_of_a_key(key: str, org: str) -> None:
    assert org_of(key) == org


OLD = "edX/Demo.X/2012"
BLOCKS = {
    "a name": (A, "x_1.2", "block-v1:OrgA+CA+RA+type@video+block@x_1.2"),
    "a custom course": ("ccx-v1:OrgA+CA+RA+ccx@1", "x", "ccx-block-v1:OrgA+CA+RA+ccx@1+type@video+block@x"),
    "a library": ("library-v1:OrgA+L", "x", "lib-block-v1:OrgA+L+type@video+block@x"),
    "a library of today": ("lib:OrgA:L", "x", "lb:OrgA:L:video:x"),
    "an old course": (OLD, "x", "i4x://edX/Demo.X/video/x"),
    "the id in a page": (OLD, "i4x-edX-Demo_X-video-5842aa", "i4x://edX/Demo.X/video/5842aa"),
    "the id in a page keeps its category": (OLD, "i4x-edX-Demo_X-videoalpha-a-b_1", "i4x://edX/Demo.X/videoalpha/a-b_1"),
    "the id in a page with the dots of its course": (OLD, "i4x-edX-Demo.X-videoalpha-a-b_1", "i4x://edX/Demo.X/videoalpha/a-b_1"),
    "a whole key": (OLD, "i4x://edX/Demo.X/videoalpha/x", "i4x://edX/Demo.X/videoalpha/x"),
    "a whole key of today": (A, BLOCK_OF_B, BLOCK_OF_B),
    "a whole key with a branch": (A, BLOCK_OF_A.replace("+type", "+branch@draft+version@5f+type"), BLOCK_OF_A),
    "another course's id in a page stays a name": (OLD, "i4x-OrgB-CB-video-x", "i4x://edX/Demo.X/video/i4x-OrgB-CB-video-x"),
    "no course": ("x", "y", None),
}


@pytest.mark.parametrize(("course", "name", "key"), BLOCKS.values(), ids=BLOCKS.keys())
def test_the_key_of_a_block(course: str, name: str, key: str | None) -> None:
    assert key_of_block(course, "video", name) == key


def test_a_key_is_shown_without_branch_and_version() -> None:
    assert normal_usage_key("ccx-block-v1:O+C+R+branch@b+ccx@1+type@video+block@x") == "ccx-block-v1:O+C+R+ccx@1+type@video+block@x"
    assert normal_usage_key("block-v1:O+C+R+type@video+block@+branch@b") == "block-v1:O+C+R+type@video+block@+branch@b"


SHOWN = {
    BLOCK_OF_A: None,
    BLOCK_OF_A.replace("+type", "+branch@draft+type"): None,
    "5842aa": None,
    "name with spaces": NOT_TOLD,
    BLOCK_OF_B: (B, "OrgB"),
    BLOCK_OF_B.replace("+type", "+branch@draft+type"): (B, "OrgB"),
    "ccx-block-v1:OrgA+CA+RA+ccx@1+type@video+block@x": ("ccx-v1:OrgA+CA+RA+ccx@1", "OrgA"),
    "lib-block-v1:OrgB+Lib+type@video+block@x": ("library-v1:OrgB+Lib", "OrgB"),
    "lb:OrgB:Lib:video:x": ("lib:OrgB:Lib", "OrgB"),
    "i4x://OrgB/CB/video/x": (None, "OrgB"),
    "i4x-OrgB-CB-video-x": NOT_TOLD,
    f"x/../../{BLOCK_OF_B}": NOT_TOLD,
    f"{BLOCK_OF_A}/../{BLOCK_OF_B}": NOT_TOLD,
    f"{BLOCK_OF_A}#{B}": NOT_TOLD,
    f"{BLOCK_OF_A}?{B}": NOT_TOLD,
    f"{BLOCK_OF_A}\u00a0{B}": NOT_TOLD,
    B: NOT_TOLD,
    "x" * 600: NOT_TOLD,
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items())
def test_what_a_block_shows_in_course_a(text: str, shown: object) -> None:
    assert shown_by_block(text, A) == shown


def test_what_a_block_of_former_years_shows() -> None:
    assert shown_by_block("i4x://edX/Demo.X/video/x", OLD) is None
    assert shown_by_block("i4x-edX-Demo_X-video-x", OLD) is None
    assert shown_by_block("i4x://edX/Other/video/x", OLD) == (None, "edX")
    assert shown_by_block("i4x://edX/Demo.X/video/x", None) == (None, "edX")


HOSTS = frozenset({"lms.example.com"})
LINKS = {
    f"https://lms.example.com/courses/{A}/courseware/": [],
    f"/courses/{A}/": [],
    f"https://lms.example.com/courses/{B}/courseware/x": [(B, "OrgB")],
    f"/courses/{B}": [(B, "OrgB")],
    f"courses/{B}/": [(B, "OrgB")],
    "https://lms.example.com/courses/course-v1%3AOrgB%2BCB%2BRB/": [(B, "OrgB")],
    "https://lms.example.com/courses/course-v1%253AOrgB%252BCB%252BRB/": [(B, "OrgB")],
    f"https://lms.example.com/courses/{A}/../{B}/": [(B, "OrgB")],
    f"https://lms.example.com/jump?to={B}": [(B, "OrgB")],
    f"https://lms.example.com/#{B}": [(B, "OrgB")],
    f"https://lms.example.com/courses/{B}+branch@draft/": [(B, "OrgB")],
    f"https://lms.example.com/courses/course-v1:{B}/": [NOT_TOLD],
    f"https://lms.example.com/xblock/{BLOCK_OF_B}?x=1": [(B, "OrgB")],
    "https://lms.example.com/courses/OrgB/CB/RB/info": [("OrgB/CB/RB", "OrgB")],
    "https://lms.example.com/jump_to/i4x:/OrgB/CB/problem/x": [(None, "OrgB")],
    f"https://apps.example.com/learning/course/{B}/home": [(B, "OrgB")],
    f"https://another.site/courses/{B}/": [],
    "https://lms.example.com/dashboard": [],
    "javascript:void(0)": [],
    "#part": [],
    "": [],
    "https://[broken/" + B: [(B, "OrgB")],
    "/" + "x" * 20_000: [NOT_TOLD],
}


@pytest.mark.parametrize(("link", "shown"), LINKS.items())
def test_what_a_link_shows_in_course_a(link: str, shown: object) -> None:
    assert shown_by_link(link, A, HOSTS) == shown


def test_without_hosts_every_link_is_one_of_the_site() -> None:
    assert shown_by_link(f"https://another.site/courses/{B}/", A) == [(B, "OrgB")]


PAGES = {
    "https://courses.example.org/courses/edX/DemoX/Demo_Course/courseware/a/b/": "edX/DemoX/Demo_Course",
    f"https://lms.example.com/courses/{A}/courseware/?x={B}": A,
    f"https://lms.example.com/xblock/{BLOCK_OF_A}?show_title=0": A,
    "https://lms.example.com/courses/course-v1%3AOrgA%2BCA%2BRA/": A,
    "x_module": None,
    "https://lms.example.com/dashboard": None,
}


@pytest.mark.parametrize(("page", "course"), PAGES.items())
def test_the_course_of_a_page(page: str, course: str | None) -> None:
    assert course_in(page) == course


INPUTS = {
    "input_abc_2_1=choice_0&input_abc_3_1=1": "abc",
    "input_ex_practice_3_2_1=797": "ex_practice_3",
    "input_q_1_2_2_1=a": "q_1_2",
    "input_10_2_1=a": "10",
    "input_p_10_2_1_choiceinput_1=x": "p_10",
    "input_p_10_2_1_choiceinput_0_textinput_0=x": "p_10",
    "input_p_2_1_dynamath=x": "p",
    "input_p_2_10[]=x": "p",
    "input_p_2_1%5B%5D=x": "p",
    "input_a.b-c~d_2_1=x": "a.b-c~d",
    "input_a%2Bb_2_1=x": "a+b",
    "input_%C3%BCbung_1_2_1=x": "\u00fcbung_1",
    "input_\u00fcbung_1_2_1=x": "\u00fcbung_1",
    "input_i4x-edX-DemoX-problem-a0_1_2_1=x": "i4x-edX-DemoX-problem-a0_1",
    "csrf=1&input_abc_2_1=x": "abc",
    "input_abc=x": "abc",
    "input_\u0661_\u0662_2_1=x": "\u0661_\u0662",
    "input__2_1=x": None,
    "input_" + "x" * 600 + "_2_1=x": None,
    "foo_my-secret-answer-42_bar": None,
    "my answer": None,
    "": None,
}


@pytest.mark.parametrize(("form", "name"), INPUTS.items())
def test_the_problem_that_inputs_name(form: str, name: str | None) -> None:
    assert named_in_inputs(form) == name


@pytest.mark.parametrize("key", ["block-v1:O+C+R+type@problem+block@x", "block-v1%3AO%2BC%2BR%2Btype%40problem%2Bblock%40x%20"])
def test_the_problem_that_an_address_activates(key: str) -> None:
    found = named_in_referrer(f"https://lms.example.com/courses/x?a=b&activate_block_id={key}#c", "problem")
    assert found == "block-v1:O+C+R+type@problem+block@x"
