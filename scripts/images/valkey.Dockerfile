# A Valkey server for tests; see redis.Dockerfile.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends valkey-server \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && install -d -o valkey -g valkey /data
COPY redis-entrypoint.sh /usr/local/bin/entrypoint
USER valkey
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["entrypoint", "valkey-server"]
