"""What the chaos is made of: LRSs with faults, a TLS front whose certificate has expired, and a job that is killed."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
GENERATE = Path(__file__).parents[2] / "templates" / "sample" / "generate.py"
SECRETS = {"LRS_USER": "sandbox", "LRS_PASSWORD": "sandbox", "LRS_TOKEN": "sandbox", "EDX2LRS_ID_KEY": "a key of the tests"}


class Certificates:
    """An authority of our own and certificates of 127.0.0.1, as files in ``folder``."""

    def __init__(self, folder: Path, signed_certificate: Callable[..., x509.Certificate]) -> None:
        self._folder = folder
        self._signed_certificate = signed_certificate
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
        own = self._signed(self._name, self._key, NOW + DAY)
        self.authority = folder / "ca.pem"
        self.authority.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def server(self, until: datetime.datetime) -> ssl.SSLContext:
        """For a server, with a certificate that ends then."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lrs")]), key, until)
        form = serialization.PrivateFormat.PKCS8
        both = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, form, serialization.NoEncryption()
        )
        path = self._folder / f"server-{until:%Y%m%d}.pem"
        path.write_bytes(both)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _signed(self, name: x509.Name, key: Any, until: datetime.datetime) -> x509.Certificate:
        return self._signed_certificate(name, key, self._name, self._key, NOW - 9 * DAY, until)


class TlsFront:
    """Speaks TLS before the server at ``port``; at first with a certificate that has expired, after ``renew`` with a good one."""

    def __init__(self, certificates: Certificates, port: int) -> None:
        self._good = certificates.server(NOW + DAY)
        self._expired = certificates.server(NOW - DAY)
        self._to = port
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)  # connections that break are the point of it
        self._loop.run_until_complete(self._listen(self._expired))
        self._started.set()
        self._loop.run_forever()

    async def _listen(self, context: ssl.SSLContext) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(_pass_on(reader, behind_writer), _pass_on(behind_reader, writer))

    def renew(self) -> None:
        async def change() -> None:
            self._server.close()
            await self._listen(self._good)

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


class Job:
    """The job under test, as a process of its own in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, *arguments: object, kill_when: Callable[[], bool] | None = None, seconds: float = 1800.0) -> bool:
        """Runs a command, until it ends or ``kill_when`` holds: then all of its processes are killed with -9. Gives whether it
        was killed."""
        command = [sys.executable, "-m", "edx2lrs.pipeline", *map(str, arguments)]
        with open(self._folder / "log", "ab") as log:
            process = subprocess.Popen(
                command, cwd=self._folder, env={**SECRETS, **os.environ}, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + seconds
        while process.poll() is None and not (kill_when and kill_when()):
            assert time.monotonic() < end, f"{command} did not end: {self.log[-2_000:]}"
            time.sleep(0.01)
        killed = process.poll() is None
        if killed:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
        assert killed or process.returncode in (0, 1), self.log[-2_000:]
        assert "Traceback" not in self.log
        return killed

    def deliver_all(self, config: Path) -> None:
        """Delivers again and again, until nothing waits."""
        rounds = 0
        while any(part["waiting"] for part in self.report["consumers"].values()):
            rounds += 1
            assert rounds < 60, self.log[-3_000:]
            self.run("deliver", "--config", config, "--state", "state", "--report", "report.json")

    def generate(self, log: Path, events: int, seed: int) -> None:
        """Writes a log of as many events, each of which some mapping knows."""
        command = [
            sys.executable,
            str(GENERATE),
            "--events",
            str(events),
            "--out",
            str(log),
            "--mix",
            "dense",
            "--seed",
            str(seed),
        ]
        subprocess.run(command, check=True, capture_output=True)

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._folder / "report.json").read_text())
        return found

    def translated(self, protocol: str, config: Path, log: Path) -> dict[str, bytes]:
        """What the job is to make of ``log``: ids and bodies, by another command."""
        command = [sys.executable, "-m", "edx2lrs.pipeline", "translate", "--to", protocol, "--config", str(config)]
        with open(log, "rb") as lines:
            made = subprocess.run(command, stdin=lines, capture_output=True, check=True, env={**SECRETS, **os.environ}).stdout
        return {json.loads(body)["id"]: body for body in made.splitlines()}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


@pytest.fixture
def certificates(tmp_path: Path, signed_certificate: Any) -> Certificates:
    return Certificates(tmp_path, signed_certificate)


@pytest.fixture
def front() -> Iterator[Callable[[Certificates, int], TlsFront]]:
    made: list[TlsFront] = []

    def make(certificates: Certificates, port: int) -> TlsFront:
        made.append(TlsFront(certificates, port))
        return made[-1]

    yield make
    for each in made:
        each.close()
