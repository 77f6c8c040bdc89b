"""A topic of Kafka, read by one process of a consumer group. Needs the extra ``kafka`` (confluent-kafka).

Only ``commit`` commits positions. When the group takes a partition from this process, the process revokes the partition only after
everything that was polled from it is committed: until then, ``poll`` gives no further messages, and ``commit`` revokes the
partition. Messages that were fetched and not polled are dropped; the next owner gets them. A partition that was lost (the broker
gave this process up) is not committed any more: its messages come again at another process, with the same ids."""

from __future__ import annotations

import logging
import re
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from edx2lrs.io.sources.address import SourceUrl, of_group
from edx2lrs.io.sources.event_bus import SchemaOf, bundled_schema, event_of_kafka
from edx2lrs.io.sources.options import BUS_OPTIONS, DURATION, HTTP, NAME, READER, SECRET, Option, one_of, read_options, wrong_option
from edx2lrs.io.sources.position import Position
from edx2lrs.io.sources.schema_registry import SchemaRegistry
from edx2lrs.io.sources.source import Message, Polled, Source, SourceError
from edx2lrs.io.sources.spec import DATAFLOW, FLINK, LOCAL, BeamSource, OnEngine, Sharing, SourceSpec, Stream
from edx2lrs.transforms.failure import Failure, Refusal, failed

