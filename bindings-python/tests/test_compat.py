"""The compatibility layer, called as existing projects call it."""

import base64
import datetime
import json
import threading
import time

import numpy as np
import pytest

pytest.importorskip("django")

import faceattend  # noqa: E402
from faceattend import compat  # noqa: E402
from faceattend.compat import (  # noqa: E402
    CameraManager,
    CameraProcessor,
    FaceDetectionService,
    FaceRecognitionEngine,
    stored,
)
from tests.site.school.models import (  # noqa: E402
    Attendance,
    CameraStream,
    DetectionLog,
    Pupil,
    PupilAttendance,
    Student,
)

pytestmark = pytest.mark.django_db


def picture(media, name, view="center"):
    return np.ascontiguousarray(faceattend.decode_image(media / name / f"{view}.jpg").to_numpy("bgr"))


def data_uri(media, name, view="center"):
    return "data:image/jpeg;base64," + base64.b64encode((media / name / f"{view}.jpg").read_bytes()).decode()


@pytest.fixture
def unguarded(settings):
    """Marks photographs, for tests of marks and not of life."""
    settings.FACEATTEND = {**settings.FACEATTEND, "GATE": "off"}


@pytest.fixture
def collins(media):
    student = Student.objects.create(name="Eileen Collins", roll_number="R1")
    assert FaceRecognitionEngine().save_face_embedding(student, data_uri(media, "collins")) == (
        True,
        "Face embedding saved successfully",
    )
    return student


