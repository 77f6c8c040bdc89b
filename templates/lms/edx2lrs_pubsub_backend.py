"""An Open edX tracking backend that publishes events to Google Pub/Sub. One file; needs google-cloud-pubsub and nothing else.

    EVENT_TRACKING_BACKENDS["edx2lrs"] = {
        "ENGINE": "edx2lrs_pubsub_backend.PubSubBackend",
        "OPTIONS": {"project": "my-project", "topic": "tracking-events", "spool": "/openedx/data/edx2lrs-spool"},
    }

``send`` serialises the event and puts it into a queue of this process; a thread publishes what is there in batches. What cannot
be published is put into files of the folder ``spool``, which all processes of the site share, and published when Pub/Sub is back,
by any of them. A process that is killed with -9 loses what its queue holds: the events of the last ``linger`` seconds, or those
since a request that is under way began. A file that is being published when its process is killed is published again; edx2lrs
knows the events again by their ids.

uWSGI needs ``enable-threads``. A process that forks (gunicorn with ``preload_app``, uWSGI without ``lazy-apps``) needs nothing:
each child has its own queue, thread and connection from its first event on.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import logging
import os
import queue
import socket
import threading
import time
from collections import Counter
from datetime import date, datetime, timezone

LOG = logging.getLogger(__name__)

# The names that edx2lrs maps, written by python -m edx2lrs.pipeline.reference.
NAMES = frozenset(
    [
        "complete_video",
        "edx.completion.block_completion.changed",
        "edx.course.enrollment.activated",
        "edx.course.enrollment.deactivated",
        "edx.course.enrollment.mode_changed",
        "edx.course.grade.now_failed",
        "edx.course.grade.now_passed",
        "edx.course.grade.passed.first_time",
        "edx.forum.comment.created",
        "edx.forum.comment.deleted",
        "edx.forum.comment.edited",
        "edx.forum.comment.reported",
        "edx.forum.comment.unreported",
        "edx.forum.response.created",
        "edx.forum.response.deleted",
        "edx.forum.response.edited",
        "edx.forum.response.reported",
        "edx.forum.response.unreported",
        "edx.forum.response.voted",
        "edx.forum.thread.created",
        "edx.forum.thread.deleted",
        "edx.forum.thread.edited",
        "edx.forum.thread.reported",
        "edx.forum.thread.unreported",
        "edx.forum.thread.viewed",
        "edx.forum.thread.voted",
        "edx.grades.course.grade_calculated",
        "edx.grades.problem.submitted",
        "edx.grades.subsection.grade_calculated",
        "edx.problem.completed",
        "edx.problem.hint.demandhint_displayed",
        "edx.special_exam.practice.attempt.created",
        "edx.special_exam.practice.attempt.submitted",
        "edx.special_exam.proctored.attempt.created",
        "edx.special_exam.proctored.attempt.submitted",
        "edx.special_exam.timed.attempt.created",
        "edx.special_exam.timed.attempt.submitted",
        "edx.ui.lms.link_clicked",
        "edx.ui.lms.outline.selected",
        "edx.ui.lms.sequence.next_selected",
        "edx.ui.lms.sequence.outline.selected",
        "edx.ui.lms.sequence.previous_selected",
        "edx.ui.lms.sequence.tab_selected",
        "edx.video.closed_captions.hidden",
        "edx.video.closed_captions.shown",
        "edx.video.completed",
        "edx.video.language_menu.hidden",
        "edx.video.language_menu.shown",
        "edx.video.loaded",
        "edx.video.paused",
        "edx.video.played",
        "edx.video.position.changed",
        "edx.video.stopped",
        "edx.video.transcript.hidden",
        "edx.video.transcript.shown",
        "hide_transcript",
        "load_video",
        "pause_video",
        "play_video",
        "problem_check",
        "save_problem_check",
        "seek_video",
        "seq_goto",
        "seq_next",
        "seq_prev",
        "show_answer",
        "show_transcript",
        "showanswer",
        "speed_change_video",
        "stop_video",
        "video_hide_cc_menu",
        "video_show_cc_menu",
    ]
)

BATCH_MESSAGES, BATCH_BYTES = 500, 5_000_000  # Pub/Sub takes 1,000 messages and 10 MB in a request
SEGMENT_BYTES = 8_000_000  # of a file in the spool: no more is published twice after a kill
REQUEST_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LOOK_AT_SPOOL = 30.0  # seconds between looks for files that other processes have left


class PubSubBackend:
    """The backend of one LMS process (and, after a fork, of its children)."""

    def __init__(
        self,
        project,
        topic,
        spool,
        names=None,
        more_names=(),
        queue_bytes=50_000_000,
        spool_bytes=2_000_000_000,
        linger=0.05,
        exit_seconds=5.0,
    ):
        """``names``: those that are sent (default: ``NAMES``), besides ``more_names``. ``queue_bytes`` of events may wait in
        memory, ``spool_bytes`` on disk; what comes above is lost, counted and logged as an error. ``linger``: seconds that an
        event may wait for others. ``exit_seconds``: how long an ending process goes on publishing before it spools the rest."""
        self._topic = f"projects/{project}/topics/{topic}"
        self._spool_folder, self._spool_bytes = spool, spool_bytes
        self._names = frozenset(NAMES if names is None else names) | frozenset(more_names)
        self._queue_bytes, self._linger, self._exit_seconds = queue_bytes, linger, exit_seconds
        self._starting = threading.Lock()
        self._publisher = self._inherited = None
        self._pid = None
        os.register_at_fork(after_in_child=self._begin_as_child)

    @property
    def counts(self):
        """What became of this process's events: ``accepted``, ``published``, ``spooled``, ``drained``, ``refused``, ``lost``."""
        return dict(self._publisher.counts) if self._publisher is not None else {}

    def send(self, event):
        """Takes the event, and returns at once. Never raises."""
        try:
            if event.get("name") not in self._names:
                return
            if self._pid != os.getpid():
                self._start()
            self._publisher.take(json.dumps(event, default=_json_value).encode())
        except Exception as error:  # an event that cannot be sent must not cost the learner a page
            LOG.error("edx2lrs: an event could not be taken and is lost: %s", type(error).__name__)

    def flush(self, seconds):
        """Waits until everything taken is published or in the spool; whether that came to be within ``seconds``."""
        return self._publisher is None or self._publisher.wait_until_settled(seconds)

    def _start(self):
        self._forget()
        with self._starting:
            if self._pid != os.getpid():
                spool = Spool(self._spool_folder, self._spool_bytes)
                self._publisher = Publisher(Topic(self._topic), spool, self._queue_bytes, self._linger)
                self._publisher.start()
                atexit.register(_end, self._publisher, os.getpid(), self._exit_seconds)
                self._pid = os.getpid()

    def _begin_as_child(self):
        self._starting = threading.Lock()  # the parent may have held it
        self._forget()

    def _forget(self):
        """In the child of a fork: queue, spool file and connection are the parent's. The connection is not even to be closed."""
        publisher = self._publisher
        if publisher is not None and publisher.pid != os.getpid():
            self._inherited, self._publisher = publisher, None
            publisher.leave_to_parent()


