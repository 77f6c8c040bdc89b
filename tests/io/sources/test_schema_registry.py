"""Schemas from a registry: asked for once, and each answer in its class."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from edx2lrs.io.sources.event_bus import SCHEMA
from edx2lrs.io.sources.schema_registry import SchemaRegistry
from edx2lrs.io.sources.source import SourceError
from edx2lrs.transforms.failure import Refusal

RECORD = json.dumps({"type": "record", "name": "Any", "fields": [{"name": "x", "type": "string"}]})
ANSWERS = {
    "/schemas/ids/1": (200, {"schema": RECORD}),
    "/schemas/ids/2": (404, {"error_code": 40403}),
    "/schemas/ids/3": (200, {"schema": "message Any {}", "schemaType": "PROTOBUF"}),
    "/schemas/ids/4": (500, {}),
    "/schemas/ids/5": (401, {}),
    "/schemas/ids/6": (302, {}),
}


class Registry(HTTPServer):
    asked: list[tuple[str, str | None]]


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Location", "/schemas/ids/1")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Registry]:
    registry = Registry(("127.0.0.1", 0), Handler)
    registry.asked = []
    threading.Thread(target=registry.serve_forever, args=(0.01,), daemon=True).start()
    yield registry
    registry.shutdown()
    registry.server_close()


def address(server: Registry) -> str:
    return f"http://127.0.0.1:{server.server_port}/"


def test_a_schema_is_asked_for_once_with_the_credentials(server: Registry) -> None:
    registry = SchemaRegistry(address(server), "me", "secret")
    first = registry.schema_of(1)
    assert first["fields"][0]["name"] == "x"
    assert registry.schema_of(1) is first
    assert server.asked == [("/schemas/ids/1", f"Basic {base64.b64encode(b'me:secret').decode()}")]


@pytest.mark.parametrize("number", [2, 3])
def test_a_schema_that_is_not_there_or_not_avro_is_the_records_fault(server: Registry, number: int) -> None:
    refusal = SchemaRegistry(address(server)).schema_of(number)
    assert isinstance(refusal, Refusal)
    assert refusal.cause == "unknown_schema"
    assert str(number) in refusal.message


@pytest.mark.parametrize(("number", "fatal"), [(4, False), (5, True), (6, False)])
def test_a_registry_in_trouble_is_the_sources_fault(server: Registry, number: int, fatal: bool) -> None:
    registry = SchemaRegistry(address(server))
    for _ in range(2):  # and it is asked again
        with pytest.raises(SourceError) as raised:
            registry.schema_of(number)
        assert raised.value.fatal is fatal
    assert len(server.asked) == 2


def test_a_registry_that_is_away_is_named() -> None:
    with pytest.raises(SourceError, match=r"http://127\.0\.0\.1:9") as raised:
        SchemaRegistry("http://127.0.0.1:9").schema_of(1)
    assert not raised.value.fatal


def test_the_bundled_schema_names_the_event() -> None:
    assert SCHEMA["name"] == "org.openedx.analytics.tracking.event.emitted.v1.CloudEvent"
