"""What the sandbox does instead of a good answer, one function for each kind of fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import orjson
from werkzeug import Response

from edx2lrs.pipeline.sandbox.injected_faults import Drawn

_BLINK = 0.02  # seconds between two bytes of a dripping answer


class ConnectionCutError(Exception):
    """Tells the server to end the connection without an answer."""


Respond = Callable[[], Response]


def misbehave(fault: Drawn, answer: Respond, read_ids: Callable[[], Sequence[str]], is_known: Callable[[str], bool]) -> Response:
    """The answer of ``fault`` to a request whose body ``read_ids`` reads. ``answer`` handles it as ever; ``is_known`` tells whether
    an id is stored already. Raises ConnectionCutError."""
    if fault.kind in _ONLY_IF:
        return refused(int(fault.kind)) if _ONLY_IF[fault.kind](read_ids(), is_known) else answer()
    return _KINDS.get(fault.kind, _refuse)(fault, answer)


def _is_large(ids: Sequence[str], _is_known: Callable[[str], bool]) -> bool:
    return len(ids) > 1


def _is_repeat(ids: Sequence[str], is_known: Callable[[str], bool]) -> bool:
    return any(map(is_known, ids))


_ONLY_IF: Mapping[str, Callable[[Sequence[str], Callable[[str], bool]], bool]] = {"409": _is_repeat, "413": _is_large}


def _refuse(fault: Drawn, _answer: Respond) -> Response:
    response = refused(int(fault.kind))
    if fault.kind in ("429", "503") and fault.coin:
        response.headers["Retry-After"] = "1"
    return response


def refused(status: int) -> Response:
    """The answer that refuses a request on purpose."""
    return Response(orjson.dumps({"error": "a fault on purpose"}), status, mimetype="application/json")


def _reset(fault: Drawn, answer: Respond) -> Response:
    if fault.coin:
        answer()
    raise ConnectionCutError


def _cut(_fault: Drawn, _answer: Respond) -> Response:
    raise ConnectionCutError


def _stay_silent(fault: Drawn, answer: Respond) -> Response:
    if fault.coin:
        answer()
    time.sleep(fault.seconds)
    raise ConnectionCutError


def _wait(fault: Drawn, answer: Respond) -> Response:
    time.sleep(fault.seconds)
    return answer()


def _drip(fault: Drawn, answer: Respond) -> Response:
    content = answer()
    body = content.get_data()

    def drops() -> Iterator[bytes]:
        end = time.monotonic() + fault.seconds
        for index in range(len(body)):
            if time.monotonic() < end:
                time.sleep(_BLINK)
            yield body[index : index + 1]

    response = Response(drops(), content.status, mimetype="application/json")
    response.content_length = len(body)
    return response


def _say_nothing(fault: Drawn, answer: Respond) -> Response:
    stored = answer()
    if stored.status_code >= 300:
        return stored
    return Response(status=204) if fault.kind == "204" else Response(b"", mimetype="application/json")


def _show_a_page(_fault: Drawn, _answer: Respond) -> Response:
    page = "<!doctype html><title>Sign in</title><p>A fault on purpose, like a proxy's sign-in page.</p>"
    return Response(page, mimetype="text/html")


def _ask_for_a_login(_fault: Drawn, _answer: Respond) -> Response:
    return Response("sign in first", 302, {"Location": "/login"}, mimetype="text/plain")


_KINDS: Mapping[str, Callable[[Drawn, Respond], Response]] = {
    "reset": _reset,
    "cut": _cut,
    "silent": _stay_silent,
    "slow": _wait,
    "drip": _drip,
    "204": _say_nothing,
    "empty": _say_nothing,
    "html": _show_a_page,
    "login": _ask_for_a_login,
}
