"""What watches a service: ``/healthz`` for its supervisor, ``/metrics`` for Prometheus.

Labels are names of consumers, reasons and causes: words of the configuration and of closed lists, nothing of a record.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from edx2lrs.io.state.errors import StateError
from edx2lrs.pipeline.local.run import Observed
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.counters import COUNTERS, Counter, Grouped, grouped

_STUCK = 60.0  # seconds without a look at the workers
_REQUEST_TIMEOUT = 10.0

class Health(NamedTuple):
    """``looked``: seconds since the service looked at its workers. ``troubles``: why streams cannot be read just now."""

    looked: float
    troubles: list[str]


def families(observed: Observed, health: Health, now: float) -> Iterator[Metric]:
    """All that is told of the run, at the wall time ``now``."""
    counts, names = grouped(observed.totals), list(observed.waiting)
    ages = {name: max(0.0, now - since) for name, since in observed.oldest.items()}
    gauges: dict[str, Mapping[str, float]] = {"waiting": observed.waiting, "oldest_age": ages}
    for row in COUNTERS:
        if row.gauge:
            yield _by_consumer(row.metric, row.meaning, {name: gauges[row.key].get(name, 0.0) for name in names})
        else:
            yield _counter(row, counts, names if row.whose == "consumer" else [""])
    is_open = {name: float(status.circuit != "closed") for name, status in observed.senders.items()}
    yield _by_consumer("edx2lrs_consumer_circuit_open", "1: the consumer is cut off; probes find out when it is back.", is_open)
    seconds = GaugeMetricFamily("edx2lrs_consumer_request_seconds", "How long requests take.", labels=["consumer", "quantile"])
    for name, status in observed.senders.items():
        seconds.add_metric([name, "0.5"], status.seconds_p50)
        seconds.add_metric([name, "0.99"], status.seconds_p99)
    yield seconds
    yield GaugeMetricFamily("edx2lrs_source_troubles", "Workers whose stream cannot be read just now.", len(health.troubles))


def _counter(row: Counter, counts: Grouped, names: Sequence[str]) -> CounterMetricFamily:
    """The counter ``row`` of all ``names`` ("": of the run and its records)."""
    labels = [label for label in ("consumer" if row.whose == "consumer" else None, row.told_by) if label]
    family = CounterMetricFamily(row.metric, row.meaning, labels=labels)
    for name in names:
        by_cause = counts.get(name, {}).get(row.key, {})
        for cause in by_cause if row.told_by else ("",):
            family.add_metric([label for label in (name, cause) if label], by_cause.get(cause, 0))
    return family


def _by_consumer(metric: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric, text, labels=["consumer"])
    for name, value in values.items():
        family.add_metric([name], value)
    return family


class _Collector(Collector):
    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterable[Metric]:
        return self._server.families()


class Server:
    """What is served of a service, from when it is shown until it is hidden."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._observe: Callable[[], Observed] | None = None
        self._health: Callable[[], Health] | None = None
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(self))

    def show(self, observe: Callable[[], Observed], health: Callable[[], Health]) -> None:
        with self._lock:
            self._observe, self._health = observe, health

    def hide(self) -> None:
        with self._lock:
            self._observe = self._health = None

    def families(self) -> list[Metric]:
        with self._lock:
            if self._observe is None or self._health is None:
                return []
            return list(families(self._observe(), self._health(), time.time()))

    def answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Status, content type and body."""
        if path == "/metrics":
            try:
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry)
            except StateError:  # the service says so in its log
                return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"the state directory cannot be read\n"
        if path == "/healthz":
            with self._lock:
                health = self._health() if self._health else None
            well = health is not None and health.looked < _STUCK
            body = {"status": "ok" if well else "starting or ending" if health is None else "stuck"}
            if health is not None and health.troubles:
                body["source"] = health.troubles[0]
            status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
            return status, "application/json", json.dumps(body).encode() + b"\n"
        return HTTPStatus.NOT_FOUND, "text/plain", b"/healthz or /metrics\n"


@contextmanager
def serving(address: str | None) -> Iterator[Server]:
    """Serves at ``[HOST:]PORT`` (None: nowhere; without a host to this machine alone). Raises ``OptionError``."""
    server = Server()
    if address is None:
        yield server
        return
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise OptionError(f"--http {address}: no port; give PORT, or HOST:PORT as in 0.0.0.0:8080")
    try:
        http = _HttpServer((host.strip("[]") or "127.0.0.1", int(port)), _handler(server))
    except OSError as error:
        raise OptionError(f"--http {address}: {error.strerror or error}; choose another") from None
    threading.Thread(target=http.serve_forever, args=(0.5,), name="http", daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Somebody who breaks off is no news."""


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_TIMEOUT

        def do_GET(self) -> None:
            status, kind, body = server.answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """A look of Prometheus is no news."""

    return Handler
