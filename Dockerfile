# The relay and its pages in one small image, without a shell and without root.
FROM denoland/deno:2.9.5 AS build
WORKDIR /src
COPY . .
RUN deno task build && mkdir /data

FROM denoland/deno:distroless-2.9.5
COPY --from=build /src/dist/server/main.mjs /app/main.mjs
COPY --from=build --chown=65532:65532 --chmod=700 /data /data
USER 65532:65532
# Behind a proxy that speaks TLS; see "Hosting" in the README.
ENV WHISPER_HOST=0.0.0.0 WHISPER_PORT=8000 WHISPER_DATA=/data DENO_DIR=/tmp DENO_NO_UPDATE_CHECK=1
EXPOSE 8000
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/bin/deno", "eval", "--no-config", "if (!(await fetch(`http://127.0.0.1:${Deno.env.get('WHISPER_PORT')}/healthz`)).ok) Deno.exit(1)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/bin/deno", "run", "--quiet", "--no-config", "--no-lock", "--no-npm", "--no-remote", "--cached-only", "--no-prompt", "--unstable-kv", "--allow-net", "--allow-env", "--allow-sys=umask,statfs", "--allow-read=/app,/data", "--allow-write=/data", "--allow-run=tor,/usr/bin/tor,/usr/sbin/tor,/usr/local/bin/tor,/opt/homebrew/bin/tor", "/app/main.mjs"]
