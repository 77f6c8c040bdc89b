#!/usr/bin/env bash
# Builds the flex template and launches jobs of it. Needs docker, gcloud, and:
#   PROJECT, REGION, BUCKET (without gs://), and IMAGE, as europe-docker.pkg.dev/PROJECT/REPOSITORY/edx2lrs:VERSION
#   build                                          the image, and the template that names it
#   batch  NAME CONFIG INPUT [PARAMETER=VALUE...]  as: batch backfill gs://b/c.yaml 'gs://b/logs/*.gz' report=gs://b/report.json
#   stream NAME CONFIG INPUT [PARAMETER=VALUE...]  as: stream live gs://b/c.yaml pubsub://PROJECT/SUBSCRIPTION
#   update NAME CONFIG INPUT [PARAMETER=VALUE...]  a running stream goes over to this image and goes on with its state
# AT_LEAST_ONCE=1 with stream: Dataflow's cheaper mode; a repeat has the same statement id, and is found by it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${PROJECT:?}" "${REGION:?}" "${BUCKET:?}" "${IMAGE:?}"
template=gs://$BUCKET/templates/edx2lrs.json

build() {
  docker build -f templates/dataflow/Dockerfile -t "$IMAGE" .
  docker push "$IMAGE"
  gcloud dataflow flex-template build "$template" --project "$PROJECT" --image "$IMAGE" --sdk-language PYTHON \
    --metadata-file templates/dataflow/metadata.json
}

launch() {  # launch EXTRA... -- NAME CONFIG INPUT [PARAMETER=VALUE...]
  local extra=() parameters=() each
  while [ "$1" != -- ]; do extra+=("$1"); shift; done
  local name=$2 config=$3 input=$4
  shift 4
  # ~ between parameters: an input may hold commas
  parameters=("config=$config" "input=$input" "sdk_container_image=$IMAGE" "$@")
  local joined='^~^'
  for each in "${parameters[@]}"; do joined+=$each~; done
  gcloud dataflow flex-template run "$name" --project "$PROJECT" --region "$REGION" --template-file-gcs-location "$template" \
    --staging-location "gs://$BUCKET/staging" --temp-location "gs://$BUCKET/temp" --parameters "${joined%\~}" \
    ${extra[@]+"${extra[@]}"}
}

command=${1:?build, batch, stream or update}
shift
case $command in
  build) build ;;
  batch) launch -- "$@" ;;
  stream)
    options=(--enable-streaming-engine)
    [ -z "${AT_LEAST_ONCE:-}" ] || options+=(--additional-experiments streaming_mode_at_least_once)
    launch "${options[@]}" -- "$@" ;;
  update) launch --enable-streaming-engine --update -- "$@" ;;
  *) echo "$command: build, batch, stream or update" >&2; exit 2 ;;
esac
