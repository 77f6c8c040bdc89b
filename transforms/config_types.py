"""The configuration as types: what may be said, its defaults and what it means. Reading and checking:
``pipeline.config.reading``.

Descriptions are the source of ``docs/configuration.md``. ``extra={"kind": ...}`` names a check that the type alone
does not make (``pipeline.config.values``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

Protocol = Literal["xapi", "caliper"]
IdKind = Literal["external_id", "hmac", "mbox", "mbox_sha1sum"]
IdType = Literal["XAPI", "CALIPER", "LTI"]
Unknown = Literal["dead_letter", "hmac"]
Sha1Of = Literal["mailto", "address"]
ResponseFormat = Literal["erb", "standard"]
PayloadForm = Literal["full", "redacted", "none"]
FreeText = Literal["response", "title"]
"""What learners write themselves: answers to questions, and titles of discussions."""
Reference = Annotated[
    str,
    Meta(
        description="A secret by reference: `env:NAME`, `file:PATH` or `secret://projects/PROJECT/secrets/NAME`. Never the secret "
        "itself.",
        extra={"kind": "reference"},
    ),
]
Seconds = Annotated[
    float,
    Meta(
        gt=0,
        description="A duration: `60s`, `0.2s`, `100ms`, `5m`, `2h`, or seconds as a number.",
        extra={"kind": "seconds"},
    ),
]
Url = Annotated[
    str,
    Meta(
        description="An http:// or https:// address; or a place for files: `file:///PATH`, `s3://`, `gs://`, or `stdout:`.",
        extra={"kind": "url"},
    ),
]
Table = Annotated[str, Meta(description="Path of a file, local or of any Beam file system.", extra={"kind": "table"})]
Pem = Annotated[str, Meta(description="Path of a local PEM file.", extra={"kind": "pem"})]
Folder = Annotated[str, Meta(description="Path of a folder, which is made when needed.", extra={"kind": "folder"})]
Pattern = Annotated[str, Meta(description="An exact name, or `/regex/`.", extra={"kind": "pattern"})]
User = Annotated[str | int, Meta(description="A username, `/regex/`, or a user id as a number.", extra={"kind": "user"})]


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every block of options: immutable, and a key that it does not know is an error."""


class Lms(_Options, frozen=True):
    """The site whose events are read."""

    root_url: Annotated[
        Url,
        Meta(
            description="The site's root, without a slash at its end; part of every id.",
            examples=["https://lms.example.com"],
            extra={"kind": "root_url"},
        ),
    ]
    sites: Annotated[
        dict[str, str],
        Meta(
            description="Where one stream carries several sites: an event's `host` to the root of its site. "
            "All other hosts have `root_url`.",
            examples=["{campus.example.com: https://campus.example.com}"],
            extra={"kind": "sites"},
        ),
    ] = {}
    external_ids: Annotated[
        Table | None,
        Meta(
            description="Table of external ids: CSV with the header "
            "`user_id,username,external_id_type,external_user_id[,email]`, or JSONL or Avro with these fields.",
            examples=["gs://bucket/external_ids.csv"],
        ),
    ] = None
    course_names: Annotated[
        Table | None,
        Meta(
            description="Table of course names: CSV with the header `course_id,display_name`. "
            "A course that it lacks gets no name.",
            examples=["courses.csv"],
        ),
    ] = None
    id_key: Annotated[
        Reference | None,
        Meta(
            description="The site's key for HMAC ids and for telling anonymous visitors apart. "
            "Another key makes other persons of everybody.",
            examples=["env:EDX2LRS_ID_KEY"],
        ),
    ] = None
    statement_ids: Annotated[
        Literal["erb", "strict"],
        Meta(
            description="`erb`: the same ids as event-routing-backends. `strict`: the object's id is part of them too, "
            "for a site that starts fresh.",
            examples=["strict"],
        ),
    ] = "erb"
    transformer_version: Annotated[
        str | None,
        Meta(
            description="Text of the transformer-version extension; default: edx2lrs and its version.",
            examples=["event-routing-backends@9.3.8"],
        ),
    ] = None


class Events(_Options, frozen=True):
    """Which events are looked at, for all consumers."""

    allow: Annotated[
        list[Pattern] | None,
        Meta(description="Names that are let in; not given: all.", examples=["[problem_check, /video/]"]),
    ] = None
    block: Annotated[
        list[Pattern],
        Meta(description="Names that are kept out; wins over `allow`.", examples=[r"['/^edx\.forum\./']"]),
    ] = []


