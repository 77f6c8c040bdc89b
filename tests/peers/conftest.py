"""The five roads that events take, each over its real server, and an LRS that notes what came when.

EDX2LRS_PEERS names a folder with scripts that start the servers: ``kafka_up.sh``, ``pubsub_up.sh``, ``redis_up.sh``."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from edx2lrs.io.sources.event_bus import SCHEMA, TRACKING_EVENT
from edx2lrs.pipeline.sandbox.application import Application
from edx2lrs.pipeline.sandbox.injected_faults import InjectedFaults, parse_fault
from edx2lrs.pipeline.sandbox.misbehaviour import ConnectionCutError
from edx2lrs.pipeline.sandbox.server import serving
from edx2lrs.pipeline.sandbox.store import Arrival, Store
from testkit.configurations import consumer, yaml_of
from testkit.waiting import free_port

PEERS = os.environ.get("EDX2LRS_PEERS")
SECRETS = {"LRS_USER": "sandbox", "EDX2LRS_ID_KEY": "a key of the tests"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """For runs of another length, or with other kills: ``pytest -m engine tests/peers/test_kills.py --seconds 600 --seed 7``."""
    parser.addoption("--seconds", type=float, help="how long test_kills writes and kills")
    parser.addoption("--seed", type=int, default=1, help="of its chance, with --seconds")


class Road(Protocol):
    """A way from a site to this job. ``input``: what ``--input`` says; ``takes_workers``: whether several processes may read it."""

    input: str
    takes_workers: bool

    def send(self, records: Sequence[dict[str, Any]]) -> None:
        """Records in the form of the log."""

    def send_junk(self) -> None:
        """Something that is no record."""

    def disturb(self, chance: random.Random) -> None:
        """What happens on this road now and then."""


def on_the_bus(record: dict[str, Any]) -> dict[str, str]:
    """A record of the log as event-tracking hands it to the event bus."""
    above = {key: value for key, value in record.items() if key not in ("name", "time", "event", "context", "event_type")}
    data, context = record["event"], {**record["context"], **above}
    return {
        "name": record["name"],
        "timestamp": record["time"],
        "data": data if isinstance(data, str) else json.dumps(data),
        "context": json.dumps(context),
    }


def _avro(record: dict[str, Any]) -> bytes:
    import fastavro

    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, {"tracking_log": on_the_bus(record)})
    return out.getvalue()


def _lines(records: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


class Archive:
    """Files that come into a folder whole, every other one packed."""

    input = "logs/*"
    takes_workers = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "logs"
        self._folder.mkdir()
        self._files = 0

    def send(self, records: Sequence[dict[str, Any]]) -> None:
        self._put(_lines(records))

    def send_junk(self) -> None:
        self._put(b"no JSON\n")

    def _put(self, data: bytes) -> None:
        self._files += 1
        packed = self._files % 2 == 0
        path = self._folder / f"tracking.log-{self._files:06d}{'.gz' if packed else ''}"
        unfinished = self._folder.parent / "unfinished"
        unfinished.write_bytes(gzip.compress(data) if packed else data)
        unfinished.rename(path)

    def disturb(self, chance: random.Random) -> None:
        """Nothing happens to a file that is there."""


class Log:
    """A log that grows, and is rotated now and then, by rename or copied and cut off, packed or not."""

    input = "tail:tracking.log"
    takes_workers = False

    def __init__(self, folder: Path) -> None:
        self._path = folder / "tracking.log"
        self._path.touch()
        self._rotations = 0

    def send(self, records: Sequence[dict[str, Any]]) -> None:
        """A line in two writes, now and then."""
        data = _lines(records)
        with open(self._path, "ab", buffering=0) as file:
            file.write(data[: len(data) // 3])
            file.write(data[len(data) // 3 :])

    def send_junk(self) -> None:
        """Each time another: equal lines with one number in two logs of one name would be one dead letter."""
        with open(self._path, "ab") as file:
            file.write(b"no JSON %d\n" % time.time_ns())

    def disturb(self, chance: random.Random) -> None:
        if chance.random() > 0.05:
            return
        self._rotations += 1
        part = self._path.with_name(f"tracking.log-{self._rotations:06d}")
        if chance.random() < 0.5:
            self._path.rename(part)
        else:
            shutil.copyfile(self._path, part)
            os.truncate(self._path, 0)
        if chance.random() < 0.5:
            subprocess.run(["gzip", part], check=True)


class PubSub:
    """Messages of one event in one form or the other, or of a list of them."""

    takes_workers = True

    def __init__(self, server: str) -> None:
        from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

        os.environ["PUBSUB_EMULATOR_HOST"] = server
        name = f"events-{time.time_ns():x}"
        self.input = f"pubsub://edx2lrs-test/{name}"
        self._topic = PublisherClient.topic_path("edx2lrs-test", name)
        self._publisher = PublisherClient()
        self._publisher.create_topic(name=self._topic)
        subscription = SubscriberClient.subscription_path("edx2lrs-test", name)
        SubscriberClient().create_subscription(name=subscription, topic=self._topic, ack_deadline_seconds=10)
        self._times = 0

    def send(self, records: Sequence[dict[str, Any]]) -> None:
        self._times += 1
        if self._times % 10 == 0:
            self._publish(json.dumps(records).encode())
            return
        for place, record in enumerate(records):
            self._publish(json.dumps(on_the_bus(record) if place % 2 else record).encode())

    def send_junk(self) -> None:
        self._publish(b"no JSON")

    def _publish(self, body: bytes) -> None:
        self._publisher.publish(self._topic, body, tenant="north").result(30)

    def disturb(self, chance: random.Random) -> None:
        """Leases end, and messages come again, by themselves."""


class Kafka:
    """The event bus on Kafka, as edx-event-bus-kafka writes it: four partitions, Avro behind Confluent's five bytes."""

    takes_workers = True

    def __init__(self, broker: str) -> None:
        import confluent_kafka
        from confluent_kafka.admin import AdminClient, NewTopic

        self._topic = f"tracking-{time.time_ns():x}"
        self.input = f"kafka://{broker}/{self._topic}?group={self._topic}"
        admin = AdminClient({"bootstrap.servers": broker})
        for made in admin.create_topics([NewTopic(self._topic, 4, 1)]).values():
            made.result()
        self._producer = confluent_kafka.Producer({"bootstrap.servers": broker, "linger.ms": 1})

    def send(self, records: Sequence[dict[str, Any]]) -> None:
        for record in records:
            self._produce(struct.pack(">bI", 0, 7) + _avro(record))
        self._producer.flush()

    def send_junk(self) -> None:
        self._produce(b"\0\0\0\0\7no Avro")

    def _produce(self, value: bytes) -> None:
        self._producer.produce(self._topic, value, headers=[("ce_type", TRACKING_EVENT.encode())])

    def disturb(self, chance: random.Random) -> None:
        """Groups are balanced anew, by themselves."""


