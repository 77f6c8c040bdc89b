"""The configuration as types: what may be said, its defaults and what it means. Reading and checking:
``pipeline.config.reading``.

Descriptions are the source of ``docs/configuration.md``. ``extra={"kind": ...}`` names a check that the type alone
does not make (``pipeline.config.kind_table``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta

from edx2lrs.transforms.auth import Auth, NoAuth, Reference

Protocol = Literal["xapi", "caliper"]
IdKind = Literal["external_id", "hmac", "mbox", "mbox_sha1sum"]
IdType = Literal["XAPI", "CALIPER", "LTI"]
OnUnknown = Literal["dead_letter", "hmac"]
Sha1Of = Literal["mailto", "address"]
ResponseFormat = Literal["erb", "standard"]
StatementIds = Literal["erb", "erb_live", "strict"]
Dialect = Literal["standard", "erb", "aspects"]
DEFAULT_DIALECT: Dialect = "standard"
PostedEvents = Literal["checked", "erb"]
PayloadForm = Literal["full", "redacted", "none"]
FreeText = Literal["response", "title"]
"""What learners write themselves: answers to questions, and titles of discussions."""
Redacted = Literal["response", "title", "url"]
"""What a consumer may do without: free texts, and the parts of addresses that say more than the page."""
Seconds = Annotated[
    float, Meta(gt=0, description="A duration: `60s`, `0.2s`, `100ms`, `5m`, `2h`, or seconds as a number.", extra={"kind": "seconds"})
]
Url = Annotated[str, Meta(
    description="An http:// or https:// address; or a place for files: `file:///PATH`, `s3://`, `gs://`, or `stdout:`.",
    extra={"kind": "url"},
)]
TablePath = Annotated[str, Meta(description="Path of a file, local or of any Beam file system.", extra={"kind": "table"})]
Pem = Annotated[str, Meta(description="Path of a local PEM file.", extra={"kind": "pem"})]
Folder = Annotated[str, Meta(description="Path of a folder, which is made when needed.", extra={"kind": "folder"})]
HeaderText = Annotated[str, Meta(description="A text, or a secret by reference.", extra={"may_refer": True})]
Pattern = Annotated[str, Meta(description="An exact name, or `/regex/`.", extra={"kind": "pattern"})]
User = Annotated[str | int, Meta(description="A username, `/regex/`, or a user id as a number.", extra={"kind": "user"})]


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every block of options: immutable, and a key that it does not know is an error."""


class Lms(_Options, frozen=True):
    """The site whose events are read."""

    root_url: Annotated[Url, Meta(
        description="The site's root, without a slash at its end; part of every id.", examples=["https://lms.example.com"],
        extra={"kind": "root_url"},
    )]
    sites: Annotated[dict[str, str], Meta(
        description="For a stream that carries several sites: maps an event's `host` to the root of its site. "
        "A host that is not named here has `root_url`.",
        examples=["{campus.example.com: https://campus.example.com}"],
        extra={"kind": "sites"},
    )] = {}
    external_ids: Annotated[TablePath | None, Meta(
        description="Table of external ids: CSV with the header `user_id,username,external_id_type,external_user_id[,email]`, "
        "or JSONL or Avro with these fields.",
        examples=["gs://bucket/external_ids.csv"],
    )] = None
    course_names: Annotated[TablePath | None, Meta(
        description="Table of course names: CSV with the header `course_id,display_name`. "
        "A course that the table lacks gets no name in statements.",
        examples=["courses.csv"],
    )] = None
    id_key: Annotated[Reference | None, Meta(
        description="The site's key for HMAC ids and for telling anonymous visitors apart. "
        "With another key, every person gets another id.",
        examples=["env:EDX2LRS_ID_KEY"],
    )] = None
    statement_ids: Annotated[StatementIds, Meta(
        description="The ids of xAPI statements. `erb`: the ids of event-routing-backends with batching, and in its backfills. "
        "`erb_live`: the ids of event-routing-backends for live events without batching, as Aspects runs it: a backfill of such a time "
        "then adds nothing. `strict`: the object's id is part of a statement's id too, for a site that starts fresh.",
        examples=["strict"],
    )] = "erb"
    posted_events: Annotated[PostedEvents, Meta(
        description="What counts of an event that a browser or an app posted (`event_source`). `checked`: the event is about the "
        "learner of its context alone, and names that only servers emit do not count. `erb`: as in event-routing-backends, where a "
        "learner can post any event about anybody.",
        examples=["erb"],
    )] = "checked"
    transformer_version: Annotated[str | None, Meta(
        description="Text of the transformer-version extension. Default: edx2lrs and its version.",
        examples=["event-routing-backends@9.3.8"],
    )] = None