def _end(publisher, pid, seconds):
    if os.getpid() == pid:
        publisher.end(seconds)


def _json_value(value):
    """As event-tracking's own log has it: times in UTC. What else is no JSON (keys, lazy texts) as text."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).astimezone(timezone.utc).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


class Publisher:
    """The queue of a process and the thread that empties it."""

    def __init__(self, topic, spool, queue_bytes, linger):
        self.counts = Counter()
        self.pid = os.getpid()
        self._counting = threading.Lock()
        self._topic = topic
        self._spool = spool
        self._queue = queue.SimpleQueue()
        self._room = queue_bytes
        self._linger = linger
        self._ending = threading.Event()
        self._settled = 0  # of the events accepted; only the thread writes it
        self._away = False
        self._pause = FIRST_PAUSE
        self._again = 0.0  # not to be tried before
        self._look = 0.0
        self._thread = threading.Thread(target=self._run, name="edx2lrs-pubsub", daemon=True)

    def start(self):
        self._thread.start()

    def take(self, body):
        with self._counting:
            fits = self._room >= len(body)
            if fits:
                self._room -= len(body)
                self.counts["accepted"] += 1
        if fits:
            self._queue.put(body)
        else:
            self._lose(1, "the queue is full")

    def leave_to_parent(self):
        self._spool.leave()

    def wait_until_settled(self, seconds):
        until = time.monotonic() + seconds
        accepted = self.counts["accepted"]
        while self._settled < accepted and time.monotonic() < until:
            time.sleep(0.005)
        return self._settled >= accepted

    def end(self, seconds):
        """Publishes what is in the queue; after ``seconds`` the rest goes into the spool."""
        self._ending.set()
        self._queue.put(None)  # wakes the thread
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._away = True  # the thread is in a request: what it has is spooled when that ends, the rest here
            self._thread.join(REQUEST_SECONDS)
        self._put_away(self._waiting(1_000_000, 1 << 62))
        self._spool.close()

    def _run(self):
        while True:
            try:
                first = self._next()
                if first is not None:
                    self._settle([first, *self._waiting(BATCH_MESSAGES - 1, BATCH_BYTES - len(first))])
                elif self._ending.is_set() and self._queue.empty():
                    return
                if not self._ending.is_set():
                    self._drain()
            except Exception:  # whatever it was, the next events are to be sent
                LOG.exception("edx2lrs: the thread that publishes events met a fault and goes on")
                self._ending.wait(1.0)

    def _next(self):
        """The first of a batch, some time after it came, so that others are there too; None when nothing comes for a while."""
        try:
            first = self._queue.get(timeout=1.0)
        except queue.Empty:
            return None
        if first is not None and not self._ending.is_set():
            self._ending.wait(self._linger)
        return first

    def _waiting(self, events, size):
        """What is in the queue, no more than ``events`` of at most ``size`` bytes (or one more)."""
        found = []
        while len(found) < events and size > 0:
            try:
                body = self._queue.get_nowait()
            except queue.Empty:
                break
            if body is not None:
                found.append(body)
                size -= len(body)
        return found

    def _settle(self, batch):
        if self._away and (time.monotonic() < self._again or self._ending.is_set()):
            self._put_away(batch)
        else:
            left = self._publish(batch, "published")
            self._put_away(left)
        with self._counting:
            self._room += sum(map(len, batch))
            self._settled += len(batch)

    def _publish(self, batch, counted):
        """Gives what could not be published now. What Pub/Sub refuses by itself goes into a file of its own."""
        try:
            self._topic.publish(batch)
        except Refused as refusal:
            if len(batch) > 1:
                half = len(batch) // 2
                return self._publish(batch[:half], counted) + self._publish(batch[half:], counted)
            self._spool.keep_refused(batch[0])
            self.counts["refused"] += 1
            LOG.error("edx2lrs: Pub/Sub refuses an event (%s); it is in %s", refusal, self._spool.refused_path)
            return []
        except Exception as error:  # the client's libraries raise what they like
            self._note_away(error)
            return batch
        self.counts[counted] += len(batch)
        self._note_back()
        return []

    def _note_away(self, error):
        if not self._away:
            LOG.warning("edx2lrs: Pub/Sub is away (%s); events go into %s", type(error).__name__, self._spool.folder)
        self._away = True
        self._again = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _note_back(self):
        if self._away:
            LOG.warning("edx2lrs: Pub/Sub is back; what is in %s is published", self._spool.folder)
            self._look = 0.0
        self._away, self._pause = False, FIRST_PAUSE

    def _put_away(self, batch):
        if not batch:
            return
        try:
            fitting = self._spool.put(batch)
        except OSError as error:
            self._lose(len(batch), f"the spool cannot be written: {error}")
            return
        self.counts["spooled"] += fitting
        if fitting < len(batch):
            self._lose(len(batch) - fitting, "the spool is full")

    def _drain(self):
        """Publishes a file of the spool, when it is time to; between two of them, new events have their turn."""
        now = time.monotonic()
        if now < (self._again if self._away else self._look):
            return
        drained = self._spool.drain(lambda batch: not self._publish(batch, "drained"))
        if not drained:
            self._look = now + LOOK_AT_SPOOL

    def _lose(self, number, why):
        with self._counting:
            before = self.counts["lost"]
            self.counts["lost"] = lost = before + number
        if not before or before // 1_000 < lost // 1_000:
            LOG.error("edx2lrs: %s: %d events are lost so far", why, lost)


class Refused(Exception):
    """Pub/Sub will never take this batch as it is."""


class Topic:
    """The connection, made in the thread that uses it: gRPC's do not survive a fork."""

    def __init__(self, path):
        self._path = path
        self._client = None

    def publish(self, batch):
        """Raises ``Refused``, or whatever the client does."""
        from google.api_core.exceptions import InvalidArgument

        if self._client is None:
            self._client = _client()
        messages = [{"data": body} for body in batch]
        try:
            self._client.publish(request={"topic": self._path, "messages": messages}, timeout=REQUEST_SECONDS, retry=None)
        except InvalidArgument as error:
            raise Refused(error.message) from None