class Auth(_Options, frozen=True):
    """How a consumer knows us."""

    scheme: Annotated[
        Literal["basic", "bearer", "none"],
        Meta(description="`basic` needs `username` and `password`, `bearer` needs `token`.", examples=["basic"]),
    ] = "none"
    username: Annotated[Reference | None, Meta(examples=["env:LRS_USER"])] = None
    password: Annotated[Reference | None, Meta(examples=["env:LRS_PASSWORD"])] = None
    token: Annotated[Reference | None, Meta(examples=["file:/run/secrets/token"], extra={"kind": "header_reference"})] = None


class AccessRule(_Options, frozen=True):
    """Names that are let in and names that are kept out. At least one of the two is given."""

    allow: Annotated[
        list[Pattern] | None,
        Meta(description="Names that are let in; not given: all that `block` does not name.", examples=["[MITx, /^Delft/]"]),
    ] = None
    block: Annotated[
        list[Pattern], Meta(description="Names that are kept out; wins over `allow`.", examples=["[MITx-Test]"])
    ] = []


class UserRule(_Options, frozen=True):
    """Persons who are let in and persons who are kept out. At least one of the two is given."""

    allow: Annotated[
        list[User] | None,
        Meta(description="Persons who are let in; not given: all that `block` does not name.", examples=["[ann, 5]"]),
    ] = None
    block: Annotated[
        list[User],
        Meta(
            description="Persons who are kept out; wins over `allow`. A rule that blocks by id keeps out who has no id, one that "
            "blocks by name who has no name.",
            examples=["[/^test_/]"],
        ),
    ] = []


class Access(_Options, frozen=True):
    """What a consumer may see. An event has to pass all the rules that are given; one that lacks what a rule asks for passes
    none."""

    courses: Annotated[
        AccessRule | None,
        Meta(
            description="By course key; also the one in the event's data.",
            examples=["{allow: [course-v1:MITx+6.00x+2026]}"],
        ),
    ] = None
    orgs: Annotated[
        AccessRule | None,
        Meta(
            description="By organisation, which is taken from the course key and never from `context.org_id`.",
            examples=["{allow: [MITx]}"],
        ),
    ] = None
    users: Annotated[
        UserRule | None,
        Meta(description="By the person whom the event is about, by username or user id.", examples=["{block: [staff, 5]}"]),
    ] = None
    sites: Annotated[
        AccessRule | None,
        Meta(description="By the event's `host`, without case.", examples=["{allow: [campus.example.com]}"]),
    ] = None
    enterprises: Annotated[
        AccessRule | None,
        Meta(
            description="By the event's `context.enterprise_uuid`, without case.",
            examples=["{allow: [0f8a6b2e-3a5c-4b8e-9a55-0c6a0d6f1e10]}"],
        ),
    ] = None
    activity_types: Annotated[
        AccessRule | None,
        Meta(
            description="By what its statements are about: xAPI's `object.definition.type`, Caliper's `object.type`.",
            examples=["{allow: [https://w3id.org/xapi/video/activity-type/video]}"],
        ),
    ] = None


class Actor(_Options, frozen=True):
    """Under which id a consumer sees a person."""

    id: Annotated[
        IdKind | None,
        Meta(
            description="Default: `external_id` where there is `lms.external_ids`, else `hmac`. "
            "The `mbox` ones are for xAPI only.",
            examples=["hmac"],
        ),
    ] = None
    type: Annotated[
        IdType | None,
        Meta(
            description="Type of the external id; default: by protocol, `XAPI` or `CALIPER`. Part of an HMAC id too.",
            examples=["LTI"],
        ),
    ] = None
    unknown: Annotated[
        Unknown,
        Meta(
            description="A user whom the table does not know: a dead letter, until a newer table knows them, "
            "or an HMAC id, which changes when the next table knows the user.",
            examples=["hmac"],
        ),
    ] = "dead_letter"
    key: Annotated[
        Reference | None,
        Meta(
            description="With `id: hmac`: this consumer's own key in place of `lms.id_key`, so that nobody can join its data with "
            "another consumer's by the persons' ids.",
            examples=["env:CAMPUS_ID_KEY"],
        ),
    ] = None
    sha1_of: Annotated[
        Sha1Of,
        Meta(
            description="With `id: mbox_sha1sum`: what is hashed. `mailto`: the address with `mailto:` before it, as xAPI has it; "
            "`address`: the bare address, as event-routing-backends does.",
            examples=["address"],
        ),
    ] = "mailto"


