#!/usr/bin/env bash
# Format, lints and contracts. `proto/wathiq.binpb` is the image of the last release: what it holds may not break.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets -- -D warnings
deploy/buf.sh lint proto
now=$(mktemp --suffix=.binpb)
trap 'rm -f "$now"' EXIT
deploy/buf.sh build proto -o "$now"
deploy/buf.sh breaking "$now" --against proto/wathiq.binpb --config '{"version":"v2","breaking":{"use":["FILE"]}}'