class Events(_Options, frozen=True):
    """Which events are looked at, for all consumers."""

    allow: Annotated[list[Pattern] | None, Meta(
        description="Names that are let in. Default: all names.", examples=["[problem_check, /video/]"]
    )] = None
    block: Annotated[list[Pattern], Meta(
        description="Names that are kept out. `block` wins over `allow`.", examples=[r"['/^edx\.forum\./']"]
    )] = []


class AccessRule(_Options, frozen=True):
    """Names that are let in and names that are kept out. A rule has `allow`, `block` or both."""

    allow: Annotated[list[Pattern] | None, Meta(
        description="Names that are let in. Default: all names that `block` does not name.", examples=["[MITx, /^Delft/]"]
    )] = None
    block: Annotated[list[Pattern], Meta(
        description="Names that are kept out. `block` wins over `allow`.", examples=["[MITx-Test]"]
    )] = []


class UserRule(_Options, frozen=True):
    """Persons who are let in and persons who are kept out. A rule has `allow`, `block` or both."""

    allow: Annotated[list[User] | None, Meta(
        description="Persons who are let in. Default: all persons whom `block` does not name.", examples=["[ann, 5]"]
    )] = None
    block: Annotated[list[User], Meta(
        description="Persons who are kept out. `block` wins over `allow`. A rule with user ids in `block` also keeps out every "
        "event without a user id. A rule with usernames in `block` also keeps out every event without a username.",
        examples=["[/^test_/]"],
    )] = []


class Access(_Options, frozen=True):
    """What a consumer may see. An event has to pass every rule that is given; an event without the field of a rule does not pass."""

    courses: Annotated[AccessRule | None, Meta(
        description="By course key: the course of the event, and the course of every key that the event's statements show. A key "
        "counts without its branch and version; a custom course (`ccx-v1:`) is another course than its origin.",
        examples=["{allow: [course-v1:MITx+6.00x+2026]}"],
    )] = None
    orgs: Annotated[AccessRule | None, Meta(
        description="By organisation. The organisation is read from the course key, never from `context.org_id`.",
        examples=["{allow: [MITx]}"],
    )] = None
    users: Annotated[UserRule | None, Meta(
        description="By the person whom the event is about: a username or a user id.", examples=["{block: [staff, 5]}"]
    )] = None
    sites: Annotated[AccessRule | None, Meta(
        description="By the event's `host`; upper and lower case are the same.", examples=["{allow: [campus.example.com]}"]
    )] = None
    enterprises: Annotated[AccessRule | None, Meta(
        description="By the event's `context.enterprise_uuid`; upper and lower case are the same.",
        examples=["{allow: [0f8a6b2e-3a5c-4b8e-9a55-0c6a0d6f1e10]}"],
    )] = None
    activity_types: Annotated[AccessRule | None, Meta(
        description="By the type of the object of the event's statements: `object.definition.type` in xAPI, `object.type` in "
        "Caliper.",
        examples=["{allow: [https://w3id.org/xapi/video/activity-type/video]}"],
    )] = None
    library_blocks: Annotated[Literal["rules", "open"], Meta(
        description="Blocks of content libraries. `rules`: the key of the library has to pass the rules on courses and "
        "organisations, as the key of a course has to; `open`: blocks of every library pass these rules.",
        examples=["open"],
    )] = "rules"


