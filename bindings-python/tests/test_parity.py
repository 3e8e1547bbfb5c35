"""The figures that Rust gives, out of Python, in every form that a picture comes in."""

import base64
import itertools
import json

import numpy as np
import pytest

import faceattend


def near(ours, known, tolerance):
    assert np.max(np.abs(np.asarray(ours, float) - np.asarray(known, float))) <= tolerance, (ours, known)


def test_every_face_has_the_figures_of_the_fixture(engine, media, parity):
    by = parity["tolerances"]
    assert (engine.model, engine.dimension) == (parity["model"], parity["dimension"])
    for picture in parity["pictures"]:
        faces = engine.analyze(media / picture["file"])
        assert len(faces) == len(picture["faces"]), picture["file"]
        for face, known in zip(faces, picture["faces"]):
            near(face.bbox, known["box"], by["pixels"])
            near(face.landmarks, known["landmarks"], by["pixels"])
            near(face.score, known["score"], by["score"])
            near(
                [face.pose.yaw, face.pose.pitch, face.pose.roll],
                [known[k] for k in ("yaw", "pitch", "roll")],
                by["degrees"],
            )
            near(face.pose.nose_offset, known["nose_offset"], by["embedding"])
            near(face.embedding.to_numpy()[:8], known["embedding_head"], by["embedding"])
            assert face.quality.reasons == known["reasons"]


def test_every_pair_is_as_alike_as_in_the_fixture(engine, media, parity):
    embeddings = {picture["file"]: engine.embed(media / picture["file"]) for picture in parity["pictures"]}
    assert len(parity["pairs"]) == len(list(itertools.combinations(embeddings, 2)))
    for pair in parity["pairs"]:
        a, b = embeddings[pair["a"]], embeddings[pair["b"]]
        near(a.cosine(b), pair["cosine"], parity["tolerances"]["similarity"])
        near(faceattend.similarity(a, b), pair["similarity"], parity["tolerances"]["similarity"])


def test_liveness_sessions_go_as_in_the_fixture(engine, media, parity):
    for steps in parity["liveness"]:
        session = faceattend.LivenessSession(mirrored=False)
        for step in steps:
            outcome = session.observe(media / step["file"], step["position"], engine)
            got = {
                "file": step["file"],
                "position": outcome.requested,
                "detected_pose": outcome.detected_pose,
                "is_live": outcome.is_live,
                "refused_for": None if outcome.is_live else outcome.reasons[0],
                "session_completed": outcome.session_completed,
            }
            assert got == step


@pytest.mark.parametrize(
    "form",
    [
        "path",
        "text path",
        "bytes",
        "bytearray",
        "memoryview",
        "base64",
        "data uri",
        "pil",
        "rgb",
        "bgr",
        "frame",
        "view",
    ],
)
def test_a_picture_is_the_same_in_every_form(engine, media, form):
    image = pytest.importorskip("PIL.Image")
    path = media / "hopper" / "left.jpg"
    data = path.read_bytes()
    # Our own decoder's pixels: Pillow's differ in the last bit.
    frame = faceattend.decode_image(data)
    rgb = frame.to_numpy("rgb")
    options = {"color": "rgb"} if form in ("rgb", "view") else {}
    picture = {
        "path": path,
        "text path": str(path),
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "base64": base64.b64encode(data).decode(),
        "data uri": "data:image/jpeg;base64," + base64.b64encode(data).decode(),
        "pil": image.fromarray(rgb),
        "rgb": rgb,
        "bgr": np.ascontiguousarray(rgb[:, :, ::-1]),
        "frame": frame,
        # Rows with gaps, which are copied first.
        "view": np.concatenate([rgb, rgb], axis=1)[:, : rgb.shape[1]],
    }[form]
    [face] = engine.analyze(picture, **options)
    [known] = engine.analyze(path)
    near(face.bbox, known.bbox, 0.01)
    assert face.embedding.similarity(known.embedding) > 0.9999


def test_a_wrong_channel_order_shows(engine, media):
    # The face is found either way; the embedding tells.
    rgb = faceattend.decode_image(media / "hopper" / "center.jpg").to_numpy("rgb")
    right, wrong = engine.embed(rgb, color="rgb"), engine.embed(rgb, color="bgr")
    assert right.similarity(wrong) < 0.99


def test_the_side_of_a_turned_head(engine, media):
    [left] = engine.analyze(media / "collins" / "left.jpg")
    [right] = engine.analyze(media / "collins" / "right.jpg")
    assert left.pose.yaw > 15 and right.pose.yaw < -15


def test_every_answer_goes_through_json(engine, media):
    [face] = engine.analyze(media / "obama" / "center.jpg")
    told = json.loads(json.dumps(face.to_dict()))
    assert told["bbox"] == pytest.approx(list(face.bbox)) and "embedding" not in told
    gallery = faceattend.Gallery()
    gallery.insert(7, face.embedding)
    seen = gallery.identify(face.embedding)
    assert json.loads(json.dumps(seen.to_dict()))["student_id"] == 7
    json.dumps(faceattend.LivenessSession().observe(media / "obama" / "center.jpg", "center", engine).to_dict())
