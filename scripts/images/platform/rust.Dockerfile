# A Rust toolchain to build the container with: the one that this machine has, on the shared base image.
# In the context: toolchain/, authorities/.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends ca-certificates gcc libc6-dev \
    && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY authorities /usr/local/share/ca-certificates
RUN update-ca-certificates
COPY toolchain /usr/local
