# docs/install.md says how to run it.
FROM rust:1-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /build
COPY . .
RUN cargo build --release --locked --bin chunkmigrate
# Scratch has no directory for temporary files.
RUN mkdir -p /image/tmp \
    && chmod 1777 /image/tmp \
    && cp target/release/chunkmigrate LICENSE-* /image

FROM scratch
COPY --from=build /image /
USER 65534:65534
WORKDIR /data
ENTRYPOINT ["/chunkmigrate"]
