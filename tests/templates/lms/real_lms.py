"""What the test of the tracking backend runs under a Python that has Django, event-tracking and google-cloud-pubsub.

``real_lms.py emit SPOOL``: a Django process with the backend; for each line ``FIRST LAST`` of standard input it emits so many
events through event-tracking, waits until they are settled, and prints the median time of a call and the backend's counts.
``real_lms.py make|pull``: makes topic and subscription; prints the numbers of all messages, each acknowledged.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

PROJECT, TOPIC, SUBSCRIPTION = "local-project", "tracking", "edx2lrs"


def emit(spool: str) -> None:
    sys.path.insert(0, str(Path(__file__).parents[3] / "templates" / "lms"))
    from django.conf import settings

    options = {"project": PROJECT, "topic": TOPIC, "spool": spool}
    backends = {"edx2lrs": {"ENGINE": "edx2lrs_pubsub_backend.PubSubBackend", "OPTIONS": options}}
    settings.configure(EVENT_TRACKING_BACKENDS=backends, EVENT_TRACKING_PROCESSORS=[])
    from eventtracking import tracker
    from eventtracking.django.django_tracker import DjangoTracker

    tracker.register_tracker(DjangoTracker())
    backend = tracker.get_tracker().backends["edx2lrs"]
    for line in sys.stdin:
        first, last = map(int, line.split())
        times = []
        for number in range(first, last):
            with tracker.get_tracker().context("request", {"user_id": 5, "course_id": "course-v1:A+B+C"}):
                event = {"name": "play_video", "timestamp": None, "data": {"number": number}, "context": {}}
                began = time.perf_counter()
                backend.send(event)
                times.append(time.perf_counter() - began)
                tracker.emit("pause_video", {"number": number, "id": "abc", "code": "html5"})
                tracker.emit("edx.bi.not_mapped", {"number": number})
        settled = backend.flush(60)
        print(json.dumps({"settled": settled, "median": statistics.median(times), **backend.counts}), flush=True)


def client(name):
    import grpc
    from google import pubsub_v1
    from google.pubsub_v1.services import publisher, subscriber

    channel = grpc.insecure_channel(os.environ["PUBSUB_EMULATOR_HOST"])
    if name == "publisher":
        return pubsub_v1.PublisherClient(transport=publisher.transports.PublisherGrpcTransport(channel=channel))
    return pubsub_v1.SubscriberClient(transport=subscriber.transports.SubscriberGrpcTransport(channel=channel))


def make() -> None:
    topic = f"projects/{PROJECT}/topics/{TOPIC}"
    client("publisher").create_topic(name=topic)
    subscription = {"name": f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION}", "topic": topic, "ack_deadline_seconds": 60}
    client("subscriber").create_subscription(request=subscription)


def pull() -> None:
    from google.api_core.exceptions import DeadlineExceeded

    subscriber, path = client("subscriber"), f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION}"
    while True:
        try:
            answer = subscriber.pull(subscription=path, max_messages=1_000, timeout=3, retry=None)
        except DeadlineExceeded:
            return
        for received in answer.received_messages:
            event = json.loads(received.message.data)
            print(event["name"], event["data"]["number"])
        if not answer.received_messages:
            return
        subscriber.acknowledge(subscription=path, ack_ids=[each.ack_id for each in answer.received_messages])


if __name__ == "__main__":
    {"emit": emit, "make": make, "pull": pull}[sys.argv[1]](*sys.argv[2:])
