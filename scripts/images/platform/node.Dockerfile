# Node.js 22 with npm, as the npm registry has them; Debian's own are needed once, to fetch them.
# In the context: authorities/.
ARG BASE
FROM ${BASE} AS fetched
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends ca-certificates nodejs npm
COPY authorities /usr/local/share/ca-certificates
RUN update-ca-certificates
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN npm install --prefix /fetched --no-audit --no-fund --ignore-scripts \
        "node-linux-$(dpkg --print-architecture | sed 's/^amd64$/x64/')@22" npm@10 \
    && mkdir -p /node/lib/node_modules \
    && cp -a /fetched/node_modules/node-linux-*/bin /fetched/node_modules/node-linux-*/include /node/ \
    && cp -a /fetched/node_modules/npm /node/lib/node_modules/ \
    && ln -s ../lib/node_modules/npm/bin/npm-cli.js /node/bin/npm \
    && ln -s ../lib/node_modules/npm/bin/npx-cli.js /node/bin/npx

FROM ${BASE}
COPY --from=fetched /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=fetched /node /usr/local
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends libstdc++6 libatomic1 \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && node --version && npm --version
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
