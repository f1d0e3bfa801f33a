#!/bin/bash
# Runs jobs through the job queues of other people (Celery, RQ, Huey), whose broker is a server of Redis's kind, and shows
# the results. A worker waits in BRPOP, BLPOP or BLMOVE; that it is served, and not only asks again, is shown by the time.
#   tests/outside/jobs.sh                 starts target/release/seedis itself, with a log on disk
#   tests/outside/jobs.sh -b BINARY       starts that server instead (redis-server will do as well)
#   tests/outside/jobs.sh HOST PORT       a server that runs already; databases 0 and 1 are emptied
# Libraries come from PyPI into a cache; what cannot be had is skipped, and that is said. RQ is the last version whose
# worker needs neither streams nor pub/sub.
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
ROOT=$(cd "$HERE/../.." && pwd)
BINARY=${CARGO_TARGET_DIR:-$ROOT/target}/release/seedis
if [ "${1:-}" = -b ]; then
    BINARY=$(realpath -s "$2")
    shift 2
fi
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/seedis/jobs
mkdir -p "$CACHE"
WORK=$(mktemp -d)
SERVER=
clean_up() {
    [ -z "$SERVER" ] || { kill -9 "$SERVER" && wait "$SERVER"; } 2>/dev/null || true
    rm -rf "$WORK"
}
trap clean_up EXIT

answers() { (exec 3<>"/dev/tcp/$HOST/$PORT" && printf 'PING\r\n' >&3 && read -r -t 2 -u 3 line && [[ $line == +PONG* ]]) 2>/dev/null; }

if [ $# -ge 2 ]; then
    HOST=$1 PORT=$2
else
    [ -x "$BINARY" ] || { echo "there is no $BINARY: build it (cargo build --release), or give -b" >&2; exit 2; }
    HOST=127.0.0.1 PORT=$((20000 + RANDOM % 9000))
    mkdir "$WORK/data"
    "$BINARY" --port "$PORT" --dir "$WORK/data" --save '' --appendonly yes >"$WORK/server.log" 2>&1 &
    SERVER=$!
    for _ in $(seq 100); do answers && break; sleep 0.1; done
    answers || { echo "$BINARY does not answer" >&2; tail -5 "$WORK/server.log" >&2; exit 2; }
fi
command -v python3 >/dev/null || { echo 'skipped: Celery, RQ and Huey, for python3 is missing'; exit 0; }

# Each queue has an environment of its own: they want different versions of redis-py.
environment() { # name packages...
    local name=$1 home=$CACHE/$1
    shift
    if [ ! -e "$home/whole" ]; then
        rm -rf "$home"
        python3 -m venv "$home" >/dev/null 2>&1 || { echo "skipped: $name, for python3-venv is missing"; return 1; }
        "$home/bin/pip" install --quiet --disable-pip-version-check "$@" >/dev/null 2>&1 ||
            { echo "skipped: $name cannot be had from PyPI"; return 1; }
        : >"$home/whole"
    fi
}

FAILED=0
run() { # name
    local name=$1
    mkdir "$WORK/$name"
    if (cd "$WORK/$name" && PYTHONPATH=$HERE/jobs timeout 120 "$CACHE/$name/bin/python" -W ignore \
        "$HERE/jobs/${name}_jobs.py" "$HOST" "$PORT") >"$WORK/said" 2>"$WORK/errors"; then
        cat "$WORK/said"
    else
        FAILED=$((FAILED + 1))
        echo "failed: $name"
        cat "$WORK/said" "$WORK/errors" | tail -8 | sed 's/^/    /'
    fi
}

! environment celery celery redis packaging setuptools || run celery
! environment rq rq==1.5.2 'redis<5' 'click<8.2' setuptools || run rq
! environment huey huey redis || run huey
[ "$FAILED" = 0 ]
