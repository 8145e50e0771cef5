#!/usr/bin/env bash
# Format, lints and contracts. `proto/wathiq.binpb` is the image of the last release: what it holds may not break.
set -euo pipefail
cd "$(dirname "$0")/.."
buf=$(ls .local/tools/node/node_modules/@bufbuild/buf-linux-*/bin/buf)

cargo fmt --all --check
cargo clippy --workspace --all-targets -- -D warnings
"$buf" lint proto
if [ -e proto/wathiq.binpb ]; then "$buf" breaking proto --against proto/wathiq.binpb; fi
