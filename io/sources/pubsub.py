"""A Pub/Sub subscription as a source: ``pubsub://PROJECT/SUBSCRIPTION``. It is read by ``io.sources.pubsub_client``, whose library
takes a while to import."""

from __future__ import annotations

import re

from edx2lrs.io.sources.address import SourceUrl, split, wrong
from edx2lrs.io.sources.source import Source
from edx2lrs.io.sources.spec import DATAFLOW, FLINK, LOCAL, BeamSource, OnEngine, Sharing, SourceSpec, Stream

_FORM = "pubsub://PROJECT/SUBSCRIPTION"
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")  # with the domain of older ones
_SUBSCRIPTION = re.compile(r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}")


def _address(text: str) -> SourceUrl:
    url = split(text, _FORM)
    if url.options:
        raise wrong(text, _FORM, f"{next(iter(url.options))!r} is no option of it")
    if not _PROJECT.fullmatch(url.servers[0]):
        raise wrong(text, _FORM, f"{url.servers[0]!r} is no project's id")
    if not _SUBSCRIPTION.fullmatch(url.path) or url.path.startswith("goog"):
        raise wrong(text, _FORM, f"{url.path!r} is no subscription's name")
    return url


def _open(url: SourceUrl, _worker: str, _position: str | None) -> Source:
    from edx2lrs.io.sources.pubsub_client import PubSub

    return PubSub(url.servers[0], url.path)


def _by_beam(url: SourceUrl, id_label: str | None) -> BeamSource:
    from apache_beam.io.gcp.pubsub import ReadFromPubSub

    from edx2lrs.io.sources.pubsub_client import messages_of_beam

    subscription = f"projects/{url.servers[0]}/subscriptions/{url.path}"
    return BeamSource(ReadFromPubSub(subscription=subscription, with_attributes=True, id_label=id_label), messages_of_beam)


SPEC = SourceSpec(
    name="Pub/Sub",
    what="a Pub/Sub subscription",
    schemes=("pubsub://",),
    form=_FORM,
    example="pubsub://my-project/tracking-events",
    sharing=Sharing(True, "several"),
    engines={LOCAL: OnEngine(), FLINK: OnEngine(), DATAFLOW: OnEngine(by_beam=True)},
    stream=Stream(_address, _open, by_beam=_by_beam, takes_id_label=True, behind_in="seconds"),
)