class ActorOptions(NamedTuple):
    """``Actor`` with its defaults filled in (``pipeline.variants``). ``key``: the reference of a key of the consumer's own; None:
    the site's."""

    kind: IdKind
    type: IdType
    unknown: Unknown
    key: str | None = None
    sha1_of: Sha1Of = "mailto"


class Batch(_Options, frozen=True):
    """What goes into one request."""

    size: Annotated[int, Meta(ge=1, le=10_000, description="Statements in one request, at most.", examples=[500])] = 100
    interval: Annotated[Seconds, Meta(description="Age at which a batch goes out, full or not.", examples=["0.2s"])] = 60.0
    bytes: Annotated[
        int,
        Meta(
            ge=1_000,
            description="Bytes of one request's body before compression, at most; a larger statement goes alone. "
            "What a 413 was given for is halved.",
            examples=[250_000],
        ),
    ] = 900_000


class Retry(_Options, frozen=True):
    """What happens after an answer that may be better next time."""

    max_attempts: Annotated[int, Meta(ge=1, description="Attempts before the consumer's circuit opens.", examples=[3])] = 8
    base_delay: Annotated[Seconds, Meta(description="Upper bound of the first wait; doubles each time.", examples=["1s"])] = 0.5
    max_delay: Annotated[
        Seconds, Meta(description="Upper bound of every wait that the LRS does not ask for (Retry-After).", examples=["10m"])
    ] = 300.0


class Rate(_Options, frozen=True):
    """Bounds on the requests of this consumer, whatever the number of workers."""

    statements_per_second: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Statements a second, at most; not given: no bound.", examples=[500]),
    ] = None
    concurrency: Annotated[int, Meta(ge=1, le=64, description="Requests in flight, at most.", examples=[8])] = 4


class Tls(_Options, frozen=True):
    """How a consumer is known, and how it knows us, beyond what the system trusts. A server's certificate is always checked."""

    ca: Annotated[
        Pem | None,
        Meta(description="Certificates of the authorities that are trusted, in place of the system's.", examples=["ca.pem"]),
    ] = None
    cert: Annotated[
        Pem | None, Meta(description="Our certificate, with those between it and its authority.", examples=["client.pem"])
    ] = None
    key: Annotated[
        Pem | None,
        Meta(description="The key of `cert`, without a pass phrase; not given: in the same file.", examples=["client.key"]),
    ] = None


class Alert(_Options, frozen=True):
    """When a line on standard error says that too much waits for a consumer, or for too long."""

    backlog: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="More statements than these wait.", examples=[100_000])
    ] = None
    age: Annotated[Seconds | None, Meta(description="The oldest of them waits longer than this.", examples=["10m"])] = None


