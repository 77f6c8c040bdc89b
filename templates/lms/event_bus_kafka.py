"""Settings of the LMS: tracking events onto the event bus on Kafka. Needs edx-event-bus-kafka and
confluent-kafka[avro,schema-registry]."""

SEND_TRACKING_EVENT_EMITTED_SIGNAL = True
EVENT_TRACKING_BACKENDS["event_bus"] = {  # noqa: F821 - what the LMS's own settings have made
    "ENGINE": "eventtracking.backends.event_bus.EventBusRoutingBackend",
    "OPTIONS": {},
}
# The names that are sent: all others stay in the log. `edx2lrs events --json` prints those that edx2lrs maps.
EVENT_BUS_TRACKING_LOGS = ["problem_check", "edx.course.enrollment.activated", "play_video"]

EVENT_BUS_PRODUCER = "edx_event_bus_kafka.create_producer"
EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS = "kafka-1:9092,kafka-2:9092"
EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL = "http://schema-registry:8081"
EVENT_BUS_TOPIC_PREFIX = "prod"
EVENT_BUS_PRODUCER_CONFIG = {
    **globals().get("EVENT_BUS_PRODUCER_CONFIG", {}),
    "org.openedx.analytics.tracking.event.emitted.v1": {
        "tracking-log": {"event_key_field": "tracking_log.name", "enabled": True},
    },
}
# edx2lrs run --input 'kafka://kafka-1:9092,kafka-2:9092/prod-tracking-log?group=edx2lrs'
