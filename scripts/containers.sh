#!/usr/bin/env bash
# Brings up what the tests need to run real servers: a container engine and the
# server images; and a browser for the page. Does nothing, and says nothing, when
# all of it is there.
#
#   scripts/containers.sh              ensure engine, images and browser
#   scripts/containers.sh --print-env  the same, then print export lines
#
# Settings (defaults in brackets). An image named processor-test/* is built here
# from scripts/images and Debian's packages; any other name is pulled.
#
#   PROCESSOR_TEST_REDIS_IMAGE      [processor-test/redis:8]         or redis:8
#   PROCESSOR_TEST_VALKEY_IMAGE     [processor-test/valkey:8]        or valkey/valkey:8
#   PROCESSOR_TEST_POSTGRES_IMAGE   [processor-test/postgres:17]     or postgres:17
#   PROCESSOR_TEST_TIMESCALE_IMAGE  [processor-test/timescaledb:pg17]
#                                   or timescale/timescaledb:latest-pg17
#   PROCESSOR_TEST_DEBIAN_MIRROR    [debootstrap's own]  packages of the built images
#   PROCESSOR_TEST_CHROMIUM         [chromium]           the browser
#   PROCESSOR_TEST_CHROMEDRIVER     [chromedriver]       its WebDriver
set -euo pipefail

PROCESSOR_TEST_REDIS_IMAGE=${PROCESSOR_TEST_REDIS_IMAGE:-processor-test/redis:8}
PROCESSOR_TEST_VALKEY_IMAGE=${PROCESSOR_TEST_VALKEY_IMAGE:-processor-test/valkey:8}
PROCESSOR_TEST_POSTGRES_IMAGE=${PROCESSOR_TEST_POSTGRES_IMAGE:-processor-test/postgres:17}
PROCESSOR_TEST_TIMESCALE_IMAGE=${PROCESSOR_TEST_TIMESCALE_IMAGE:-processor-test/timescaledb:pg17}

