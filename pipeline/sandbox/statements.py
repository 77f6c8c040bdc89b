"""The statements resource of xAPI 1.0.3 (xAPI-Communication 2.1): PUT, POST, GET; no attachments, no voiding."""

from __future__ import annotations

import hashlib
import re
import zlib
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import msgspec
import orjson
from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, Conflict, NotFound, RequestEntityTooLarge, UnsupportedMediaType

from edx2lrs.pipeline.sandbox.statement_rules import Timestamp, Uuid, first_violation
from edx2lrs.pipeline.sandbox.store import Arrival, StatementConflictError, Store, StoredStatement

VERSION = "1.0.3"
MAX_LIMIT = 500
_ANY_VERSION = re.compile(r"1\.0(\.\d+)?")
# two statements that differ in nothing else are one (xAPI-Data 2.3.1, Statement Immutability and Exceptions)
_NOT_COMPARED = frozenset({"id", "stored", "authority", "version"})
_SINGLE = {"statementId", "format", "attachments"}
_LIST = {"limit", "ascending", "since", "until", "verb", "cursor", "format", "attachments"}


def respond(store: Store, name: str, request: Request) -> Response:
    """The answer to a request for the statements of the consumer ``name``. Raises werkzeug's HTTP exceptions."""
    version = request.headers.get("X-Experience-API-Version", "")
    if not _ANY_VERSION.fullmatch(version):
        raise BadRequest("the header X-Experience-API-Version is missing or not 1.0.x")
    return {"PUT": _put, "POST": _post}.get(request.method, _get)(store, name, request)


def about() -> Response:
    """The about resource (xAPI-Communication 2.8)."""
    return _json({"version": [VERSION]})


def _put(store: Store, name: str, request: Request) -> Response:
    if set(request.args) != {"statementId"}:
        raise BadRequest("PUT takes the parameter statementId, and no other")
    wanted = _uuid(request.args["statementId"])
    statement = read_json(request)
    if not isinstance(statement, dict):
        raise BadRequest("PUT takes one statement, a JSON object")
    arrival = _arrival({"id": wanted, **statement}, "")
    if arrival.id != wanted:
        raise BadRequest("the statement's id is not the parameter statementId")
    _keep(store, name, [arrival])
    return Response(status=204)


def _post(store: Store, name: str, request: Request) -> Response:
    if request.args:
        raise BadRequest("POST takes no parameters")
    sent = read_json(request)
    statements = sent if isinstance(sent, list) else [sent]
    if not statements:
        raise BadRequest("there is no statement in the list")
    arrivals = [_arrival(statement, f"statement {index}: ") for index, statement in enumerate(statements)]
    if len({arrival.id for arrival in arrivals}) < len(arrivals):
        raise BadRequest("two statements of the list have one id")
    new = _keep(store, name, arrivals)
    # the ids of stored statements: no statement was stored
    return _json(new) if new else Response(status=204)


def _get(store: Store, name: str, request: Request) -> Response:
    args = request.args
    known = _SINGLE if "statementId" in args else _LIST
    unknown = sorted(set(args) - known)
    if unknown:
        raise BadRequest(f"the sandbox does not take {', '.join(unknown)} here, only {', '.join(sorted(known))}")
    if args.get("format", "exact") != "exact" or _flag(request, "attachments"):
        raise BadRequest("the sandbox gives format=exact without attachments only")
    if "statementId" in args:
        record = store.get(name, _uuid(args["statementId"]))
        if record is None:
            raise NotFound("there is no statement with this id")
        return _answer(_complete(record, request))
    limit = min(_natural(request, "limit") or MAX_LIMIT, MAX_LIMIT)
    records = store.find(
        name, limit + 1, ascending=_flag(request, "ascending"), cursor=_natural(request, "cursor"),
        since=_instant(request, "since") or "", until=_instant(request, "until") or "9999", verb=args.get("verb"),
    )
    found = records[:limit]
    further = f"{request.path}?{urlencode({**args.to_dict(), 'cursor': found[-1].number})}" if len(records) > limit else ""
    return _answer({"statements": [_complete(record, request) for record in found], "more": further})