def _client():
    from google.pubsub_v1 import PublisherClient

    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    if not emulator:
        return PublisherClient()
    import grpc
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    return PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(emulator)))


class Spool:
    """Files of events, one a line. Who holds a file's lock writes it or publishes it; that of a dead process is free."""

    def __init__(self, folder, most_bytes):
        self.folder = folder
        self.refused_path = os.path.join(folder, "refused.jsonl")
        self._most_bytes = most_bytes
        self._file = None

    def put(self, batch):
        """How many of ``batch`` fitted. Raises OSError."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        room = self._most_bytes - sum(os.path.getsize(path) for path in self._paths() if os.path.exists(path))
        if self._file is not None and self._file.tell() >= SEGMENT_BYTES:
            self.close()
        if self._file is None:
            name = f"{time.time_ns()}-{socket.gethostname()}-{os.getpid()}.jsonl"
            hidden = os.path.join(self.folder, "." + name)
            file = open(hidden, "xb", buffering=0)  # noqa: SIM115 - stays open; a fork must find nothing unwritten
            fcntl.flock(file, fcntl.LOCK_EX)
            os.rename(hidden, os.path.join(self.folder, name))  # nobody sees it before it is locked
            self._file = file
        fitting = []
        for body in batch:
            room -= len(body) + 1
            if room < 0:
                break
            fitting.append(body + b"\n")
        self._write(b"".join(fitting))
        return len(fitting)

    def _write(self, lines):
        before = self._file.tell()
        try:
            if self._file.write(lines) != len(lines):
                raise OSError("the disk is full")
        except OSError:
            self._file.truncate(before)
            self._file.seek(before)
            raise

    def drain(self, publish):
        """Gives the events of the oldest free file to ``publish`` (batches; True when they are published), and removes it; False
        when there is none, or not all could be published."""
        self.close()
        for path in self._paths():
            try:
                with open(path, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.fstat(file.fileno()).st_nlink == 0:
                        continue  # another process was faster
                    for batch in _batches(file):
                        if not publish(batch):
                            return False
                    os.remove(path)
                    return True
            except BlockingIOError:
                continue  # its process lives
            except FileNotFoundError:
                continue
        return False

    def keep_refused(self, body):
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        with open(self.refused_path, "ab") as file:
            file.write(body + b"\n")

    def close(self):
        """Lets others publish what this process has put away."""
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)  # children of a fork may have the file open too
            self.leave()

    def leave(self):
        """The file is the parent's."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _paths(self):
        try:
            names = os.listdir(self.folder)
        except OSError:  # not there yet, or nothing to be had there: who writes into it says so
            return []
        return [os.path.join(self.folder, name) for name in sorted(names) if name.endswith(".jsonl") and name[0].isdigit()]


def _batches(file):
    batch, size = [], 0
    for line in file:
        if not line.endswith(b"\n"):
            LOG.error("edx2lrs: the last event of %s was cut off when its process was killed, and is lost", file.name)
            break
        batch.append(line[:-1])
        size += len(line)
        if len(batch) == BATCH_MESSAGES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
