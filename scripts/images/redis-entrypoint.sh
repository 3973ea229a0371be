#!/bin/sh
# entrypoint SERVER [SERVER] [OPTION…]: starts the server with OPTIONs.
set -eu

server=$1
shift
# The official images are called with and without the server's own name.
if [ "${1:-}" = "$server" ]; then
    shift
fi
exec "$server" --protected-mode no --dir /data "$@"
