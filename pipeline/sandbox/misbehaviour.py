"""What the sandbox does instead of a good answer, for each kind of fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

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
    match fault.kind:
        case "409":
            return refused(409) if any(map(is_known, read_ids())) else answer()
        case "413":
            return refused(413) if len(read_ids()) > 1 else answer()
        case "cut" | "reset" | "silent":
            if fault.coin and fault.kind != "cut":
                answer()
            if fault.kind == "silent":
                time.sleep(fault.seconds)
            raise ConnectionCutError
        case "slow":
            time.sleep(fault.seconds)
            return answer()
        case "drip":
            return _dripping(answer(), fault.seconds)
        case "204" | "empty":
            return _without_body(answer(), fault.kind)
        case "html":
            page = "<!doctype html><title>Sign in</title><p>A fault on purpose, like a proxy's sign-in page.</p>"
            return Response(page, mimetype="text/html")
        case "login":
            return Response("sign in first", 302, {"Location": "/login"}, mimetype="text/plain")
    response = refused(int(fault.kind))
    if fault.kind in ("429", "503") and fault.coin:
        response.headers["Retry-After"] = "1"
    return response


def refused(status: int) -> Response:
    """The answer that refuses a request on purpose."""
    return Response(orjson.dumps({"error": "a fault on purpose"}), status, mimetype="application/json")


def _dripping(content: Response, seconds: float) -> Response:
    body = content.get_data()

    def drops() -> Iterator[bytes]:
        end = time.monotonic() + seconds
        for index in range(len(body)):
            if time.monotonic() < end:
                time.sleep(_BLINK)
            yield body[index : index + 1]

    response = Response(drops(), content.status, mimetype="application/json")
    response.content_length = len(body)
    return response


def _without_body(stored: Response, kind: str) -> Response:
    if stored.status_code >= 300:
        return stored
    return Response(status=204) if kind == "204" else Response(b"", mimetype="application/json")
