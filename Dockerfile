FROM rust:1-slim-bookworm AS build
WORKDIR /seedis
COPY . .
RUN cargo build --release --locked --bin seedis

FROM debian:bookworm-slim
RUN useradd --system --create-home --home-dir /data seedis
COPY --from=build /seedis/target/release/seedis /usr/local/bin/seedis
USER seedis
WORKDIR /data
VOLUME /data
EXPOSE 6379 16379
ENTRYPOINT ["seedis"]
CMD ["--dir", "/data", "--bind", "*"]