_PROTOCOLS = one_of("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
_MECHANISMS = one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
OPTIONS = (
    *BUS_OPTIONS,
    Option("security", _PROTOCOLS, "the protocol of the connection. Default: `sasl_ssl` with a username, else `plaintext`"),
    Option("mechanism", _MECHANISMS, "how the username and the password are sent", "PLAIN"),
    Option("key_password", SECRET, "the password of `key`"),
    Option("session", DURATION, "the time without a sign of life after which the group gives up a process", "45s"),
    Option("member", NAME, READER, names_reader=True),
    Option("registry", HTTP, "the address of a schema registry with Confluent's interface"),
    Option("registry_username", SECRET, "the username for the schema registry"),
    Option("registry_password", SECRET, "the password for the schema registry"),
)
_ANSWER = 10.0  # seconds that a broker gets to answer
_LONGEST_WAVE = 600.0  # seconds between polls after which the group gives this process up
_LOG = logging.getLogger("edx2lrs.kafka")


class KafkaOptions(NamedTuple):
    """``start``: ``earliest``, ``latest`` or milliseconds since 1970. ``settings``: librdkafka's, with secrets in them."""

    name: str
    topic: str
    start: str | int
    settings: Mapping[str, Any]
    schema_of: SchemaOf


def kafka_options(url: SourceUrl, worker: str = "") -> KafkaOptions:
    """``worker``: the name of this process, unique in the group. With a name, a restarted process goes on at once, and does not wait
    until the group has given the dead process up; "" for no name. Raises SourceUrlError."""
    values = read_options(url, OPTIONS)
    username, password = values["username"], values["password"]
    if (username is None) != (password is None):
        raise wrong_option(url, "username", "and password belong together; give both or none")
    security = values["security"] or ("plaintext" if username is None else "sasl_ssl")
    if security.startswith("sasl") != (username is not None):
        raise wrong_option(url, "security", f"{security} does not fit: sasl_plaintext and sasl_ssl go with username and password")
    session = int(values["session"] * 1000)
    settings: dict[str, Any] = {
        "bootstrap.servers": ",".join(url.servers),
        "group.id": values["group"],
        "client.id": "edx2lrs",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",  # a position that the topic lacks is a loss that must be reported
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": session,
        "heartbeat.interval.ms": min(3_000, session // 3),
        "max.poll.interval.ms": int(_LONGEST_WAVE * 1000),
        "queued.max.messages.kbytes": 16_384,
        "fetch.queue.backoff.ms": 50,
        "security.protocol": security,
        "log_level": 2,  # errors that matter are raised
    }
    optional = {
        "group.instance.id": _member(values["member"] or worker, url.path),
        "sasl.mechanism": values["mechanism"] if username else None,
        "sasl.username": username,
        "sasl.password": password,
        "ssl.ca.location": values["ca"],
        "ssl.certificate.location": values["certificate"],
        "ssl.key.location": values["key"],
        "ssl.key.password": values["key_password"],
    }
    settings.update({key: value for key, value in optional.items() if value})
    schema_of: SchemaOf = bundled_schema
    if values["registry"]:
        schema_of = SchemaRegistry(values["registry"], values["registry_username"], values["registry_password"]).schema_of
    return KafkaOptions(url.name, url.path, values["start"], settings, schema_of)


def _member(name: str, topic: str) -> str:
    """The topic is a part: a group gives a returning member its old partitions, whatever topic the member asks for."""
    return f"{re.sub(r'[^A-Za-z0-9._-]', '-', name)[:200]}-{zlib.crc32(topic.encode()):08x}" if name else ""


def _library() -> Any:
    try:
        import confluent_kafka
    except ImportError:
        raise SourceError("reading Kafka needs confluent-kafka, which is not installed: pip install 'edx2lrs[kafka]'", True) from None
    return confluent_kafka


def position_of(topic: str, partition: int, offset: int) -> Position:
    return Position(f"{topic}[{partition}]", offset=offset)


def message_of(
    at: tuple[str, int, int], headers: Iterable[tuple[str, bytes | None]], value: bytes | None, schema_of: SchemaOf = bundled_schema
) -> Message | Failure:
    """``at``: topic, partition, offset."""
    attributes = {key: (text or b"").decode(errors="replace") for key, text in headers}
    body = event_of_kafka(value, attributes.get("ce_type"), schema_of)
    if isinstance(body, Refusal):
        return failed(body, str(position_of(*at)), value or b"", attributes=attributes)
    return Message("{}/{}/{}".format(*at), position_of(*at), body, attributes)


class _Held(NamedTuple):
    """A partition of this process. ``time``: tells the assignment from others. ``polled``, ``committed``: the next message's offset."""

    time: int
    polled: int
    committed: int


class KafkaSource:
    """See ``io.sources.source.Source``. Connects at the first poll."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._kafka = _library()
        self._consumer: Any = None
        self._times = 0
        self._forget()

    def _forget(self) -> None:
        self._held: dict[int, _Held] = {}
        self._kept: dict[int, int] = {}  # positions that were given to commit, and that no broker has confirmed
        self._releasing: list[Any] = []
        self._unread: list[Any] = []
        self._lost: list[Failure] = []
        self._fault: SourceError | None = None
        self._error: Any = None
        self._paused = False

    # The source's three calls

    def poll(self, max_records: int, max_wait: float) -> Polled:
        if self._consumer is None:
            self._connect()
        self._commit()
        self._release()
        self._pause(False)
        if not self._releasing and not self._unread:
            self._unread = self._fetch(max_records, max_wait)
        polled = [self._read(message) for message in self._unread[:max_records]]  # raises before any message is taken
        for message in self._unread[:max_records]:
            held = self._held[message.partition()]
            self._held[message.partition()] = held._replace(polled=message.offset() + 1)
        self._unread = self._unread[max_records:]
        failures, self._lost = self._lost + [one for one in polled if isinstance(one, Failure)], []
        cursor = {partition: (held.time, held.polled) for partition, held in self._held.items()}
        return Polled([one for one in polled if isinstance(one, Message)], failures, cursor)

    def commit(self, cursor: Any) -> None:
        for partition, (assigned, offset) in cursor.items():
            held = self._held.get(partition)
            if held is not None and held.time == assigned and offset > held.committed:
                self._kept[partition] = max(offset, self._kept.get(partition, offset))
        if self._consumer is not None:
            self._commit()
            self._release()

    def attend(self) -> None:
        """Polls without taking messages. Without these polls, the group would give this process up, and wait for it at each change."""
        if self._consumer is None:
            return
        self._commit()
        self._release()
        self._pause(True)
        if not self._releasing:
            self._unread += self._fetch(1, 0.0)  # messages of a new partition

    def behind(self) -> float | None:
        """Messages of the partitions of this process that were not polled, by what the broker said last."""
        if self._consumer is None:
            return None
        try:
            ends = {number: self._consumer.get_watermark_offsets(self._offset(number, 0), cached=True) for number in self._held}
        except self._kafka.KafkaException:
            return None
        behind = [max(0.0, found[1] - self._held[number].polled) for number, found in ends.items() if found is not None]
        return float(sum(behind))

    def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        try:
            if self._releasing:
                consumer.incremental_unassign(self._releasing)
            consumer.close()
        except (self._kafka.KafkaException, RuntimeError):
            _LOG.debug("%s: closed with an error", self._options.name)
        self._forget()

    # Messages

    def _pause(self, pause: bool) -> None:
        """Pauses the partitions. Messages that were fetched and not polled are dropped, and fetched again later."""
        if not pause and not self._paused:
            return
        self._paused = pause
        try:
            (self._consumer.pause if pause else self._consumer.resume)(self._consumer.assignment())
        except self._kafka.KafkaException as error:
            self._lose_connection(error)

    def _fetch(self, max_records: int, max_wait: float) -> list[Any]:
        first = self._consumer.consume(1, max_wait)
        times = {partition: held.time for partition, held in self._held.items()}
        rest = self._consumer.consume(max_records - 1, 0) if first and max_records > 1 else []
        if self._fault is not None:
            fault = self._fault
            self.close()
            raise fault
        messages = []
        for message in [*first, *rest]:
            if message.error() is not None:
                self._handle_error(message.error())
            elif message.partition() in self._held:  # the partition may have been taken in the second call
                messages.append(message)
        if first and self._held.get(first[0].partition(), _Held(0, 0, 0)).time != times.get(first[0].partition(), 0):
            messages = [message for message in messages if message is not first[0]]
        self._commit()  # where a partition begins
        if not messages:
            self._check()
        return messages

    def _read(self, message: Any) -> Message | Failure:
        at = (self._options.topic, message.partition(), message.offset())
        return message_of(at, message.headers() or (), message.value(), self._options.schema_of)

    # Partitions come and go; librdkafka calls these inside consume and close

    def _assigned(self, consumer: Any, partitions: Sequence[Any]) -> None:
        try:
            begins = [self._begin(consumer, partition) for partition in partitions]
        except (SourceError, self._kafka.KafkaException) as error:
            self._fault = self._to_error(error)
            return
        consumer.incremental_assign(begins)
        if begins:
            _LOG.info("%s: reads partitions %s", self._options.name, _numbers(begins))

    def _begin(self, consumer: Any, partition: Any) -> Any:
        """Where ``partition`` is read: at its committed position, else at ``start``, which is then committed."""
        number = partition.partition
        (stored,) = consumer.committed([partition], timeout=_ANSWER)
        if stored.error is not None:
            raise self._kafka.KafkaException(stored.error)
        low, high = consumer.get_watermark_offsets(partition, timeout=_ANSWER)
        offset = committed = stored.offset
        if offset < 0:
            offset = self._kept[number] = self._start(consumer, partition, low, high)
        elif not low <= offset <= high:
            self._tell_lost(number, offset, low, high)
            offset, committed = low, -1  # the loss has to be kept before this position is committed
        self._times += 1
        self._held[number] = _Held(self._times, offset, committed)
        return self._offset(number, offset)

    def _start(self, consumer: Any, partition: Any, low: int, high: int) -> int:
        start = self._options.start
        if isinstance(start, str):
            return low if start == "earliest" else high
        (found,) = consumer.offsets_for_times([self._offset(partition.partition, start)], timeout=_ANSWER)
        return int(found.offset) if found.offset >= 0 else high

    def _tell_lost(self, number: int, offset: int, low: int, high: int) -> None:
        position = str(position_of(self._options.topic, number, offset))
        if offset < low:
            count = f"{low - offset} messages, up to offset {low - 1}"
            message = f"{count}, were deleted by the topic's retention before they were read; keep them longer"
        else:
            message = f"the topic ends at offset {high}, so it was made anew: read it with a new group and a new --state"
        _LOG.warning("%s: lost at the source: %s", position, message)
        self._lost.append(Failure("read", "lost_at_source", message, position, b""))

    def _revoked(self, consumer: Any, partitions: Sequence[Any]) -> None:
        self._drop_unread(partitions)
        if self._consumer is None or self._is_settled(partitions):
            self._revoke(consumer, partitions)
            return
        self._releasing = list(partitions)
        # The client would let go by itself after this callback, unless one of these calls was made in it.
        consumer.incremental_assign([])

    def _lost_partitions(self, consumer: Any, partitions: Sequence[Any]) -> None:
        lost = "%s: lost partitions %s; their messages under way come again elsewhere"
        _LOG.warning(lost, self._options.name, _numbers(partitions))
        self._drop_unread(partitions)
        self._revoke(consumer, partitions)

    def _drop_unread(self, partitions: Sequence[Any]) -> None:
        gone = {partition.partition for partition in partitions}
        self._unread = [message for message in self._unread if message.partition() not in gone]

    def _is_settled(self, partitions: Sequence[Any]) -> bool:
        held = (self._held.get(partition.partition) for partition in partitions)
        return all(one is None or one.polled == one.committed for one in held)

    def _revoke(self, consumer: Any, partitions: Sequence[Any]) -> None:
        for partition in partitions:
            self._held.pop(partition.partition, None)
            self._kept.pop(partition.partition, None)
        consumer.incremental_unassign(list(partitions))

    def _release(self) -> None:
        if self._releasing and self._is_settled(self._releasing):
            partitions, self._releasing = self._releasing, []
            try:
                self._revoke(self._consumer, partitions)
            except self._kafka.KafkaException as error:
                self._lose_connection(error)

    def _commit(self) -> None:
        if not self._kept:
            return
        errors = self._kafka.KafkaError
        given_up = {errors.ILLEGAL_GENERATION, errors.UNKNOWN_MEMBER_ID, errors.REBALANCE_IN_PROGRESS}
        kept = dict(self._kept)
        for wait in (0.1, 0.2, 0.4, 0.8, 0.0):
            try:
                committed = self._consumer.commit(offsets=[self._offset(*each) for each in kept.items()], asynchronous=False)
                for error in (each.error for each in committed if each.error is not None):
                    raise self._kafka.KafkaException(error)
                break
            except self._kafka.KafkaException as error:
                if error.args[0].code() not in given_up:
                    self._lose_connection(error)
            time.sleep(wait)
        else:  # no member any more: the rest is settled when the client has noticed
            if not self._releasing:
                return
            _LOG.warning("%s: positions could not be committed; messages come again elsewhere", self._options.name)
        for partition, offset in kept.items():
            self._held[partition] = self._held[partition]._replace(committed=offset)
            self._kept.pop(partition)

    def _offset(self, partition: int, offset: int) -> Any:
        return self._kafka.TopicPartition(self._options.topic, partition, offset)

    # The connection

    def _connect(self) -> None:
        self._forget()
        try:
            self._consumer = self._kafka.Consumer({**self._options.settings, "error_cb": self._on_error})
        except self._kafka.KafkaException as error:
            raise SourceError(f"{self._options.name}: {error.args[0].str()}", fatal=True) from None
        try:
            self._look_at_topic(5.0)
            calls = {"on_assign": self._assigned, "on_revoke": self._revoked, "on_lost": self._lost_partitions}
            self._consumer.subscribe([self._options.topic], **calls)
        except (SourceError, self._kafka.KafkaException) as error:
            self._lose_connection(error)

    def _look_at_topic(self, wait: float) -> None:
        try:
            topics = self._consumer.list_topics(self._options.topic, wait).topics
        except self._kafka.KafkaException as error:
            self._consumer.poll(0)  # tells _on_error why
            raise self._to_error(self._kafka.KafkaException(self._error) if self._error else error) from None
        missing = topics[self._options.topic].error
        if missing is not None:
            raise self._to_error(self._kafka.KafkaException(missing))

    def _on_error(self, error: Any) -> None:
        if self._is_fatal(error) or error.code() == self._kafka.KafkaError._ALL_BROKERS_DOWN:
            self._error = error

    def _check(self) -> None:
        """Finds out why no message came: there is no message, or no broker answers."""
        if self._error is None:
            return
        if self._is_fatal(self._error):
            self._lose_connection(self._kafka.KafkaException(self._error))
        try:
            self._look_at_topic(2.0)
        except SourceError as error:
            self._lose_connection(error)
        self._error = None

    def _handle_error(self, error: Any) -> None:
        errors = self._kafka.KafkaError
        if error.code() == errors._MAX_POLL_EXCEEDED:
            # Requests of the client still belong to a member that is gone: under its old name, the broker would fence the new member.
            message = f"{self._options.name}: nothing was read for more than {_LONGEST_WAVE:.0f} s, so its group gave it up"
            self._lose_connection(SourceError(f"{message}; it joins anew, and messages come again"))
        elif error.code() == errors._AUTO_OFFSET_RESET:
            # The messages at the position were deleted; the loss is counted when the partitions are assigned again.
            self._lose_connection(SourceError(f"{self._options.name}: a position is not in the topic any more"))
        else:
            self._on_error(error)

    def _is_fatal(self, error: Any) -> bool:
        return bool(error.fatal()) or error.name() in _ADVICE

    def _to_error(self, error: Exception) -> SourceError:
        if isinstance(error, SourceError):
            return error
        found = error.args[0]
        texts = (f"{self._options.name}: {found.str().rstrip('.')}", _ADVICE.get(found.name()))
        return SourceError("; ".join(filter(None, texts)), self._is_fatal(found))

    def _lose_connection(self, error: Exception) -> None:
        self.close()
        raise self._to_error(error)


def _numbers(partitions: Sequence[Any]) -> str:
    return ", ".join(str(number) for number in sorted(partition.partition for partition in partitions))


_CREDENTIALS = "check username, password, mechanism and security"
_SAME_NAME = "where two processes have one name in the group, give each its own by member=NAME"
_ADVICE = {
    "UNKNOWN_TOPIC_OR_PART": "check the topic's name (with the prefix of EVENT_BUS_TOPIC_PREFIX), or make the topic",
    "_UNKNOWN_TOPIC": "check the topic's name (with the prefix of EVENT_BUS_TOPIC_PREFIX), or make the topic",
    "TOPIC_EXCEPTION": "check the topic's name",
    "TOPIC_AUTHORIZATION_FAILED": "this user needs the right to read and describe the topic",
    "GROUP_AUTHORIZATION_FAILED": "this user needs the right to read in the group",
    "_AUTHENTICATION": _CREDENTIALS,
    "SASL_AUTHENTICATION_FAILED": _CREDENTIALS,
    "UNSUPPORTED_SASL_MECHANISM": _CREDENTIALS,
    "_SSL": "check ca, certificate, key and the brokers' host names",
    "_FATAL": _SAME_NAME,
    "FENCED_INSTANCE_ID": _SAME_NAME,
    "_UNSUPPORTED_FEATURE": "a broker of 2.4 or newer is needed",
}


# What the source says of itself

_FORM = "kafka://HOST:PORT[,HOST:PORT]/TOPIC?group=GROUP"


def _open(url: SourceUrl, worker: str, _position: str | None) -> Source:
    return KafkaSource(kafka_options(url, worker))


def _by_beam(url: SourceUrl, _id_label: str | None) -> BeamSource:
    from apache_beam.io.kafka import ReadFromKafka

    of_java = {  # the client's settings; no secret, since no option that holds one can be given where Beam's source reads
        "bootstrap.servers": ",".join(url.servers),
        "group.id": url.options["group"],
        "auto.offset.reset": url.options.get("start", "earliest"),
        "enable.auto.commit": "false",
    }
    source = ReadFromKafka(consumer_config=of_java, topics=[url.path], with_metadata=True, commit_offset_in_finalize=True)
    return BeamSource(source, partial(messages_of_beam, url.path))


def messages_of_beam(topic: str, row: Any) -> list[Message | Failure]:
    headers = [(header.key, header.value) for header in row.headers or ()]
    return [message_of((topic, row.partition, row.offset), headers, row.value)]


SPEC = SourceSpec(
    name="Kafka",
    what="the Open edX event bus on Kafka",
    schemes=("kafka://",),
    form=_FORM,
    example="kafka://kafka-1:9092,kafka-2:9092/prod-tracking-log?group=edx2lrs",
    sharing=Sharing(True, "several, also on several machines"),
    engines={LOCAL: OnEngine(), FLINK: OnEngine(), DATAFLOW: OnEngine(by_beam=True, options=("group", "start"))},
    options=OPTIONS,
    stream=Stream(partial(of_group, form=_FORM), _open, kafka_options, _by_beam),
)
