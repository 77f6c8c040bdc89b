#!/usr/bin/env bash
# Submits jobs to a Flink cluster whose TaskManagers have worker pools beside them (compose.yaml).
#   run.sh batch  INPUT [OPTION...]                 run.sh batch 's3://bucket/logs/*.gz' --report s3://bucket/report.json
#   run.sh stream INPUT [OPTION...]                 run.sh stream 'kafka://broker:9092/events?group=edx2lrs'
#   run.sh stop   JOB_ID [FOLDER]                   with a savepoint, whose path it prints: what waits is in it
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
    folder=${1:+, \"targetDirectory\": \"$1\"}  # else where Flink's own configuration says
    trigger=$(curl -sS -X POST -H 'Content-Type: application/json' -d "{\"drain\": false$folder}" "http://$master/jobs/$what/stop")
    id=$(sed -n 's/.*"request-id":"\([^"]*\)".*/\1/p' <<<"$trigger")
    [ -n "$id" ] || { echo "no savepoint: ${trigger%%\\n*}" >&2; exit 1; }
    for _ in $(seq 600); do
      answer=$(curl -fsS "http://$master/jobs/$what/savepoints/$id")
      case $answer in
        *'"location"'*) sed -n 's/.*"location":"\([^"]*\)".*/\1/p' <<<"$answer"; exit 0 ;;
        *COMPLETED*) break ;;
      esac
      sleep 1
    done
    echo "no savepoint: ${answer%%\\n*}" >&2; exit 1 ;;
  *) echo "$command: batch, stream or stop" >&2; exit 2 ;;
esac
