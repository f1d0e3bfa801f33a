#!/bin/bash
# Runs units of Redis's own Tcl test suite, from Debian's source package, against a running server.
#   tests/outside/tcl.sh                        starts target/release/seedis itself, on a free port, in memory only
#   tests/outside/tcl.sh -b target/debug/seedis     starts that server instead (redis-server will do as well)
#   tests/outside/tcl.sh HOST PORT              a server that runs already; WARNING: the suite sends FLUSHALL
#   -u "unit/type/string unit/expire"  only these units;  -t 120  at most so many seconds for each
#   -o DIR  keep the suite's own output there;  -a  also the tests that tcl.skip leaves out for want of a command
# The bar is the one that is fair for a server without RDB files, replication of Redis's kind and DEBUG: the suite's own
# tags leave out what needs those, and internal encodings are not looked at. Prints a table, then each test that failed;
# ends with 1 if any did.
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
. "$HERE/server.sh"
UNITS="unit/protocol unit/quit unit/keyspace unit/scan unit/expire unit/multi unit/info-command
unit/introspection unit/introspection-2 unit/other unit/pubsub unit/sort unit/type/string unit/type/incr unit/type/hash
unit/type/list unit/type/list-2 unit/type/list-3 unit/type/set unit/type/zset unit/bitops unit/bitfield unit/geo unit/hyperloglog
unit/pause unit/latency-monitor unit/dump unit/functions"
LIMIT=300
OUT=
ALL=
while getopts au:t:b:o: option; do
    case $option in
        a) ALL=yes ;;
        u) UNITS=$OPTARG ;;
        t) LIMIT=$OPTARG ;;
        b) BINARY=$(realpath -s "$OPTARG") ;;
        o) OUT=$(mkdir -p "$OPTARG" && readlink -f "$OPTARG") ;;
        *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

TCLSH=$(command -v tclsh8.6 || command -v tclsh) || { echo 'skipped: tclsh is missing (apt-get install tcl)'; exit 0; }
command -v dpkg-source >/dev/null || { echo 'skipped: dpkg-source is missing (apt-get install dpkg-dev)'; exit 0; }
[ -n "$OUT" ] || OUT=$WORK/out
mkdir -p "$OUT"

# Unpacks Debian's source package into a cache, with lists of its own: the machine's apt stays as it is.
fetch_suite() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/seedis/redis-suite
    if [ ! -e "$cache/source/tests/test_helper.tcl" ]; then
        mkdir -p "$cache/lists/partial" "$cache/parts" "$cache/archives/partial"
        local file
        for file in /etc/apt/sources.list.d/*.sources; do
            grep -qs debian-archive-keyring "$file" || continue
            sed 's/^Types:.*/Types: deb-src/' "$file" >"$cache/parts/source.sources"
        done
        grep -hs '^deb ' /etc/apt/sources.list | sed 's/^deb /deb-src /' >"$cache/sources.list" || true
        local apt=(apt-get -q -o "Dir::Etc::sourcelist=$cache/sources.list" -o "Dir::Etc::sourceparts=$cache/parts"
            -o "Dir::State::lists=$cache/lists" -o "Dir::Cache=$cache" -o APT::Sandbox::User=root)
        (
            cd "$cache"
            "${apt[@]}" update && "${apt[@]}" source --download-only redis &&
                rm -rf source && dpkg-source -x redis_*.dsc source
        ) >"$cache/fetch.log" 2>&1 || return 1
    fi
    echo "$cache/source"
}
SUITE=$(fetch_suite) || { echo "skipped: Debian's source package of redis cannot be had (no network?)"; exit 0; }
# The suite will not start without these programs; against a running server it never runs them.
for program in redis-server redis-cli redis-benchmark; do
    [ -e "$SUITE/src/$program" ] || ln -s /bin/true "$SUITE/src/$program"
done

