#!/usr/bin/env bash
# Installs what the local stack and the tests need on Debian 12, from package registries only. Repeating it is quick:
# what is there is left as it is. With --run-only: what the parts need to run, nothing to build or check with.
set -euo pipefail
cd "$(dirname "$0")/.."

state=$PWD/.local
tools=$state/tools
mkdir -p "$tools"

say() { printf '  %s\n' "$*" >&2; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

# One installation at a time; the other waits and then finds everything there.
exec 9>"$state/install.lock"
flock 9

run_only=
if [ "${1:-}" = --run-only ]; then run_only=yes; elif [ $# -gt 0 ]; then fail "unknown argument $1"; fi

check_rust() {
    rust_version=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    command -v cargo >/dev/null || fail "Rust $rust_version is needed and is not installed (cargo is not in PATH). It is the one \
thing this script does not install: see https://rustup.rs, then run the command again."
    cargo_version=$(cargo --version 2>/dev/null | cut -d' ' -f2) || fail "cargo does not run: install Rust $rust_version (https://rustup.rs)."
    printf '%s\n%s\n' "$rust_version" "$cargo_version" | sort -V -C || fail "Rust $rust_version is needed, $cargo_version is installed."
}
[ -n "$run_only" ] || check_rust

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        fail "$* needs root: run this as root, or install sudo"
    fi
}

# --- Debian packages -------------------------------------------------------------------------------------------------

packages=()
want_command() { command -v "$1" >/dev/null || packages+=("${@:2}"); }
want_file() { compgen -G "$1" >/dev/null || packages+=("${@:2}"); }

java_version() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p;t' | grep . || echo 0; }

# Each locked set has a stamp with the digest of its lock file, written when the set is whole.
current() { [ "$(cat "$tools/$1.stamp" 2>/dev/null)" = "$2" ]; }
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
kafka_lock=$(digest deploy/tools/kafka/pom.xml deploy/tools/kafka/SHA256SUMS)
verapdf_lock=$(digest deploy/tools/verapdf/pom.xml deploy/tools/verapdf/SHA256SUMS)

if [ -z "$run_only" ]; then
    want_command cc gcc
    want_command c++ g++
    want_command cmake cmake
    want_command make make
    want_command pkg-config pkg-config
    want_command curl curl
    want_command openssl openssl
    want_command pkcs11-tool opensc
    want_command qpdf qpdf
    want_command certutil libnss3-tools
    want_command gs ghostscript
    want_command pdfsig poppler-utils
    want_command zbarimg zbar-tools
    want_command chromium chromium
    current verapdf "$verapdf_lock" || want_command mvn maven
    want_file '/usr/include/openssl/ssl.h' libssl-dev
    want_file '/usr/include/*/curl/curl.h' libcurl4-openssl-dev
    want_file '/usr/include/zlib.h' zlib1g-dev
    want_file '/usr/share/fonts/truetype/noto/NotoNaskhArabic-Regular.ttf' fonts-noto-core
fi
want_command setsid util-linux
want_command setpriv util-linux
want_file '/usr/lib/postgresql/1[5-9]/bin/postgres' postgresql
want_command softhsm2-util softhsm2
want_command node nodejs
want_command npm npm
/usr/bin/python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
if ! command -v java >/dev/null || [ "$(java_version)" -lt 17 ]; then packages+=(openjdk-17-jre-headless); fi
current kafka "$kafka_lock" || want_command mvn maven

unreachable="are the package registries reachable from here? What was fetched so far is kept; run the command again."

if [ ${#packages[@]} -gt 0 ]; then
    system=$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME")
    command -v apt-get >/dev/null || fail "Debian 12 is needed to install ${packages[*]}; this is ${system:-another system}"
    case "$system" in "Debian GNU/Linux 12"*) ;; *) say "made for Debian 12; this is ${system:-another system}: trying nevertheless" ;; esac
    say "installing Debian packages: ${packages[*]}"
    case " ${packages[*]} " in *" postgresql "*)
        # Only the programs are wanted: no cluster of the system's own is to be created and started.
        as_root mkdir -p /etc/postgresql-common/createcluster.d
        echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.d/wathiq-local.conf >/dev/null
    esac
    as_root true || fail "root's rights are needed to install ${packages[*]}"
    # An installation that was cut off is finished first.
    as_root dpkg --configure -a >&2
    as_root apt-get update -qq >&2 || fail "Debian's package lists could not be fetched: $unreachable"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >"$state/install.log" 2>&1 ||
        { tail -n 20 "$state/install.log" >&2; fail "Debian packages could not be installed (all of it in .local/install.log): $unreachable"; }
fi

# --- Locked sets -----------------------------------------------------------------------------------------------------

# fetch_jars FOLDER LOCK NAME: the jars that deploy/tools/FOLDER names, each with the digest noted there.
fetch_jars() {
    current "$1" "$2" && return
    say "fetching $3"
    rm -rf "${tools:?}/$1" "${tools:?}/$1".*
    mvn -q -B -ntp -f "deploy/tools/$1/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$tools/$1" >&2 ||
        fail "$3 could not be fetched: $unreachable"
    (cd "$tools/$1" && sha256sum --quiet -c "$OLDPWD/deploy/tools/$1/SHA256SUMS" >&2) ||
        fail "the jars of $3 are not the expected ones"
    echo "$2" >"$tools/$1.stamp"
}

fetch_jars kafka "$kafka_lock" "Apache Kafka"
[ -n "$run_only" ] || fetch_jars verapdf "$verapdf_lock" veraPDF

lock=$(digest deploy/tools/python/requirements.txt)
if ! current python "$lock"; then
    say "installing the Python environment"
    rm -rf "$state/venv"
    /usr/bin/python3 -m venv "$state/venv"
    "$state/venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: --require-hashes \
        -r deploy/tools/python/requirements.txt >&2 || fail "the Python environment could not be installed: $unreachable"
    echo "$lock" >"$tools/python.stamp"
fi

lock=$(digest deploy/tools/node/package-lock.json)
if ! current node "$lock"; then
    say "installing the npm folder"
    mkdir -p "$tools/node"
    cp deploy/tools/node/package.json deploy/tools/node/package-lock.json "$tools/node/"
    npm ci --prefix "$tools/node" --ignore-scripts --no-audit --no-fund --loglevel=error >&2 ||
        fail "the npm folder could not be installed: $unreachable"
    echo "$lock" >"$tools/node.stamp"
fi
