# syntax=docker/dockerfile:1

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --bin duplex \
    && install -D target/dist/duplex /out/duplex

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin duplex \
    && install -d -o duplex -g duplex -m 0700 /data
COPY --from=build /out/duplex /usr/local/bin/duplex
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/duplex/
USER duplex
WORKDIR /data
ENV BIND_ADDR=0.0.0.0:8080 \
    DATA_DIR=/data
EXPOSE 8080
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["duplex", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["duplex"]
CMD ["serve"]
