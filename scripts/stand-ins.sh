#!/usr/bin/env bash
# Stand-ins for the public images that the container is built from and that compose.yaml starts, made from Debian's
# and npm's packages and this machine's Rust toolchain: for a machine that reaches no container registry.
#
#   scripts/stand-ins.sh build       ensure those the container is built from; print their names as export lines
#   scripts/stand-ins.sh platform    ensure those of compose.yaml, likewise
#
# A name that is set already, as in RUST_IMAGE=rust:1.95-slim-trixie, is taken as it is.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/containers.sh"

readonly MORE=$recipes/platform

# ensure_stand_in NAME IMAGE BASE: NAME.Dockerfile is its recipe.
ensure_stand_in() {
    local name=$1 image=$2 base=$3 context
    local recipe
    recipe=$({
        docker image inspect --format '{{.Id}}' "$base"
        cat "$MORE/$name.Dockerfile"
        if [[ $name == rust ]]; then rustc --version; fi
    } | git hash-object --stdin)
    is_current "$image" && return
    say "building $image"
    context=$(mktemp -d /var/tmp/processor-stand-in.XXXXXX)
    # shellcheck disable=SC2064 # the directory of now
    trap "remove_root '$context'" EXIT
    # What this machine trusts beside the usual authorities.
    mkdir "$context/authorities"
    cp /usr/local/share/ca-certificates/*.crt "$context/authorities/" 2>/dev/null || true
    if [[ $name == rust ]]; then
        copy_toolchain "$context/toolchain"
    fi
    quietly docker build -q --network=host --build-arg "BASE=$base" \
        --build-arg http_proxy --build-arg https_proxy --build-arg no_proxy \
        --label "$RECIPE_LABEL=$recipe" --tag "$image" --file "$MORE/$name.Dockerfile" "$context"
    remove_root "$context"
    trap - EXIT
}

# What of the toolchain builds a program.
copy_toolchain() {
    local from
    from=$(rustc --print sysroot)
    mkdir -p "$1/bin"
    cp -a "$from/bin/cargo" "$from/bin/rustc" "$1/bin/"
    cp -a "$from/lib" "$1/"
}

# offer VARIABLE IMAGE [NAME BASE]
offer() {
    local variable=$1
    if [[ -z ${!variable:-} ]]; then
        if [[ -n ${3:-} ]]; then
            ensure_stand_in "$3" "$2" "$4"
        fi
        declare -g "$variable=$2"
    fi
    printf 'export %s=%q\n' "$variable" "${!variable}"
}

main() {
    # The engine, the servers and the base image.
    "${BASH_SOURCE[0]%/*}/containers.sh"
    ensure_base
    # Another lock than that of the tests, which need not wait for what is built here.
    exec 9>"$state/stand-ins.lock"
    if command -v flock >/dev/null; then
        flock 9
    fi
    case ${1:-} in
        build)
            offer RUST_IMAGE processor-test/rust:1.95 rust "$base"
            offer NODE_IMAGE processor-test/node:22 node "$base"
            offer RUNTIME_IMAGE "$base"
            ;;
        platform)
            offer REDIS_IMAGE "$PROCESSOR_TEST_REDIS_IMAGE"
            offer TIMESCALE_IMAGE "$PROCESSOR_TEST_TIMESCALE_IMAGE"
            ensure_stand_in node processor-test/node:22 "$base"
            offer DIRECTUS_IMAGE processor-test/directus:11 directus processor-test/node:22
            offer PROMETHEUS_IMAGE processor-test/prometheus:2 prometheus "$base"
            ;;
        *) die "usage: ${BASH_SOURCE[0]} build | platform" ;;
    esac
}

main "$@"