start_own() { start_server "$OUT/server.log" --appendonly no --enable-debug-command yes; }
if [ $# -ge 2 ]; then HOST=$1 PORT=$2; else start_own; fi

# Fails for redis-server itself in external mode: it wants to kill a child by its process id.
echo 'SRANDMEMBER with a dict containing long chain' >"$WORK/skip"
[ -n "$ALL" ] || grep -v '^#' "$HERE/tcl.skip" | cut -f1 >>"$WORK/skip"
OK=0 FAILED=0 BROKEN=0
printf '%-26s %5s %6s %7s %5s  %s\n' unit ok failed skipped secs note
cd "$SUITE"
for unit in $UNITS; do
    log=$OUT/${unit//\//_}.log
    [ -e "tests/$unit.tcl" ] || { printf '%-26s no such unit in this suite\n' "$unit"; continue; }
    if [ -n "$SERVER" ] && ! answers; then
        echo "the server is gone; it is started again"
        stop_server
        start_own
    fi
    began=$SECONDS code=0
    timeout -k 5 "$LIMIT" "$TCLSH" tests/test_helper.tcl --host "$HOST" --port "$PORT" --single "$unit" \
        --durable --clients 1 --baseport $((30000 + RANDOM % 2000)) --timeout "$LIMIT" --skipfile "$WORK/skip" \
        --tags '-needs:debug -needs:repl -needs:save -needs:config-maxmemory -needs:pfdebug' \
        --ignore-encoding --ignore-digest </dev/null >"$log" 2>&1 || code=$?
    sed -i 's/\x1b\[[0-9;]*m//g' "$log"
    ok=$(grep -ac '^\[ok\]:' "$log" || true)
    failed=$(grep -acE '^\[err\]: .* in tests/' "$log" || true)
    left_out=$(grep -acE '^\[(ignore|skip)\]:' "$log" || true)
    note=
    if grep -aq '^\[exception\]' "$log"; then
        note="ended early: $(grep -aA1 -m1 '^\[exception\]' "$log" | tail -1 | cut -c1-120)"
    elif [ "$code" = 124 ] || grep -aq '^\[TIMEOUT\]' "$log"; then
        note="ended early: no end within $LIMIT s, in: $(grep -aoE '^\[[a-z ]+\]: .*' "$log" | tail -1 | cut -c1-90)"
    elif thrown=$(awk '/^\[err\]: / && !/ in tests\// {print substr($0, 8, 90); exit}' "$log") && [ -n "$thrown" ]; then
        # Thrown outside of a test: the rest of the unit has not run.
        note="ended early: $thrown"
    elif [ "$code" != 0 ] && [ "$failed" = 0 ]; then
        note="ended early: exit $code, $(tail -1 "$log" | cut -c1-90)"
    fi
    [ -z "$note" ] || BROKEN=$((BROKEN + 1))
    OK=$((OK + ok)) FAILED=$((FAILED + failed))
    printf '%-26s %5d %6d %7d %5d  %s\n' "$unit" "$ok" "$failed" "$left_out" $((SECONDS - began)) "$note"
done
# Each failure with its reason; those for want of a command are only counted by command, since they say nothing else.
for unit in $UNITS; do
    log=$OUT/${unit//\//_}.log
    [ ! -e "$log" ] || awk -v unit="$unit" '
        function tell() {
            if (match(reason, /unknown command .[^ ]*.,/)) {
                print "missing " tolower(substr(reason, RSTART + 17, RLENGTH - 19))
            } else if (name != "") {
                print "failed: " unit ": " name ": " substr(reason, 1, 150)
            }
            name = reason = ""
        }
        /^\[|^\*\*\*/ { tell() }
        /^\*\*\*/ { exit }
        /^\[err\]: .* in tests\// { name = $0; sub(/^\[err\]: /, "", name); sub(/ in tests\/.*/, "", name); next }
        name != "" && reason == "" { reason = $0; next }
        # Of an error that was thrown the suite cuts letters off, and repeats it whole on the next line.
        name != "" { if (index($0, reason) > 1) reason = $0; tell() }' "$log"
done >"$WORK/failures"
grep -a '^failed: ' "$WORK/failures" || true
grep -a '^missing ' "$WORK/failures" | sort | uniq -c | sort -rn |
    awk '{printf "%s%s (%s)", NR == 1 ? "failed for want of a command: " : ", ", $3, $1} END {if (NR) print ""}' || true
echo "tcl: $OK ok, $FAILED failed, $BROKEN units ended early"
[ "$FAILED" = 0 ] && [ "$BROKEN" = 0 ]
