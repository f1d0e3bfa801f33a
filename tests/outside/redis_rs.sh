#!/bin/bash
# Runs the own test suite of the crate `redis` (redis-rs) with Seedis in the place of redis-server.
#   tests/outside/redis_rs.sh [SERVER-BINARY]     by default target/release/seedis; redis-server will do as well
#   ALL=yes tests/outside/redis_rs.sh             also the tests of command groups that Seedis has not yet
#   PROTOCOL=RESP3 tests/outside/redis_rs.sh      the suite speaks RESP3
#   APPENDONLY=yes tests/outside/redis_rs.sh      each server keeps a log on disk
# These are the tests of the blocking client (the asynchronous ones need a macro crate that is not published). The suite
# starts a server of its own for each test. Prints one line for each test that failed; ends with 1 if any did.
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
ROOT=$(cd "$HERE/../.." && pwd)
BINARY=$(realpath -s "${1:-${CARGO_TARGET_DIR:-$ROOT/target}/release/seedis}")
VERSION=1.8.1
HELPER_VERSION=1.0.4
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/seedis/redis-rs-$VERSION
[ -x "$BINARY" ] || { echo "there is no $BINARY: build it (cargo build --release)" >&2; exit 2; }
# The suite asks the installed program, and not the one under test, for its version.
command -v redis-server >/dev/null || { echo 'skipped: redis-server is missing (apt-get install redis-server)'; exit 0; }

# The published crate holds its tests. Its helper crate is named by a path in there, which publishing drops; benchmarks
# and what only they need are left out.
fetch_suite() {
    local scratch=$CACHE/fetch
    mkdir -p "$scratch/src"
    : >"$scratch/src/lib.rs"
    printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\nredis = "=%s"\n[workspace]\n' \
        "$VERSION" >"$scratch/Cargo.toml"
    (cd "$scratch" && cargo fetch --quiet) || return 1
    local crate
    crate=$(find "${CARGO_HOME:-$HOME/.cargo}/registry/src" -maxdepth 2 -name "redis-$VERSION" | head -1)
    [ -n "$crate" ] || return 1
    rm -rf "$CACHE/suite"
    cp -r "$crate" "$CACHE/suite"
    cd "$CACHE/suite"
    rm -f Cargo.lock
    awk '/^\[/{drop = /^\[\[bench\]\]/ || /criterion/} !drop' Cargo.toml >Cargo.new
    {
        cat Cargo.new
        printf '\n[dev-dependencies.redis-test]\nversion = "=%s"\n' "$HELPER_VERSION"
        printf '\n[patch.crates-io]\nredis = { path = "." }\n\n[workspace]\n'
    } >Cargo.toml
}
[ -e "$CACHE/suite/Cargo.toml" ] || fetch_suite || { echo 'skipped: the crate cannot be had (no network?)'; exit 0; }

# Each server gets a data directory of its own: the suite names none.
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cat >"$WORK/server" <<END
#!/bin/bash
exec "$BINARY" "\$@" --dir "\$(mktemp -d -p "$WORK")" --appendonly "${APPENDONLY:-no}"
END
chmod +x "$WORK/server"
export REDISRS_SERVER_BIN=$WORK/server REDISRS_SERVER_TYPE=tcp PROTOCOL=${PROTOCOL:-RESP2}

SKIP=()
if [ "${ALL:-}" != yes ]; then
    while read -r word _; do
        case $word in '' | '#'*) ;; *) SKIP+=(--skip "$word") ;; esac
    done <"$HERE/redis_rs.skip"
fi
cd "$CACHE/suite"
CODE=0
CARGO_TARGET_DIR=$CACHE/target cargo test --quiet --no-default-features --features script,tokio-comp \
    --test test_basic --test test_bignum --test test_types --no-fail-fast \
    -- --test-threads=2 --exact "${SKIP[@]}" >"$CACHE/said" 2>&1 || CODE=$?
grep -E '^error(\[|:)' "$CACHE/said" | grep -vE 'test failed|targets? failed' | head -5 || true
grep -E '^    [a-z_0-9:]+$' "$CACHE/said" | sort -u | sed 's/^ */failed: /' || true
grep -E '^test result' "$CACHE/said" | awk '{ok += $4; failed += $6; out += $12 + $8}
    END {printf "redis-rs: %d ok, %d failed, %d left out\n", ok, failed, out; exit !NR}'
exit "$CODE"
