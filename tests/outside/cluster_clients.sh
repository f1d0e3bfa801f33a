#!/bin/bash
# Lets the cluster clients of other people write to a group of three while its leader is killed (kill -9), comes back,
# and transfers leadership (RAFT TRANSFER). They are told of all three ports and of nothing else.
#   tests/outside/cluster_clients.sh               target/release/seedis
#   tests/outside/cluster_clients.sh -b BINARY     another
#   CLIENTS='rust plain' tests/outside/cluster_clients.sh    only some of: cli python node rust plain
# A line for each: writes acknowledged, errors that the program saw after its library's own retries, the longest time
# without an acknowledged write. A program pauses for 50 ms after an error. It fails if it stands still for 2 s, sees more
# than 10 errors, or reads back less than was acknowledged; the errors are shown. Libraries come from PyPI, npm and crates.io into a cache; what cannot be had
# is skipped, and that is said.
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
ROOT=$(cd "$HERE/../.." && pwd)
BINARY=${CARGO_TARGET_DIR:-$ROOT/target}/release/seedis
if [ "${1:-}" = -b ]; then
    BINARY=$(realpath -s "$2")
fi
[ -x "$BINARY" ] || { echo "there is no $BINARY: build it (cargo build --release), or give -b" >&2; exit 2; }
command -v redis-cli >/dev/null || { echo 'skipped: redis-cli is missing (apt-get install redis-tools)'; exit 0; }
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/seedis/clients
mkdir -p "$CACHE"
WORK=$(mktemp -d)
SECONDS_EACH=9 ERRORS_MAX=10 GAP_MS_MAX=2000
declare -A PIDS
clean_up() {
    for pid in "${PIDS[@]}"; do { kill -9 "$pid" && wait "$pid"; } 2>/dev/null || true; done
    rm -rf "$WORK"
}
trap clean_up EXIT

FIRST=$((20000 + RANDOM % 8000))
PORTS=("$FIRST" $((FIRST + 1)) $((FIRST + 2)))
PEERS=1=127.0.0.1:$((FIRST + 10)),2=127.0.0.1:$((FIRST + 11)),3=127.0.0.1:$((FIRST + 12))
start() { # member options...
    local member=$1
    shift
    "$BINARY" --port "${PORTS[$((member - 1))]}" --dir "$WORK/$member" --logfile "$WORK/$member.log" "$@" >/dev/null 2>&1 &
    PIDS[$member]=$!
}
stop_all() {
    for member in 1 2 3; do { kill -9 "${PIDS[$member]}" && wait "${PIDS[$member]}"; } 2>/dev/null || true; done
    PIDS=()
}
form() { # options...
    rm -rf "$WORK"/[123]
    for member in 1 2 3; do start $member --id $member --peers "$PEERS" "$@"; done
    leader >/dev/null
}
leader() {
    local member
    for _ in $(seq 200); do
        for member in 1 2 3; do
            if timeout 1 redis-cli -p "${PORTS[$((member - 1))]}" role 2>/dev/null | head -1 | grep -q master; then
                echo $member
                return
            fi
        done
        sleep 0.05
    done
    echo 'nobody leads' >&2
    return 1
}
# What happens to the leader while a client writes.
disturb() {
    local victim
    sleep 2
    victim=$(leader)
    { kill -9 "${PIDS[$victim]}" && wait "${PIDS[$victim]}"; } 2>/dev/null || true
    sleep 2
    start "$victim" "$@"
    sleep 2
    victim=$(leader)
    redis-cli -p "${PORTS[$((victim - 1))]}" raft transfer >/dev/null
}