class Redis:
    """The event bus on Redis streams, as edx-event-bus-redis writes it."""

    takes_workers = True

    def __init__(self, port: str) -> None:
        import redis

        self._stream = f"tracking-{time.time_ns():x}"
        self.input = f"redis://127.0.0.1:{port}/{self._stream}?group=lrs"
        self.max_len: int | None = None
        self._client = redis.Redis(port=int(port), protocol=2)

    def send(self, records: Sequence[dict[str, Any]]) -> None:
        for record in records:
            self._add(_avro(record))

    def send_junk(self) -> None:
        self._add(b"\x06ab")

    def _add(self, value: bytes) -> None:
        fields = {b"event_data": value, b"type": TRACKING_EVENT.encode()}
        self._client.xadd(self._stream, fields, maxlen=self.max_len, approximate=False)

    def disturb(self, chance: random.Random) -> None:
        """Nothing: ``max_len``, when it is set, trims at each entry."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Starts the server that a script starts, once for all tests; gives its address (of Redis the port)."""
    addresses: dict[str, str] = {}
    pids: list[int] = []

    def start(name: str) -> str:
        if not PEERS:
            pytest.skip(f"EDX2LRS_PEERS does not name a folder with {name}_up.sh")
        if name not in addresses:
            port = str(free_port())
            folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"{name}-peer" if name == "kafka" else tmp_path_factory.mktemp(name)
            command = [Path(PEERS) / f"{name}_up.sh", *(["auto"] if name == "pubsub" else []), port, folder]
            output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=400).stdout
            found = re.search(r"pid=(\d+)", output)
            assert found
            pids.append(int(found[1]))
            addresses[name] = port if name == "redis" else f"127.0.0.1:{port}"
        return addresses[name]

    yield start
    for pid in pids:
        os.kill(pid, signal.SIGTERM)


