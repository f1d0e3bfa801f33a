#!/usr/bin/env bash
# The page of a real failure in a real browser: plants a bug in a copy of the tree, finds a seed that fails, writes its page, and lets a headless Chromium
# open it, move the slider, search, and find the violation.
#   tests/outside/view.sh [SCREENSHOT.png]         PLANTED=name of a patch, FROM=first seed; or FAILING="PROGRAM SEED PROFILE" where one is built already
# The picture in docs/images is that of FROM=7.
set -euo pipefail
cd "$(dirname "$0")/../.."

for tool in chromium node; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; exit 0; }
done
planted=${PLANTED:-shorter-log-wins}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -n "${FAILING:-}" ]; then
    read -r sim seed profile <<<"$FAILING"
else
    mkdir "$work/tree"
    git ls-files -z | xargs -0 cp --parents -t "$work/tree"
    (cd "$work/tree" && patch -p1 -s <"sim/mutants/$planted.patch")
    # Built for one run, and not to be measured.
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
    CARGO_TARGET_DIR=$work/target cargo build --release --quiet --locked -p sim --manifest-path "$work/tree/Cargo.toml"
    sim=$work/target/release/sim profile=raft seed=
    for candidate in $(seq "${FROM:-0}" 300); do
        "$sim" run "$candidate" --profile "$profile" >"$work/last" || { seed=$candidate; break; }
    done
    [ -n "$seed" ] || { echo "no seed below 301 finds $planted"; exit 1; }
    head -2 "$work/last"
fi
"$sim" view "$seed" --profile "$profile" -o "$work/page.html"
node tests/outside/view.mjs "$work/page.html" "${1:-$work/page.png}"
