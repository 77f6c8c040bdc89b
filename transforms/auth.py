"""How edx2lrs signs in at a consumer: a type for each scheme, with the secrets that it names and the header that it makes of them."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Mapping
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

Reference = Annotated[
    str,
    Meta(
        description="A secret by reference: `env:NAME`, `file:PATH` or `secret://projects/PROJECT/secrets/NAME`. Never the secret "
        "itself.",
        extra={"kind": "reference", "may_refer": True},
    ),
]
"""``may_refer``: by this, references are found in a configuration (``io.secrets.references``)."""
HeaderReference = Annotated[Reference, Meta(extra={"kind": "header_reference"})]
"""A secret that a header can hold: one line of printable ASCII."""


class SignIn(NamedTuple):
    """The headers that sign in, by name, and which texts in these headers are secret."""

    headers: Mapping[str, str]
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return "SignIn(...)"


Resolve = Callable[[str], str]
"""Gives the secret of a reference; its errors pass through."""


class NoAuth(Struct, frozen=True, forbid_unknown_fields=True, tag_field="scheme", tag="none"):
    """No credentials are sent."""

    def sign_in(self, _: Resolve) -> SignIn:
        return SignIn({}, ())


class BasicAuth(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="scheme", tag="basic"):
    """A user name and a password (RFC 7617, in UTF-8)."""

    username: Annotated[Reference, Meta(examples=["env:LRS_USER"])]
    password: Annotated[Reference, Meta(examples=["env:LRS_PASSWORD"])]

    def sign_in(self, resolve: Resolve) -> SignIn:
        username, password = resolve(self.username), resolve(self.password)
        pair = b2a_base64(f"{username}:{password}".encode(), newline=False).decode()
        return SignIn({"Authorization": f"Basic {pair}"}, (pair, username, password))


class BearerAuth(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="scheme", tag="bearer"):
    """A token (RFC 6750)."""

    token: Annotated[HeaderReference, Meta(examples=["file:/run/secrets/token"])]

    def sign_in(self, resolve: Resolve) -> SignIn:
        token = resolve(self.token)
        return SignIn({"Authorization": f"Bearer {token}"}, (token,))


Auth = BasicAuth | BearerAuth | NoAuth
"""A scheme more is a type more in this union. The scheme without keys is the one that counts when none is written."""
