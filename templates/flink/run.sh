#!/usr/bin/env bash
# Submits jobs to a Flink cluster whose TaskManagers have worker pools beside them (compose.yaml).
#   run.sh batch  INPUT [OPTION...]                 run.sh batch 's3://bucket/logs/*.gz' --report /tmp/report.json
#   run.sh stream INPUT [OPTION...]                 run.sh stream 'kafka://broker:9092/events?group=edx2lrs'
#   run.sh stop   JOB_ID                            with a savepoint, whose path it prints: what waits is in it
#   run.sh stream INPUT --savepoint_path=PATH       goes on from there
set -euo pipefail
config=${CONFIG:-/etc/edx2lrs/edx2lrs.yaml} master=${FLINK_MASTER:-jobmanager:8081} parallelism=${PARALLELISM:-2}
command=${1:?batch, stream or stop}
what=${2:?the input, or the job\'s id}
shift 2
common=(
  --runner=FlinkRunner --flink_master="$master" --flink_job_server_jar="${JOB_SERVER_JAR:-/opt/flink-job-server.jar}"
  --parallelism="$parallelism" --environment_type=EXTERNAL --environment_config=localhost:50000 --environment_cache_millis=60000
)
case $command in
  batch) exec edx2lrs run --config "$config" --input "$what" "${common[@]}" "$@" ;;
  stream)
    exec edx2lrs run --config "$config" --input "$what" "${common[@]}" \
      --checkpointing_interval=10000 --max_bundle_size=1 --max_bundle_time_mills=200 "$@" ;;
  stop)
    trigger=$(curl -fsS -X POST -H 'Content-Type: application/json' -d '{"drain": false}' "http://$master/jobs/$what/stop" |
      sed -n 's/.*"request-id":"\([^"]*\)".*/\1/p')
    for _ in $(seq 600); do
      answer=$(curl -fsS "http://$master/jobs/$what/savepoints/$trigger")
      case $answer in *COMPLETED*) echo "$answer" | sed -n 's/.*"location":"\([^"]*\)".*/\1/p'; exit 0 ;; esac
      sleep 1
    done
    echo "no savepoint within 10 minutes: $answer" >&2; exit 1 ;;
  *) echo "$command: batch, stream or stop" >&2; exit 2 ;;
esac
