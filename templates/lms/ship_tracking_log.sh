#!/bin/sh
# For cron, each hour: copies the rotated tracking logs of this host to an object store. A copied file is never written again under
# its name; sync compares names and sizes. One folder for each host: names repeat between hosts.
#   ship_tracking_log.sh s3://bucket/tracking   or   gs://bucket/tracking
set -eu
logs=${TRACKING_LOGS:-/edx/var/log/tracking}
to=$1/$(hostname)
case $1 in
s3://*) aws s3 sync "$logs" "$to" --exclude '*' --include 'tracking.log-*.gz' --size-only --no-progress ;;
gs://*) gcloud storage cp --no-clobber "$logs"/tracking.log-*.gz "$to"/ ;;
*) echo "$1: expected s3://BUCKET/FOLDER or gs://BUCKET/FOLDER" >&2; exit 2 ;;
esac
# then, anywhere: edx2lrs run --config c.yaml --input s3://bucket/tracking --state DIR
