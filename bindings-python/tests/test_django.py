"""The Django app: enrolment, recognition, attendance, the admin, commands, checks, migrations."""

import csv
import datetime
import io
import json
import sqlite3
import threading

import pytest

pytest.importorskip("django")

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

import faceattend  # noqa: E402
from faceattend.contrib.django import checks, conf, enrolment, recognition  # noqa: E402
from faceattend.contrib.django.models import (  # noqa: E402
    Attendance,
    Camera,
    DetectionLog,
    LivenessSession,
    Student,
    StudentTemplate,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    recognition.forget()
    yield
    recognition.forget()


@pytest.fixture
def hopper(db):
    return Student.objects.create(name="Grace Hopper", roll_number="R1")


@pytest.fixture
def admin(client, db):
    client.force_login(get_user_model().objects.create_superuser("root", password="root"))
    return client


def frames(media, person="collins"):
    return [(position, (media / person / f"{position}.jpg").read_bytes()) for position in ("center", "left", "right")]


def enrolled(name, media, roll_number=None):
    student = Student.objects.create(name=name, roll_number=roll_number or name)
    enrolment.enrol_from_photos(student, [media / name / f"{view}.jpg" for view in ("center", "left", "right")])
    recognition.forget()
    return student


def test_a_session_enrols_a_student_once(media, hopper):
    row = enrolment.begin_session(hopper, mirrored=False)
    for position, picture in frames(media, "hopper"):
        with pytest.raises(faceattend.StateError):
            enrolment.enrol(hopper, row.session_id)
        outcome = enrolment.observe(row.session_id, position, picture)
        assert outcome.is_live, outcome.advice
    enrolment.enrol(hopper, row.session_id)
    row.refresh_from_db()
    assert row.status == "COMPLETED" and row.consumed_at and row.center_frame_data is None
    assert (
        hopper.liveness_verified
        and hopper.liveness_confidence_score > 0.5
        and hopper.model_version == conf.engine().model
    )
    assert bytes(hopper.face_embedding) == hopper.templates()[0].to_bytes()
    assert json.loads(hopper.embedding_vector) == pytest.approx(hopper.templates()[0].to_list())
    assert StudentTemplate.objects.filter(student=hopper).count() == 3
    other = Student.objects.create(name="Other", roll_number="R2")
    with pytest.raises(faceattend.ConflictError):
        enrolment.enrol(other, row.session_id)
    other.refresh_from_db()
    assert not other.has_face


def completed(media, student, person):
    """The id of a session of ``person`` that is completed for ``student``."""
    row = enrolment.begin_session(student, mirrored=False)
    for position, picture in frames(media, person):
        enrolment.observe(row.session_id, position, picture)
    return row.session_id


def test_every_column_of_a_session_is_what_the_reference_server_writes(media, hopper):
    row = LivenessSession.objects.get(session_id=completed(media, hopper, "hopper"))
    session = faceattend.LivenessSession.from_json(row.state)
    assert (row.status, row.version, row.attempts_count, row.movement_verified) == ("COMPLETED", 3, 3, True)
    assert row.liveness_score == pytest.approx(session.liveness_score) and row.completed_at is not None
    for position in ("center", "left", "right"):
        assert getattr(row, f"{position}_verified") is True
        stored = json.loads(getattr(row, f"{position}_embedding"))
        assert stored == pytest.approx(session.template(position).to_list())
        assert getattr(row, f"{position}_frame_data") is None
    assert row.final_embedding == row.center_embedding and row.error_message is None


def test_a_session_of_one_student_enrols_no_other(media, hopper):
    session = completed(media, hopper, "hopper")
    other = Student.objects.create(name="Other", roll_number="R2")
    with pytest.raises(faceattend.StateError, match="another student"):
        enrolment.enrol(other, session)
    assert LivenessSession.objects.get(session_id=session).consumed_at is None
    enrolment.enrol(hopper, session)


def test_a_face_that_is_enrolled_is_refused_named_or_let_be(media, hopper, settings, admin):
    enrolment.enrol(hopper, completed(media, hopper, "hopper"))
    other = Student.objects.create(name="Other", roll_number="R2")
    session = completed(media, other, "hopper")
    with pytest.raises(enrolment.FaceTakenError, match=f"student {hopper.pk}") as refused:
        enrolment.enrol(other, session)
    known = refused.value.known
    assert (known.student_id, known.code, known.is_refused) == (hopper.pk, "already_enrolled", True)
    assert known.similarity > 0.9 and isinstance(refused.value, faceattend.ConflictError)
    other.refresh_from_db()
    assert not other.has_face and LivenessSession.objects.get(session_id=session).consumed_at is None
    # The page of the admin says so, and does not say that the face was saved.
    frame = reverse("admin:faceattend_student_face_frame", args=[other.pk]) + f"?session={session}&position=right"
    answer = admin.post(frame, frames(media, "hopper")[2][1], content_type="image/jpeg").json()
    assert (answer["enrolled"], answer["reasons"][-1]) == (False, "already_enrolled")
    assert f"student {hopper.pk}" in answer["advice"][-1]
    settings.FACEATTEND = {**settings.FACEATTEND, "DUPLICATES": "warn"}
    warned = enrolment.enrol_compared(other, session)
    assert (warned.student_id, warned.is_refused) == (hopper.pk, False)
    settings.FACEATTEND = {**settings.FACEATTEND, "DUPLICATES": "allow"}
    third = Student.objects.create(name="Third", roll_number="R3")
    assert enrolment.enrol_compared(third, completed(media, third, "hopper")) is None
    # The own face is no other student's.
    settings.FACEATTEND = {**settings.FACEATTEND, "DUPLICATES": "refuse"}
    StudentTemplate.objects.exclude(student=hopper).delete()
    Student.objects.exclude(pk=hopper.pk).delete()
    recognition.forget()
    assert enrolment.enrol_compared(hopper, completed(media, hopper, "hopper")) is None


def test_another_face_takes_the_place_of_ones_own_only_when_that_is_said(media, hopper, admin, settings):
    enrolment.enrol(hopper, completed(media, hopper, "hopper"))
    session = completed(media, hopper, "collins")
    with pytest.raises(enrolment.UnlikeFaceError, match="unlike the one that is stored") as refused:
        enrolment.enrol(hopper, session)
    assert refused.value.code == "unlike_face" and isinstance(refused.value, faceattend.ConflictError)
    assert LivenessSession.objects.get(session_id=session).consumed_at is None
    enrolment.enrol(hopper, session, replace_unlike=True)
    assert LivenessSession.objects.get(session_id=session).consumed_at is not None


def test_a_face_enrolled_since_the_gallery_was_loaded_is_known(media, hopper):
    # The gallery is believed for two seconds: it knows nobody.
    assert len(recognition.gallery()) == 0
    enrolment.enrol(hopper, completed(media, hopper, "hopper"))
    assert len(recognition.gallery()) == 0
    other = Student.objects.create(name="Other", roll_number="R2")
    with pytest.raises(enrolment.FaceTakenError):
        enrolment.enrol(other, completed(media, other, "hopper"))


@pytest.mark.django_db(transaction=True)
def test_one_face_is_enrolled_once_by_threads(media):
    students = [Student.objects.create(name=f"S{n}", roll_number=f"R{n}") for n in range(4)]
    sessions = [completed(media, student, "hopper") for student in students]
    start, outcomes = threading.Barrier(4), []

    def enrol(n):
        start.wait()
        try:
            enrolment.enrol(students[n], sessions[n])
            outcomes.append("enrolled")
        except enrolment.FaceTakenError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=enrol, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["enrolled", "refused", "refused", "refused"]
    assert StudentTemplate.objects.values("student").distinct().count() == 1


def test_deleting_a_student_takes_the_sessions_along(media, hopper, admin):
    for delete in (lambda: hopper.delete(), lambda: Student.objects.filter(roll_number="R1").delete()):
        enrolment.enrol(hopper, completed(media, hopper, "hopper"))
        enrolment.begin_session(hopper)
        delete()
        assert not LivenessSession.objects.exists() and not StudentTemplate.objects.exists()
        hopper = Student.objects.create(name="Grace Hopper", roll_number="R1")


def test_sqlite_overwrites_what_django_deletes(hopper):
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_saving_a_form_leaves_the_face(media, hopper):
    stale = Student.objects.get(pk=hopper.pk)
    enrolment.enrol_from_photos(hopper, [media / "hopper" / "center.jpg"])
    stale.name = "Rear Admiral Hopper"
    stale.save()
    hopper.refresh_from_db()
    assert hopper.has_face and hopper.name == "Rear Admiral Hopper"


def test_photographs_of_nobody_or_of_two_people_enrol_nobody(media, hopper):
    for pictures, reason in [
        ([], "no photograph"),
        ([media / "hopper" / "center.jpg", media / "collins" / "center.jpg"], "different people"),
    ]:
        with pytest.raises(faceattend.InvalidInputError, match=reason):
            enrolment.enrol_from_photos(hopper, pictures)
    hopper.refresh_from_db()
    assert not hopper.has_face


def test_recognition_names_whom_it_knows(media):
    student = enrolled("collins", media)
    [seen] = recognition.recognize(media / "collins" / "yaw+05.jpg")
    assert seen["student"] == student and seen["similarity"] > 0.9
    [stranger] = recognition.recognize(media / "obama" / "center.jpg")
    assert stranger["student"] is None and stranger["similarity"] < 0.7
    [not_asked_for] = recognition.recognize(media / "collins" / "yaw+05.jpg", among=[student.pk + 1])
    assert not_asked_for["student"] is None


def test_an_embedding_of_an_unknown_model_is_not_matched_until_the_operator_says_so(media, settings):
    embedding = conf.engine().embed(media / "collins" / "center.jpg")
    Student.objects.create(name="Old", roll_number="O1", face_embedding=embedding.to_bytes())
    [seen] = recognition.recognize(media / "collins" / "yaw+05.jpg")
    assert seen["student"] is None and seen["similarity"] is None
    settings.FACEATTEND = {**settings.FACEATTEND, "LEGACY_MODEL": embedding.model}
    recognition.forget()
    [seen] = recognition.recognize(media / "collins" / "yaw+05.jpg")
    assert seen["student"].name == "Old"


def test_a_student_is_marked_once_in_the_sites_own_day(hopper):
    # Asia/Kolkata: 18:29 and 18:31 UTC are on either side of midnight.
    at = datetime.datetime(2026, 3, 2, 18, 29, tzinfo=datetime.timezone.utc)
    row, new = recognition.mark(hopper.pk, 0.91, "Gate", at)
    assert new and row.local_day == datetime.date(2026, 3, 2) and (row.status, row.period) == ("Present", "day")
    assert recognition.mark(hopper.pk, 0.91, "Gate", at) == (row, False)
    assert recognition.mark(hopper.pk, 0.91, "Gate", at + datetime.timedelta(minutes=2))[1]
    assert recognition.mark(hopper.pk + 1, 0.9) == (None, False)
    # A row of the earlier service names no day.
    Attendance.objects.all().delete()
    earlier = Attendance.objects.create(student=hopper, timestamp=at, status="Present")
    Attendance.objects.filter(pk=earlier.pk).update(local_day=None, period=None)
    assert recognition.mark(hopper.pk, 0.9, at=at)[1] is False


@pytest.mark.django_db(transaction=True)
def test_eight_threads_mark_a_student_once(hopper):
    news = []

    def work():
        try:
            news.append(recognition.mark(hopper.pk, 0.9, "Gate")[1])
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(news) == [False] * 7 + [True] and Attendance.objects.count() == 1


def test_the_pages_register_a_face(admin, media, hopper):
    page = admin.get(reverse("admin:faceattend_student_register_face", args=[hopper.pk]))
    assert page.status_code == 200 and b"Start the camera" in page.content
    begin = reverse("admin:faceattend_student_face_begin", args=[hopper.pk])
    assert admin.get(begin).status_code == 405
    session = admin.post(begin + "?mirrored=0").json()["session_id"]
    url = reverse("admin:faceattend_student_face_frame", args=[hopper.pk])

    def send(position, picture):
        return admin.post(f"{url}?session={session}&position={position}", picture, content_type="image/jpeg")

    assert send("center", b"no picture").status_code == 400
    assert send("up", b"").status_code == 400
    wrong = send("center", (media / "hopper" / "left.jpg").read_bytes()).json()
    assert not wrong["is_live"] and wrong["advice"][0].startswith("Look straight")
    for position, picture in frames(media, "hopper"):
        answer = send(position, picture)
        assert answer.status_code == 200 and answer.json()["is_live"], answer.json()
    assert answer.json()["enrolled"]
    assert send("right", picture).json()["enrolled"], "a late frame of a finished session"
    hopper.refresh_from_db()
    assert hopper.liveness_verified
    other = Student.objects.create(name="Other", roll_number="R2")
    foreign = reverse("admin:faceattend_student_face_frame", args=[other.pk])
    assert (
        admin.post(f"{foreign}?session={session}&position=center", picture, content_type="image/jpeg").status_code
        == 404
    )
    form = admin.get(reverse("admin:faceattend_student_change", args=[hopper.pk])).content.decode()
    assert (
        "registered live" in form
        and "face_embedding" not in form
        and str(hopper.templates()[0].to_list()[0])[:8] not in form
    )


def test_the_pages_are_for_those_who_may(client, hopper):
    url = reverse("admin:faceattend_student_register_face", args=[hopper.pk])
    assert client.get(url).status_code == 302
    clerk = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    client.force_login(clerk)
    for name, args in [("register_face", [hopper.pk]), ("recognize", []), ("recognise", []), ("live", [])]:
        assert client.get(reverse(f"admin:faceattend_student_{name}", args=args)).status_code == 403
    strict = type(client)(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.create_superuser("root", password="root"))
    assert strict.post(reverse("admin:faceattend_student_face_begin", args=[hopper.pk])).status_code == 403


def test_a_photograph_is_recognized_among_the_selected(admin, media):
    student = enrolled("collins", media)
    picked = admin.post(
        reverse("admin:faceattend_student_changelist"),
        {"action": "recognize_from_photo", "_selected_action": [student.pk]},
    )
    assert picked.status_code == 302
    photo = SimpleUploadedFile("p.jpg", (media / "collins" / "yaw+05.jpg").read_bytes())
    page = admin.post(picked.url, {"photo": photo}).content.decode()
    assert "1 face" in page and "<strong>collins</strong>" in page
    bad = admin.post(picked.url, {"photo": SimpleUploadedFile("p.jpg", b"nothing")}).content.decode()
    assert "invalid image" in bad


def test_the_live_view_names_and_marks(admin, media, settings):
    # Three photographs: whom several views name, not who is alive.
    settings.FACEATTEND = {**settings.FACEATTEND, "GATE": "observe"}
    enrolled("collins", media)
    assert admin.get(reverse("admin:faceattend_student_live")).status_code == 200
    url = reverse("admin:faceattend_student_live_frame")
    for number, picture in enumerate(["yaw+00", "yaw+05", "yaw-05"]):
        data = (media / "collins" / f"{picture}.jpg").read_bytes()
        answer = admin.post(f"{url}?view=a&mark=1&location=Gate", data, content_type="image/jpeg").json()
        assert answer["faces"][0]["name"] == (None if number == 0 else "collins")
        assert [mark["name"] for mark in answer["marked"]] == (["collins"] if number == 1 else [])
    assert Attendance.objects.get().camera_location == "Gate"


def test_attendance_is_filtered_and_exported(admin, hopper):
    recognition.mark(hopper.pk, 0.9, "Gate")
    risky = Student.objects.create(name="=HYPERLINK(1)", roll_number="R2")
    recognition.mark(risky.pk, 0.8, "Yard")
    assert admin.get(reverse("admin:faceattend_attendance_changelist")).status_code == 200
    export = reverse("admin:faceattend_attendance_export")
    rows = list(csv.DictReader(io.StringIO(b"".join(admin.get(export).streaming_content).decode())))
    assert {row["student"] for row in rows} == {"Grace Hopper", "'=HYPERLINK(1)"}
    narrowed = b"".join(admin.get(export + "?camera_location=Gate").streaming_content).decode()
    assert "Grace Hopper" in narrowed and "HYPERLINK" not in narrowed
    chosen = admin.post(
        reverse("admin:faceattend_attendance_changelist"),
        {"action": "export_csv", "_selected_action": [Attendance.objects.get(student=hopper).pk]},
    )
    assert b"Grace Hopper" in b"".join(chosen.streaming_content)


def test_every_list_of_the_admin_opens(admin, media, hopper):
    Camera.objects.create(name="Gate", source="rtsp://user:S3CRET@host/1")
    Camera.objects.create(name="Mistyped", source="rtsp:/user:S3CRET@host/1")
    Camera.objects.create(name="Pin", source="http://host/1?channel=2&pin=S3CRET")
    enrolment.begin_session(hopper)
    DetectionLog.objects.create(faces_detected=1, students_recognized=0)
    for model in ("student", "attendance", "camera", "livenesssession", "detectionlog", "secondlook"):
        page = admin.get(reverse(f"admin:faceattend_{model}_changelist"))
        assert page.status_code == 200 and b"S3CRET" not in page.content, model
    for face in ("live", "photo", "none"):
        assert admin.get(reverse("admin:faceattend_student_changelist") + f"?face={face}").status_code == 200
    assert admin.get(reverse("admin:faceattend_student_add")).status_code == 200


def test_a_student_is_enrolled_from_the_command_line(media, capsys):
    pictures = [str(media / "hopper" / f"{view}.jpg") for view in ("center", "left")]
    with pytest.raises(CommandError, match="--name"):
        call_command("faceattend_enroll", "R9", *pictures)
    with pytest.raises(CommandError):
        call_command("faceattend_enroll", "R9", "--name", "X", __file__)
    assert not Student.objects.exists(), "a failed enrolment leaves no student"
    call_command("faceattend_enroll", "R9", "--name", "Grace Hopper", *pictures)
    student = Student.objects.get(roll_number="R9")
    assert len(student.templates()) == 2 and not student.liveness_verified


@pytest.mark.django_db(transaction=True)
def test_cameras_mark_whoever_walks_by(media):
    enrolled("collins", media)
    enrolled("obama", media)
    with pytest.raises(CommandError, match="No camera"):
        call_command("faceattend_run_cameras")
    Camera.objects.create(name="Class", source=str(media / "class.avi"), location="Room 1")
    Camera.objects.create(name="Off", source="rtsp://nowhere/1", enabled=False)
    call_command("faceattend_run_cameras")
    call_command("faceattend_run_cameras")
    rows = Attendance.objects.values_list("student__name", "camera_location")
    assert sorted(rows) == [("collins", "Room 1"), ("obama", "Room 1")]
    assert DetectionLog.objects.filter(camera_location="Room 1", faces_detected__gt=0).exists()
    with pytest.raises(CommandError, match="none.avi"):
        call_command("faceattend_run_cameras", "--source", str(media / "none.avi"))


def test_students_come_in_from_a_file_and_from_another_table(media, tmp_path, capsys):
    from tests.site.school.models import Student as Pupil

    file = tmp_path / "students.csv"
    file.write_text(f"name,roll_number,photo\nGrace,R1,{media / 'hopper' / 'center.jpg'}\nNobody,,\nEileen,R2,\n")
    call_command("faceattend_import", str(file), "--dry-run")
    assert not Student.objects.exists()
    call_command("faceattend_import", str(file))
    assert "2 students made, 1 faces brought in, 1 skipped" in capsys.readouterr().out
    assert Student.objects.get(roll_number="R1").has_face
    vector = conf.engine().embed(media / "obama" / "center.jpg")
    Pupil.objects.create(name="Barack", roll_number="P1", face_embedding=json.dumps(vector.to_list()))
    call_command("faceattend_import", "--from-model", "school.Student")
    assert Student.objects.get(roll_number="P1").templates()[0].similarity(vector) > 0.999


@pytest.mark.parametrize(
    "given, found",
    [
        ({}, []),
        ({"TRESHOLD": 0.7}, ["faceattend.E002"]),
        ({"THRESHOLD": 7}, ["faceattend.E003"]),
        ({"THRESHOLD": 0.4}, ["faceattend.W001"]),
        ({"TIME_ZONE": "Mars/Olympus"}, ["faceattend.E005"]),
        ({"ENGINE": {"color": 1}}, ["faceattend.E005"]),
        ({"LIVENESS": {"ttl": -1}}, ["faceattend.E005"]),
        ({"AGREEING_VIEWS": 0}, ["faceattend.E004"]),
        ({"GATE": "require", "GATE_WAIT": 6}, []),
        ({"GATE": "ask"}, []),
        ({"GATE": "sometimes"}, ["faceattend.E008"]),
        ({"GATE": "off"}, ["faceattend.W002"]),
        ({"GATE_WAIT": -1}, ["faceattend.E009"]),
        ([], ["faceattend.E001"]),
    ],
)
def test_checks_say_what_is_wrong_with_the_settings(settings, given, found):
    settings.FACEATTEND = given
    assert [message.id for message in checks.check_settings()] == found


def test_no_migration_is_missing():
    call_command("makemigrations", "faceattend", check=True, dry_run=True)


def test_a_database_of_the_reference_server_is_taken_over_and_still_works_for_it(engine, media, tmp_path):
    """Both ways: its file migrated by Django, and Django's rows read by its store."""
    import os
    import subprocess
    import sys

    path = tmp_path / "face_attendance.db"
    store = faceattend.Store(path)
    theirs = store.create_student("Grace Hopper", "R1")
    store.replace_templates(theirs.id, [engine.embed(media / "hopper" / "center.jpg")])
    code = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from faceattend.contrib.django.models import Student, Attendance
from faceattend.contrib.django import enrolment, recognition
assert Student.objects.get().templates(), "the server's templates are read"
student = Student.objects.create(name="Eileen Collins", roll_number="R2")
enrolment.enrol_from_photos(student, [%r])
assert recognition.mark(student.pk, 0.9, "Gate")[1]
assert recognition.recognize(%r)[0]["student"].name == "Grace Hopper"
""" % (str(media / "collins" / "center.jpg"), str(media / "hopper" / "yaw+05.jpg"))
    environment = {**os.environ, "FACEATTEND_TEST_DATABASE": str(path), "FACEATTEND_TEST_POSTGRES": ""}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)
    again = faceattend.Store(path)
    gallery = faceattend.Gallery()
    assert again.load_gallery(gallery, engine)["people"] == 2
    assert [row.student_name for row in faceattend.AttendanceBook(again).records()] == ["Eileen Collins"]
    triggers = sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()
    assert triggers[0] >= 2, "the server's triggers are still there"


def test_a_database_of_django_is_taken_over_by_the_store(engine, tmp_path):
    import os
    import subprocess
    import sys

    path = tmp_path / "django.db"
    environment = {**os.environ, "FACEATTEND_TEST_DATABASE": str(path), "FACEATTEND_TEST_POSTGRES": ""}
    subprocess.run([sys.executable, "-m", "django", "migrate", "-v0"], env=environment, check=True, timeout=120)
    store = faceattend.Store(path)
    student = store.create_student("A", "R1")
    book = faceattend.AttendanceBook(store)
    assert book.mark(student.id) and not book.mark(student.id)
    store.erase_student(student.id)
