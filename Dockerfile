# The container: the page by Node.js, the program by Rust, and then nothing but the program on a small Debian.
# Any builder will do. scripts/image builds it from stand-ins where no registry of containers is reached.
ARG RUST_IMAGE=rust:1.95-slim-trixie
ARG NODE_IMAGE=node:22-trixie-slim
ARG RUNTIME_IMAGE=debian:trixie-slim

# --- the page ---------------------------------------------------------------

FROM ${NODE_IMAGE} AS page
WORKDIR /page
COPY adapters/web/page/package.json adapters/web/page/package-lock.json adapters/web/page/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY adapters/web/page ./
RUN npm run build

# --- the program ------------------------------------------------------------

# Manifests, and in place of every crate an empty one. The stage runs each time; what it leaves is the same, byte
# for byte, until a manifest or the lock changes, and so the layer of the dependencies below stays in the cache.
FROM ${RUST_IMAGE} AS manifests
WORKDIR /all
COPY . .
RUN mkdir /manifests \
    && find . \( -name Cargo.toml -o -name Cargo.lock \) -exec cp --parents {} /manifests \; \
    && find . \( -name lib.rs -o -name main.rs -o -name build.rs -o -regex '.*/\(benches\|tests\)/[^/]*\.rs' \) \
        -exec cp --parents {} /manifests \; \
    && echo 'fn main() {}' > /empty.rs \
    && find /manifests -name '*.rs' -exec cp /empty.rs {} \;

FROM ${RUST_IMAGE} AS program
WORKDIR /processor
COPY --from=manifests /manifests ./
RUN cargo build --release --locked --package processor --bin processor
COPY . .
COPY --from=page /page/dist adapters/web/page/dist
# Newer than what was built of the empty crates; the page newer than its sources.
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && touch adapters/web/page/dist/* \
    && PROCESSOR_PAGE=require cargo build --release --locked --package processor --bin processor \
    && mkdir -p /root-of-image/usr/local/bin /root-of-image/etc/ssl/certs \
    && cp target/release/processor /root-of-image/usr/local/bin/ \
    && cp /etc/ssl/certs/ca-certificates.crt /root-of-image/etc/ssl/certs/ \
    && mkdir /data

# --- what is shipped --------------------------------------------------------

FROM ${RUNTIME_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="processor" \
    org.opencontainers.image.description="Takes GPS positions from a stream into a database, each once, and shows them live" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
COPY --from=program /root-of-image/ /
# The only place that is written to, and only without a DATABASE_URL: the SQLite file. The rest may be read-only.
COPY --from=program --chown=10001:10001 /data /var/lib/processor
VOLUME /var/lib/processor
WORKDIR /var/lib/processor
USER 10001:10001
ENV LOG_FORMAT=json
# Health, readiness and metrics; the live socket and its page.
EXPOSE 9090 8081
# On METRICS_PORT, whatever that is. A start waits for its servers for up to START_TIMEOUT_MS.
HEALTHCHECK --interval=10s --timeout=5s --start-period=40s --retries=3 CMD ["/usr/local/bin/processor", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/processor"]
CMD ["serve"]
