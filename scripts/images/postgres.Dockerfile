# A PostgreSQL 17 server for tests: Debian's package on the shared base image.
# The cluster is made here and not at the first start, so a container accepts
# connections within a second. User, password and database are `postgres`
# unless POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB say otherwise.
ARG BASE
FROM ${BASE}
ENV PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN mkdir -p /etc/postgresql-common \
    && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
    && apt-get update -q \
    && apt-get install -q -y --no-install-recommends postgresql-17 \
    && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY postgres-entrypoint.sh /usr/local/bin/entrypoint
USER postgres
RUN echo postgres > /tmp/password \
    && initdb --username=postgres --pwfile=/tmp/password --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=trust --auth-host=scram-sha-256 \
    && rm /tmp/password \
    && echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf" \
    && printf '%s\n' "listen_addresses = '*'" 'max_connections = 200' >> "$PGDATA/postgresql.conf"
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["entrypoint"]
