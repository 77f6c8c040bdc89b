"""Avro schemas by number, from a registry with Confluent's interface (``GET /schemas/ids/7``)."""

from __future__ import annotations

import json
from typing import Any

import fastavro
import requests

from edx2lrs.io.proxies import proxies_for
from edx2lrs.io.sources.event_bus import Schema
from edx2lrs.io.sources.source import SourceError
from edx2lrs.transforms.failure import Refusal

_TIMEOUT = 10.0


class SchemaRegistry:
    """Asks for each schema once."""

    def __init__(self, url: str, username: str | None = None, password: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._auth = (username or "", password or "") if username or password else None
        self._schemas: dict[int, Schema | Refusal] = {}

    def schema_of(self, number: int) -> Schema | Refusal:
        """Refused: ``unknown_schema``. Raises SourceError: the registry does not answer, or (fatal) refuses the credentials."""
        if number not in self._schemas:
            self._schemas[number] = self._ask(number)
        return self._schemas[number]

    def _ask(self, number: int) -> Schema | Refusal:
        try:
            proxies: Any = {"http": None, "https": None, "all": None, **proxies_for(self._url)}  # None: not what requests finds itself
            address = f"{self._url}/schemas/ids/{number}"
            answer = requests.get(address, auth=self._auth, timeout=_TIMEOUT, allow_redirects=False, proxies=proxies)
        except requests.RequestException as error:
            raise SourceError(f"the schema registry cannot be asked ({type(error).__name__}): {self._url}") from None
        if answer.status_code in (401, 403):
            raise SourceError(f"the schema registry answers {answer.status_code}: set registry_username and registry_password", True)
        if answer.status_code == 404:
            return Refusal("read", "unknown_schema", f"the schema registry does not know schema {number}")
        if answer.status_code != 200:
            raise SourceError(f"the schema registry answers {answer.status_code} for schema {number}: {self._url}")
        try:
            return fastavro.parse_schema(json.loads(answer.json()["schema"]))
        except Exception as error:  # what is no schema makes fastavro raise many kinds
            return Refusal("read", "unknown_schema", f"schema {number} of the registry is not Avro ({type(error).__name__})")
