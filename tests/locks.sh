#!/bin/bash
# Four locks keep the floors of the house. This plants one violation for each in a copy of the sources, and sees each
# rejected for the right reason; the unharmed copy is accepted first, so that a rejection means something.
#   tests/locks.sh
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
COPY=$(mktemp -d)
LOG=$COPY/said
trap 'rm -rf "$COPY"' EXIT
# What was built already for the tree itself serves the copy as well; only our own packages are checked anew.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HERE/target} CARGO_TERM_COLOR=never
CORE=src/time.rs

copy() {
    local file
    rm -rf "$COPY/tree"
    mkdir "$COPY/tree"
    (cd "$HERE" && git ls-files --cached --others --exclude-standard -z | tar --null -T - -c --ignore-failed-read 2>/dev/null) | tar -x -C "$COPY/tree"
    cd "$COPY/tree"
}

accepted() {
    if ! "${@:2}" >"$LOG" 2>&1; then
        cat "$LOG"
        echo "locks: the tree as it is does not pass: $1" >&2
        exit 1
    fi
    echo "accepted as it is: $1"
}

# rejected WHAT BECAUSE COMMAND...: the command must fail, and its words must hold BECAUSE.
rejected() {
    if "${@:3}" >"$LOG" 2>&1; then
        echo "locks: NOT REJECTED: $1" >&2
        exit 1
    fi
    if ! grep -qE "$2" "$LOG"; then
        cat "$LOG"
        echo "locks: rejected for another reason than '$2': $1" >&2
        exit 1
    fi
    echo "rejected: $1"
}

compiler=(cargo check --locked -p seedis --lib)
resolver=(cargo check --locked -p sim)
clippy=(cargo clippy --locked -p seedis --lib -- -D clippy::disallowed_methods)
# The layers test reads the tree that the variable names, so that one binary serves all copies.
binary=$(cd "$HERE" && cargo test --locked --test it --no-run --message-format=json 2>"$LOG" |
    sed -n 's/.*"executable":"\([^"]*\/it-[^"]*\)".*/\1/p' | tail -1) || { cat "$LOG"; exit 1; }
layers=(env CARGO_MANIFEST_DIR="$COPY/tree" "$binary" layers::the_house_rules_hold)

copy
accepted 'the compiler' "${compiler[@]}"
accepted 'the resolver' "${resolver[@]}"
accepted 'clippy' "${clippy[@]}"
accepted 'the layers' "${layers[@]}"

copy
printf '\n/// Planted.\npub fn planted() -> std::time::Duration {\n    std::time::Duration::ZERO\n}\n' >>$CORE
rejected 'std in the core (the compiler)' 'E0433' "${compiler[@]}"

copy
printf '\n/// Planted.\npub fn planted() {\n    drop(unsafe { core::mem::zeroed::<u8>() });\n}\n' >>$CORE
rejected 'unsafe in the core (the compiler)' 'unsafe' "${compiler[@]}"

copy
printf '\n/// Planted.\npub async fn planted() {\n    tokio::task::yield_now().await;\n}\n' >>$CORE
accepted 'tokio in the core, as long as the shell is built along' "${compiler[@]}"
rejected 'tokio in the core (the resolver)' 'E0433' "${resolver[@]}"

copy
printf '\n/// Planted.\npub fn planted() -> [u8; size_of::<usize>()] {\n    1_usize.to_le_bytes()\n}\n' >>$CORE
rejected 'a size without a fixed width in the core (clippy)' 'disallowed method|disallowed-methods' "${clippy[@]}"

copy
printf '\n/// Planted.\npub type Planted = crate::node::Node;\n' >>$CORE
rejected 'a name from a higher floor (layers)' 'may not name .node::Node' "${layers[@]}"

copy
printf '\nextern crate std;\n' >>$CORE
rejected 'extern crate std (layers)' 'would open the no_std lock' "${layers[@]}"

copy
sed -i '1d' $CORE
rejected 'a file without its caption (layers)' "$CORE:1: the first line is no" "${layers[@]}"

copy
for _ in $(seq 600); do echo '//' >>$CORE; done
rejected 'a file of more than 600 lines (layers)' "$CORE: [0-9]+ lines" "${layers[@]}"
echo 'locks: all four hold'
