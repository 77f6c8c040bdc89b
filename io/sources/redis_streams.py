"""A stream of Redis, read by one consumer of a group. Needs the extra ``redis`` (redis-py) and Redis 6.2; 7 for counting what was
trimmed unread.

Entries are acknowledged by ``commit`` alone. What a worker read and did not acknowledge is taken over by another one when it was
idle for ``claim`` (five minutes), by the same one (by name) at its next start, and at once after ``close``.

A stream is bounded (``EVENT_BUS_REDIS_STREAM_MAX_LEN``, 10,000 entries by default): what is trimmed before it was acknowledged is
lost. It is counted and told: entries that a worker had read by their ids, others by their number."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from edx2lrs.io.sources.address import SourceUrl, of_group, scheme_of
from edx2lrs.io.sources.event_bus import event_of_redis
from edx2lrs.io.sources.options import BUS_OPTIONS, DURATION, NAME, NUMBER, READER, Option, read_options, wrong_option
from edx2lrs.io.sources.position import Position
from edx2lrs.io.sources.source import Message, Polled, Source, SourceError
from edx2lrs.io.sources.spec import FLINK, LOCAL, OnEngine, Sharing, SourceSpec, Stream
from edx2lrs.transforms.failure import Failure, Refusal, failed

_CLAIM_AFTER = "the time after which an entry of another worker, if not acknowledged, is taken. Has to be longer than any wave"
OPTIONS = (
    *BUS_OPTIONS,
    Option("claim", DURATION, _CLAIM_AFTER, "5m"),
    Option("consumer", NAME, READER, names_reader=True),
    Option("db", NUMBER, "the number of the database", "0"),
)
_TLS_FILES = {"ca": "ssl_ca_certs", "certificate": "ssl_certfile", "key": "ssl_keyfile"}
_ANSWER = 15.0  # seconds that Redis gets to answer
_LONGEST_WAIT = 5.0  # and that it is asked to wait for an entry
_AT_ONCE = 1_000
_LOG = logging.getLogger("edx2lrs.redis")

# The first two scripts compare how many entries were ever added, how many are there and how many the group has read. What is gone
# and was not read is lost; the group's counter is moved on, so that one worker tells it, once.
_VALUES = """
local function fields(reply)
  local found = {}
  for i = 1, #reply, 2 do found[reply[i]] = reply[i + 1] end
  return found
end
local function parts(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(seq)
end
local function after(a, b)
  local ams, aseq = parts(a)
  local bms, bseq = parts(b)
  return ams > bms or (ams == bms and aseq > bseq)
end
local stream = fields(redis.call('XINFO', 'STREAM', KEYS[1]))
local added = stream['entries-added']
"""
_CREATE = "redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[2], 'MKSTREAM')" + _VALUES + """
if added and (ARGV[2] == '0' or ARGV[2] == '$') then
  local read = ARGV[2] == '$' and added or added - stream['length']
  redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], ARGV[2], 'ENTRIESREAD', read)
end
"""
_LOOK = _VALUES + """
for _, reply in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = fields(reply)
  if group['name'] == ARGV[1] then
    local last, read, lost = group['last-delivered-id'], group['entries-read'], 0
    if added and read then
      if not after(stream['last-generated-id'], last) then
        lost = added - read
      elseif stream['length'] == 0 or after(stream['recorded-first-entry-id'], last) then
        lost = added - stream['length'] - read
      end
      if lost > 0 then redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], last, 'ENTRIESREAD', read + lost) end
    end
    return {last, lost, stream['length'], added and 1 or 0}
  end