class ActorChoice(_Options, frozen=True):
    """Under which id a consumer sees a person."""

    id: Annotated[IdKind | None, Meta(
        description="The kind of id. Default: `external_id` if `lms.external_ids` is given, else `hmac`. "
        "`mbox` and `mbox_sha1sum` are for xAPI only.",
        examples=["hmac"],
    )] = None
    type: Annotated[IdType | None, Meta(
        description="Type of the external id. Default: `XAPI` or `CALIPER`, by the protocol. The type is part of an HMAC id too.",
        examples=["LTI"],
    )] = None
    unknown: Annotated[OnUnknown, Meta(
        description="What becomes of an event of a user whom the table does not know. `dead_letter`: a dead letter, to be "
        "replayed with a newer table. `hmac`: a statement with an HMAC id; the user has another id as soon as a newer table "
        "knows the user.",
        examples=["hmac"],
    )] = "dead_letter"
    key: Annotated[Reference | None, Meta(
        description="With `id: hmac`: this consumer's own key, in place of `lms.id_key`. Nobody can then join this consumer's "
        "data with another consumer's data by the ids of persons.",
        examples=["env:CAMPUS_ID_KEY"],
    )] = None
    visitors: Annotated[Literal["send", "leave_out"] | None, Meta(
        description="What becomes of events of anonymous visitors. `leave_out`: the consumer does not get these events. "
        "Default: `leave_out` with `dialect: aspects`, which counts each actor as a person; else `send`.",
        examples=["leave_out"],
    )] = None
    sha1_of: Annotated[Sha1Of, Meta(
        description="With `id: mbox_sha1sum`: the text that is hashed. `mailto`: the address with `mailto:` before it, as xAPI "
        "says; `address`: the bare address, as event-routing-backends does.",
        examples=["address"],
    )] = "mailto"


class ActorOptions(NamedTuple):
    """``ActorChoice`` with its defaults filled in (``pipeline.variants``). ``key``: the reference of a key of the consumer's own; None:
    the site's. ``shown_as``: the JSON of the actor that ``override_args`` puts in the place of everybody."""

    kind: IdKind
    type: IdType
    unknown: OnUnknown
    key: str | None = None
    sha1_of: Sha1Of = "mailto"
    shown_as: str | None = None


class BatchOptions(_Options, frozen=True):
    """The size of one request."""

    size: Annotated[int, Meta(ge=1, le=10_000, description="The most statements in one request.", examples=[500])] = 100
    interval: Annotated[Seconds, Meta(
        description="A batch is sent when its oldest statement has this age, also if the batch is not full.", examples=["0.2s"]
    )] = 60.0
    bytes: Annotated[int, Meta(
        ge=1_000,
        description="The most bytes in the body of one request, before compression. A larger statement is sent alone. "
        "A batch that gets the answer 413 is halved.",
        examples=[250_000],
    )] = 900_000


class Retry(_Options, frozen=True):
    """How a request is tried again after an error that may pass."""

    max_attempts: Annotated[int, Meta(
        ge=1, description="Attempts for one batch before the consumer's circuit opens.", examples=[3]
    )] = 8
    base_delay: Annotated[Seconds, Meta(
        description="The longest first pause. The bound doubles with each attempt.", examples=["1s"]
    )] = 0.5
    max_delay: Annotated[Seconds, Meta(
        description="The longest pause. A longer pause that the LRS asks for (Retry-After) is kept: the circuit opens until then.",
        examples=["10m"],
    )] = 300.0


class Rate(_Options, frozen=True):
    """Bounds on the requests to this consumer, whatever the number of workers."""

    statements_per_second: Annotated[Annotated[float, Meta(
        gt=0)] | None, Meta(description="The most statements in one second. Default: no bound.", examples=[500]
    )] = None
    concurrency: Annotated[int, Meta(ge=1, le=64, description="The most requests in flight at one time.", examples=[8])] = 4


class Tls(_Options, frozen=True):
    """Certificates for the connections of this consumer. The certificate of a server is always checked."""

    ca: Annotated[Pem | None, Meta(
        description="File with the certificates of the authorities that are trusted, in place of the system's authorities.",
        examples=["ca.pem"],
    )] = None
    cert: Annotated[Pem | None, Meta(
        description="File with the client certificate, and the certificates between it and its authority.", examples=["client.pem"]
    )] = None
    key: Annotated[Pem | None, Meta(
        description="File with the key of `cert`, without a pass phrase. Default: the key is in the file `cert`.",
        examples=["client.key"],
    )] = None


