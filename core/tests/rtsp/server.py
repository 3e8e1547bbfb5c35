"""A real RTSP server on loopback for the tests: plays the frames of a Motion JPEG AVI file in a loop.

    server.py --port 8554 --clip class.avi [--codec h264|jpeg] [--slow SECONDS] [--user NAME --password WORD]
    server.py --check     # whether GStreamer and its RTSP server are there

Prints "ready" once it listens. GStreamer's own elements do the work; the launch lines are below.
"""

import argparse
import struct
import sys
import tempfile
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

SOURCE = 'multifilesrc location={frames}/%05d.jpg index=0 stop-index={last} loop=true caps="image/jpeg,framerate=25/1"'
CODECS = {
    "h264": SOURCE
    + " ! jpegdec ! videoconvert ! video/x-raw,format=I420"
    + " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10"
    + " ! rtph264pay name=pay0 pt=96 config-interval=1",
    "jpeg": SOURCE
    + " ! jpegdec ! videoconvert ! video/x-raw,format=I420 ! jpegenc ! rtpjpegpay name=pay0 pt=26",
}


def extract(clip, folder):
    """The JPEG frames of the clip as files; how many there are."""
    data = Path(clip).read_bytes()
    at, count = data.index(b"movi") + 4, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if name[2:] not in (b"dc", b"db"):
            break
        if size:
            Path(folder, f"{count:05d}.jpg").write_bytes(data[at + 8 : at + 8 + size])
            count += 1
        at += 8 + size + size % 2
    return count


class Factory(GstRtspServer.RTSPMediaFactory):
    """Makes the launch line's elements, after a while if told so: a camera that answers before it sees."""

    def __init__(self, launch, slow):
        super().__init__()
        self.launch, self.slow = launch, slow
        self.set_shared(True)

    def do_create_element(self, _url):
        time.sleep(self.slow)
        return Gst.parse_launch(self.launch)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--port")
    parser.add_argument("--clip")
    parser.add_argument("--codec", choices=CODECS, default="h264")
    parser.add_argument("--slow", type=float, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password")
    args = parser.parse_args()
    Gst.init(None)
    if args.check:
        wanted = ["multifilesrc", "jpegdec", "videoconvert", "x264enc", "rtph264pay", "jpegenc", "rtpjpegpay"]
        sys.exit(" ".join(name for name in wanted if not Gst.ElementFactory.find(name)) or 0)

    frames = tempfile.TemporaryDirectory()
    last = extract(args.clip, frames.name) - 1
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(args.port)
    factory = Factory(f"( {CODECS[args.codec].format(frames=frames.name, last=last)} )", args.slow)
    if args.user:
        auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(args.user, args.password), token)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role("viewer")
        for what in ("access", "construct"):
            permissions.add_permission_for_role("viewer", f"media.factory.{what}", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        sys.exit(f"cannot listen on port {args.port}")
    print("ready", flush=True)
    GLib.MainLoop().run()


main()
