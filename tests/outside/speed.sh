#!/usr/bin/env bash
# Speed beside redis-server: the same load and policy, alternating, medians and ratios.
#
#   tests/outside/speed.sh [policy: off|no|everysec|always] [rounds]
#
# The server runs on one core and the load on another. Only figures of one run may be compared.
set -euo pipefail
cd "$(dirname "$0")/../.."

policy=${1:-everysec} rounds=${2:-5}
for tool in redis-server redis-benchmark redis-cli taskset; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; exit 0; }
done
cargo build --release --quiet --bin seedis
seedis=${CARGO_TARGET_DIR:-target}/release/seedis
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
mkdir "$work/seedis" "$work/redis"
if [ "$policy" = off ]; then
    log=(--appendonly no)
else
    log=(--appendonly yes --appendfsync "$policy")
fi
last=$(($(nproc) - 1))
taskset -c "$last" "$seedis" --port 17001 --dir "$work/seedis" "${log[@]}" >/dev/null 2>&1 &
taskset -c "$last" redis-server --port 17002 --dir "$work/redis" --save "" "${log[@]}" >/dev/null &
for port in 17001 17002; do
    for _ in $(seq 100); do redis-cli -p $port ping >/dev/null 2>&1 && break; sleep 0.1; done
done

# name, requests, pipeline, clients, command
loads=(
    "SET-p1|200000|1|50|SET key:__rand_int__ $(printf 'v%.0s' $(seq 64))"
    "GET-p1|200000|1|50|GET key:__rand_int__"
    "SET-p16|1500000|16|50|SET key:__rand_int__ $(printf 'v%.0s' $(seq 64))"
    "GET-p16|1500000|16|50|GET key:__rand_int__"
    "SET-c1|20000|1|1|SET key:__rand_int__ $(printf 'v%.0s' $(seq 64))"
)
measure() { # port requests pipeline clients command...
    local port=$1 n=$2 p=$3 c=$4
    shift 4
    taskset -c 0 redis-benchmark -p "$port" -n "$n" -P "$p" -c "$c" -r 100000 -q "$@" 2>/dev/null |
        tr '\r' '\n' | sed -n 's/.*: \([0-9.]*\) requests per second.*/\1/p' | tail -1
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf '%-8s %12s %12s %7s   (appendfsync %s, medians of %s rounds)\n' load seedis redis ratio "$policy" "$rounds"
for load in "${loads[@]}"; do
    IFS='|' read -r name n p c command <<<"$load"
    if [ "$policy" = always ]; then n=$((n / 4)); fi
    : >"$work/a"; : >"$work/b"
    for _ in $(seq "$rounds"); do
        # shellcheck disable=SC2086 # the command is words
        measure 17001 "$n" "$p" "$c" $command >>"$work/a"
        # shellcheck disable=SC2086
        measure 17002 "$n" "$p" "$c" $command >>"$work/b"
    done
    a=$(median <"$work/a") b=$(median <"$work/b")
    printf '%-8s %12.0f %12.0f %7.2f\n' "$name" "$a" "$b" "$(echo "$a $b" | awk '{ print $1 / $2 }')"
done