class Alert(_Options, frozen=True):
    """When an alert says that too many statements wait for a consumer, that statements wait too long, or that too many become dead
    letters."""

    backlog: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(
        description="An alert is raised when more statements than this number wait.", examples=[100_000]
    )] = None
    age: Annotated[Seconds | None, Meta(
        description="An alert is raised when the oldest waiting statement waits longer than this time.", examples=["10m"]
    )] = None
    dead_letters: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(
        description="An alert is raised when more dead letters than this number came in the last ten minutes: of this consumer, or "
        "(at the beginning of a line) of each consumer and of records without a consumer. On this machine alone, not on Flink or "
        "Dataflow.",
        examples=[100],
    )] = None


class TranslationOptions(_Options, frozen=True):
    """What makes a consumer's statements other than another consumer's of the same protocol, beside the ids of persons. Consumers
    with the same options share one translation (``pipeline.variants``)."""

    override_args: Annotated[dict[str, Any], Meta(
        description="Properties that replace properties of what is sent. xAPI: of every statement. Caliper: of the `envelope` "
        "and of every `event`. Names and values are checked against the standard.",
        examples=["{envelope: {sensor: https://lms.example.com/sensors/1}}"],
        extra={"kind": "override_args"},
    )] = {}
    redact: Annotated[list[Redacted], Meta(
        description="What this consumer does not get. `response`: answers to questions; `title`: the titles of discussions; `url`: "
        "queries and fragments of addresses.",
        examples=["[response, title, url]"],
    )] = []
    dialect: Annotated[Dialect, Meta(
        description="How the consumer's store wants statements. `standard`: by xAPI, Caliper and their profiles; `erb`: as "
        "event-routing-backends makes statements, for reports that were written for them; `aspects`: as `erb`, without what the SQL of "
        "Aspects cannot read (xAPI only). Statement ids are the same in all dialects.",
        examples=["aspects"],
    )] = DEFAULT_DIALECT
    response_format: Annotated[ResponseFormat, Meta(
        description="The form of answers in xAPI. `erb`: as event-routing-backends writes answers. `standard`: in the formats "
        "of the interaction types (xAPI 1.0.3, appendix C), where the record allows it.",
        examples=["standard"],
    )] = "erb"