@pytest.fixture
def roads(tmp_path: Path, server: Callable[[str], str]) -> Callable[[str], Road]:
    """Makes a new road of a name."""

    def make(name: str) -> Road:
        if name in ("archive", "log"):
            return (Archive if name == "archive" else Log)(tmp_path)
        kinds: dict[str, Callable[[str], Road]] = {"pubsub": PubSub, "kafka": Kafka, "redis": Redis}
        return kinds[name](server(name))

    return make


class Kept(NamedTuple):
    """What a request brought to a consumer's store: ids with what tells bodies apart, when, and whether its answer was cut."""

    consumer: str
    bodies: dict[str, bytes]
    time: float
    cut: bool


class Lrs:
    """A sandbox in this process with faults, which notes each request that stored or repeated something."""

    def __init__(self, folder: Path, stack: ExitStack, seed: int, *faults: str) -> None:
        self.store = stack.enter_context(Store(folder / "lrs.db"))
        self.kept: list[Kept] = []
        self._mine = threading.local()
        self._keep = self.store.keep
        self.store.keep = self._noted  # type: ignore[method-assign]
        self._application = Application(self.store, InjectedFaults([parse_fault(text) for text in faults], seed))
        _, port = stack.enter_context(serving(self))  # type: ignore[arg-type]
        self.address = f"127.0.0.1:{port}"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self._mine.kept = None
        cut = False
        try:
            return self._application(environ, start_response)
        except ConnectionCutError:
            cut = True
            raise
        finally:
            if self._mine.kept is not None:
                self.kept.append(Kept(*self._mine.kept, time.time(), cut))

    def _noted(self, name: str, protocol: Any, arrivals: Sequence[Arrival], *, immutable: bool) -> list[str]:
        new = self._keep(name, protocol, arrivals, immutable=immutable)
        self._mine.kept = (name, {arrival.id: arrival.digest for arrival in arrivals})
        return new

    def stored(self, consumer: str) -> int:
        found = self.store.counts().get(consumer)
        return found["stored"] if found else 0

    def ids(self, consumer: str) -> list[str]:
        return [record.id for record in self.store.find(consumer, 10_000_000, ascending=True)]


@pytest.fixture
def lrs(tmp_path: Path) -> Iterator[Callable[..., Lrs]]:
    """Starts an LRS with faults: ``lrs(seed, "503:0.05")``."""
    with ExitStack() as stack:
        yield lambda seed=0, *faults: Lrs(tmp_path, stack, seed, *faults)


class Job:
    """Processes of the job in a folder, over one state directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = open(folder / "log", "ab")  # noqa: SIM115 - for each process
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "edx2lrs.pipeline", *map(str, arguments)]
        environment = {**os.environ, **SECRETS}
        process = subprocess.Popen(
            command, cwd=self._folder, env=environment, stdout=subprocess.DEVNULL, stderr=self._log, start_new_session=True
        )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """With -9, all that it started too."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)

    def close(self) -> None:
        for process in self.processes:
            self.kill(process)
        self._log.close()

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def report(self, name: str = "report.json") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._folder / name).read_text())
        return found

    def translated(self, protocol: str, records: Sequence[dict[str, Any]]) -> set[str]:
        """The ids that ``records`` get, by another command."""
        command = [sys.executable, "-m", "edx2lrs.pipeline", "translate", "--to", protocol, "--config", "c.yaml"]
        environment = {**os.environ, **SECRETS}
        done = subprocess.run(
            command, cwd=self._folder, env=environment, input=_lines(records), capture_output=True, check=True, timeout=300
        )
        return {json.loads(line)["id"] for line in done.stdout.splitlines()}


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    made = Job(tmp_path)
    yield made
    made.close()


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., None]:
    """Writes c.yaml: ``campus`` gets xAPI, ``warehouse`` Caliper, both at an address; ``campus`` are other options of
    the consumer of that name, ``more`` are other blocks."""

    def write(address: str, campus: dict[str, Any] | None = None, **more: Any) -> None:
        auth = {"scheme": "basic", "username": "env:LRS_USER", "password": "env:LRS_USER"}
        options = {"batch": {"interval": "0.2s"}, "retry": {"max_delay": "1s"}, **(campus or {})}
        first = consumer(url=f"http://{address}/campus/xAPI", auth=auth, **options)
        place = {"url": f"http://{address}/warehouse/caliper", "auth": {"scheme": "bearer", "token": "env:LRS_USER"}}
        warehouse = consumer("warehouse", "caliper", **place, batch={"interval": "1s"}, retry={"max_delay": "1s"})
        (tmp_path / "c.yaml").write_text(yaml_of(first, warehouse, **more), encoding="utf-8")

    return write
