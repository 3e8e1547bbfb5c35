"""The registration and the live view in a real browser, its camera played from the sample media."""

import datetime
import io
import os
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("django")
sync_api = pytest.importorskip("playwright.sync_api")

from django.contrib.auth import get_user_model  # noqa: E402
from django.urls import reverse  # noqa: E402

import faceattend  # noqa: E402
from faceattend.contrib.django import recognition  # noqa: E402
from faceattend.contrib.django.models import (  # noqa: E402
    Attendance,
    CalendarEntry,
    Excuse,
    GroupMember,
    Student,
    StudentGroup,
    Timetable,
)

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


def school(number=28):
    """Two classes and a month of marks until Thursday, 19 March 2026: some late, one excused, one never there."""
    beginning, last = datetime.date(2026, 1, 5), datetime.date(2026, 3, 19)
    early = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc)
    Timetable.objects.create(
        valid_from=beginning, periods='[{"name":"morning","begins":"07:30:00","late_after":"08:15:00"}]'
    )
    CalendarEntry.objects.create(name="Holi", first_day="2026-03-04", last_day="2026-03-04")
    groups = [StudentGroup.objects.create(name=name) for name in ("5A", "5B")]
    names = ["Asha Rao", "Ben Ito", "Chen Li", "Dora Maar", "Emil Roy", "Fatima al-Masri", "Grace Hopper", "Hugo Klein"]
    for n in range(number):
        row = Student.objects.create(
            name=f"{names[n % 8]}{'' if n < 8 else f' {n // 8 + 1}'}", roll_number=f"R{n + 1}", created_at=early
        )
        GroupMember.objects.create(group=groups[n % 5 == 4], student=row, from_day=beginning)
        for day in (last.replace(day=each) for each in range(2, 20)):
            if day.weekday() > 4 or day.day == 4 or n == 2 or (n + day.day) % 11 == 0:
                continue
            late = (n + day.day) % 9 == 0
            minute = 10 if late else 20 - 15 * (n % 2)
            at = datetime.datetime(day.year, day.month, day.day, 3 if late else 2, minute, tzinfo=datetime.timezone.utc)
            Attendance.objects.create(
                student=row, timestamp=at, status="Late" if late else "Present", local_day=day, period="morning"
            )
    Excuse.objects.create(
        student=Student.objects.get(roll_number="R3"), first_day="2026-03-16", last_day="2026-03-20", reason="Flu"
    )
    return last


def test_who_is_missing_is_on_one_page_and_the_month_on_one_sheet_of_paper(page, live_server):
    day = school()
    page.goto(live_server.url + reverse("admin:faceattend_student_changelist"))
    page.click("text=Who is missing?")
    page.fill("[name=day]", str(day))
    page.click("text=Show")
    assert f"day={day}" in page.url
    sync_api.expect(page.locator(".fa-when")).to_have_text("Thursday, 19 March 2026")
    sync_api.expect(page.locator(".fa-boards h3").first).to_contain_text("missing of")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shot(page, "absence")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it fits a telephone"
    shot(page, "absence-telephone")
    page.set_viewport_size({"width": 1200, "height": 900})
    page.click("text=Register of this month")
    assert "month=2026-03" in page.url
    page.select_option("[name=group]", label="5A")
    page.click("text=Show")
    sync_api.expect(page.locator("h1")).to_have_text("Register: 5A, March 2026")
    shot(page, "register-month")
    page.emulate_media(media="print")
    for hidden in ("#header", ".breadcrumbs", ".fa-controls", "#nav-sidebar"):
        assert not page.locator(hidden).first.is_visible(), hidden
    shot(page, "register-print")
    paper = page.pdf(prefer_css_page_size=True, print_background=False)
    folder = os.environ.get("FACEATTEND_SCREENSHOTS")
    if folder:
        (Path(folder) / "register.pdf").write_bytes(paper)
    # A4 across is 842 by 595 points; a class fits on one page.
    sizes = [tuple(round(float(side)) for side in re.findall(rb"[0-9.]+", box))
             for box in re.findall(rb"/MediaBox \[(.*?)\]", paper)]  # fmt: skip
    assert [size[2:] for size in sizes] == [(842, 595)], sizes
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.click(".fa-controls >> text=CSV")
    assert "R1" in Path(download.value.path()).read_text(encoding="utf-8-sig")