end
return redis.error_reply('NOGROUP')
"""
# XAUTOCLAIM would name what was trimmed of a worker that is alive, too: that one has it.
_CLAIM = """
local claimed, trimmed = {}, {}
for _, pending in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', ARGV[4])) do
  local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], pending[1])[1]
  if entry and entry[2] then
    claimed[#claimed + 1] = entry
  else
    redis.call('XACK', KEYS[1], ARGV[1], pending[1])
    trimmed[#trimmed + 1] = pending[1]
  end
end
return {claimed, trimmed}
"""


class RedisOptions(NamedTuple):
    """``begin``: the id after which a new group reads, or ``0`` or ``$``. ``is_stable``: another process of this name comes only
    after this one. ``client``: redis-py's options, with secrets in them."""

    name: str
    stream: str
    group: str
    consumer: str
    is_stable: bool
    begin: str
    claim: float
    client: Mapping[str, Any]


def redis_options(url: SourceUrl, worker: str = "") -> RedisOptions:
    """``worker``: this process's name in the group; "" for one that no other process ever has. Raises SourceUrlError."""
    values = read_options(url, OPTIONS)
    if len(url.servers) != 1:
        raise wrong_option(url, "group", "has to be on one server: a stream is read from one HOST:PORT")
    host, _, port = url.servers[0].rpartition(":")
    client: dict[str, Any] = {
        "host": host.strip("[]"),
        "port": int(port),
        "username": values["username"],
        "password": values["password"],
        "client_name": "edx2lrs",
        "db": values["db"],
    }
    files = {name: values[key] for key, name in _TLS_FILES.items() if values[key]}
    if url.scheme == "rediss":
        client.update(ssl=True, **files)
    elif files:
        raise wrong_option(url, "ca", "certificate and key go with rediss://")
    named = values["consumer"] or worker
    start = values["start"]
    # ids begin with milliseconds; a group reads what comes after its id
    begin = {"earliest": "0", "latest": "$"}.get(str(start)) or f"{max(int(start) - 1, 0)}-18446744073709551615"
    consumer = named or f"{socket.gethostname()}-{os.getpid()}-{time.time_ns():x}"
    return RedisOptions(url.name, url.path, values["group"], consumer, bool(named), begin, values["claim"], client)


def _library() -> Any:
    try:
        import redis
    except ImportError:
        raise SourceError("reading Redis needs redis-py, which is not installed: pip install 'edx2lrs[redis]'", True) from None
    return redis


_Entry = tuple[bytes, Mapping[bytes, bytes] | None]
"""An entry's id and its fields; none where it was trimmed."""


class RedisSource:
    """See ``io.sources.source.Source``. Connects at the first poll."""

    def __init__(self, options: RedisOptions) -> None:
        self._options = options
        self._redis = _library()
        self._client: Any = None
        self._polls = 0
        self._warned = False
        self._begin()

    def _begin(self) -> None:
        self._held: dict[bytes, int] = {}  # ids that were polled and not acknowledged, with the number of the poll
        self._left_at: bytes | None = b"0" if self._options.is_stable else None  # how far of what a process of this name left
        self._claim_at = 0.0

    # The source's three calls

    def poll(self, max_records: int, max_wait: float) -> Polled:
        try:
            if self._client is None:
                self._connect()
            entries, failures = self._entries(max_records, max_wait)
        except self._redis.RedisError as error:
            raise self._to_error(error) from None
        self._polls += 1
        messages: list[Message] = []
        for entry_id, fields in entries:
            self._held[entry_id] = self._polls
            read = self._read(entry_id.decode(), fields)
            if isinstance(read, Failure):
                failures.append(read)
            else:
                messages.append(read)
        return Polled(messages, failures, self._polls)

    def commit(self, cursor: Any) -> None:
        if self._client is None:
            return
        settled = [entry_id for entry_id, number in self._held.items() if number <= cursor]
        try:
            for ids in _chunks(settled):
                self._client.xack(self._options.stream, self._options.group, *ids)
                for entry_id in ids:
                    del self._held[entry_id]
        except self._redis.RedisError as error:
            raise self._to_error(error) from None

    def behind(self) -> float | None:
        """Entries that no process of the group was given yet. Redis before 7.0 does not know."""
        try:
            groups = self._client.xinfo_groups(self._options.stream) if self._client is not None else []
        except self._redis.RedisError:
            return None
        return next((group.get("lag") for group in groups if group["name"] == self._options.group.encode()), None)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        stream, group, consumer = self._options.stream, self._options.group, self._options.consumer
        try:
            for ids in _chunks(list(self._held)):  # made to look idle for long, so that another worker takes them at once
                idle = int(self._options.claim * 1000) + 1
                client.xclaim(stream, group, consumer, 0, ids, idle=idle, justid=True)
            if not client.xpending_range(stream, group, "-", "+", 1, consumername=consumer):
                client.xgroup_delconsumer(stream, group, consumer)
            client.close()
        except self._redis.RedisError:
            _LOG.debug("%s: closed with an error", self._options.name)
        self._begin()

    # Entries

    def _entries(self, max_records: int, max_wait: float) -> tuple[list[_Entry], list[Failure]]:
        """Entries that an earlier process of this name left, else entries that other workers left, else new entries."""
        if self._left_at is not None:
            entries = self._own(max_records)
            if entries:
                return entries, []
        end = time.monotonic() + max_wait
        while True:
            if time.monotonic() >= self._claim_at:
                entries, lost = self._claimed(max_records)
                if entries or lost:
                    return entries, lost
            entries, lost, last = self._new(max_records)
            wait = min(end - time.monotonic(), _LONGEST_WAIT, max(self._claim_at - time.monotonic(), 0.01))
            if entries or lost or wait <= 0:
                return entries, lost
            # waits without taking: what is taken is taken together with the look at what was trimmed
            self._client.xread({self._options.stream: last}, count=1, block=max(1, int(wait * 1000)))

    def _own(self, max_records: int) -> list[_Entry]:
        at = {self._options.stream: self._left_at}
        reply = self._client.xreadgroup(self._options.group, self._options.consumer, at, count=max_records)
        entries: list[_Entry] = [entry for _, found in reply or () for entry in found]
        self._left_at = entries[-1][0] if entries else None
        return entries

    def _claimed(self, max_records: int) -> tuple[list[_Entry], list[Failure]]:
        _, stream, group, consumer, _, _, claim, _ = self._options
        claimed, trimmed = self._client.eval(_CLAIM, 1, stream, group, consumer, int(claim * 1000), max_records)
        if len(claimed) + len(trimmed) < max_records:  # else there may be more, and the next look is at once
            self._claim_at = time.monotonic() + claim / 4
        new = [(entry_id, fields) for entry_id, fields in claimed if entry_id not in self._held]
        entries: list[_Entry] = [(entry_id, dict(zip(fields[::2], fields[1::2], strict=True))) for entry_id, fields in new]
        lost = [self._trimmed(entry_id.decode()) for entry_id in trimmed if self._held.pop(entry_id, None) is None]
        if entries:
            _LOG.info("%s: took over %d entries of another worker", self._options.name, len(entries))
        if lost:
            _LOG.warning("%s: %d entries were trimmed before they were acknowledged", self._options.name, len(lost))
        return entries, lost

    def _new(self, max_records: int) -> tuple[list[_Entry], list[Failure], bytes]:
        stream, group = self._options.stream, self._options.group
        together = self._client.pipeline(transaction=True)
        together.eval(_LOOK, 1, stream, group)
        together.xreadgroup(group, self._options.consumer, {stream: ">"}, count=max_records)
        looked, reply = together.execute(raise_on_error=False)
        for found in (looked, reply):
            if isinstance(found, Exception):
                raise found
        last, lost, length, is_counted = looked
        if not is_counted and not self._warned:
            self._warned = True
            _LOG.warning("%s: this Redis does not count what is trimmed unread; 7.0 does", self._options.name)
        failures = []
        if lost:
            message = f"{lost} entries after {last.decode()} were trimmed before they were read; the stream has {length} now"
            _LOG.warning("%s: %s. Raise EVENT_BUS_REDIS_STREAM_MAX_LEN of the LMS", self._options.name, message)
            failures.append(Failure("read", "lost_at_source", message, str(Position(stream, offset=last.decode())), b""))
        return [entry for _, found in reply or () for entry in found], failures, last

    def _read(self, entry_id: str, fields: Mapping[bytes, bytes] | None) -> Message | Failure:
        if not fields:
            return self._trimmed(entry_id)
        value = fields.get(b"event_data")
        others = {_text(key): _text(text) for key, text in fields.items() if key != b"event_data"}
        body = event_of_redis(value, others.get("type"))
        position = Position(self._options.stream, offset=entry_id)
        if isinstance(body, Refusal):
            return failed(body, str(position), value or b"", attributes=others)
        return Message(f"{self._options.stream}/{entry_id}", position, body, others)

    def _trimmed(self, entry_id: str) -> Failure:
        message = "the entry was trimmed before it was acknowledged; a worker that died may have kept it before"
        return Failure("read", "lost_at_source", message, str(Position(self._options.stream, offset=entry_id)), b"")

    # The connection

    def _connect(self) -> None:
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client = self._redis.Redis(
            **self._options.client,
            protocol=2,  # the replies' forms
            socket_timeout=_ANSWER,
            socket_connect_timeout=_ANSWER,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),  # trying again is for who reads the source
        )
        self._make_group(client)
        self._client = client

    def _make_group(self, client: Any) -> None:
        stream, group = self._options.stream, self._options.group
        is_new = not client.exists(stream)
        try:
            client.eval(_CREATE, 1, stream, group, self._options.begin)
        except self._redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
            return
        if is_new:
            _LOG.warning("%s: there is no such stream yet; waiting for its first entry", self._options.name)
        else:
            _LOG.info("%s: made the group %s", self._options.name, group)

    def _to_error(self, error: Exception) -> SourceError:
        """The messages hold no secrets: redis-py names hosts, Redis keys and commands."""
        text = str(error)
        for sign, advice in _ADVICE:
            if sign in text:
                return SourceError(f"{self._options.name}: {advice}", fatal=True)
        if isinstance(error, self._redis.AuthenticationError):
            return SourceError(f"{self._options.name}: {_CREDENTIALS}", fatal=True)
        if "NOGROUP" in text:
            self._client = None
            self._begin()
            return SourceError(f"{self._options.name}: the group or its stream was deleted; it is made anew")
        reason = text if isinstance(error, self._redis.ConnectionError) else text.split(" ", 1)[0]
        return SourceError(": ".join(filter(None, (self._options.name, type(error).__name__, reason))))


def _chunks(ids: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    rest = iter(ids)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


_CREDENTIALS = "Redis refuses username or password; give them as username=env:NAME and password=env:NAME"
_ADVICE = (
    ("NOAUTH", _CREDENTIALS),
    ("WRONGPASS", _CREDENTIALS),
    ("NOPERM", "this user needs XREADGROUP, XREAD, XACK, XCLAIM, XPENDING, XGROUP, XINFO, EVAL and the stream's key"),
    ("WRONGTYPE", "the key is no stream; check the name (with the prefix of EVENT_BUS_TOPIC_PREFIX)"),
    ("unknown command", "Redis 6.2 or newer is needed"),
    ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is not trusted; name its authority by ca=PATH, and check the host"),
)


# What the source says of itself

_FORM = "HOST:PORT/STREAM?group=GROUP"


def _address(text: str) -> SourceUrl:
    return of_group(text, f"{scheme_of(text)}://{_FORM}")


def _open(url: SourceUrl, worker: str, _position: str | None) -> Source:
    return RedisSource(redis_options(url, worker))


SPEC = SourceSpec(
    name="Redis",
    what="the Open edX event bus on Redis",
    schemes=("redis://", "rediss://"),
    form=f"redis://{_FORM}",
    example="redis://redis:6379/prod-tracking-log?group=edx2lrs",
    sharing=Sharing(True, "several"),
    engines={LOCAL: OnEngine(), FLINK: OnEngine()},
    options=OPTIONS,
    stream=Stream(_address, _open, redis_options),
)
