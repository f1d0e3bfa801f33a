#!/usr/bin/env bash
# Speed of a group of three beside a group of three etcd: all six processes' loads alternate on this machine, every write
# is synced by a majority before it is acknowledged.
#
#   tests/outside/group_speed.sh [rounds] [seconds per load]
#
# The load comes from redis-benchmark, and for etcd from tests/outside/etcd_puts (gRPC, as etcd's own clients). It prints
# the median of the rounds. Aims: 80,000 SET/s at 50 clients, 250,000 at a pipeline of 16, 120 µs for one client, five to
# ten times etcd's puts. Only figures of one run on an idle machine may be compared.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-5} seconds=${2:-5}
for tool in redis-benchmark redis-cli; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is missing (apt-get install redis-tools)"; exit 0; }
done
cargo build --release --quiet --bin seedis
seedis=${CARGO_TARGET_DIR:-target}/release/seedis
cache=${XDG_CACHE_HOME:-$HOME/.cache}/seedis/clients/etcd_puts
work=$(mktemp -d)
pids=()
trap 'kill -9 "${pids[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

first=$((20000 + RANDOM % 8000))
peers=1=127.0.0.1:$((first + 10)),2=127.0.0.1:$((first + 11)),3=127.0.0.1:$((first + 12))
for member in 1 2 3; do
    "$seedis" --id $member --port $((first + member)) --peers "$peers" --dir "$work/$member" --appendfsync always \
        >"$work/$member.log" 2>&1 &
    pids+=($!)
done
# Sets `leader` to the port of whoever leads now.
find_leader() {
    leader=
    for _ in $(seq 200); do
        for member in 1 2 3; do
            redis-cli -p $((first + member)) role 2>/dev/null | head -1 | grep -qx master && leader=$((first + member))
        done
        [ -z "$leader" ] || return 0
        sleep 0.05
    done
    echo 'nobody leads' >&2
    exit 1
}
find_leader

# Etcd and its load generator, where both can be had.
etcd=
if command -v etcd >/dev/null &&
    cargo build --release --quiet --manifest-path tests/outside/etcd_puts/Cargo.toml --target-dir "$cache" 2>"$work/etcd_puts"; then
    cluster=
    for member in 1 2 3; do cluster+=,m$member=http://127.0.0.1:$((first + 30 + member)); done
    for member in 1 2 3; do
        client=http://127.0.0.1:$((first + 20 + member)) peer=http://127.0.0.1:$((first + 30 + member))
        etcd --name m$member --data-dir "$work/etcd$member" --initial-cluster "${cluster#,}" --initial-cluster-state new \
            --listen-client-urls $client --advertise-client-urls $client --listen-peer-urls $peer \
            --initial-advertise-peer-urls $peer --logger zap --log-level error >"$work/etcd$member.log" 2>&1 &
        pids+=($!)
    done
    # Whoever leads takes the puts: the generator asks every member, and the fastest is the leader.
    for _ in $(seq 100); do
        for member in 1 2 3; do
            ETCDCTL_API=3 etcdctl --endpoints 127.0.0.1:$((first + 20 + member)) endpoint status -w json 2>/dev/null |
                grep -o '"member_id":[0-9]*\|"leader":[0-9]*' | cut -d: -f2 | uniq | wc -l | grep -qx 1 &&
                etcd=http://127.0.0.1:$((first + 20 + member))
        done
        [ -z "$etcd" ] || break
        sleep 0.1
    done
    [ -n "$etcd" ] || echo 'skipped: etcd does not come up'
else
    echo 'skipped: etcd or its load generator cannot be had (apt-get install etcd-server etcd-client)'
fi

value=$(printf 'v%.0s' $(seq 64))
# Runs a load for about so many seconds: a short one first says how many requests that takes.
rate() { # clients pipeline command...
    local clients=$1 pipeline=$2 count=$((200 * $1 * $2)) pass line=
    shift 2
    for pass in 1 2; do
        # Another may have been elected while the machine was busy with something else.
        find_leader
        line=$(redis-benchmark -p "$leader" -n "$count" -c "$clients" -P "$pipeline" -r 100000 -q "$@" 2>/dev/null |
            tr '\r' '\n' | grep 'requests per second' | tail -1)
        local found=${line%% requests per second*}
        found=${found##* }
        [ $pass = 2 ] || count=$(awk -v rate="$found" -v s="$seconds" -v least=$((clients * pipeline)) \
            'BEGIN { n = int(rate * s); print n < least ? least : n }')
    done
    local p50=${line##*p50=}
    echo "$found ${p50%% *}"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
loads=(
    "SET, 50 clients|50|1|set key:__rand_int__ $value"
    "SET, 50 clients, pipeline 16|50|16|set key:__rand_int__ $value"
    "SET, 1 client|1|1|set key:__rand_int__ $value"
    "GET (linearizable), 50 clients|50|1|get key:__rand_int__"
)
for _ in $(seq "$rounds"); do
    for load in "${!loads[@]}"; do
        IFS='|' read -r _ clients pipeline command <<<"${loads[$load]}"
        # shellcheck disable=SC2086 # the command is words
        read -r found p50 < <(rate "$clients" "$pipeline" $command)
        echo "$found" >>"$work/rate$load"
        echo "$p50" >>"$work/p50$load"
    done
    if [ -n "$etcd" ]; then
        read -r found p50 < <("$cache/release/etcd-puts" "$seconds" 50 "$etcd")
        echo "$found" >>"$work/etcdrate"
        echo "$p50" >>"$work/etcdp50"
        read -r found p50 < <("$cache/release/etcd-puts" "$seconds" 1 "$etcd")
        echo "$found" >>"$work/etcdrate1"
        echo "$p50" >>"$work/etcdp501"
    fi
done
printf '%-36s %12s %10s   (medians of %s rounds)\n' load 'per second' 'p50 in ms' "$rounds"
for load in "${!loads[@]}"; do
    printf '%-36s %12.0f %10.3f\n' "${loads[$load]%%|*}" "$(median <"$work/rate$load")" "$(median <"$work/p50$load")"
done
if [ -n "$etcd" ]; then
    for clients in '' 1; do
        printf '%-36s %12.0f %10.3f\n' "etcd put, ${clients:-50} client(s)" "$(median <"$work/etcdrate$clients")" \
            "$(median <"$work/etcdp50$clients" | awk '{ print $1 / 1000 }')"
    done
    awk -v a="$(median <"$work/rate0")" -v b="$(median <"$work/etcdrate")" \
        'BEGIN { printf "%.1f times the puts of etcd at 50 clients\n", a / b }'
fi
