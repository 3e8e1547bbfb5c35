"""A network camera for `cargo xtask bench --cameras`: a clip in a loop over RTSP, 1280 x 720, 25 pictures a second.

    stream.py PORT CLIP FOLDER

The clip (an AVI file of Motion JPEG) is encoded as H.264 once, into FOLDER, so that serving it is packing and sending
alone. However many watch it, it is packed once. Prints "ready" once it listens. Needs Debian's own Python with the
packages that `cargo xtask setup --tests` installs.
"""

import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

# As cameras are set: 2 Mbit a second, a whole picture every two seconds, no pictures that refer to later ones.
ENCODE = (
    'filesrc location="{clip}" ! avidemux ! jpegdec ! videoconvert ! videoscale ! videorate'
    " ! video/x-raw,format=I420,width=1280,height=720,framerate=25/1"
    " ! x264enc bitrate=2000 key-int-max=50 bframes=0 speed-preset=fast"
    " ! video/x-h264,stream-format=byte-stream,alignment=au,profile=main"
    ' ! multifilesink location="{folder}/%05d.h264"'
)
SERVE = (
    '( multifilesrc location="{folder}/%05d.h264" index=0 stop-index={last} loop=true'
    ' caps="video/x-h264,stream-format=byte-stream,alignment=au,width=1280,height=720,framerate=25/1"'
    " ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)


def encode(clip, folder):
    pipeline = Gst.parse_launch(ENCODE.format(clip=clip, folder=folder))
    pipeline.set_state(Gst.State.PLAYING)
    wanted = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, wanted)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        sys.exit(f"{clip} cannot be encoded: {message.parse_error().gerror.message}")


def main():
    port, clip, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    Gst.init(None)
    done = folder / "done"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        encode(clip, folder)
        done.touch()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    last = len(list(folder.glob("*.h264"))) - 1
    factory.set_launch(SERVE.format(folder=folder, last=last))
    factory.set_shared(True)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        sys.exit(f"cannot listen on port {port}")
    print("ready", flush=True)
    GLib.MainLoop().run()


main()
