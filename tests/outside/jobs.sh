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
. "$HERE/server.sh"
choose_binary "$@"
shift "$SHIFTED"
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/seedis/jobs
mkdir -p "$CACHE"
if [ $# -ge 2 ]; then HOST=$1 PORT=$2; else start_server "$WORK/server.log" --appendonly yes; fi
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
