#!/bin/sh
# entrypoint [postgres] [OPTION…]: starts the server with OPTIONs, such as
# `-c fsync=off`. The first start of a container also creates what
# POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB name.
set -eu

if [ "${1:-}" = postgres ]; then
    shift
fi

# Doubles the quotes ($1) inside a value ($2).
doubled() {
    printf '%s' "$2" | sed "s/$1/$1$1/g"
}

sql() {
    postgres --single -D "$PGDATA" -c exit_on_error=on -c shared_preload_libraries= \
        -c log_checkpoints=off -c log_min_messages=error postgres >/dev/null
}

started="$PGDATA/.started"
if [ ! -e "$started" ]; then
    user=${POSTGRES_USER:-postgres}
    password=${POSTGRES_PASSWORD:-postgres}
    database=${POSTGRES_DB:-$user}
    role=\"$(doubled '"' "$user")\"
    if [ "$user" != postgres ]; then
        echo "CREATE ROLE $role SUPERUSER LOGIN" | sql
    fi
    if [ "$user:$password" != postgres:postgres ]; then
        echo "ALTER ROLE $role PASSWORD '$(doubled "'" "$password")'" | sql
    fi
    if [ "$database" != postgres ]; then
        echo "CREATE DATABASE \"$(doubled '"' "$database")\" OWNER $role" | sql
    fi
    touch "$started"
    # The official images print this line twice at the first start: on standard
    # output when the cluster is made, on standard error when the server is ready.
    # Clients that wait for both must not wait for ever.
    echo 'cluster made, not yet listening: database system is ready to accept connections'
fi

exec postgres -D "$PGDATA" "$@"
