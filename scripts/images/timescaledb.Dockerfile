# PostgreSQL 17 with TimescaleDB for tests. Debian's package is the build under
# the Apache licence (timescaledb.license = apache; 2.19.3 in Debian 13):
# hypertables, chunks and time_bucket are there; compression, retention
# policies and continuous aggregates, which need the Timescale licence, are not.
ARG BASE
FROM ${BASE}
USER root
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends postgresql-17-timescaledb \
    && apt-get clean && rm -rf /var/lib/apt/lists/*
USER postgres
RUN printf '%s\n' "shared_preload_libraries = 'timescaledb'" \
        'timescaledb.telemetry_level = off' \
        'timescaledb.max_background_workers = 16' \
        'max_worker_processes = 32' >> "$PGDATA/postgresql.conf"
