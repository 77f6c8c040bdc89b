"""Which proxy leads to an address, by the usual variables: ``http_proxy``, ``https_proxy``, ``all_proxy``, ``no_proxy``."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit
from urllib.request import getproxies

from requests.utils import should_bypass_proxies

_PORTS = {"http": 80, "https": 443}
_ADDRESS = ipaddress.IPv4Address | ipaddress.IPv6Address
_WITH_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*):(?P<port>\d{1,5})", re.ASCII)


def proxies_for(url: str) -> dict[str, str]:
    """The proxies, by scheme or ``all``, as ``requests`` takes them; none where ``no_proxy`` has the host of ``url``. A variable in
    small letters goes before the same in capitals."""
    proxies = getproxies()
    excluded = proxies.pop("no", "")
    if excluded:
        return {} if is_excluded(url, excluded) else proxies
    return {} if should_bypass_proxies(url, no_proxy=None) else proxies  # the settings of macOS


def is_excluded(url: str, excluded: str) -> bool:
    """Whether ``no_proxy`` (hosts with all that is below them, addresses, networks, each perhaps with a port; ``*``) has ``url``."""
    parts = urlsplit(url)
    host, port = _plain(parts.hostname or ""), parts.port or _PORTS.get(parts.scheme)
    return any(_covers(entry, host, port) for entry in re.split(r"[\s,]+", excluded) if entry)


def _covers(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    found = _WITH_PORT.fullmatch(entry)
    if found:
        if int(found["port"]) != port:
            return False
        entry = found["host"]
    address = _address(host)
    if address is not None:
        return _has(entry, address)
    name = _plain(entry).removeprefix("*").removeprefix(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _has(network: str, address: _ADDRESS) -> bool:
    """Whether a network, or the one address that stands for it, has ``address``."""
    host, slash, size = network.partition("/")
    first = _address(_plain(host))
    try:
        return first is not None and address in ipaddress.ip_network(f"{first}{slash}{size.rstrip(']')}", strict=False)
    except ValueError:
        return False


def _address(host: str) -> _ADDRESS | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _plain(host: str) -> str:
    return host.lower().strip("[]").removesuffix(".")
