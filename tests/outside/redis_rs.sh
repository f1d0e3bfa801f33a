#!/bin/bash
# Runs the own test suite of the crate `redis` (redis-rs) with Seedis in the place of redis-server.
#   tests/outside/redis_rs.sh [SERVER-BINARY]     by default target/release/seedis
#   FILTER="test_get test_set" tests/outside/redis_rs.sh     only tests whose names hold one of these words
# Tests that need a command group which Seedis has not yet are left out by name, and counted.
set -euo pipefail
ROOT=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
BINARY=$(realpath -s "${1:-${CARGO_TARGET_DIR:-$ROOT/target}/release/seedis}")
VERSION=0.32.7
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/seedis/redis-rs
[ -x "$BINARY" ] || { echo "there is no $BINARY: build it (cargo build --release)" >&2; exit 2; }