class Consumer(_Options, frozen=True):
    """One LRS or Caliper endpoint and what it gets."""

    name: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
            description="Its name in reports, state and dead letters: letters, digits, `.`, `_`, `-`; no other consumer has it.",
            examples=["campus-lrs"],
        ),
    ]
    protocol: Annotated[Protocol, Meta(description="What it gets: xAPI statements or Caliper events.", examples=["xapi"])]
    url: Annotated[
        Url,
        Meta(
            description="xAPI: the endpoint, with or without `/statements`. Caliper: the address that takes envelopes. "
            "Without an LRS: JSON lines, a new file for each batch, in a folder or beside the file that is named "
            "(`file:///PATH`, `s3://BUCKET/PATH`, `gs://BUCKET/PATH`; compressed if its name ends in `.gz`), or `stdout:`.",
            examples=["https://lrs.example.edu/xAPI", "gs://bucket/campus/statements.jsonl.gz"],
        ),
    ]
    access: Annotated[
        Access | Literal["all"],
        Meta(description="What it may see, whatever `match_params` asks for. Who is to see everything says `access: all`."),
    ]
    auth: Auth = Auth()
    match_params: Annotated[
        dict[str, Any],
        Meta(
            description="What it wants: dotted path of the source event to a value, `/regex/`, `{not: ...}`, `{exists: true}` or a "
            "list of these; all paths must match.",
            examples=[r"{context.org_id: MITx, name: [problem_check, '/^edx\.video\./'], username: {not: staff}}"],
            extra={"kind": "match_params"},
        ),
    ] = {}
    headers: Annotated[
        dict[str, str],
        Meta(
            description="More headers of every request. A reference (`env:NAME`, `file:PATH`, `secret://...`) is read as a secret.",
            examples=["{X-Tenant: campus}"],
            extra={"kind": "headers"},
        ),
    ] = {}
    override_args: Annotated[
        dict[str, Any],
        Meta(
            description="Properties that replace the ones made. xAPI: of every statement. Caliper: of the `envelope` and of every "
            "`event`. Checked against the standard.",
            examples=["{envelope: {sensor: https://lms.example.com/sensors/1}}"],
            extra={"kind": "override_args"},
        ),
    ] = {}
    actor: Actor = Actor()
    redact: Annotated[
        list[FreeText],
        Meta(
            description="What learners write that this consumer does not get: `response`, their answers; `title`, the titles of "
            "their discussions.",
            examples=["[response, title]"],
        ),
    ] = []
    response_format: Annotated[
        ResponseFormat,
        Meta(
            description="xAPI: answers as event-routing-backends gives them, or `standard`: in the formats of the interaction types "
            "(xAPI 1.0.3, appendix C), where the record allows it.",
            examples=["standard"],
        ),
    ] = "erb"
    batch: Batch = Batch()
    retry: Retry = Retry()
    rate: Rate = Rate()
    timeout: Annotated[Seconds, Meta(description="Of one whole request.", examples=["10s"])] = 30.0
    tls: Tls = Tls()
    gzip: Annotated[
        bool, Meta(description="Whether bodies are sent compressed, which not every consumer takes.", examples=["true"])
    ] = False
    log: Annotated[
        bool | str,
        Meta(
            description="A copy of what it has accepted, as JSON lines in files that rotate: `true` for `statement-logs/` in the "
            "state directory, or a folder, local or of any Beam file system.",
            examples=["gs://bucket/statement-logs"],
            extra={"kind": "log"},
        ),
    ] = False
    on_outage: Annotated[
        Literal["wait", "dead_letter"],
        Meta(
            description="While it is down its statements wait, or become dead letters after `max_wait`.",
            examples=["dead_letter"],
        ),
    ] = "wait"
    max_wait: Annotated[
        Seconds | None,
        Meta(
            description="With `on_outage: dead_letter`: how long its circuit is open before that; not given: at once.",
            examples=["6h"],
        ),
    ] = None
    alert: Annotated[Alert, Meta(description="For this consumer, in place of those of the whole file.")] = Alert()
    sensor: Annotated[
        str | None,
        Meta(
            description="The sensor that Caliper envelopes name, an IRI; default: `lms.root_url`.",
            examples=["https://lms.example.com/sensors/1"],
            extra={"kind": "iri"},
        ),
    ] = None


class DeadLetters(_Options, frozen=True):
    """Where what failed is kept."""

    path: Annotated[
        Folder | None,
        Meta(
            description="Folder, local or of any Beam file system, or a Pub/Sub topic, `pubsub://PROJECT/TOPIC`; default: "
            "`dead-letters/` in the state directory.",
            examples=["gs://bucket/dead-letters"],
        ),
    ] = None
    payload: Annotated[
        PayloadForm,
        Meta(
            description="What they hold: `full`, the original record or statement; `redacted`, its structure without its values; "
            "`none`, nothing of it. The last two cannot be sent again.",
            examples=["redacted"],
        ),
    ] = "full"


class Dedup(_Options, frozen=True):
    """The memory of statement ids."""

    ids: Annotated[
        int, Meta(ge=1, description="How many statement ids are remembered, over all consumers.", examples=[20_000_000])
    ] = 5_000_000


class Outbox(_Options, frozen=True):
    """Statements on their way."""

    statements: Annotated[int, Meta(ge=1, description="Statements that may wait per consumer.", examples=[100_000])] = 1_000_000


class Config(_Options, frozen=True):
    """The whole file."""

    lms: Lms
    consumers: Annotated[list[Consumer], Meta(min_length=1, description="Who gets statements.")]
    events: Events = Events()
    dead_letters: DeadLetters = DeadLetters()
    dedup: Dedup = Dedup()
    outbox: Outbox = Outbox()
    alert: Annotated[Alert, Meta(description="For each consumer that has none of its own.")] = Alert()
