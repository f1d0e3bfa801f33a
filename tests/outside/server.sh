# The server that a script of this folder tries, to be sourced: one that it starts itself, or one that runs already.
# It expects HERE (this folder), and sets BINARY, HOST, PORT, SERVER (a process id, or nothing) and WORK, which goes away
# with the server when the script ends.
#   choose_binary ARGUMENTS...      takes "-b BINARY" off the front; SHIFTED says how many words that were
#   start_server LOG OPTIONS...     starts BINARY on a free port with these options, and waits until it answers
ROOT=$(cd "$HERE/../.." && pwd)
BINARY=${CARGO_TARGET_DIR:-$ROOT/target}/release/seedis
WORK=$(mktemp -d)
SERVER=
stop_server() {
    [ -z "$SERVER" ] || { kill -9 "$SERVER" && wait "$SERVER"; } 2>/dev/null || true
    SERVER=
}
trap 'stop_server; rm -rf "$WORK"' EXIT

choose_binary() {
    SHIFTED=0
    if [ "${1:-}" = -b ]; then
        BINARY=$(realpath -s "$2")
        SHIFTED=2
    fi
}

answers() { (exec 3<>"/dev/tcp/$HOST/$PORT" && printf 'PING\r\n' >&3 && read -r -t 2 -u 3 line && [[ $line == +PONG* ]]) 2>/dev/null; }

start_server() {
    local log=$1 data
    shift
    [ -x "$BINARY" ] || { echo "there is no $BINARY: build it (cargo build --release), or give -b" >&2; exit 2; }
    HOST=127.0.0.1 PORT=$((20000 + RANDOM % 9000))
    data=$(mktemp -d -p "$WORK")
    "$BINARY" --port "$PORT" --dir "$data" --save '' "$@" >"$log" 2>&1 &
    SERVER=$!
    for _ in $(seq 100); do
        answers && return
        sleep 0.1
    done
    echo "$BINARY does not answer" >&2
    tail -5 "$log" >&2
    exit 2
}
