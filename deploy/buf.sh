#!/usr/bin/env bash
# buf as `deploy/install.sh` has put it in place.
set -euo pipefail
exec "$(ls "$(dirname "$0")"/../.local/tools/node/node_modules/@bufbuild/buf-linux-*/bin/buf)" "$@"
