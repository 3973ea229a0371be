# Directus 11 from npm. Behaves like the official image where compose.yaml cares: makes its tables before it starts,
# listens on 8055, runs as user 1000.
ARG BASE
FROM ${BASE} AS installed
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends g++ make python3 python3-setuptools
WORKDIR /directus
# What has to be compiled finds the headers where Node.js is installed. One of the tools for it is from before Python 3.12,
# and finds in setuptools what Python no longer has.
RUN npm init -y >/dev/null \
    && npm_config_nodedir=/usr/local npm install --no-audit --no-fund directus@11.17.4 pg

FROM ${BASE}
COPY --from=installed /directus /directus
WORKDIR /directus
USER 1000:1000
EXPOSE 8055
CMD ["sh", "-c", "node_modules/.bin/directus bootstrap && exec node_modules/.bin/directus start"]
