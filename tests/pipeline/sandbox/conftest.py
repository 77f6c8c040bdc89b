"""A sandbox over HTTP, as its clients see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import requests

from edx2lrs.pipeline.sandbox.application import Application
from edx2lrs.pipeline.sandbox.injected_faults import InjectedFaults, parse_fault
from edx2lrs.pipeline.sandbox.server import serving
from edx2lrs.pipeline.sandbox.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTEXT = "http://purl.imsglobal.org/ctx/caliper/v1p2"


class Client:
    """Requests to a sandbox, with its default credentials."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.session = requests.Session()

    def xapi(self, method: str = "GET", name: str = "campus", **options: Any) -> requests.Response:
        options.setdefault("auth", ("sandbox", "sandbox"))
        options.setdefault("headers", {"X-Experience-API-Version": "1.0.3"})
        return self.session.request(method, f"{self.root}{name}/xAPI/statements", timeout=10, **options)

    def post(self, *statements: Any) -> requests.Response:
        return self.xapi("POST", json=list(statements))

    def caliper(self, *envelopes: Any, **options: Any) -> requests.Response:
        options.setdefault("headers", {"Authorization": "Bearer sandbox"})
        sent = envelopes[0] if len(envelopes) == 1 else list(envelopes)
        return self.session.post(f"{self.root}warehouse/caliper", json=sent, timeout=10, **options)

    def counts(self) -> dict[str, Any]:
        counts: dict[str, Any] = self.get("counts").json()
        return counts

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.root + path, timeout=10)


Start = Callable[..., Client]


class Server:
    """A real server whose application can be another for each test: starting one takes a tenth of a second."""

    def __init__(self) -> None:
        self.application: WSGIApplication | None = None
        self.root = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert self.application is not None
        return self.application(environ, start_response)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    with serving(server) as (host, port):
        server.root = f"http://{host}:{port}/"
        yield server


@pytest.fixture
def start(server: Server, tmp_path: Path) -> Iterator[Start]:
    """Starts a sandbox with the faults of these texts; once for each test."""
    with ExitStack() as stack:

        def started(*faults: str, seed: int = 0) -> Client:
            store = stack.enter_context(Store(tmp_path / "sandbox.db"))
            server.application = Application(store, InjectedFaults([parse_fault(text) for text in faults], seed))
            client = Client(server.root)
            stack.callback(client.session.close)
            return client

        yield started


@pytest.fixture
def sandbox(start: Start) -> Client:
    return start()


@pytest.fixture
def statement() -> Callable[..., dict[str, Any]]:
    """Makes a valid statement; the keywords replace its properties."""

    def made(**properties: Any) -> dict[str, Any]:
        return {
            "id": str(uuid4()),
            "actor": {"account": {"homePage": "https://lms.example.com", "name": "5"}},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/attempted"},
            "object": {"id": "https://lms.example.com/xblock/a"},
            "timestamp": "2024-03-11T06:00:00+00:00",
            **properties,
        }

    return made


@pytest.fixture
def envelope() -> Callable[..., dict[str, Any]]:
    """Makes a valid envelope around these events."""

    def made(*events: dict[str, Any]) -> dict[str, Any]:
        return {
            "sensor": "https://lms.example.com",
            "sendTime": "2024-03-11T06:00:00.000Z",
            "dataVersion": CONTEXT,
            "data": list(events),
        }

    return made


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """Makes a valid Caliper event; the keywords replace its properties."""

    def made(**properties: Any) -> dict[str, Any]:
        return {
            "@context": CONTEXT,
            "id": f"urn:uuid:{uuid4()}",
            "type": "MediaEvent",
            "actor": {"id": "https://lms.example.com/user/5", "type": "Person"},
            "action": "Paused",
            "object": {"id": "https://lms.example.com/xblock/v", "type": "VideoObject", "duration": "PT3M"},
            "eventTime": "2024-03-11T06:00:00.123Z",
            **properties,
        }

    return made
