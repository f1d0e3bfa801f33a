#!/bin/bash
# Tries what README.md promises: starts the given server, plays README's redis-cli session and compares each answer,
# kills the server with -9, starts it again and looks for what was acknowledged; then starts it with each file of conf/.
#   tests/readme.sh target/release/seedis
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
SERVER=$(readlink -f "${1:?usage: tests/readme.sh SERVER-BINARY}")
command -v redis-cli >/dev/null || { echo 'skipped: redis-cli is missing'; exit 0; }

DIR=$(mktemp -d)
PID=
clean_up() {
    local code=$?
    [ -z "$PID" ] || kill -9 "$PID" 2>/dev/null || true
    if [ "$code" != 0 ] && [ -f "$DIR/out" ]; then echo '-- the server said:'; tail -20 "$DIR/out"; fi
    rm -rf "$DIR"
    exit "$code"
}
trap clean_up EXIT

# A port that nobody listens on, below the range from which the system takes its own.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}
PORT=$(free_port)

start() {
    "$SERVER" "$@" --port "$PORT" --dir "$DIR/data" >>"$DIR/out" 2>&1 &
    PID=$!
    for _ in $(seq 100); do
        # It answers some requests before it has read its log; this one it does not.
        [[ $(redis-cli -p "$PORT" dbsize 2>/dev/null) =~ ^[0-9]+$ ]] && return
        kill -0 "$PID" 2>/dev/null || break
        sleep 0.1
    done
    echo 'the server does not answer DBSIZE' >&2
    return 1
}

kill_hard() {
    kill -9 "$PID"
    wait "$PID" 2>/dev/null || true
    PID=
}

# Every line "127.0.0.1:6379> command" of README's redis blocks, and what follows it up to the next prompt.
play_session() {
    local line command='' wanted='' count=0
    while IFS= read -r line; do
        case $line in
            '127.0.0.1:6379> '* | END)
                if [ -n "$command" ]; then
                    compare "$command" "${wanted%$'\n'}"
                    count=$((count + 1))
                fi
                command=${line#127.0.0.1:6379> } wanted=
                ;;
            *) wanted+=$line$'\n' ;;
        esac
    done < <(sed -n '/^```redis$/,/^```$/{/^```/d;p}' "$HERE/../README.md"; echo END)
    [ "$count" -gt 0 ] || { echo 'README.md has no redis session' >&2; return 1; }
    echo "README's session: $count commands answer as written"
}

compare() {
    local got
    got=$(redis-cli --no-raw -p "$PORT" <<<"$1")
    if [ "$got" != "$2" ]; then
        printf 'README says of "%s":\n%s\nthe server says:\n%s\n' "$1" "$2" "$got" >&2
        return 1
    fi
}

# An acknowledged write outlives a kill.
survives() {
    local token=$RANDOM.$$ found
    [ "$(redis-cli -p "$PORT" set survivor "$token")" = OK ] || { echo 'SET is not answered with OK' >&2; return 1; }
    kill_hard
    start
    found=$(redis-cli -p "$PORT" get survivor)
    [ "$found" = "$token" ] || { echo "lost over kill -9: wanted '$token', found '$found'" >&2; return 1; }
    echo 'an acknowledged write is there after kill -9'
}

ends_well() {
    kill "$PID"
    wait "$PID" || { echo 'the server does not end well on SIGTERM' >&2; return 1; }
    PID=
    echo 'the server ends well on SIGTERM'
}

# Each configuration in conf/ is one that a server starts with.
try_configurations() {
    local conf
    for conf in "$HERE"/../conf/*.conf; do
        start "$conf"
        ends_well >/dev/null
        echo "starts with conf/$(basename "$conf")"
    done
}

start
play_session
survives
ends_well
try_configurations