FAILED=0
try() { # name command...
    local name=$1 said errors gap
    shift
    timeout 60 "$@" "$SECONDS_EACH" "${PORTS[@]}" >"$WORK/said" 2>"$WORK/errors" &
    local client=$!
    disturb
    if ! wait $client; then
        FAILED=$((FAILED + 1))
        echo "failed: $name"
        tail -8 "$WORK/said" "$WORK/errors" | sed 's/^/    /'
        return
    fi
    said=$(cat "$WORK/said")
    echo "$said"
    errors=${said##*errors=} gap=${said##*gap_ms=}
    errors=${errors%% *}
    if [ "$errors" -gt $ERRORS_MAX ] || [ "$gap" -gt $GAP_MS_MAX ]; then
        FAILED=$((FAILED + 1))
        echo "failed: $name"
    fi
    sed '/^$/d; s/^/    /' "$WORK/errors"
}

# Each command is a process of its own, which asks any of the members.
redis_cli() {
    local begun=$1 number=0 errors=0 acknowledged=0 port now last gap=0
    shift
    last=$(date +%s%N)
    begun=$((last + begun * 1000000000))
    while now=$(date +%s%N) && [ "$now" -lt "$begun" ]; do
        for port in "$@"; do
            number=$((number + 1))
            if [ "$(timeout 2 redis-cli -c -p "$port" set redis-cli $number 2>&1)" = OK ]; then
                acknowledged=$number now=$(date +%s%N)
                if [ $(((now - last) / 1000000)) -gt $gap ]; then gap=$(((now - last) / 1000000)); fi
                last=$now
            elif timeout 1 redis-cli -p "$port" ping >/dev/null 2>&1; then
                # The member lives, and a leader is not known yet: redis-cli does not try again by itself.
                sleep 0.1
            fi
        done
    done
    [ "$(redis-cli -c -p "$port" get redis-cli)" -ge $acknowledged ]
    echo "redis-cli writes=$acknowledged errors=$errors gap_ms=$gap"
}

python_client() {
    command -v python3 >/dev/null || { echo 'skipped: redis-py, for python3 is missing'; return; }
    if [ ! -x "$CACHE/python/bin/python" ]; then
        python3 -m venv "$CACHE/python" >/dev/null 2>&1 || { echo 'skipped: redis-py, for python3-venv is missing'; return; }
    fi
    "$CACHE/python/bin/python" -c 'import redis' 2>/dev/null ||
        "$CACHE/python/bin/pip" install --quiet --disable-pip-version-check redis >/dev/null 2>&1 ||
        { echo 'skipped: redis-py cannot be had from PyPI'; return; }
    try redis-py "$CACHE/python/bin/python" "$HERE/cluster_clients/redis_py.py"
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
    mkdir -p "$CACHE/cluster"
    cp "$HERE"/cluster_clients/*.mjs "$CACHE/cluster/"
    [ ! -d "$CACHE/node_modules/ioredis" ] || try ioredis node "$CACHE/cluster/ioredis.mjs"
    [ ! -d "$CACHE/node_modules/redis" ] || try node-redis node "$CACHE/cluster/node_redis.mjs"
}

rust_client() {
    local target=$CACHE/redis_rs
    mkdir -p "$target"
    cargo build --quiet --release --manifest-path "$HERE/cluster_clients/redis_rs/Cargo.toml" --target-dir "$target" 2>"$WORK/errors" ||
        { echo 'skipped: the crate redis cannot be had, or built'; tail -5 "$WORK/errors"; return; }
    try redis-rs "$target/release/redis-rs-cluster"
}

# A client that knows nothing of clusters, through each of the members.
plain_client() {
    local port number said
    for number in 1 2 3; do
        for port in "${PORTS[@]}"; do
            said=$(redis-cli -p "$port" incr plain)
            [ "$said" -ge 1 ] 2>/dev/null || { FAILED=$((FAILED + 1)); echo "failed: plain client at $port: $said"; return; }
        done
        case $number in
        1) said=$(leader) && { kill -9 "${PIDS[$said]}" && wait "${PIDS[$said]}"; } 2>/dev/null || true ;;
        2) redis-cli -p "$port" raft transfer >/dev/null ;;
        esac
        if [ $number = 1 ]; then
            start "$said" --follower-proxy yes
            sleep 2
        fi
        sleep 1
    done
    said=$(redis-cli -p "$port" get plain)
    if [ "$said" = 9 ]; then echo 'plain client through every member: ok'; else FAILED=$((FAILED + 1)); echo "failed: $said of 9"; fi
}

wants() { [[ " ${CLIENTS:-cli python node rust plain} " == *" $1 "* ]]; }
form
export -f redis_cli
! wants cli || try redis-cli bash -c 'redis_cli "$@"' redis-cli
! wants python || python_client
! wants node || node_clients
! wants rust || rust_client
stop_all
form --follower-proxy yes
! wants plain || plain_client
[ "$FAILED" = 0 ]
