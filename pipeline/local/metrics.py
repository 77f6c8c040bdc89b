"""What watches a service: ``/healthz`` for its supervisor, ``/metrics`` for Prometheus.

Labels are names of consumers, reasons and causes: words of the configuration and of closed lists, nothing of a record.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edx2lrs.io.delivery.latency import RequestSeconds
from edx2lrs.io.sources.spec import Unit
from edx2lrs.io.state.errors import StateError
from edx2lrs.pipeline.local import http_server
from edx2lrs.pipeline.local.run import Observed
from edx2lrs.pipeline.local.worker_messages import SourceStanding
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.counters import COUNTERS, Counter, Grouped, grouped

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_QUIET = 60.0  # seconds without a message, which are worth a word
_STUCK = 60.0  # seconds without a look at the workers
_ADDRESS = re.compile(r"((?P<host>\[[0-9A-Za-z:.%]+\]|[^\[\]/?#@]*):)?(?P<port>[0-9]{1,5})", re.ASCII)


_UNITS: Mapping[Unit, str] = {
    "bytes": "Bytes that were written and are not read.",
    "messages": "Messages that were sent and are not read.",
    "seconds": "Seconds since the oldest message was sent that is not settled.",
}


class Health(NamedTuple):
    """``looked``: seconds since the service looked at its workers. ``troubles``: why streams cannot be read just now.
    ``standings``: how the stream of each worker stands. ``wave``: for how many seconds a wave does not end (0: all do)."""

    looked: float
    troubles: list[str]
    standings: Sequence[SourceStanding] = ()
    wave: float = 0.0

    def quiet(self, now: float) -> dict[str, float]:
        """For how many seconds nothing has come from each source; ``now`` is of the monotonic clock."""
        found: dict[str, float] = {}
        for each in self.standings:
            quiet = max(0.0, each.quiet + now - each.at)
            found[each.source] = min(quiet, found.get(each.source, quiet))
        return found

    def behind(self) -> dict[Unit, dict[str, float]]:
        """How far each source is behind, by its unit: the sum of its workers; in seconds, the worker that is behind most."""
        found: dict[Unit, dict[str, float]] = {unit: {} for unit in _UNITS}
        for each in self.standings:
            if each.behind is not None:
                others = found[each.unit].get(each.source, 0.0)
                found[each.unit][each.source] = max(others, each.behind) if each.unit == "seconds" else others + each.behind
        return found


def families(observed: Observed, health: Health, now: float) -> Iterator[Metric]:
    """All that is told of the run, at the wall time ``now``."""
    counts, names = grouped(observed.totals), list(observed.waiting)
    ages = {name: max(0.0, now - since) for name, since in observed.oldest.items()}
    gauges: dict[str, Mapping[str, float]] = {"waiting": observed.waiting, "oldest_age": ages}
    for row in counted_in_metrics():
        if row.gauge:
            yield _by("consumer", row.metric, row.meaning, {name: gauges[row.key].get(name, 0.0) for name in names})
        else:
            yield _counter(row, counts, names if row.whose == "consumer" else [""])
    is_open = {name: float(status.circuit != "closed") for name, status in observed.senders.items()}
    yield _by("consumer", "edx2lrs_consumer_circuit_open", "1: the consumer is cut off; probes find out when it is back.", is_open)
    yield from observed.request_seconds
    yield GaugeMetricFamily("edx2lrs_wave_seconds", "For how long a wave has not moved on.", health.wave)
    yield GaugeMetricFamily("edx2lrs_source_troubles", "Workers whose stream cannot be read just now.", len(health.troubles))
    yield _by("source", "edx2lrs_source_quiet_seconds", "Seconds since something came.", health.quiet(time.monotonic()))
    for unit, behind in health.behind().items():
        yield _by("source", f"edx2lrs_source_behind_{unit}", _UNITS[unit], behind)


def counted_in_metrics() -> tuple[Counter, ...]:
    """All counters but those that names tell: a label is a word of the configuration or of a closed list."""
    return tuple(row for row in COUNTERS if row.told_by != "name")


def _counter(row: Counter, counts: Grouped, names: Sequence[str]) -> CounterMetricFamily:
    """The counter ``row`` of all ``names`` ("": of the run and its records)."""
    family = CounterMetricFamily(row.metric, row.meaning, labels=row.labels)
    for name in names:
        by_cause = counts.get(name, {}).get(row.key, {})
        for cause in by_cause if row.told_by else ("",):
            family.add_metric([label for label in (name, cause) if label], by_cause.get(cause, 0))
    return family


def _by(label: str, metric: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric, text, labels=[label])
    for name, value in values.items():
        family.add_metric([name], value)
    return family


class Served(Collector):
    """What is served of a service, from when it is shown until it is hidden."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._observe: Callable[[], Observed] | None = None
        self._health: Callable[[], Health] | None = None

    def show(self, observe: Callable[[], Observed], health: Callable[[], Health]) -> None:
        with self._lock:
            self._observe, self._health = observe, health

    def hide(self) -> None:
        with self._lock:
            self._observe = self._health = None

    def describe(self) -> Iterable[Metric]:
        """The names of the metrics, for a scrape that asks for some of them."""
        return families(Observed({}, {}, {}, {}, RequestSeconds().metrics()), Health(0.0, []), 0.0)

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if self._observe is None or self._health is None:
                return []
            return list(families(self._observe(), self._health(), time.time()))

    def health(self) -> tuple[HTTPStatus, bytes]:
        """What ``/healthz`` answers."""
        with self._lock:
            health = self._health() if self._health else None
        well = health is not None and health.looked < _STUCK and not health.wave
        body: dict[str, Any] = {"status": "ok" if well else "starting or ending" if health is None else "stuck"}
        if health is not None and health.troubles:
            body["source"] = health.troubles[0]
        if health is not None and health.wave:
            body["wave"] = f"a wave does not end for {health.wave:.0f} s; it is read again in halves"
        quiet = health.quiet(time.monotonic()) if health is not None else {}
        since = {name: _time_text(time.time() - seconds) for name, seconds in quiet.items() if seconds >= _QUIET}
        if since:
            body["nothing_came_since"] = since
        return HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, json.dumps(body).encode() + b"\n"


