"""Settings of the LMS: tracking events onto the event bus on Redis streams. Needs edx-event-bus-redis."""

SEND_TRACKING_EVENT_EMITTED_SIGNAL = True
EVENT_TRACKING_BACKENDS["event_bus"] = {  # noqa: F821 - what the LMS's own settings have made
    "ENGINE": "eventtracking.backends.event_bus.EventBusRoutingBackend",
    "OPTIONS": {},
}
# The names that are sent: all others stay in the log. `edx2lrs events --json` prints those that edx2lrs maps.
EVENT_BUS_TRACKING_LOGS = ["problem_check", "edx.course.enrollment.activated", "play_video"]

EVENT_BUS_PRODUCER = "edx_event_bus_redis.create_producer"
EVENT_BUS_REDIS_CONNECTION_URL = "redis://:password@redis:6379/"
EVENT_BUS_TOPIC_PREFIX = "prod"
EVENT_BUS_REDIS_STREAM_MAX_LEN = 1_000_000  # what is not read when the stream is longer is gone: hours of events, not minutes
EVENT_BUS_PRODUCER_CONFIG = {
    **globals().get("EVENT_BUS_PRODUCER_CONFIG", {}),
    "org.openedx.analytics.tracking.event.emitted.v1": {
        "tracking-log": {"event_key_field": "tracking_log.name", "enabled": True},
    },
}
# edx2lrs run --input 'redis://redis:6379/prod-tracking-log?group=edx2lrs'
