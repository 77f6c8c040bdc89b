"""The one builder of configurations: as the text of a file (``yaml_of``), or as the object that the job works with (``config_of``)."""

from __future__ import annotations

import json
from typing import Any

from edx2lrs.transforms.config_types import Config, Consumer, Lms

ROOT = "https://lms.example.com"
ID_KEY = "env:EDX2LRS_ID_KEY"
BASIC = {"scheme": "basic", "username": "env:SANDBOX_USER", "password": "env:SANDBOX_PASSWORD"}
BEARER = {"scheme": "bearer", "token": "env:SANDBOX_TOKEN"}


def consumer(name: str = "campus", protocol: str = "xapi", url: str | None = None, **options: Any) -> dict[str, Any]:
    """A consumer of a file, with access to all. Without a URL: at a sandbox LRS at ADDRESS, with the sandbox's credentials.
    An option that is None is left out."""
    there: dict[str, Any] = {"url": url}
    if url is None:
        kind, auth = ("xAPI", BASIC) if protocol == "xapi" else ("caliper", BEARER)
        there = {"url": f"http://ADDRESS/{name}/{kind}", "auth": auth}
    made = {"name": name, "protocol": protocol, **there, "access": "all", **options}
    return {key: value for key, value in made.items() if value is not None}


def yaml_of(*consumers: dict[str, Any], lms: dict[str, Any] | None = None, **top: Any) -> str:
    """The text of a file (JSON, which is YAML): consumers (one, if none is given), fields of ``lms``, and other blocks."""
    site = {"root_url": ROOT, "id_key": ID_KEY, **(lms or {})}
    return json.dumps({"lms": site, "consumers": list(consumers) or [consumer()], **top}, indent=1)


def config_of(*consumers: Consumer, lms: dict[str, Any] | None = None, **top: Any) -> Config:
    """A configuration as it is once it has been read."""
    site: dict[str, Any] = {"root_url": ROOT, "id_key": ID_KEY, **(lms or {})}
    return Config(lms=Lms(**site), consumers=list(consumers) or [consumer_of()], **top)


def consumer_of(name: str = "campus", protocol: str = "xapi", url: str = "http://lrs", **options: Any) -> Consumer:
    """A consumer as it is once it has been read, with access to all."""
    every: dict[str, Any] = {"name": name, "protocol": protocol, "url": url, "access": "all", **options}
    return Consumer(**every)