def read_json(request: Request) -> Any:
    """The body as decoded JSON. Raises BadRequest, or UnsupportedMediaType for what is not plain application/json."""
    if request.mimetype != "application/json":
        raise BadRequest("the Content-Type is not application/json")
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding not in ("identity", "gzip"):
        raise UnsupportedMediaType("the sandbox takes bodies as they are, or gzip")
    content = request.get_data(cache=False)
    if encoding == "gzip":
        content = _inflated(content, request.max_content_length or 0)
    try:
        sent = orjson.loads(content)
        orjson.dumps([[sent]])  # which has a bound of depth; an answer has two levels more than a statement
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    except orjson.JSONEncodeError:
        raise BadRequest("the body is nested more than 250 levels deep") from None
    return sent


def _inflated(content: bytes, most: int) -> bytes:
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        text = stream.decompress(content, most)
    except zlib.error:
        raise BadRequest("the body is no gzip") from None
    if not stream.eof:
        raise RequestEntityTooLarge if stream.unconsumed_tail else BadRequest("the body is a broken gzip")
    return text


def digest(value: dict[str, Any]) -> bytes:
    """16 bytes. Equal JSON objects have equal digests, whatever the order of their keys."""
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _arrival(statement: Any, where: str) -> Arrival:
    violation = first_violation(statement)
    if violation:
        raise BadRequest(where + violation)
    statement_id = str(statement.get("id") or uuid4()).lower()
    return Arrival(
        statement_id,
        digest({key: value for key, value in statement.items() if key not in _NOT_COMPARED}),
        statement["verb"]["id"],
        orjson.dumps({**statement, "id": statement_id}),
    )


def _keep(store: Store, name: str, arrivals: list[Arrival]) -> list[str]:
    try:
        return store.keep(name, "xapi", arrivals, immutable=True)
    except StatementConflictError as conflict:
        # "the LRS MUST reject the entire batch" (xAPI-Communication 2.1.2)
        raise Conflict(f"{conflict} is stored with another body; nothing of this request was stored") from None


def _complete(record: StoredStatement, request: Request) -> dict[str, Any]:
    """The statement with what an LRS adds (xAPI-Data 2.4): stored, authority; timestamp and version if they are missing."""
    return {
        "timestamp": record.stored,
        "version": "1.0.0",
        **orjson.loads(record.body),
        "stored": record.stored,
        "authority": {"objectType": "Agent", "account": {"homePage": request.host_url, "name": "sandbox"}},
    }


def _answer(content: Any) -> Response:
    response = _json(content)
    now = datetime.now(timezone.utc).isoformat(timespec="microseconds")
    response.headers["X-Experience-API-Consistent-Through"] = now
    return response


def _json(content: Any) -> Response:
    return Response(orjson.dumps(content), mimetype="application/json")


def _uuid(text: str) -> str:
    try:
        return msgspec.convert(text, Uuid).lower()
    except msgspec.ValidationError:
        raise BadRequest("statementId is not a UUID") from None


def _flag(request: Request, name: str) -> bool:
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequest(f"{name} is neither true nor false")
    return text == "true"


def _natural(request: Request, name: str) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadRequest(f"{name} is no whole number")
    return int(text)


def _instant(request: Request, name: str) -> str | None:
    """The parameter in the form of times in the store."""
    text = request.args.get(name)
    if text is None:
        return None
    try:
        instant = msgspec.convert(msgspec.convert(text, Timestamp), datetime)
    except msgspec.ValidationError:
        raise BadRequest(f"{name} is no ISO 8601 time with a zone (write + as %2B)") from None
    return instant.astimezone(timezone.utc).isoformat(timespec="microseconds")
