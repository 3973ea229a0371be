# Prometheus, Debian's package. Takes the arguments that the official image takes.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends prometheus \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && install -d -o 65534 -g 65534 /prometheus
USER 65534:65534
WORKDIR /prometheus
EXPOSE 9090
ENTRYPOINT ["prometheus"]
