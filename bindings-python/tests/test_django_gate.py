"""Django's live view, cameras and compatibility layer mark the living, and lose nobody."""

import io
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("django")
image = pytest.importorskip("PIL.Image")

from django.contrib.admin.models import LogEntry  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import reverse  # noqa: E402

import faceattend  # noqa: E402
from faceattend.compat import FaceDetectionService, FaceRecognitionEngine, attendance  # noqa: E402
from faceattend.contrib.django import conf, enrolment, recognition, signals, views  # noqa: E402
from faceattend.contrib.django.models import Attendance, DetectionLog, SecondLook, Student  # noqa: E402
from tests.site.school import models as school  # noqa: E402

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    views._followed.clear()
    recognition.forget()
    yield
    recognition.forget()


@pytest.fixture
def short(settings):
    """A wait of half a second: tests post as fast as they can."""
    settings.FACEATTEND = {**settings.FACEATTEND, "GATE_WAIT": 0.5}


@pytest.fixture
def told():
    """What the signals tell: the name of the signal, the student's name, the place."""
    heard = []

    def hear(name):
        def receiver(student, camera_location, sighting, **_):
            heard.append((name, student.name, camera_location))
            assert sighting.liveness != "live"

        return receiver

    receivers = {each: hear(each) for each in ("second_look", "spoof_suspected")}
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver)
    yield heard
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)


@pytest.fixture
def collins(media, db):
    student = Student.objects.create(name="Eileen Collins", roll_number="R1")
    enrolment.enrol_from_photos(student, [media / "collins" / f"{view}.jpg" for view in ("center", "left", "right")])
    recognition.forget()
    return student


@pytest.fixture
def pupil(media, db):
    student = school.Student.objects.create(name="Eileen Collins", roll_number="R1")
    assert FaceRecognitionEngine().add_new_student_face(student, (media / "collins" / "center.jpg").read_bytes())
    return student


@pytest.fixture
def post(client, db):
    """Posts a frame of the live view of one page, and returns the answer."""
    client.force_login(get_user_model().objects.create_superuser("root", password="root"))
    url = reverse("admin:faceattend_student_live_frame") + "?mark=1&location=Gate"
    return lambda jpeg, view="a": client.post(f"{url}&view={view}", jpeg, content_type="image/jpeg").json()


def frames(media):
    """A head that turns, as a camera gives it: the frames of a program have no time but that of their call."""
    with faceattend.Camera(media / "collins" / "turn.avi") as camera:
        for frame in camera:
            yield frame.to_numpy("bgr")
            time.sleep(0.08)


def jpeg_of(frame):
    data = io.BytesIO()
    image.fromarray(frame[..., ::-1]).save(data, "JPEG", quality=92)
    return data.getvalue()


def photograph(media):
    return np.ascontiguousarray(faceattend.decode_image(media / "collins" / "center.jpg").to_numpy("bgr"))


def test_the_live_view_marks_a_head_that_turns(post, media, collins, told):
    answers = [post(jpeg_of(frame)) for frame in frames(media)]
    marked = [mark for answer in answers for mark in answer["marked"]]
    assert marked == [{"name": "Eileen Collins", "status": "Present"}]
    assert answers[-1]["faces"][0]["liveness"] == "live" and Attendance.objects.get().camera_location == "Gate"
    assert not any(answer["second_looks"] or answer["suspected"] for answer in answers) and told == []


def test_the_live_view_marks_no_photograph_and_tells_of_it(post, media, collins, told, short):
    jpeg = (media / "collins" / "center.jpg").read_bytes()
    looks = []
    for _ in range(400):
        answer = post(jpeg)
        assert answer["marked"] == []
        looks += answer["second_looks"]
        if looks:
            break
    assert [look["name"] for look in looks] == ["Eileen Collins"] and looks[0]["reason"]
    assert ("second_look", "Eileen Collins", "Gate") in told and not Attendance.objects.exists()
    # One picture alone is named, and proves nothing.
    assert answer["faces"][0]["name"] == "Eileen Collins" and answer["faces"][0]["liveness"] != "live"


def test_whoever_is_marked_already_needs_no_second_look(post, media, collins, told, short):
    recognition.mark(collins.pk, 0.9, "Office")
    answers = [post((media / "collins" / "center.jpg").read_bytes()) for _ in range(60)]
    assert not any(answer["second_looks"] for answer in answers) and "second_look" not in {name for name, *_ in told}


def test_a_page_that_is_closed_loses_nobody(post, media, collins, told, monkeypatch):
    for _ in range(4):
        post((media / "collins" / "center.jpg").read_bytes())
    assert told == []
    monkeypatch.setattr(views, "_IDLE", 0.0)
    post(b"no picture", view="b")
    assert ("second_look", "Eileen Collins", "Gate") in told


