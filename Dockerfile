# docker build -t talkmeter .
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" -e DASHSCOPE_API_KEY talkmeter analyze may -o may/tables
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --release --bin talkmeter

# A C library and root certificates; no shell, no root.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/talkmeter /usr/local/bin/talkmeter
COPY LICENSE-APACHE LICENSE-MIT THIRD-PARTY.md /usr/share/doc/talkmeter/
WORKDIR /data
ENTRYPOINT ["talkmeter"]
