"""A small LRS to try things on, not for production, until SIGTERM or Ctrl-C: xAPI statements at /NAME/xAPI/statements, Caliper at
/NAME/caliper, for any consumer's NAME; a page with what arrived at /, the counts as JSON at /counts."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from edx2lrs.io.paths import write_bytes
from edx2lrs.io.secrets import SecretError, is_reference, resolve
from edx2lrs.pipeline.sandbox.application import Application, Login
from edx2lrs.pipeline.sandbox.injected_faults import KINDS, InjectedFault, InjectedFaults, parse_fault
from edx2lrs.pipeline.sandbox.server import serving
from edx2lrs.pipeline.sandbox.store import Store, StoreError

_REFERENCE = "env:NAME and file:PATH name where the text stands, since other users of the machine see a command line"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=18080, help="0 takes a free one; default: %(default)s")
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s, this machine alone")
    parser.add_argument("--db", type=Path, metavar="FILE", help="keep what arrives in FILE; default: gone at the end")
    login = ("sandbox", "sandbox")
    parser.add_argument(
        "--basic", type=_user_and_password, default=login, metavar="USER:PASSWORD", help=f"of the xAPI consumers; {_REFERENCE}"
    )
    parser.add_argument(
        "--bearer", type=_secret, default="sandbox", metavar="TOKEN", help="of the Caliper consumers; as --basic; default: %(default)s"
    )
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="KIND:SHARE",
        help="let a share of the requests go wrong, such as 429:0.05; may be repeated. "
        + "; ".join(f"{kind}: {meaning}" for kind, meaning in KINDS.items())
        + ". slow, silent and drip take SECONDS too: slow:SHARE:SECONDS",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the faults; default: %(default)s")
    parser.add_argument("--port-file", type=Path, metavar="FILE", help="write HOST:PORT to FILE once the sandbox listens")


def main(arguments: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT, then returns 0; returns 2 when it cannot start, and says why."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    user, password = arguments.basic
    credentials = Login(user, password, arguments.bearer)
    with ExitStack() as stack:
        try:
            faults = InjectedFaults(arguments.fault, arguments.seed)
            path = arguments.db
            if path is None:
                path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edx2lrs-sandbox-"))) / "sandbox.db"
            store = stack.enter_context(Store(path))
            application = Application(store, faults, credentials, is_local=arguments.host in _LOOPBACK)
            host, port = stack.enter_context(serving(application, arguments.host, arguments.port))
            if arguments.port_file:
                write_bytes(str(arguments.port_file), f"{_address(host, port)}\n".encode())
        except (StoreError, ValueError) as error:
            return _refuse(str(error))
        except OSError as error:
            return _refuse(f"{arguments.host}, port {arguments.port}: {error.strerror or error}; try --port 0")
        if arguments.host not in _LOOPBACK:
            print("sandbox: other machines can reach this; it has no TLS and is not for real data", file=sys.stderr)
        print(f"sandbox LRS at http://{_address(host, port)}/", flush=True)
        ended.wait()
    return 0


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refuse(message: str) -> int:
    print(f"edx2lrs sandbox: {message}", file=sys.stderr)
    return 2


def _port(text: str) -> int:
    if text.isdecimal() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no port: a number from 0 to 65535")


def _secret(text: str) -> str:
    try:
        return resolve(text) if is_reference(text) else text
    except SecretError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _user_and_password(text: str) -> tuple[str, str]:
    user, colon, password = _secret(text).partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("expected USER:PASSWORD")
    return user, password


def _fault(text: str) -> InjectedFault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
