# Actchain's server. TypeScript sources run as they are: nothing is built, and what is not needed to serve stays outside.
#
#   docker build --tag actchain .
#   docker run --publish 8460:8460 --volume actchain:/data --volume ./tenants:/tenants:ro \
#     --env ACTCHAIN_PUBLIC_URL=https://as.example.com --env ACTCHAIN_KEY_SECRET_FILE=/run/secrets/key actchain

FROM node:26.10.0-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY lib/package.json lib/
COPY conformance/package.json conformance/
# No script of a package is run: LMDB comes as a prebuilt binary.
RUN npm ci --omit=dev --ignore-scripts --workspace=lib --include-workspace-root
RUN mkdir data tenants

FROM node:26.10.0-slim AS server
ENV NODE_ENV=production \
    ACTCHAIN_HOST=0.0.0.0 \
    ACTCHAIN_DATA=/data \
    ACTCHAIN_TENANTS=/tenants
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=dependencies /app/tenants /tenants
# The program cannot change itself: of all its files only the data folder is its own.
COPY --from=dependencies --chown=1000:1000 /app/data /data
COPY package.json ./
COPY lib lib
COPY keys keys
COPY server server
# The image's own user `node`, by number, so that an orchestrator can see it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8460
# On the management port, which is not published.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8461/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--conditions=actchain:source", "server/cli/actchain.ts", "serve"]
