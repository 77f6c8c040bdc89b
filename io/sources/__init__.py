"""Where records come from: files, a growing log, Pub/Sub, the event bus on Kafka and Redis."""
