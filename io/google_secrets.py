"""Secrets in Google Secret Manager, over its REST interface.

Needs the extra ``gcp`` (google-auth), and application default credentials with the role Secret Manager Secret Accessor.
``SECRET_MANAGER_EMULATOR_HOST`` (host:port) names a server to ask in its place, over http and without credentials."""

from __future__ import annotations

import base64
import binascii
import os
import time
from functools import lru_cache
from typing import Any

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ENDPOINT = "https://secretmanager.googleapis.com"
_TIMEOUT = 20.0
_RENEWED_AFTER = 300.0
_SECRETS = 1024


class GoogleSecretError(Exception):
    """Why a secret cannot be read, in a few words without any part of the secret."""


def text_of(path: str) -> bytes:
    """The content of ``projects/P/secrets/NAME`` (the latest version) or ``.../versions/V``, at most five minutes old. Raises
    GoogleSecretError."""
    return _remembered(path, os.environ.get("SECRET_MANAGER_EMULATOR_HOST", ""), int(time.monotonic() / _RENEWED_AFTER))


@lru_cache(_SECRETS)
def _remembered(path: str, emulator: str, _period: int) -> bytes:
    version = path if "/versions/" in path else f"{path}/versions/latest"
    answer = _get(f"{f'http://{emulator}' if emulator else _ENDPOINT}/v1/{version}:access", bool(emulator))
    try:
        return base64.b64decode(answer["payload"]["data"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise GoogleSecretError("the Secret Manager's answer holds no secret") from None


def _get(address: str, is_emulator: bool) -> Any:
    import requests  # only where there is such a secret

    try:
        get = requests.get if is_emulator else _get_signed_in
        answer = get(address, timeout=_TIMEOUT, allow_redirects=False)
        if answer.status_code != 200:
            raise GoogleSecretError(f"the Secret Manager answered {answer.status_code}")
        return answer.json()
    except (requests.RequestException, ValueError) as error:
        raise GoogleSecretError(f"the Secret Manager cannot be asked ({type(error).__name__})") from None


def _get_signed_in(address: str, **options: Any) -> Any:
    """The answer to a GET with the application default credentials."""
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import AuthorizedSession
    except ImportError:
        raise GoogleSecretError("google-auth is not installed: pip install 'edx2lrs[gcp]'") from None
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except GoogleAuthError as error:
        raise GoogleSecretError(f"no application default credentials ({type(error).__name__})") from None
    try:
        return AuthorizedSession(credentials).get(address, **options)
    except GoogleAuthError as error:
        raise GoogleSecretError(f"the application default credentials do not do ({type(error).__name__})") from None