readonly SUITE=trixie
readonly RECIPE_LABEL=processor-test.recipe
readonly ENGINE_DEADLINE=30 # seconds, for each set of flags
recipes=$(cd "$(dirname "${BASH_SOURCE[0]}")/images" && pwd)
recipe=$(cat "$recipes"/*.Dockerfile "$recipes"/*.sh | git hash-object --stdin)
state=${XDG_STATE_HOME:-${TMPDIR:-/tmp}}/processor-test

say() {
    printf 'containers: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# Runs a command quietly; its output is shown only if it fails.
quietly() {
    local output
    if ! output=$("$@" 2>&1); then
        printf '%s\n' "$output" | tail -n 40 >&2
        die "failed: $*"
    fi
}

is_root() {
    [[ $(id -u) == 0 ]]
}

can_install() {
    is_root && command -v apt-get >/dev/null
}

install_packages() {
    say "installing $*"
    export DEBIAN_FRONTEND=noninteractive
    quietly apt-get update -q
    quietly apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

# --- the engine -------------------------------------------------------------

engine_answers() {
    docker info >/dev/null 2>&1
}

# Removes a pid file whose process is gone: after a crash its number may belong
# to another process, and the daemon would refuse to start.
forget_dead() {
    local pid_file=$1 name=$2 pid
    [[ -e $pid_file ]] || return 0
    pid=$(<"$pid_file")
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$name" ]] || rm -f "$pid_file"
}

# Starts the daemon with the given flags and waits until it answers.
start_daemon() {
    local pid deadline=$((SECONDS + ENGINE_DEADLINE))
    forget_dead /var/run/docker.pid dockerd
    forget_dead /var/run/docker/containerd/containerd.pid containerd
    printf '=== dockerd %s\n' "$*" >>"$daemon_log"
    setsid nohup dockerd "$@" >>"$daemon_log" 2>&1 </dev/null 9>&- &
    pid=$!
    disown "$pid"
    while ! engine_answers; do
        kill -0 "$pid" 2>/dev/null || return 1
        if ((SECONDS >= deadline)); then
            kill "$pid" 2>/dev/null || true
            while kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline + 10)); do
                sleep 0.2
            done
            return 1
        fi
        sleep 0.2
    done
}

ensure_engine() {
    engine_answers && return
    is_root || die "no container engine answers, and starting one needs root"
    if ! command -v dockerd >/dev/null; then
        can_install || die "no container engine answers, and only apt-get is known here to install one"
        install_packages docker.io iptables ca-certificates
    fi
    # Newer releases package the client apart.
    command -v docker >/dev/null || install_packages docker-cli
    if [[ -d /run/systemd/system ]]; then
        systemctl start docker || true
        engine_answers && return
    fi

    # Without a service manager the daemon is started here. The first set of
    # flags is the engine's own choice; the others are for hosts where overlay
    # mounts or packet filter rules are not to be had. Published ports on the
    # loopback address then go through the engine's user-space proxy.
    local daemon_log=$state/dockerd.log flags
    : >"$daemon_log"
    for flags in '' '--storage-driver=vfs' '--iptables=false --ip6tables=false' \
        '--storage-driver=vfs --iptables=false --ip6tables=false'; do
        # shellcheck disable=SC2086 # flags are words
        start_daemon $flags && return
        say "the engine did not start with ${flags:-its own settings}"
    done
    tail -n 40 "$daemon_log" >&2
    die "no container engine; log: $daemon_log"
}

# --- the images -------------------------------------------------------------

# Built images carry a hash of the recipes, and are built again when it changes.
is_current() {
    local found
    found=$(docker image inspect --format "{{index .Config.Labels \"$RECIPE_LABEL\"}}" "$1" 2>/dev/null) &&
        [[ $found == "$recipe" ]]
}

# Never across a mount that an interrupted bootstrap left behind.
remove_root() {
    rm -rf --one-file-system "$1"
}

# Sets `base` to the image that the server images start from: the same small
# Debian, bootstrapped from packages where that is possible, else the public one.
ensure_base() {
    if ! is_root || { ! command -v debootstrap >/dev/null && ! can_install; }; then
        base=debian:$SUITE-slim
        return
    fi
    base=processor-test/base:$SUITE
    is_current "$base" && return
    local root
    command -v debootstrap >/dev/null || install_packages debootstrap debian-archive-keyring
    say "building $base"
    root=$(mktemp -d /var/tmp/processor-test.XXXXXX)
    # shellcheck disable=SC2064 # the directory of now
    trap "remove_root '$root'" EXIT
    quietly "$recipes/base.sh" "$root" "$SUITE" "${PROCESSOR_TEST_DEBIAN_MIRROR:-}"
    tar -C "$root" -c . |
        quietly docker import --change 'CMD ["bash"]' --change "LABEL $RECIPE_LABEL=$recipe" - "$base"
    remove_root "$root"
    trap - EXIT
}

# ensure_image NAME IMAGE [BASE]: NAME.Dockerfile is its recipe, on the plain
# server's image where a BASE is named.
ensure_image() {
    local name=$1 image=$2 base=${3:-}
    if [[ $image != processor-test/* ]]; then
        docker image inspect "$image" >/dev/null 2>&1 && return
        say "pulling $image"
        quietly docker pull -q "$image"
        return
    fi
    is_current "$image" && return
    if [[ -n $base ]]; then
        ensure_image postgres "$base"
    else
        ensure_base
    fi
    say "building $image"
    # The host's network, because only published ports are sure to work on a bridge.
    quietly docker build -q --network=host --build-arg "BASE=$base" \
        --build-arg http_proxy --build-arg https_proxy --build-arg no_proxy \
        --label "$RECIPE_LABEL=$recipe" --tag "$image" --file "$recipes/$name.Dockerfile" "$recipes"
}

ensure_images() {
    ensure_image redis "$PROCESSOR_TEST_REDIS_IMAGE"
    ensure_image valkey "$PROCESSOR_TEST_VALKEY_IMAGE"
    ensure_image postgres "$PROCESSOR_TEST_POSTGRES_IMAGE"
    ensure_image timescaledb "$PROCESSOR_TEST_TIMESCALE_IMAGE" processor-test/postgres:17
}

# --- the browser ------------------------------------------------------------

# Without one only the tests that need it fail, and say so.
ensure_browser() {
    local missing=()
    command -v "${PROCESSOR_TEST_CHROMIUM:-chromium}" >/dev/null || missing+=(chromium)
    command -v "${PROCESSOR_TEST_CHROMEDRIVER:-chromedriver}" >/dev/null || missing+=(chromium-driver)
    ((${#missing[@]})) || return 0
    if can_install; then
        install_packages "${missing[@]}"
    else
        say "missing: ${missing[*]}; PROCESSOR_TEST_CHROMIUM and PROCESSOR_TEST_CHROMEDRIVER may name others"
    fi
}

main() {
    local print_env=no name
    case ${1:-} in
        '') ;;
        --print-env) print_env=yes ;;
        *) die "usage: ${BASH_SOURCE[0]} [--print-env]" ;;
    esac

    mkdir -p "$state"
    # One at a time; the second run finds everything in place.
    exec 9>"$state/containers.lock"
    if command -v flock >/dev/null; then
        flock 9
    fi
    ensure_engine
    ensure_images
    ensure_browser

    if [[ $print_env == yes ]]; then
        for name in REDIS VALKEY POSTGRES TIMESCALE; do
            name=PROCESSOR_TEST_${name}_IMAGE
            printf 'export %s=%q\n' "$name" "${!name}"
        done
    fi
}

# Other scripts take the functions from here.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
