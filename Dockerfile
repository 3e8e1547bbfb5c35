# The server, installed from the package of Debian. It listens on every address of the container, which it does only
# with a password of your own:
#
#     docker build --tag faceattend .
#     docker run --rm -it --volume faceattend:/data faceattend admin passwd
#     docker run --volume faceattend:/data --publish 8001:8001 faceattend
#
# A camera at this machine is passed on with `--device /dev/video0 --group-add video`. `compose.yaml` adds a PostgreSQL.

# `--build-arg OPENCV=` leaves OpenCV out, which RTSP cameras and those at this machine need.
# `--build-arg PACKAGE=made` takes the package that `cargo xtask dist --only deb` has made, and compiles nothing.
ARG PACKAGE=build

FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends dpkg-dev python3-pip python3-venv
WORKDIR /source
COPY . .
# Set-up installs the headers of OpenCV.
RUN cargo xtask setup && cargo xtask dist --only deb --out /packages

FROM scratch AS made
COPY target/dist-out/*.deb /packages/

FROM ${PACKAGE} AS package

FROM debian:bookworm-slim
ARG OPENCV=libopencv-videoio406
RUN --mount=type=bind,from=package,source=/packages,target=/packages \
    apt-get update \
    && apt-get install --yes --no-install-recommends \
        systemd-standalone-sysusers ${OPENCV} /packages/faceattend_*.deb \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o faceattend -g faceattend -m 700 /data
USER faceattend
# The models are where earlier images have kept them.
ENV FACEATTEND_DATA_DIR=/data FACEATTEND_MODELS=/data/.local/share/faceattend/models FACEATTEND_HOST=0.0.0.0 HOME=/data
VOLUME /data
EXPOSE 8001
# Debian's slim image has no program that speaks HTTP, but its bash does. A server with TLS answers with a redirection.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD bash -c '\
    exec 3<>"/dev/tcp/127.0.0.1/${FACEATTEND_PORT:-8001}" \
    && printf "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" >&3 \
    && head -n 1 <&3 | grep -Eq "^HTTP/1.1 (200|30[1278])"'
ENTRYPOINT ["faceattend"]
CMD ["serve"]