@pytest.mark.django_db(transaction=True)
def test_a_recording_is_observed_and_asks_for_life_where_that_is_said(media, collins, told, settings, capsys, tmp_path):
    clip = str(media / "class.avi")
    assert (conf.gate(), conf.gate("0"), conf.gate("rtsp://camera/1"), conf.gate(clip)) == (
        "require",
        "require",
        "require",
        "observe",
    )
    settings.FACEATTEND = {**settings.FACEATTEND, "GATE": "require"}
    assert conf.gate(clip) == "require"
    # The same photograph, 25 a second.
    for number in range(40):
        shutil.copy(media / "collins" / "center.jpg", tmp_path / f"{number:03}.jpg")
    call_command("faceattend_run_cameras", "--source", str(tmp_path), "--location", "Room 1")
    assert not Attendance.objects.exists()
    assert ("second_look", "Eileen Collins", "Room 1") in told
    assert [(look.student, look.camera_location) for look in SecondLook.objects.all()] == [(collins, "Room 1")]
    assert "Eileen Collins is not marked, somebody has to look" in capsys.readouterr().out
    assert DetectionLog.objects.filter(camera_location="Room 1").exists()
    # It has the time of each frame.
    call_command("faceattend_run_cameras", "--source", str(media / "collins" / "turn.avi"), "--location", "Room 2")
    assert Attendance.objects.get().camera_location == "Room 2"
    assert SecondLook.objects.get().state == "settled", "the mark settles it"


def test_a_second_look_is_confirmed_or_refused_once_and_the_log_says_by_whom(client, post, media, collins, short):
    def seen_by_a_camera():
        for _ in range(400):
            if post((media / "collins" / "center.jpg").read_bytes())["second_looks"]:
                return SecondLook.objects.get(state="open")
        raise AssertionError("nobody has to look")

    def decide(action, look):
        chosen = {"action": action, "_selected_action": [look.pk]}
        return client.post(reverse("admin:faceattend_secondlook_changelist"), chosen, follow=True).content.decode()

    look = seen_by_a_camera()
    assert (look.student, look.camera_location, bool(look.reason)) == (collins, "Gate", True)
    assert "1 refused" in decide("refuse", look) and not Attendance.objects.exists()
    views._followed.clear()
    look = seen_by_a_camera()
    assert "1 confirmed" in decide("confirm", look) and "0 confirmed" in decide("confirm", look)
    row = Attendance.objects.get()
    assert (row.student, row.timestamp, row.camera_location) == (collins, look.seen_at, "Gate")
    assert [(each.state, each.decided_by) for each in SecondLook.objects.order_by("pk")] == [
        ("refused", "root"),
        ("confirmed", "root"),
    ]
    assert LogEntry.objects.filter(object_id=look.pk, change_message="confirmed").exists()
    # Whoever may not mark may not decide.
    clerk = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_secondlook"))
    client.force_login(clerk)
    assert client.get(reverse("admin:faceattend_secondlook_changelist")).status_code == 200
    SecondLook.objects.filter(pk=look.pk).update(state="open")
    decide("refuse", look)
    assert SecondLook.objects.get(pk=look.pk).state == "open"


def test_the_compatible_engine_marks_no_single_picture_and_a_head_that_turns(media, pupil, told):
    camera = school.CameraStream.objects.create(name="Gate", location="Main gate")
    engine = FaceRecognitionEngine()
    for _ in range(5):
        results = engine.process_frame(photograph(media), camera)
        assert (results["faces_recognized"], results["attendance_marked"]) == (1, [])
    assert not school.Attendance.objects.exists()
    engine.finish()
    assert told == [("second_look", "Eileen Collins", "Main gate")]
    # Whom another camera marked needs no second look.
    yard = school.CameraStream.objects.create(name="Yard", location="Yard")
    for _ in range(5):
        engine.process_frame(photograph(media), yard)
    row = attendance.mark(pupil, 0.9)[0]
    engine.finish()
    assert {place for _, _, place in told} == {"Main gate"}
    row.delete()
    marked = [row for frame in frames(media) for row in engine.process_frame(frame, camera)["attendance_marked"]]
    assert [row["student_name"] for row in marked] == ["Eileen Collins"] and school.Attendance.objects.count() == 1


def test_the_compatible_service_marks_a_head_that_turns_and_no_photograph(media, pupil, told, short):
    service = FaceDetectionService(school.CameraStream.objects.create(name="Gate", location="Main gate"))
    for _ in range(200):
        assert service.process_frame(photograph(media))["face_names"] == ["Eileen Collins"]
        if told:
            break
    assert ("second_look", "Eileen Collins", "Main gate") in told and not school.Attendance.objects.exists()
    service.finish()
    for frame in frames(media):
        service.process_frame(frame)
    assert school.Attendance.objects.get().student == pupil


def test_whom_another_service_erases_is_on_no_list(tmp_path):
    path = tmp_path / "django.db"
    environment = {**os.environ, "FACEATTEND_TEST_DATABASE": str(path), "FACEATTEND_TEST_POSTGRES": ""}

    def django(code):
        begin = "import django; django.setup()\nfrom faceattend.contrib.django import recognition, models\n"
        subprocess.run([sys.executable, "-c", begin + code], env=environment, check=True, timeout=120)

    django("from django.core.management import call_command; call_command('migrate', verbosity=0)")
    django(
        "import datetime\n"
        "student = models.Student.objects.create(name='A', roll_number='R1')\n"
        "models.SecondLook.objects.create(student=student, local_day=datetime.date(2026, 3, 2), period='day')"
    )
    store = faceattend.Store(path)
    store.erase_student(store.students()[0].id)
    django("recognition.gallery(); assert not models.SecondLook.objects.exists()")
