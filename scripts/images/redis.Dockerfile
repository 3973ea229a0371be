# A Redis server for tests: Debian's package on the shared base image.
# Behaves like the official image where tests care: listens on every interface
# without protected mode, keeps its files in /data, takes server options as CMD.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends redis-server \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && install -d -o redis -g redis /data
COPY redis-entrypoint.sh /usr/local/bin/entrypoint
USER redis
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["entrypoint", "redis-server"]
