#!/usr/bin/env bash
# veraPDF as `deploy/install.sh` has put it in place. `deploy/verapdf.sh --format text -f 2a FILE...`: a line a file, PASS or FAIL;
# fails where one fails.
set -euo pipefail
tools=$(cd "$(dirname "$0")/.." && pwd)/.local/tools
# It writes its settings into a folder `.verapdf` of the home: not into a person's.
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.home="$tools/verapdf.home" -cp "$tools/verapdf/*" \
    org.verapdf.apps.GreenfieldCliWrapper "$@"
