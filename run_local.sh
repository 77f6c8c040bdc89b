#!/usr/bin/env bash
# Runs edx2lrs on this machine; needs Python 3.10 to 3.13 with its venv module, and nothing else.
#   ./run_local.sh                 the job over the sample logs, into a sandbox LRS that stays up to be looked at
#   ./run_local.sh test [ARG...]   the tests
#   ./run_local.sh stop            ends the sandbox LRS of the first form
#   ./run_local.sh COMMAND ...     any edx2lrs command, as `./run_local.sh translate --to xapi < events.log`
set -euo pipefail
caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
home=$PWD
work=$home/.edx2lrs   # the sample run's sandbox, state and report
# what the sample configuration refers to
export SANDBOX_USER=${SANDBOX_USER:-sandbox} SANDBOX_PASSWORD=${SANDBOX_PASSWORD:-sandbox} SANDBOX_TOKEN=${SANDBOX_TOKEN:-sandbox}
export EDX2LRS_ID_KEY=${EDX2LRS_ID_KEY:-a-key-for-the-sample-only}
say() { printf 'run_local.sh: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

find_python() {
  local python old=
  for python in ${PYTHON:-python3.13 python3.12 python3.11 python3.10 python3 python}; do
    command -v "$python" >/dev/null 2>&1 || continue
    "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { old=$python; continue; }
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
      fail "$python has no venv module: install it (Debian, Ubuntu: apt install python3-venv) and run again."
    echo "$python"
    return
  done
  [ -z "$old" ] || fail "$(command -v "$old") is $("$old" --version 2>&1), but Python 3.10 to 3.13 is needed: install one, or name it: PYTHON=/path/to/python3.12 $0"
  fail "no Python found, but Python 3.10 to 3.13 is needed (Debian, Ubuntu: apt install python3 python3-venv)."
}

pip_install() { .venv/bin/python -m pip install --disable-pip-version-check --quiet "$@"; }

# The stamp is written last: an interrupted install has none and is made again.
install() {  # install EXTRAS
  local extras=$1 want have='' python
  want="$extras $(cat requirements*.txt | cksum) $(cksum <setup.py)"
  [ -f .venv/.installed ] && have=$(cat .venv/.installed)
  [ "$have" != "$want" ] && [ "$have" != "[test]${want#"$extras"}" ] || return 0
  if [ -z "$have" ]; then
    python=$(find_python) || exit $?
    [ ! -e .venv ] || say ".venv is half made: making it again."
    rm -rf .venv
    say "making .venv with $("$python" --version 2>&1)"
    "$python" -m venv .venv || fail "'$python -m venv .venv' failed, see above; mend that and run again."
  fi
  rm -f .venv/.installed
  say "installing the pinned requirements$extras into .venv; this takes about a minute, once ..."
  # Each file that is downloaded has to have a hash that is written here. The checkout itself has none, so it comes last, and alone.
  if ! { pip_install --require-hashes -r requirements-build.txt &&
    pip_install --require-hashes -r requirements.txt ${extras:+-r requirements-test.txt} &&
    pip_install --no-deps --no-build-isolation -e .; } >.venv/install.log 2>&1; then
    tail -n 5 .venv/install.log >&2
    fail "the installation failed, see above (all of it: .venv/install.log); mend that and run again."
  fi
  printf '%s' "$want" >.venv/.installed
}

sandbox_address() {  # prints HOST:PORT of the running sandbox
  [ -f "$work/sandbox.pid" ] && [ -f "$work/sandbox.port" ] || return 1
  kill -0 "$(cat "$work/sandbox.pid")" 2>/dev/null || return 1
  cat "$work/sandbox.port"
}

start_sandbox() {
  local tries
  sandbox_address >/dev/null && return
  mkdir -p "$work"
  rm -f "$work/sandbox.port"
  nohup .venv/bin/edx2lrs sandbox --port 0 --port-file "$work/sandbox.port" --db "$work/sandbox.db" --seed 4 \
    --fault 429:0.03 --fault 503:0.05 --fault reset:0.02 --fault slow:0.02 >"$work/sandbox.log" 2>&1 </dev/null &
  echo $! >"$work/sandbox.pid"
  for tries in $(seq 300); do
    [ ! -s "$work/sandbox.port" ] || return 0
    kill -0 "$(cat "$work/sandbox.pid")" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 5 "$work/sandbox.log" >&2
  fail "the sandbox LRS did not start, see above."
}

sample_run() {
  local address code=0
  start_sandbox
  address=$(sandbox_address)
  sed "s/127\.0\.0\.1:18080/$address/" templates/sample/edx2lrs.yaml >"$work/edx2lrs.yaml"
  cp templates/sample/*.csv "$work/"
  rm -rf "$work/state"   # each sample run reads everything again
  say "running the job over templates/sample/logs for three consumers"
  .venv/bin/edx2lrs run --config "$work/edx2lrs.yaml" --input templates/sample/logs --state "$work/state" --report "$work/report.json" || code=$?
  echo
  echo "What arrived:  http://$address/   (the sandbox LRS; end it with ./run_local.sh stop)"
  echo "Dead letters:  ./run_local.sh dead-letters show .edx2lrs/state/dead-letters"
  return $code
}

case ${1:-} in
  '')
    install ''
    sample_run
    ;;
  test)
    shift
    install '[test]'
    [ $# -gt 0 ] || set -- -n 2 --dist worksteal   # the whole suite: two processes
    exec .venv/bin/pytest "$@"
    ;;
  stop)
    if sandbox_address >/dev/null; then kill "$(cat "$work/sandbox.pid")" && say "the sandbox LRS has ended"; else say "no sandbox LRS is running"; fi
    rm -f "$work/sandbox.pid" "$work/sandbox.port"
    ;;
  *)
    install ''
    cd "$caller"
    exec "$home/.venv/bin/edx2lrs" "$@"
    ;;
esac
