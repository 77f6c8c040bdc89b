"""The sandbox as a WSGI application: routes, credentials, injected errors, counts."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import orjson
from werkzeug import Request, Response
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, HTTPException, InternalServerError, NotFound, Unauthorized
from werkzeug.routing import Map, Rule

from edx2lrs.pipeline.sandbox import caliper, page, statements
from edx2lrs.pipeline.sandbox.injected_faults import InjectedFaults
from edx2lrs.pipeline.sandbox.misbehaviour import ConnectionCutError, misbehave, refused
from edx2lrs.pipeline.sandbox.store import Store, WrongProtocolError
from edx2lrs.transforms.config_types import Protocol

_LOG = logging.getLogger("edx2lrs.sandbox")

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BODY = 64 * 1024 * 1024
_LATEST = 10
_PAGE = 100
_NAME = "<string(maxlength=63):name>"
_ROUTES = Map(
    [
        Rule("/", endpoint="overview", methods=["GET"]),
        Rule("/style.css", endpoint="style", methods=["GET"]),
        Rule("/counts", endpoint="counts", methods=["GET"]),
        Rule(f"/{_NAME}/", endpoint="consumer", methods=["GET"]),
        Rule(f"/{_NAME}/record/<record_id>", endpoint="record", methods=["GET"]),
        Rule(f"/{_NAME}/xAPI/about", endpoint="about", methods=["GET"]),
        Rule(f"/{_NAME}/xAPI/statements", endpoint="statements", methods=["GET", "PUT", "POST"]),
        Rule(f"/{_NAME}/caliper", endpoint="caliper", methods=["POST"]),
    ]
)


_HERE = re.compile(r"(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?", re.IGNORECASE)


class Login(NamedTuple):
    """What is let in: user and password for xAPI (Basic), token for Caliper (Bearer)."""

    user: str = "sandbox"
    password: str = "sandbox"  # noqa: S105 (documented, for a thing to try things on)
    token: str = "sandbox"  # noqa: S105


class Application:
    """The sandbox over ``store``. Raises only ConnectionCutError."""

    def __init__(
        self, store: Store, faults: InjectedFaults | None = None, credentials: Login | None = None, is_local: bool = False
    ) -> None:
        """``is_local``: only names and addresses of this machine are let in as ``Host``: a web page of somebody else whose name leads
        here (DNS rebinding) reads nothing."""
        self._is_local = is_local
        self._store = store
        self._faults = faults or InjectedFaults()
        self._credentials = credentials or Login()
        self._endpoints: dict[str, Callable[..., Response]] = {
            "overview": self._overview,
            "style": lambda _: Response(page.style(), mimetype="text/css"),
            "counts": lambda _: Response(orjson.dumps(store.counts()), mimetype="application/json"),
            "consumer": self._consumer,
            "record": self._record,
            "about": lambda _, **__: statements.about(),
            "statements": self._statements,
            "caliper": self._caliper,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = MAX_BODY
        try:
            if self._is_local and not _HERE.fullmatch(request.host):
                raise Forbidden("the Host header names another machine; the sandbox listens on this machine alone")
            endpoint, arguments = _ROUTES.bind_to_environ(environ).match()
            response = self._endpoints[endpoint](request, **arguments)
        except HTTPException as error:
            response = _refusal(error)
        except WrongProtocolError as error:
            response = _refusal(NotFound(f"this name belongs to a consumer of the protocol {error}"))
        except ConnectionCutError:
            raise
        except Exception as error:  # for example a full disk: the server goes on, and logs the error
            _LOG.error("sandbox: %s failed: %s: %s", request.method, type(error).__name__, error)
            response = _refusal(InternalServerError("the sandbox failed; its own output says why"))
        return response(environ, start_response)

    def _statements(self, request: Request, name: str) -> Response:
        if request.method in ("PUT", "POST"):
            return self._receive(request, name, "xapi", lambda: self._xapi_answer(request, name))
        return self._xapi_answer(request, name)

    def _caliper(self, request: Request, name: str) -> Response:
        return self._receive(request, name, "caliper", lambda: self._caliper_answer(request, name))

    def _receive(self, request: Request, name: str, protocol: Protocol, answer: Callable[[], Response]) -> Response:
        self._store.count(name, protocol, "requests")
        fault = self._faults.draw()
        if fault is not None:
            self._store.count(name, protocol, "faults", fault.kind)
            undisturbed = partial(self._undisturbed, request, name, protocol, answer)
            return misbehave(fault, undisturbed, partial(ids_in, request), partial(self._knows, name))
        return self._undisturbed(request, name, protocol, answer)

    def _undisturbed(self, request: Request, name: str, protocol: Protocol, answer: Callable[[], Response]) -> Response:
        """The usual answer, unless the request holds a poisoned statement. Refusals are counted."""
        poison = self._faults.poison_of(ids_in(request)) if self._faults.has_poison else None
        response = answer() if poison is None else refused(poison)
        if response.status_code >= 400:
            self._store.count(name, protocol, "refused", str(response.status_code))
        return response

    def _knows(self, name: str, id_: str) -> bool:
        return self._store.get(name, id_.lower()) is not None

    def _xapi_answer(self, request: Request, name: str) -> Response:
        try:
            self._require_basic(request)
            response = statements.respond(self._store, name, request)
        except HTTPException as error:
            response = _refusal(error)
        response.headers["X-Experience-API-Version"] = statements.VERSION
        return response

    def _caliper_answer(self, request: Request, name: str) -> Response:
        try:
            self._require_bearer(request)
            return caliper.respond(self._store, name, request)
        except HTTPException as error:
            return _refusal(error)

    def _require_basic(self, request: Request) -> None:
        sent = request.authorization
        user, password = (sent.username or "", sent.password or "") if sent and sent.type == "basic" else ("", "")
        if not (_same(user, self._credentials.user) & _same(password, self._credentials.password)):
            challenge = WWWAuthenticate("basic", {"realm": "sandbox"})
            raise Unauthorized("user and password are not those of this sandbox", www_authenticate=challenge)

    def _require_bearer(self, request: Request) -> None:
        sent = request.authorization
        if not _same(sent.token or "" if sent and sent.type == "bearer" else "", self._credentials.token):
            challenge = WWWAuthenticate("bearer", {"realm": "sandbox"})
            raise Unauthorized("the token is not that of this sandbox", www_authenticate=challenge)

    def _overview(self, request: Request) -> Response:
        counts = self._store.counts()
        latest = {name: self._store.find(name, _LATEST) for name in counts}
        return _html(page.overview(counts, latest, request.host_url))

    def _consumer(self, request: Request, name: str) -> Response:
        counts = self._store.counts().get(name)
        if counts is None:
            raise NotFound("there is no consumer of this name")
        before = request.args.get("before", type=int)
        records = self._store.find(name, _PAGE + 1, cursor=before)
        older = records[_PAGE - 1].number if len(records) > _PAGE else None
        return _html(page.consumer(name, counts, records[:_PAGE], older))

    def _record(self, _: Request, name: str, record_id: str) -> Response:
        record = self._store.get(name, record_id)
        if record is None:
            raise NotFound("there is nothing with this id")
        return _html(page.record(name, record))


def ids_in(request: Request) -> list[str]:
    """The ids of the statements or events in the request, as far as the ids can be found."""
    try:
        request.get_data()  # which keeps it, for this is not the last to read it
        sent = statements.read_json(request)
    except HTTPException:
        return []
    items = sent if isinstance(sent, list) else [sent]
    found = [inner for item in items if isinstance(item, dict) for inner in item.get("data", [item])]
    return [item["id"] for item in found if isinstance(item, dict) and isinstance(item.get("id"), str)]


def _refusal(error: HTTPException) -> Response:
    status = error.code or 500
    headers = {key: value for key, value in error.get_headers() if key.lower() != "content-type"}
    return Response(orjson.dumps({"error": error.description}), status, headers, mimetype="application/json")


def _html(text: str) -> Response:
    response = Response(text, mimetype="text/html")
    # a statement holds text of other people: if such a text ever passed the escaping, the text still could not run a script
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'"
    return response


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
