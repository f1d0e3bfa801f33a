#!/usr/bin/env bash
# How fast a log is loaded, beside redis-server with the same keys: once as written, once rewritten.
#
#   tests/outside/recovery.sh [keys] [rounds]
set -euo pipefail
cd "$(dirname "$0")/../.."

keys=${1:-1000000} rounds=${2:-3}
for tool in redis-server redis-cli awk; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; exit 0; }
done
cargo build --release --quiet --bin seedis
seedis=${CARGO_TARGET_DIR:-target}/release/seedis
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
mkdir "$work/seedis" "$work/redis"
awk -v n="$keys" 'BEGIN { v = sprintf("%32s", ""); gsub(/ /, "v", v)
    for (i = 0; i < n; i++) { k = sprintf("key:%012d", i)
        printf "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", length(k), k, length(v), v } }' >"$work/sets"

port=17005
serve() { # seedis|redis
    if [ "$1" = seedis ]; then
        "$seedis" --port $port --dir "$work/seedis" --auto-aof-rewrite-percentage 0 >/dev/null 2>&1 &
    else
        redis-server --port $port --dir "$work/redis" --save "" --appendonly yes \
            --aof-use-rdb-preamble "$preamble" --auto-aof-rewrite-percentage 0 >/dev/null &
    fi
    server=$!
}
loaded() { until [ "$(redis-cli -p $port dbsize 2>/dev/null)" = "$keys" ]; do sleep 0.005; done; }
stop() { kill $server; wait $server 2>/dev/null || true; }
seconds() { # seedis|redis: from the start of the process to the first answer with all keys
    local began=$EPOCHREALTIME
    serve "$1"; loaded
    echo "$began $EPOCHREALTIME" | awk '{ print $2 - $1 }'
    stop
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
compare() { # name
    : >"$work/a"; : >"$work/b"
    for _ in $(seq "$rounds"); do seconds seedis >>"$work/a"; seconds redis >>"$work/b"; done
    echo "$(median <"$work/a") $(median <"$work/b")" | awk -v name="$1" -v n="$keys" \
        '{ printf "%-12s seedis %.3f s (%.2f us per key)  redis %.3f s (%.2f us per key)  ratio %.2f\n",
            name, $1, $1 * 1e6 / n, $2, $2 * 1e6 / n, $2 / $1 }'
}
preamble=no
for kind in seedis redis; do serve $kind; until redis-cli -p $port ping >/dev/null 2>&1; do sleep 0.05; done
    redis-cli -p $port --pipe <"$work/sets" >/dev/null; stop; done
compare "as written"
preamble=yes
for kind in seedis redis; do serve $kind; loaded; redis-cli -p $port bgrewriteaof >/dev/null
    sleep 0.5; until redis-cli -p $port info persistence | grep -q 'aof_rewrite_in_progress:0'; do sleep 0.1; done
    stop; done
compare "rewritten"
