#!/bin/bash
# Runs redis-py's own tests of commands, pipelines and encodings against Seedis and, first, against redis-server: what
# redis-server passes, Seedis must pass too.
#   tests/outside/redis_py.sh [SERVER-BINARY]     by default target/release/seedis
#   ALL=yes tests/outside/redis_py.sh             also the tests of command groups that Seedis has not yet
#   PROTOCOL=3 tests/outside/redis_py.sh          the suite speaks RESP3
# Prints one line for each test that failed here and not there; ends with 1 if any did. The suite comes from PyPI into a
# cache; what cannot be had is skipped, and that is said.
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
. "$HERE/server.sh"
[ -z "${1:-}" ] || BINARY=$(realpath -s "$1")
VERSION=5.2.1
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/seedis/redis-py-$VERSION
[ -x "$BINARY" ] || { echo "there is no $BINARY: build it (cargo build --release)" >&2; exit 2; }
command -v redis-server >/dev/null || { echo 'skipped: redis-server is missing (apt-get install redis-server)'; exit 0; }
command -v python3 >/dev/null || { echo 'skipped: python3 is missing'; exit 0; }

fetch_suite() {
    rm -rf "$CACHE"
    mkdir -p "$CACHE"
    python3 -m venv "$CACHE/python" &&
        "$CACHE/python/bin/pip" install --quiet --disable-pip-version-check "redis==$VERSION" packaging pytest \
            pytest-asyncio pytest-timeout mock &&
        (cd "$CACHE" && python/bin/pip download --quiet --no-binary :all: --no-deps "redis==$VERSION") &&
        tar -xzf "$CACHE/redis-$VERSION.tar.gz" -C "$CACHE" &&
        : >"$CACHE/whole"
}
[ -e "$CACHE/whole" ] || fetch_suite >/dev/null 2>&1 ||
    { echo 'skipped: redis-py and its tests cannot be had from PyPI'; exit 0; }

LEFT_OUT=()
while read -r word _; do
    case $word in '' | '#'*) ;; *) LEFT_OUT+=("$word") ;; esac
done <"$HERE/redis_py.skip"
expression=$(printf ' or %s' "${LEFT_OUT[@]}")
[ "${ALL:-}" != yes ] || expression=' or nothing'

suite() { # name binary options...
    local name=$1 BINARY=$2
    shift 2
    start_server "$WORK/$name.log" "$@"
    (
        cd "$CACHE/redis-$VERSION"
        "$CACHE/python/bin/python" -W ignore -m pytest -q -p no:warnings -p no:cacheprovider --timeout 30 -rfEp \
            -k "not (${expression# or })" --protocol "${PROTOCOL:-2}" --redis-url "redis://$HOST:$PORT/0" \
            tests/test_commands.py tests/test_pipeline.py tests/test_encoding.py
    ) >"$WORK/$name.said" 2>&1 || true
    stop_server
    echo "$name: $(tail -1 "$WORK/$name.said")"
    grep '^PASSED' "$WORK/$name.said" | sed 's/ - .*//; s/.*:://' | sort -u >"$WORK/$name.passed"
}
suite redis-server "$(command -v redis-server)" --appendonly yes
suite seedis "$BINARY" --appendonly yes
comm -23 "$WORK/redis-server.passed" "$WORK/seedis.passed" | sed 's/^/failed: /' | tee "$WORK/failed"
[ -s "$WORK/redis-server.passed" ] && [ ! -s "$WORK/failed" ]