def _time_text(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def application(served: Served) -> WSGIApplication:
    """``/metrics`` and ``/healthz`` of ``served``."""
    registry = CollectorRegistry()
    registry.register(served)
    metrics = make_wsgi_app(registry)

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, kind, body = HTTPStatus.NOT_FOUND, "text/plain", b"/healthz or /metrics\n"
        if environ["PATH_INFO"] == "/metrics":
            try:
                answer: Iterable[bytes] = metrics(environ, start_response)
                return answer
            except StateError:  # the service says so in its log
                status, body = HTTPStatus.SERVICE_UNAVAILABLE, b"the state directory cannot be read\n"
        elif environ["PATH_INFO"] == "/healthz":
            kind = "application/json"
            status, body = served.health()
        start_response(f"{status.value} {status.phrase}", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return respond


@contextmanager
def serving(address: str | None) -> Iterator[Served]:
    """Serves at ``[HOST:]PORT`` (None: nowhere; without a host to this machine alone). Raises ``OptionError``."""
    served = Served()
    if address is None:
        yield served
        return
    found = _ADDRESS.fullmatch(address)
    if not found or int(found["port"]) > 65535:
        raise OptionError(f"--http {address}: no port; give PORT, or HOST:PORT as in 0.0.0.0:8080 or [::]:8080")
    host = (found["host"] or "").strip("[]") or "127.0.0.1"
    with ExitStack() as stack:
        try:
            stack.enter_context(http_server.serving(application(served), host, int(found["port"])))
        except (OSError, UnicodeError) as error:
            raise OptionError(f"--http {address}: {getattr(error, 'strerror', None) or 'no such host'}; choose another") from None
        yield served