def plain(value):
    """Whether a value is made of plain Python types only."""
    if isinstance(value, dict):
        return type(value) is dict and all(plain(k) and plain(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return type(value) in (list, tuple) and all(plain(each) for each in value)
    return value is None or type(value) in (bool, int, float, str)


def test_faces_are_detected_as_before(media):
    [face] = FaceRecognitionEngine().detect_faces(picture(media, "hopper"))
    assert set(face) == {"bbox", "confidence"} and plain(face)
    x, y, w, h = face["bbox"]
    assert 80 < w < 200 and 80 < h < 200 and 0 < x < 480 and face["confidence"] > 0.5
    assert FaceRecognitionEngine().detect_faces(np.zeros((100, 100, 3), np.uint8)) == []


def test_encodings_compare(media):
    engine = FaceRecognitionEngine()
    frame = picture(media, "hopper")
    [face] = engine.detect_faces(frame)
    one = engine.extract_face_encoding(frame, face["bbox"])
    assert type(one) is str and one
    other = engine.extract_face_encoding(picture(media, "hopper", "yaw+05"), None)
    stranger = engine.extract_face_encoding(picture(media, "obama"), None)
    match, alike = engine.compare_faces(one, [stranger, other])
    assert match is True and type(alike) is float and alike > 0.9
    match, alike = engine.compare_faces(one, [stranger], tolerance=0.6)
    assert match is False and alike < 0.7
    assert engine.compare_faces(one, [other], tolerance=0.0)[0] is False
    for nothing in ([], None, [""], ["123456"], [None]):
        assert engine.compare_faces(one, nothing) == (False, 0.0)
    assert engine.compare_faces("", [one]) == (False, 0.0)
    assert engine.extract_face_encoding(frame, (0, 0, 10, 10)) == ""


def test_a_frame_is_processed_and_marks_once_a_day(media, collins, unguarded):
    camera = CameraStream.objects.create(name="Gate", location="Main gate")
    engine = FaceRecognitionEngine()
    engine.load_known_faces()
    results = engine.process_frame(picture(media, "collins", "yaw+05"), camera)
    assert "error" not in results and plain(results)
    assert set(results) == {
        "faces_detected",
        "faces_recognized",
        "unrecognized_faces",
        "confidence_scores",
        "recognition_accuracy",
        "metadata",
        "attendance_marked",
    }
    assert (results["faces_detected"], results["faces_recognized"], results["unrecognized_faces"]) == (1, 1, 0)
    assert results["recognition_accuracy"] == 1.0 and results["confidence_scores"][0] > 0.9
    assert results["attendance_marked"] == [
        {"student_name": "Eileen Collins", "student_id": collins.pk, "status": "PRESENT"}
    ]
    row = Attendance.objects.get()
    assert (row.student, row.status, row.camera) == (collins, "PRESENT", camera) and row.confidence_score > 0.9
    assert engine.process_frame(picture(media, "collins"), camera)["attendance_marked"] == []
    assert Attendance.objects.count() == 1
    json.dumps(results)


def test_a_stranger_an_empty_frame_and_no_frame(media, collins):
    engine = FaceRecognitionEngine()
    results = engine.process_frame(picture(media, "obama"), None)
    assert (results["faces_recognized"], results["unrecognized_faces"], results["attendance_marked"]) == (0, 1, [])
    results = engine.process_frame(np.zeros((240, 320, 3), np.uint8), None)
    assert results["faces_detected"] == 0 and results["recognition_accuracy"] == 0.0
    results = engine.process_frame(None, None)
    assert results["error"] and results["faces_detected"] == 0
    assert not Attendance.objects.exists()


def test_a_new_face_is_saved_or_a_reason_given(media):
    engine = FaceRecognitionEngine()
    student = Student.objects.create(name="Grace Hopper", roll_number="R2")
    for bad in ("data:image/jpeg;base64,AAAA", "", b"", np.zeros((100, 100, 3), np.uint8)):
        done, message = engine.save_face_embedding(student, bad)
        assert done is False and type(message) is str and message
    assert not engine.add_new_student_face(student, np.zeros((100, 100, 3), np.uint8))
    assert engine.process_frame(picture(media, "hopper"), None)["faces_recognized"] == 0
    assert engine.add_new_student_face(student, picture(media, "hopper"))
    assert engine.process_frame(picture(media, "hopper", "yaw+05"), None)["faces_recognized"] == 1
    student.refresh_from_db()
    assert student.face_embedding.startswith("faceattend:")


def test_an_inactive_student_is_not_recognized(media, collins):
    Student.objects.filter(pk=collins.pk).update(is_active=False)
    assert FaceRecognitionEngine().process_frame(picture(media, "collins"), None)["faces_recognized"] == 0


def test_another_model_is_named_in_the_settings(media, settings):
    settings.FACEATTEND = {**settings.FACEATTEND, "STUDENT_MODEL": "school.Pupil", "GATE": "off"}
    pupil = Pupil.objects.create(full_name="Barack Obama")
    engine = FaceRecognitionEngine()
    assert engine.save_face_embedding(pupil, data_uri(media, "obama"))[0]
    pupil.refresh_from_db()
    assert len(bytes(pupil.face_encoding)) == 4 * 128
    engine = FaceRecognitionEngine()
    assert engine.load_known_faces() == 1 and engine.known_face_names == ["Barack Obama"]
    seen = engine.process_frame(picture(media, "obama", "yaw+05"), None)
    assert seen["faces_recognized"] == 1 and "error" not in seen
    assert seen["attendance_marked"] == [{"student_name": "Barack Obama", "student_id": pupil.pk, "status": "Present"}]
    # Here nothing but our own question to the table keeps the day's mark the only one.
    camera = CameraStream.objects.create(name="Gate", location="A place with a long name")
    assert engine.process_frame(picture(media, "obama", "yaw+05"), camera)["attendance_marked"] == []
    row = PupilAttendance.objects.get()
    assert (row.pupil, row.status) == (pupil, "Present")
    row.timestamp -= datetime.timedelta(days=1)
    row.save()
    assert engine.process_frame(picture(media, "obama", "yaw+05"), camera)["attendance_marked"]
    assert PupilAttendance.objects.latest("pk").camera_location == "A place wi"


def test_a_project_without_attendance_recognizes_and_marks_nobody(media, collins, monkeypatch):
    monkeypatch.setattr("faceattend.compat.site.attendance_model", lambda student: None)
    seen = FaceRecognitionEngine().process_frame(picture(media, "collins", "yaw+05"), None)
    assert seen["faces_recognized"] == 1 and seen["attendance_marked"] == [] and "error" not in seen


def test_embeddings_are_read_in_every_stored_form_and_not_from_other_engines(engine, media, settings):
    one = engine.embed(media / "hopper" / "center.jpg")
    forms = [one, stored.encode(one), one.to_bytes(), memoryview(one.to_bytes()), one.to_list(), one.to_numpy()]
    forms += [json.dumps(one.to_list()), base64.b64encode(one.to_bytes()).decode(), json.dumps(one.to_list()).encode()]
    forms += [one.to_numpy().astype("<f8").tobytes(), [one.to_list()]]
    for form in forms:
        assert stored.decode(form, engine).similarity(one) > 0.999, type(form)
    # A hash; face_recognition's vectors, which are not of length 1; one of another length; damage.
    others = [
        "482913",
        (np.ones(128) * 0.2).tolist(),
        [1.0] + [0.0] * 511,
        "faceattend:m:???",
        b"abc",
        '[1, "x"]',
        {},
        7,
    ]
    for other in others:
        assert stored.decode(other, engine) is None, other
    settings.FACEATTEND = {**settings.FACEATTEND, "UNTAGGED": "never"}
    assert stored.decode(one.to_list(), engine) is None and stored.decode(stored.encode(one), engine) is not None
    assert stored.decode(one.to_list(), engine, model=one.model) is not None


def test_a_stream_is_followed_and_drawn(media, collins, unguarded):
    service = FaceDetectionService(CameraStream.objects.create(name="Gate", location="Main gate"))
    frame = picture(media, "collins", "yaw+00")
    results = service.process_frame(frame)
    assert set(results) == {"face_locations", "face_names", "processing_time", "faces_detected", "students_recognized"}
    assert plain(results) and results["face_names"] == ["Eileen Collins"]
    assert (results["faces_detected"], results["students_recognized"]) == (1, 1)
    top, right, bottom, left = results["face_locations"][0]
    assert top < bottom and left < right
    # Several views have to agree before a stream marks.
    assert not Attendance.objects.exists()
    service.process_frame(picture(media, "collins", "yaw+05"))
    assert Attendance.objects.get().student == collins
    assert DetectionLog.objects.get().camera.name == "Gate"
    drawn = service.draw_results_on_frame(frame, results)
    assert drawn.shape == frame.shape and drawn.dtype == np.uint8 and (drawn != frame).any()
    assert tuple(drawn[top, (left + right) // 2]) == (0, 200, 0)

    Student.objects.create(name="Barack", roll_number="R3")
    student = Student.objects.get(roll_number="R3")
    FaceRecognitionEngine().save_face_embedding(student, data_uri(media, "obama"))
    assert service.process_frame(picture(media, "obama"))["face_names"] == ["Unknown"]
    service.reload_known_faces()
    assert service.process_frame(picture(media, "obama"))["face_names"] == ["Barack"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("arguments", [1, 2, 3])
def test_a_processor_calls_back_with_what_the_callback_takes(media, arguments):
    calls = []
    callback = {
        1: lambda results: calls.append((results,)),
        2: lambda frame, results: calls.append((frame, results)),
        3: lambda stream, frame, results: calls.append((stream, frame, results)),
    }[arguments]
    stream = CameraStream.objects.create(name="Clip", rtsp_url=str(media / "collins" / "turn.avi"))
    processor = CameraProcessor(stream, callback)
    assert processor.is_running is False and processor.start() is True and processor.start() is True
    deadline = time.monotonic() + 60
    while len(calls) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    processor.stop()
    assert processor.is_running is False
    assert len(calls) >= 2 and len(calls[0]) == arguments and calls[0][-1]["faces_detected"] == 1
    if arguments > 1:
        assert calls[0][-2].shape == (360, 480, 3)


@pytest.mark.django_db(transaction=True)
def test_the_manager_starts_stops_and_tells(media):
    clip = str(media / "class.avi")
    gate = CameraStream.objects.create(name="Gate", location="Main gate", rtsp_url=clip)
    CameraStream.objects.create(name="Off", rtsp_url=clip, is_active=False)
    bad = CameraStream.objects.create(name="No address")
    manager = CameraManager()
    manager.start_all_cameras()
    status = manager.get_camera_status()
    assert plain(status) and set(status) == {gate.pk, bad.pk}
    assert status[gate.pk] == {"is_running": True, "camera_name": "Gate", "camera_location": "Main gate"}
    assert status[bad.pk]["is_running"] is False
    yard = CameraStream.objects.create(name="Yard", rtsp_url=clip)
    assert manager.add_camera(yard) and manager.get_camera_status()[yard.pk]["is_running"]
    assert manager.remove_camera(yard.pk) and not manager.remove_camera(yard.pk)
    CameraStream.objects.filter(pk=gate.pk).update(is_active=False)
    manager.reload_cameras()
    assert set(manager.get_camera_status()) == {bad.pk, yard.pk}
    manager.stop_all_cameras()
    assert manager.get_camera_status() == {}
    assert not [thread for thread in threading.enumerate() if thread.name == "faceattend-camera" and thread.is_alive()]


def test_the_names_are_where_existing_modules_had_them():
    from faceattend.compat.camera_processor import CameraManager as Manager, camera_manager
    from faceattend.compat.face_detection import FaceDetectionService as Service
    from faceattend.compat.face_recognition_engine import FaceRecognitionEngine as Engine

    assert (Manager, Service, Engine) == (
        compat.CameraManager,
        compat.FaceDetectionService,
        compat.FaceRecognitionEngine,
    )
    assert isinstance(camera_manager, Manager)
