"""What was made before a fork, used after it."""

import os
import sys

import pytest

import faceattend

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def in_child(work):
    """What `work` returns in a forked child, as text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, str(work()).encode())
        except BaseException as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            sys.stderr.flush()
            os._exit(0)
    os.close(writer)
    answer = b""
    while part := os.read(reader, 65536):
        answer += part
    os.close(reader)
    os.waitpid(child, 0)
    return answer.decode()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_engine_that_was_used_is_loaded_anew(engine, media):
    picture = str(media / "hopper" / "center.jpg")
    known = engine.embed(picture)
    for _ in range(3):
        assert in_child(lambda: engine.embed(picture) == known) == "True"
    assert engine.embed(picture) == known


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_store_is_opened_anew(tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    store.create_student("A", "R1")
    assert in_child(lambda: store.create_student("B", "R2").id) == "2"
    assert [student.name for student in store.students()] == ["A", "B"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_camera_says_that_it_stayed_behind(media):
    with faceattend.Camera(media / "class.avi") as camera:
        camera.read()
        assert in_child(camera.read).startswith("StateError")
        assert in_child(camera.close) == "None"
        assert camera.read() is not None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_gallery_and_a_session_go_along(engine, media):
    gallery = faceattend.Gallery()
    one = engine.embed(media / "hopper" / "center.jpg")
    gallery.insert(1, one)
    session = faceattend.LivenessSession(mirrored=False)

    def work():
        outcome = session.observe(media / "collins" / "center.jpg", "center", engine)
        return gallery.identify(one).student_id, outcome.is_live

    assert in_child(work) == "(1, True)"