class Consumer(TranslationOptions, frozen=True, kw_only=True):
    """One LRS or Caliper endpoint, and the statements that are sent to it."""

    name: Annotated[str, Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="The consumer's name in reports, state directory and dead letters: letters, digits, `.`, `_`, `-`. Each "
        "consumer has its own name.",
        examples=["campus-lrs"],
    )]
    protocol: Annotated[Protocol, Meta(description="Whether the consumer gets xAPI statements or Caliper events.", examples=["xapi"])]
    url: Annotated[Url, Meta(
        description="xAPI: the endpoint, with or without `/statements`. Caliper: the address that takes envelopes. "
        "Without an LRS: `file:///PATH`, `s3://BUCKET/PATH` or `gs://BUCKET/PATH` writes JSON lines, a new file for each batch, "
        "in the folder or beside the file that is named (compressed if the name ends in `.gz`); `stdout:` prints JSON lines.",
        examples=["https://lrs.example.edu/xAPI", "gs://bucket/campus/statements.jsonl.gz"],
    )]
    access: Annotated[Access | Literal["all"], Meta(
        description="What the consumer may see, whatever `match_params` asks for. `access: all` lets the consumer see everything."
    )]
    auth: Annotated[Auth, Meta(description="The credentials with which edx2lrs signs in at the consumer.")] = NoAuth()
    match_params: Annotated[dict[str, Any], Meta(
        description="What the consumer wants: a dotted path of the source event, and a value, `/regex/`, an operator or a list "
        "of these. All paths must match. Operators:",
        examples=[r"{context.org_id: MITx, name: [problem_check, '/^edx\.video\./'], username: {not: staff}}"],
        extra={"kind": "match_params"},
    )] = {}
    headers: Annotated[dict[str, HeaderText], Meta(
        description="Headers that are added to every request. A value that is a reference (`env:NAME`, `file:PATH`, "
        "`secret://...`) is read as a secret.",
        examples=["{X-Tenant: campus}"],
        extra={"kind": "headers"},
    )] = {}
    actor: ActorChoice = ActorChoice()
    batch: BatchOptions = BatchOptions()
    retry: Retry = Retry()
    rate: Rate = Rate()
    timeout: Annotated[Seconds, Meta(description="The longest time for one whole request.", examples=["10s"])] = 30.0
    tls: Tls = Tls()
    gzip: Annotated[bool, Meta(
        description="Whether bodies are sent compressed. Not every consumer accepts compressed bodies.", examples=["true"]
    )] = False
    log: Annotated[bool | str, Meta(
        description="A copy of every statement that the consumer has accepted, as JSON lines in files that rotate. `true`: in "
        "`statement-logs/` of the state directory; a path: in a folder, local or of any Beam file system.",
        examples=["gs://bucket/statement-logs"],
        extra={"kind": "log"},
    )] = False
    on_outage: Annotated[Literal["wait", "dead_letter"], Meta(
        description="While the consumer is down, `wait`: its statements wait; `dead_letter`: its statements become dead "
        "letters after `max_wait`.",
        examples=["dead_letter"],
    )] = "wait"
    max_wait: Annotated[Seconds | None, Meta(
        description="With `on_outage: dead_letter`: how long the circuit is open before statements become dead letters. "
        "Default: at once.",
        examples=["6h"],
    )] = None
    alert: Annotated[Alert, Meta(description="Alerts for this consumer, in place of the file's `alert`.")] = Alert()
    sensor: Annotated[str | None, Meta(
        description="The sensor in Caliper envelopes, an IRI. Default: `lms.root_url`.",
        examples=["https://lms.example.com/sensors/1"], extra={"kind": "iri"},
    )] = None

    @property
    def shown_url(self) -> str:
        """The address as it may be shown: a query may hold a token."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(query="...")) if parts.query else self.url


class DeadLetters(_Options, frozen=True):
    """Where dead letters are kept."""

    path: Annotated[Folder | None, Meta(
        description="A folder, local or of any Beam file system, or a Pub/Sub topic, `pubsub://PROJECT/TOPIC`. Default: "
        "`dead-letters/` in the state directory.",
        examples=["gs://bucket/dead-letters"],
    )] = None
    payload: Annotated[PayloadForm, Meta(
        description="What a dead letter holds of the record or statement. `full`: the original; `redacted`: the structure "
        "without the values; `none`: nothing. Dead letters with `redacted` or `none` cannot be sent again.",
        examples=["redacted"],
    )] = "full"


class Dedup(_Options, frozen=True):
    """The memory of statement ids."""

    ids: Annotated[int, Meta(
        ge=1, description="The number of statement ids that are remembered, of all consumers together.", examples=[20_000_000]
    )] = 5_000_000


class OutboxOptions(_Options, frozen=True):
    """The statements that wait for their consumers."""

    statements: Annotated[int, Meta(ge=1, description="The most statements that may wait for one consumer.", examples=[100_000])] = (
        1_000_000
    )


class WaveOptions(_Options, frozen=True):
    """The waves in which events are read on one machine."""

    timeout: Annotated[Seconds, Meta(
        description="A wave that does not move on for so long is ended, and read again in halves.", examples=["5m"]
    )] = 60.0


class Config(_Options, frozen=True):
    """The keys at the beginning of a line."""

    lms: Lms
    consumers: Annotated[list[Consumer], Meta(min_length=1, description="The consumers: who gets statements.")]
    events: Events = Events()
    dead_letters: DeadLetters = DeadLetters()
    dedup: Dedup = Dedup()
    outbox: OutboxOptions = OutboxOptions()
    waves: WaveOptions = WaveOptions()
    alert: Annotated[Alert, Meta(description="Alerts for each consumer that has no `alert` of its own.")] = Alert()
