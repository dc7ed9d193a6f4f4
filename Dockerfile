# docker build -t talkmeter .
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" -e DASHSCOPE_API_KEY talkmeter analyze may -o may/tables
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --bin talkmeter

# Root certificates are not part of the base image; nothing runs as root.
FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/dist/talkmeter /usr/local/bin/talkmeter
COPY LICENSE-APACHE LICENSE-MIT THIRD-PARTY.md /usr/share/doc/talkmeter/
USER 65534:65534
WORKDIR /data
ENTRYPOINT ["talkmeter"]
