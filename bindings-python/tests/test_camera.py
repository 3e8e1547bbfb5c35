"""Cameras and recordings."""

import asyncio

import pytest

import faceattend


def test_a_recording_gives_every_frame_and_ends(media):
    with faceattend.Camera(media / "collins" / "turn.avi") as camera:
        frames = list(camera)
    assert len(frames) == 46
    assert all(frame.shape == (360, 480, 3) for frame in frames)
    times = [frame.captured_at for frame in frames]
    assert times == sorted(times) and (times[-1] - times[0]).total_seconds() == pytest.approx(4.5)
    assert not camera.is_open and camera.read() is None


def test_a_folder_and_an_iterable_are_cameras_too(media):
    with faceattend.Camera(str(media / "hopper")) as camera:
        assert sum(1 for _ in camera) == 18
    pictures = [b"one", b"two"]
    with faceattend.Camera(pictures) as camera:
        assert list(camera) == pictures


def test_an_async_loop_gets_every_frame(media):
    async def count():
        async with faceattend.Camera(media / "collins" / "turn.avi") as camera:
            return [frame async for frame in camera]

    assert len(asyncio.run(count())) == 46


def test_leaving_a_loop_early_stops_the_camera(media):
    with faceattend.Camera(media / "class.avi") as camera:
        next(iter(camera))
        assert camera.health()["state"] in ("running", "connecting", "stopped")
    assert camera.health()["state"] == "stopped"


def test_what_cannot_be_opened_is_an_error_without_credentials(tmp_path):
    with pytest.raises(faceattend.FileError):
        faceattend.Camera(tmp_path / "none.avi").open()
    expected = faceattend.CameraError if faceattend.HAS_OPENCV else faceattend.StateError
    with pytest.raises(expected) as caught:
        faceattend.Camera("rtsp://user:S3CRET@127.0.0.1:9/x", open_timeout=1).open()
    assert "S3CRET" not in str(caught.value)
    with pytest.raises(faceattend.InvalidInputError):
        faceattend.Camera("file:///etc/passwd").open()


def test_a_frame_is_an_array_without_a_copy(media):
    np = pytest.importorskip("numpy")
    with faceattend.Camera(media / "collins" / "turn.avi") as camera:
        frame = camera.read()
    view = frame.to_numpy()
    assert view.base is frame and not view.flags.writeable and view.shape == frame.shape
    other = "bgr" if frame.color == "rgb" else "rgb"
    assert (frame.to_numpy(other) == np.asarray(frame)[:, :, ::-1]).all()


def test_an_orientation_turns_every_frame_and_a_mirror_mirrors_it_then(media):
    np = pytest.importorskip("numpy")

    def first(**options):
        with faceattend.Camera(media / "collins" / "turn.avi", **options) as camera:
            return np.asarray(camera.read())

    upright = first()
    assert (first(orientation=180) == upright[::-1, ::-1]).all()
    assert (first(orientation=90) == np.rot90(upright, -1)).all()
    assert (first(orientation=270, mirror=True) == np.rot90(upright)[:, ::-1]).all()
    with pytest.raises(faceattend.InvalidInputError, match="0, 90, 180, 270"):
        first(orientation=45)


def test_addresses_without_a_host_or_with_a_line_break_are_refused():
    for source in ("rtsp://", "RTSP://", "rtsp://user:pw@", "rtsp://host/a\r\nX: y"):
        with pytest.raises(faceattend.InvalidInputError):
            faceattend.Camera(source).open()
