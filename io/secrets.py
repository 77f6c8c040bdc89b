"""Secrets by reference: the configuration names a secret, and only the code that uses the secret reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

_ENVIRONMENT = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)\Z")
_LIMIT = 65_536
_GOOGLE = re.compile(r"secret://(projects/[a-z0-9:._-]+/secrets/[A-Za-z0-9_-]+(?:/versions/(?:latest|[0-9]+))?)\Z")
EXPECTED = "env:NAME, file:PATH or secret://projects/PROJECT/secrets/NAME"


class SecretError(Exception):
    """A secret that cannot be had. The message names the variable or the file; it never holds the secret, nor a text
    that is no reference (which may be the secret itself)."""


def is_reference(text: str) -> bool:
    """Whether ``text`` is ``env:NAME``, ``file:PATH`` or ``secret://projects/PROJECT/secrets/NAME`` (Google Secret Manager; with
    ``/versions/N`` that version, else the latest)."""
    return bool(_ENVIRONMENT.match(text) or _GOOGLE.match(text)) or (text.startswith("file:") and len(text) > len("file:"))


def fits_header(secret: str) -> bool:
    """Whether a header can hold the secret: one line of printable ASCII."""
    return secret.isascii() and secret.isprintable()


def references(options: msgspec.Struct) -> Iterator[str]:
    """Every reference to a secret in ``options``, at any depth: found by the types of its fields (``may_refer``)."""
    yield from _references(options, inspect.type_info(type(options)), may_refer=False)


def _references(value: Any, declared: inspect.Type, may_refer: bool) -> Iterator[str]:
    if isinstance(declared, inspect.Metadata):
        yield from _references(value, declared.type, may_refer or bool((declared.extra or {}).get("may_refer")))
    elif isinstance(declared, inspect.UnionType):
        for member in declared.types:
            yield from _references(value, member, may_refer)
    elif isinstance(declared, inspect.StructType) and isinstance(value, declared.cls):
        for field in declared.fields:
            yield from _references(getattr(value, field.name), field.type, may_refer)
    elif isinstance(declared, inspect.ListType) and isinstance(value, list):
        for item in value:
            yield from _references(item, declared.item_type, may_refer)
    elif isinstance(declared, inspect.DictType) and isinstance(value, dict):
        for item in value.values():
            yield from _references(item, declared.value_type, may_refer)
    elif isinstance(declared, inspect.StrType) and may_refer and isinstance(value, str) and is_reference(value):
        yield value


def resolve(reference: str) -> str:
    """The secret: the value of the environment variable, or the text of the file or of the secret without one line break at its
    end. Raises SecretError: no reference, variable not set, file or secret unreadable, nothing in it, not UTF-8, over 64 kB."""
    variable = _ENVIRONMENT.match(reference)
    if variable:
        return _of_environment(variable[1])
    google = _GOOGLE.match(reference)
    if google:
        return _of_google(google[1])
    if is_reference(reference):
        return _of_file(reference.removeprefix("file:"))
    raise SecretError(f"text that is no reference, expected {EXPECTED}")


def _of_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise SecretError(f"environment variable {name} is not set")
    if not value:
        raise SecretError(f"environment variable {name} is empty")
    return value


def _of_file(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data: bytes = file.read(_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise SecretError(f"file {path} cannot be read: {getattr(error, 'strerror', None) or 'no path'}") from None
    return _text(data, f"file {path}")


def _of_google(path: str) -> str:
    from edx2lrs.io.google_secrets import GoogleSecretError, text_of

    try:
        return _text(text_of(path), f"secret {path}")
    except GoogleSecretError as error:
        raise SecretError(f"secret {path} cannot be read: {error}") from None


def _text(data: bytes, name: str) -> str:
    if len(data) > _LIMIT:
        raise SecretError(f"{name} is over {_LIMIT} bytes, so it is no secret")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise SecretError(f"{name} is not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise SecretError(f"{name} is empty")
    return text
