#!/bin/bash
# Lets client libraries of other people connect, in RESP2 and RESP3, and do the basics; a warning is a failure.
#   tests/outside/clients.sh                 starts target/release/seedis itself, in memory only
#   tests/outside/clients.sh -b BINARY       starts that server instead (redis-server will do as well)
#   tests/outside/clients.sh HOST PORT       a server that runs already; database 9 is emptied
# Libraries come from PyPI and npm into a cache; what cannot be had is skipped, and that is said.
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
. "$HERE/server.sh"
choose_binary "$@"
shift "$SHIFTED"
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/seedis/clients
mkdir -p "$CACHE"
if [ $# -ge 2 ]; then HOST=$1 PORT=$2; else start_server "$WORK/server.log" --appendonly no; fi

FAILED=0
try() {
    if timeout 120 "$@" >"$WORK/said" 2>&1; then
        cat "$WORK/said"
    else
        FAILED=$((FAILED + 1))
        echo "failed: $(basename "${*: -3:1}")"
        tail -8 "$WORK/said" | sed 's/^/    /'
    fi
}

python_client() {
    command -v python3 >/dev/null || { echo 'skipped: redis-py, for python3 is missing'; return; }
    if [ ! -x "$CACHE/python/bin/python" ]; then
        python3 -m venv "$CACHE/python" >/dev/null 2>&1 || { echo 'skipped: redis-py, for python3-venv is missing'; return; }
    fi
    "$CACHE/python/bin/python" -c 'import redis' 2>/dev/null ||
        "$CACHE/python/bin/pip" install --quiet --disable-pip-version-check redis >/dev/null 2>&1 ||
        { echo 'skipped: redis-py cannot be had from PyPI'; return; }
    try "$CACHE/python/bin/python" -W error "$HERE/clients/redis_py.py" "$HOST" "$PORT"
}

node_clients() {
    command -v npm >/dev/null || { echo 'skipped: node-redis and ioredis, for npm is missing'; return; }
    local name
    for name in redis ioredis; do
        [ -d "$CACHE/node_modules/$name" ] ||
            (cd "$CACHE" && npm install --silent --no-audit --no-fund --prefix . "$name" >/dev/null 2>&1) ||
            { echo "skipped: $name cannot be had from npm"; continue; }
    done
    # Node looks for packages beside the program.
    cp "$HERE"/clients/*.mjs "$CACHE/"
    [ ! -d "$CACHE/node_modules/redis" ] || try node "$CACHE/node_redis.mjs" "$HOST" "$PORT"
    [ ! -d "$CACHE/node_modules/ioredis" ] || try node "$CACHE/ioredis.mjs" "$HOST" "$PORT"
}

python_client
node_clients
[ "$FAILED" = 0 ]
