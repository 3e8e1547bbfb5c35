"""Ten thousand calls, and the memory stays where it was."""

import gc

import numpy as np
import pytest

import faceattend

psutil = pytest.importorskip("psutil")


def grown(call, warm, times):
    """By how many bytes the process has grown over `times` calls, after `warm` of them."""
    process = psutil.Process()
    for _ in range(warm):
        call()
    gc.collect()
    before = process.memory_info().rss
    for _ in range(times):
        call()
    gc.collect()
    return process.memory_info().rss - before


# A leak of one embedding (512 bytes) a call would be 5 MB over ten thousand; of one small frame, 150 MB.
ALLOWED = 3 << 20


def test_values_do_not_leak(engine, media, tmp_path):
    one = engine.embed(media / "hopper" / "center.jpg")
    gallery = faceattend.Gallery()
    gallery.load({number: one for number in range(50)})
    session = faceattend.LivenessSession()

    def call():
        copy = faceattend.Embedding.from_bytes(one.to_bytes(), one.model)
        copy.to_numpy(), copy.to_list(), copy.similarity(one), copy.cosine(one)
        gallery.search(copy)
        gallery.identify(copy).to_dict()
        gallery.replace(7, copy)
        session.to_json()
        with pytest.raises(faceattend.InvalidInputError):
            faceattend.Embedding.from_bytes(b"abc", "m")

    assert grown(call, 1000, 10_000) < ALLOWED


def test_frames_do_not_leak(engine):
    noise = np.random.default_rng(1).integers(0, 256, (64, 80, 3), np.uint8)
    gaps = np.zeros((64, 160, 3), np.uint8)[:, ::2]
    small = faceattend.Engine(antispoof="off", threads=1, input_size=64)

    def call():
        small.detect(noise)
        with pytest.raises(faceattend.InvalidImageError):
            small.detect(b"no picture")

    assert grown(call, 500, 10_000) < ALLOWED
    # Copied first.
    assert grown(lambda: small.detect(gaps), 100, 1000) < ALLOWED


def test_faces_do_not_leak(engine, media):
    frame = faceattend.decode_image(media / "hopper" / "center.jpg")

    def call():
        [face] = engine.analyze(frame)
        face.to_dict(), face.mesh, face.landmarks, face.quality, face.pose, face.embedding.to_numpy()

    # Each of these looks with every model; ten thousand would take minutes.
    assert grown(call, 50, 300) < ALLOWED
