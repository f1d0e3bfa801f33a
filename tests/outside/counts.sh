#!/usr/bin/env bash
# Counts instead of times: system calls per request, fsyncs per 1,000 SETs, user instructions per request.
set -euo pipefail
cd "$(dirname "$0")/../.."

for tool in strace redis-benchmark redis-cli; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; exit 0; }
done
cargo build --release --quiet --bin seedis
seedis=${CARGO_TARGET_DIR:-target}/release/seedis
work=$(mktemp -d)
trap 'kill $server 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
value=$(printf 'v%.0s' $(seq 64))

serve() { # policy
    rm -rf "$work/data"; mkdir "$work/data"
    "$seedis" --port 17003 --dir "$work/data" --appendfsync "$1" >/dev/null 2>&1 &
    server=$!
    for _ in $(seq 100); do redis-cli -p 17003 ping >/dev/null 2>&1 && break; sleep 0.1; done
}
calls() { # name requests pipeline command...
    local name=$1 n=$2 p=$3
    shift 3
    strace -f -c -o "$work/strace" -p $server 2>/dev/null &
    local tracer=$!
    sleep 0.5
    redis-benchmark -p 17003 -n "$n" -P "$p" -c 50 -r 10000 -q "$@" >/dev/null 2>&1
    kill -INT $tracer; wait $tracer || true
    awk -v n="$n" -v name="$name" '
        $NF == "total" { total = ($4 ~ /^[0-9]+$/ ? $4 : $3) }
        $NF == "fdatasync" || $NF == "fsync" { syncs += $4 }
        END { printf "%-24s %7.3f system calls per request, %7.2f syncs per 1,000\n", name, total / n, syncs * 1000 / n }
    ' "$work/strace"
}
for policy in everysec always; do
    serve $policy
    calls "$policy SET pipeline 1" 20000 1 SET key:__rand_int__ "$value"
    calls "$policy SET pipeline 16" 160000 16 SET key:__rand_int__ "$value"
    calls "$policy GET pipeline 1" 20000 1 GET key:__rand_int__
    calls "$policy GET pipeline 16" 160000 16 GET key:__rand_int__
    kill $server; wait $server 2>/dev/null || true
done
