# To be sourced: a program to ask, with the admin API. It runs on the embedded stream and a file of its own, on free ports,
# and is gone with the script. PROCESSOR names one that is built.

# start_demo: sets demo_address (of the operations port), demo_token and demo_log when it is ready.
start_demo() {
    local program=${PROCESSOR:-}
    if [[ -z $program ]]; then
        cargo build --quiet --locked -p processor
        program=target/debug/processor
    fi
    demo_folder=$(mktemp -d)
    demo_token=a-token-for-those-who-ask
    demo_log=$demo_folder/log
    DATABASE_URL=sqlite:$demo_folder/positions.sqlite METRICS_ADDRESS=127.0.0.1 METRICS_PORT=0 LIVE_WS_PORT=0 \
        ADMIN_TOKEN=$demo_token LOG_FORMAT=json "$program" demo >"$demo_folder/out" 2>"$demo_log" &
    demo=$!
    trap end_demo EXIT

    demo_address=
    for _ in $(seq 150); do
        demo_address=$(
            sed -n 's/.*"message":"operations listening","address":"\([^"]*\)".*/\1/p' "$demo_log" | head -1
        )
        if [[ -n $demo_address ]] && curl --silent --fail --output /dev/null "http://$demo_address/readyz"; then
            return
        fi
        kill -0 "$demo" 2>/dev/null || break
        sleep 0.2
    done
    cat "$demo_log" >&2
    return 1
}

end_demo() {
    kill "$demo" 2>/dev/null || true
    wait "$demo" 2>/dev/null || true
    rm -rf "$demo_folder"
}
