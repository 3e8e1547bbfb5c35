"""Models of one's own, and packs that are fetched or brought: as the server's settings and commands have them."""

import hashlib
import os
import signal
import threading
import time
from pathlib import Path

import pytest

import faceattend

from .conftest import PART

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "models"
# ArcFace MobileFaceNet in Paddle's conversion, which wants blue first. No pack knows it.
PADDLE = SHARED / "embed" / "arcface_mobilefacenet_paddle_128.onnx"
SCRFD = SHARED / "detect" / "scrfd_2.5g_bnkps.onnx"

beside = pytest.mark.skipif(not PADDLE.exists(), reason=f"skipped: {PADDLE} is not here")
views = [(person, view) for person in ("collins", "hopper", "obama") for view in ("center", "left", "right")]


def gap(engine, media):
    """The lowest cosine of two views of one person less the highest of two people."""
    seen = [(person, engine.embed(media / person / f"{view}.jpg")) for person, view in views]
    pairs = [(a, b) for at, a in enumerate(seen) for b in seen[:at]]
    same = min(a[1].cosine(b[1]) for a, b in pairs if a[0] == b[0])
    return same - max(a[1].cosine(b[1]) for a, b in pairs if a[0] != b[0])


@beside
def test_an_embedder_that_wants_blue_first_gets_it_and_tells_people_apart_better(media):
    rgb = faceattend.Engine(embedder=PADDLE, antispoof="off", threads=1)
    bgr = faceattend.Engine(embedder=PADDLE, embedder_channels="bgr", antispoof="off", threads=1)
    assert gap(bgr, media) > gap(rgb, media)
    assert bgr.model == rgb.model + "-bgr"
    picture = media / "hopper" / "center.jpg"
    with pytest.raises(faceattend.ModelMismatchError):
        rgb.embed(picture).similarity(bgr.embed(picture))


@beside
def test_a_detector_of_ones_own_looks_as_closely_as_it_is_told(media):
    picture = media / "hopper" / "center.jpg"
    fixed = faceattend.Engine(detector=SCRFD, detector_size=640, antispoof="off", threads=1)
    auto = faceattend.Engine(detector=SCRFD, detector_size="auto", antispoof="off", threads=1)
    older = faceattend.Engine(detector=SCRFD, input_size=640, antispoof="off", threads=1)
    assert "Scrfd" in fixed.describe()["detector"]
    boxes = [engine.detect(picture)[0].bbox for engine in (fixed, older, auto)]
    assert boxes[0] == boxes[1] != boxes[2]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"embedder_channels": "grb"}, "neither rgb nor bgr"),
        ({"embedder_channels": "bgr"}, "name the embedder's file too"),
        ({"detector_size": 5}, "from 32 to 4096"),
        ({"detector_size": "large"}, "from 32 to 4096"),
        ({"detector_size": True}, "from 32 to 4096"),
        ({"detector_size": 640, "input_size": 640}, "one of the two"),
    ],
)
def test_a_choice_that_cannot_be_meant_is_refused_with_what_to_do(options, words):
    with pytest.raises(faceattend.InvalidInputError, match=words):
        faceattend.Engine(antispoof="off", **options).load()


@pytest.mark.parametrize(
    "pack, words", [("nothing", "minifasnet"), ("minifasnet", "no detector"), ("buffalo_s", "models pull buffalo_s")]
)
def test_a_pack_that_cannot_be_used_says_what_to_do(pack, words, tmp_path):
    with pytest.raises(faceattend.ModelError, match=words):
        faceattend.Engine(pack=pack, models_folder=tmp_path).load()


def test_a_brought_file_is_put_into_its_pack(tmp_path):
    packed = ROOT / "models" / "default"
    brought = tmp_path / "download.bin"
    brought.write_bytes((packed / "blazeface.onnx").read_bytes())
    [added] = faceattend.models.add(brought, folder=tmp_path / "models")
    assert (added["pack"], added["file"]) == ("default", "blazeface.onnx")
    assert added["path"].read_bytes() == brought.read_bytes()
    assert "face-mesh.onnx" in added["missing"]
    brought.write_bytes(b"something else")
    with pytest.raises(faceattend.ModelError, match=hashlib.sha256(b"something else").hexdigest()):
        faceattend.models.add(brought, folder=tmp_path / "models")


def test_a_download_is_cancelled_at_once_and_keeps_what_has_come(silent, begun):
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(faceattend.DownloadError, match="stopped after 1000 of 1743495 bytes"):
        faceattend.models.pull("minifasnet", folder=begun, cancelled=cancel.is_set)
    assert time.monotonic() - started < 5
    assert (begun / PART).read_bytes() == bytes(1000)


def test_what_progress_raises_stops_the_download(silent, begun):
    seen = []

    def progress(file, done, total):
        seen.append((file, done, total))
        if len(seen) == 3:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        faceattend.models.pull("minifasnet", folder=begun, progress=progress)
    assert set(seen) == {(Path(PART).stem, 1000, 1743495)} and len(seen) == 3


@pytest.fixture
def ctrl_c():
    """Python's own answer to SIGINT, which a shell takes away from what it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_stops_a_download(silent, begun, ctrl_c):
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        faceattend.models.pull("minifasnet", folder=begun)
    assert (begun / PART).read_bytes() == bytes(1000)
