"""The registration and the live view in a real browser, its camera played from the sample media."""

import io
import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("django")
sync_api = pytest.importorskip("playwright.sync_api")

from django.contrib.auth import get_user_model  # noqa: E402
from django.urls import reverse  # noqa: E402

import faceattend  # noqa: E402
from faceattend.contrib.django import recognition  # noqa: E402
from faceattend.contrib.django.models import Attendance, Student  # noqa: E402

# `cargo xtask test` names the browser that it has found or installed.
CHROMIUM = os.environ.get("FACEATTEND_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]


@pytest.fixture(scope="session")
def clip(media, tmp_path_factory):
    """A head that turns to both sides, as the camera that Chromium makes of a file: motion JPEG, 30 frames a second."""
    image = pytest.importorskip("PIL.Image")
    path = tmp_path_factory.mktemp("camera") / "turn.mjpeg"
    with path.open("wb") as file, faceattend.Camera(media / "collins" / "turn.avi") as camera:
        for frame in camera:
            jpeg = io.BytesIO()
            image.fromarray(frame.to_numpy("rgb")).save(jpeg, "JPEG", quality=92)
            # Half as fast as recorded, 10 a second: the machine that tests is a slow one.
            file.write(jpeg.getvalue() * 6)
    return path


@pytest.fixture
def page(clip, live_server, monkeypatch):
    # Playwright's own loop runs in this thread, which Django takes for an asynchronous caller.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    get_user_model().objects.create_superuser("admin", password="admin123")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={clip}",
            ],
        )
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("response", lambda answer: faults.append(answer.url) if answer.status >= 500 else None)
        page.goto(live_server.url + reverse("admin:login"))
        page.fill("#id_username", "admin")
        page.fill("#id_password", "admin123")
        page.click("[type=submit]")
        yield page
        browser.close()
    assert not faults


def shot(page, name):
    """Keeps a picture of the page, for a person to look at, where FACEATTEND_SCREENSHOTS names a folder."""
    folder = os.environ.get("FACEATTEND_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_a_student_registers_in_the_admin_and_is_recognized_live(page, live_server):
    student = Student.objects.create(name="Eileen Collins", roll_number="R1")
    page.goto(live_server.url + reverse("admin:faceattend_student_changelist"))
    shot(page, "students")
    page.click("text=Register face")
    shot(page, "register-before")
    page.click("#fa-start")
    page.wait_for_selector("#fa-guidance:not(:text('Starting'))")
    page.wait_for_timeout(1500)
    shot(page, "register-during")
    sync_api.expect(page.locator("#fa-guidance")).to_have_text("Thank you. The face is registered.", timeout=120_000)
    shot(page, "register-after")
    student.refresh_from_db()
    assert student.liveness_verified and student.student_templates.count() == 3

    recognition.forget()
    page.goto(live_server.url + reverse("admin:faceattend_student_live"))
    page.check("#fa-mark")
    page.click("#fa-start")
    sync_api.expect(page.locator("#fa-marked li").first).to_have_text("Eileen Collins: Present", timeout=60_000)
    shot(page, "live")
    assert Attendance.objects.get().student == student
    page.click("#fa-stop")
    page.goto(live_server.url + reverse("admin:faceattend_attendance_changelist"))
    shot(page, "attendance")
    page.goto(live_server.url + reverse("admin:faceattend_student_change", args=[student.pk]))
    shot(page, "student")
    page.goto(live_server.url + reverse("admin:faceattend_student_recognize"))
    shot(page, "recognize")
