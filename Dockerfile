# The server with cameras. It listens on every address of the container, which it does only with a password of your own:
#
#     docker build --tag faceattend .
#     docker run --rm -it --volume faceattend:/data faceattend admin passwd
#     docker run --volume faceattend:/data --publish 8001:8001 faceattend
#
# A camera at this machine is passed on with `--device /dev/video0 --group-add video`.

FROM rust:1-bookworm AS build
WORKDIR /source
COPY . .
# Set-up installs OpenCV's headers with the system's tools, and fetches ONNX Runtime with pip.
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pip && cargo xtask setup
RUN export OPENCV_LINK_PATHS="/usr/lib/$(uname -m)-linux-gnu" \
    OPENCV_INCLUDE_PATHS="/usr/include/$(uname -m)-linux-gnu/opencv4,/usr/include/opencv4" \
    && cargo build --locked --profile dist --package faceattend-server --bin faceattend \
    && mkdir /built \
    && cp target/dist/faceattend LICENSE* "$HOME"/.cache/faceattend/onnxruntime/*/libonnxruntime.so* /built/

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libopencv-videoio406 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --groups video --home-dir /data faceattend \
    && install -d -o faceattend -g faceattend -m 700 /data
# ONNX Runtime is looked for beside the program.
COPY --from=build /built/ /opt/faceattend/
USER faceattend
ENV FACEATTEND_DATA_DIR=/data FACEATTEND_HOST=0.0.0.0 PATH=/opt/faceattend:$PATH
VOLUME /data
EXPOSE 8001
ENTRYPOINT ["faceattend"]
CMD ["serve", "--port", "8001"]
