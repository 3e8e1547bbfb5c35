"""Groups, timetables, the calendar and excuses in Django: the admin, the marks, and one database with the server."""

import datetime
import json
import os
import sqlite3
import subprocess
import sys

import pytest

pytest.importorskip("django")

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.urls import reverse  # noqa: E402

import faceattend  # noqa: E402
from faceattend.contrib.django import recognition, roster_forms, rosters  # noqa: E402
from faceattend.contrib.django.models import (  # noqa: E402
    Attendance,
    AttendanceCorrection,
    CalendarEntry,
    Excuse,
    GroupMember,
    Student,
    StudentGroup,
    Timetable,
    Withdrawal,
)
from faceattend.contrib.django.roster_models import BEGINNING, name_key, today  # noqa: E402

pytestmark = pytest.mark.django_db

DAY = datetime.date(2026, 3, 2)
ONE = datetime.timedelta(days=1)
MORNING = '[{"name":"morning","begins":"07:30:00","late_after":"08:15:00","check_out_from":"12:00:00"}]'


def at(hour, minute=0, day=DAY):
    """A time of the site's clocks, those of Asia/Kolkata."""
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    return datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


@pytest.fixture
def asha(db):
    return Student.objects.create(name="Asha Rao", roll_number="1")


@pytest.fixture
def group(db):
    return StudentGroup.objects.create(name="5A")


@pytest.fixture
def admin(client, db):
    client.force_login(get_user_model().objects.create_superuser("root", password="root"))
    return client


def post(client, model, data, pk=None):
    """Posts a form of the admin; returns the problems that it names, none where it was saved."""
    if pk is None:
        address = reverse(f"admin:faceattend_{model}_add")
    else:
        address = reverse(f"admin:faceattend_{model}_change", args=[pk])
    answer = client.post(address, data)
    if answer.status_code == 302:
        return []
    assert answer.status_code == 200, answer.status_code
    problems = [str(problem) for problem in answer.context["errors"]]
    assert problems, "nothing was saved, and nothing says why"
    return problems


def inlines(*new, first=(), prefix="members"):
    """The inlines of a form: rows that are there, and new ones."""
    data = {}
    for name, rows, initial in [(prefix, first, len(first)), (f"{prefix}-2", new, 0)]:
        data.update({f"{name}-TOTAL_FORMS": len(rows), f"{name}-INITIAL_FORMS": initial})
        for number, row in enumerate(rows):
            data.update({f"{name}-{number}-{key}": value for key, value in row.items()})
    return data


def test_a_group_takes_members_from_a_day_on(admin, asha):
    members = inlines({"student": asha.pk, "from_day": DAY, "until_day": ""})
    assert post(admin, "studentgroup", {"name": " 5A ", "kind": "class", **members}) == []
    row = GroupMember.objects.get()
    assert (row.group.name, row.group.name_key, row.from_day) == ("5A", "5a", DAY)
    assert (row.created_by, row.group.created_by) == ("root", "root")
    page = admin.get(reverse("admin:faceattend_studentgroup_change", args=[row.group.pk])).content.decode()
    assert "Asha Rao" in page
    # The same student again, one who is named twice, and a group that is there in other letters.
    problems = post(admin, "studentgroup", {"name": "5A", "kind": "class", **members}, row.group.pk)
    problems += post(admin, "studentgroup", {"name": "5a", "kind": "class", **inlines()})
    assert "There is one from" in str(problems) or "2026-03-02" in str(problems)
    assert "There is a group with this name" in str(problems)
    # An end.
    first = [{"id": row.pk, "group": row.group.pk, "from_day": DAY, "until_day": today() + ONE}]
    assert post(admin, "studentgroup", {"name": "5A", "kind": "class", **inlines(first=first)}, row.group.pk) == []
    row.refresh_from_db()
    assert row.until_day == today() + ONE


def test_students_are_filtered_by_group_and_added_to_one(admin, asha, group):
    ben = Student.objects.create(name="Ben Ito", roll_number="2")
    address = reverse("admin:faceattend_student_changelist")
    chosen = {"action": "add_to_group", "_selected_action": [asha.pk, ben.pk]}
    assert "Add to the group" in admin.post(address, chosen).content.decode()
    answer = admin.post(address, {**chosen, "join": "1", "group": group.pk, "from_day": DAY})
    assert answer.status_code == 302 and GroupMember.objects.count() == 2
    admin.post(address, {**chosen, "join": "1", "group": group.pk, "from_day": today()})
    assert GroupMember.objects.count() == 2, "nobody is added twice"
    GroupMember.objects.filter(student=ben).update(until_day=today())
    assert "Ben Ito" not in admin.get(address + f"?group={group.pk}").content.decode()
    without = admin.get(address + "?group=0").content.decode()
    assert "Ben Ito" in without and "Asha Rao" not in without
    # All of them or none.
    Withdrawal.objects.create(student=ben, from_day=DAY)
    other = StudentGroup.objects.create(name="5B")
    page = admin.post(address, {**chosen, "join": "1", "group": other.pk, "from_day": today()}).content.decode()
    assert "is withdrawn since 2026-03-02" in page and not GroupMember.objects.filter(group=other).exists()


def test_a_group_with_a_history_is_archived_and_not_deleted(admin, asha, group):
    GroupMember.objects.create(group=group, student=asha, from_day=DAY)
    Timetable.objects.create(group=group, valid_from=DAY)
    address = reverse("admin:faceattend_studentgroup_changelist")
    delete = reverse("admin:faceattend_studentgroup_delete", args=[group.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    admin.post(address, {"action": "archive", "_selected_action": [group.pk]})
    group.refresh_from_db()
    assert group.archived_at is not None and GroupMember.objects.get().until_day == today()
    assert "5A" not in admin.get(address).context["cl"].result_list.values_list("name", flat=True)
    assert post(admin, "calendarentry", {"kind": "holiday", "name": "X", "first_day": DAY, "last_day": DAY,
                                         "group": group.pk})  # fmt: skip
    admin.post(address + "?archived=1", {"action": "restore", "_selected_action": [group.pk]})
    group.refresh_from_db()
    assert group.archived_at is None
    # One that nobody was ever in goes, with its timetable.
    empty = StudentGroup.objects.create(name="Empty")
    Timetable.objects.create(group=empty, valid_from=DAY)
    delete = reverse("admin:faceattend_studentgroup_delete", args=[empty.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 302
    assert not StudentGroup.objects.filter(name="Empty").exists() and Timetable.objects.count() == 1


def test_a_timetable_is_what_the_core_takes(admin, group):
    week = {"weekdays": ["mon", "wed"], "valid_from": DAY, "group": ""}
    typed = "noon=12:00/12:15\nmorning=07:30/08:15/11:30\n"
    assert post(admin, "timetable", {**week, "periods": typed}) == []
    row = Timetable.objects.get()
    assert row.weekdays == "mon wed" and row.created_by == "root"
    assert [period["name"] for period in json.loads(row.periods)] == ["morning", "noon"]
    assert json.loads(row.periods)[0] == {
        "name": "morning", "begins": "07:30:00", "late_after": "08:15:00", "check_out_from": "11:30:00",
    }  # fmt: skip
    assert roster_forms.lines_of(row.rows()) == "morning=07:30/08:15/11:30\nnoon=12:00/12:15"
    assert roster_forms.lines_of([{"name": "a=b", "begins": "06:00:00", "check_out_from": "09:00:30"}]) == (
        "a=b=06:00//09:00:30"
    )
    later = {**week, "valid_from": today() + ONE}
    for periods, reason in [
        ("a=08:00\na=09:00", "two periods named"),
        ("a=08:00\nb=08:00", "two periods begin at"),
        ("a=08:00/07:00", "does not lie in it"),
        ("morning", "no name and times such as"),
        ("a=25:00", "no name and times such as"),
    ]:
        assert reason in str(post(admin, "timetable", {**later, "periods": periods})), periods
    assert "required" in str(post(admin, "timetable", {**later, "weekdays": [], "periods": ""}))
    assert Timetable.objects.count() == 1


def test_past_days_keep_the_timetable_that_they_had(admin, group):
    week = {"weekdays": ["mon"], "periods": "", "group": group.pk}
    assert post(admin, "timetable", {**week, "valid_from": DAY}) == [], "the first one may begin before"
    [problem] = post(admin, "timetable", {**week, "valid_from": today() - ONE})
    assert "Past days keep the timetable" in problem
    assert post(admin, "timetable", {**week, "valid_from": today() + ONE}) == []
    assert post(admin, "timetable", {**week, "valid_from": today() + ONE}), "one version a day"
    first, later = Timetable.objects.order_by("valid_from")
    assert admin.post(reverse("admin:faceattend_timetable_change", args=[first.pk]), week).status_code == 403
    assert admin.get(reverse("admin:faceattend_timetable_change", args=[first.pk])).status_code == 200
    assert admin.post(reverse("admin:faceattend_timetable_delete", args=[first.pk]), {"post": "yes"}).status_code == 403
    assert post(admin, "timetable", {**week, "valid_from": today() - ONE}, later.pk)
    assert post(admin, "timetable", {**week, "valid_from": today() + 2 * ONE}, later.pk) == []
    delete = reverse("admin:faceattend_timetable_delete", args=[later.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 302 and Timetable.objects.get() == first


def test_an_excuse_is_noted_and_withdrawn_with_who(admin, asha):
    data = {"student": asha.pk, "first_day": DAY, "last_day": DAY + ONE, "period": "", "reason": "Flu"}
    assert post(admin, "excuse", data) == []
    row = Excuse.objects.get()
    assert (row.created_by, row.period, row.reason) == ("root", None, "Flu")
    assert "before the first" in str(post(admin, "excuse", {**data, "last_day": DAY - ONE}))
    assert post(admin, "excuse", {**data, "reason": "x" * 4001})
    listed = admin.get(reverse("admin:faceattend_excuse_changelist"))
    assert "Flu" not in listed.content.decode(), "reasons are not in lists"
    admin.post(
        reverse("admin:faceattend_excuse_changelist"), {"action": "withdraw", "_selected_action": [row.pk]}
    )
    row.refresh_from_db()
    assert row.withdrawn_by == "root" and row.withdrawn_at is not None
    page = admin.get(reverse("admin:faceattend_excuse_change", args=[row.pk])).content.decode()
    assert "Flu" in page and 'name="reason"' not in page


def test_who_leaves_is_in_no_group_and_a_first_day_is_one(admin, asha, group):
    GroupMember.objects.create(group=group, student=asha, from_day=DAY)
    assert post(admin, "withdrawal", {"student": asha.pk, "from_day": DAY + ONE, "until_day": ""}) == []
    assert GroupMember.objects.get().until_day == DAY + ONE and Withdrawal.objects.get().created_by == "root"
    assert "There is one from" in str(
        post(admin, "withdrawal", {"student": asha.pk, "from_day": DAY + 5 * ONE, "until_day": ""})
    )
    ben = Student.objects.create(name="Ben", roll_number="2")
    assert post(admin, "withdrawal", {"student": ben.pk, "from_day": "", "until_day": ""})
    assert post(admin, "withdrawal", {"student": ben.pk, "from_day": "", "until_day": DAY}) == []
    assert Withdrawal.objects.get(student=ben).from_day == BEGINNING
    assert "before the first day" in admin.get(reverse("admin:faceattend_withdrawal_changelist")).content.decode()


def test_every_page_of_the_roster_opens(admin, asha, group):
    rows = {
        "studentgroup": group,
        "timetable": Timetable.objects.create(valid_from=DAY, periods=MORNING),
        "calendarentry": CalendarEntry.objects.create(name="Holi", first_day=DAY, last_day=DAY),
        "excuse": Excuse.objects.create(student=asha, first_day=DAY, last_day=DAY, reason="Flu"),
        "withdrawal": Withdrawal.objects.create(student=asha, from_day=BEGINNING, until_day=DAY),
    }
    GroupMember.objects.create(group=group, student=asha, from_day=DAY)
    for name, row in {**rows, "student": asha}.items():
        assert admin.get(reverse(f"admin:faceattend_{name}_changelist")).status_code == 200, name
        assert admin.get(reverse(f"admin:faceattend_{name}_add")).status_code == 200, name
        assert admin.get(reverse(f"admin:faceattend_{name}_change", args=[row.pk])).status_code == 200, name


def test_the_roster_is_for_those_who_may(client, asha, group):
    user = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_student", "view_studentgroup"]))
    client.force_login(user)
    assert client.get(reverse("admin:faceattend_studentgroup_changelist")).status_code == 200
    assert client.get(reverse("admin:faceattend_studentgroup_add")).status_code == 403
    for name in ("excuse", "timetable", "withdrawal", "calendarentry"):
        assert client.get(reverse(f"admin:faceattend_{name}_changelist")).status_code == 403, name
    address = reverse("admin:faceattend_student_changelist")
    client.post(address, {"action": "add_to_group", "_selected_action": [asha.pk], "join": "1", "group": group.pk,
                          "from_day": DAY})  # fmt: skip
    assert not GroupMember.objects.exists()


def test_a_mark_is_of_the_period_of_the_students_own_timetable(asha, group):
    ben = Student.objects.create(name="Ben", roll_number="2")
    GroupMember.objects.create(group=group, student=asha, from_day=DAY)
    Timetable.objects.create(group=group, valid_from=DAY, periods=MORNING)
    row, new = recognition.mark(asha.pk, 0.9, "Gate", at(8, 15))
    assert new and (row.period, row.status, row.local_day) == ("morning", "Late", DAY)
    row, new = recognition.mark(ben.pk, 0.9, "Gate", at(8, 15))
    assert new and (row.period, row.status) == ("day", "Present"), "nobody is late without a timetable"
    # Before the timetable held, and after the student has left the group.
    assert recognition.mark(asha.pk, 0.9, at=at(8, 15, DAY - ONE))[0].period == "day"
    assert recognition.marked(asha.pk, at(9)).status == "Late"
    assert Attendance.objects.create(student=asha, timestamp=at(8, 0, DAY + ONE)).period == "morning"
    # Seen at a time for leaving: checked out, and the last time counts.
    assert recognition.mark(asha.pk, 0.9, at=at(11, 59))[0].checked_out_at is None
    for hour in (12, 13):
        row, new = recognition.mark(asha.pk, 0.9, at=at(hour))
        assert not new and row.checked_out_at == at(hour)
    row.refresh_from_db()
    assert row.checked_out_at == at(13) and row.status == "Late"
    recognition.mark(ben.pk, 0.9, at=at(13))
    assert Attendance.objects.get(student=ben).checked_out_at is None


def test_a_corrected_mark_keeps_who_and_why(admin, asha):
    row = Attendance.objects.create(student=asha, timestamp=at(8), status="Late")
    data = {"student": asha.pk, "timestamp_0": "2026-03-02", "timestamp_1": "08:00:00", "status": "Present"}
    assert "Say why" in str(post(admin, "attendance", data, row.pk))
    assert not AttendanceCorrection.objects.exists()
    assert post(admin, "attendance", {**data, "reason": "The bus was late"}, row.pk) == []
    kept = AttendanceCorrection.objects.get()
    assert (kept.status_before, kept.status, kept.corrected_by, kept.reason) == (
        "Late", "Present", "root", "The bus was late",
    )  # fmt: skip
    page = admin.get(reverse("admin:faceattend_attendance_change", args=[row.pk])).content.decode()
    assert "The bus was late" in page
    assert post(admin, "attendance", {**data, "camera_location": "Gate"}, row.pk) == []
    assert AttendanceCorrection.objects.count() == 1


def test_a_student_who_is_deleted_leaves_nothing_in_the_roster(admin, asha, group):
    GroupMember.objects.create(group=group, student=asha, from_day=DAY)
    Excuse.objects.create(student=asha, first_day=DAY, last_day=DAY, reason="Flu")
    Withdrawal.objects.create(student=asha, from_day=DAY)
    row = Attendance.objects.create(student=asha, timestamp=at(8))
    AttendanceCorrection.objects.create(
        attendance=row, status="Late", status_before="Present", corrected_by="root", reason="x"
    )
    delete = reverse("admin:faceattend_student_delete", args=[asha.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 302
    for model in (Student, GroupMember, Excuse, Withdrawal, Attendance, AttendanceCorrection):
        assert not model.objects.exists(), model
    assert StudentGroup.objects.exists()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """An SQLite file, and a PostgreSQL where a server is named."""
    return tmp_path / "school.db" if request.param == "sqlite" else request.getfixturevalue("postgres")


def run(database, code):
    """Runs Python with the site's settings on a database."""
    url = str(database) if "://" in str(database) else ""
    environment = {**os.environ, "FACEATTEND_TEST_DATABASE": str(database), "FACEATTEND_TEST_POSTGRES": url}
    setup = "import django; django.setup()\nfrom faceattend.contrib.django.models import *\n"
    done = subprocess.run(
        [sys.executable, "-c", setup + code], env=environment, timeout=120, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


MIGRATE = "from django.core.management import call_command\ncall_command('migrate', verbosity=0)\n"


def made_of(path):
    """The tables, indexes and triggers of the roster, as the database describes them."""
    roster = (
        "student_groups", "group_members", "withdrawals", "timetables", "calendar_entries", "excuses",
        "attendance_corrections",
    )  # fmt: skip
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    found = {
        (kind, name): " ".join(str(sql).split())
        for kind, name, table, sql in rows
        if table in roster or name in ("tr_students_roster_goes", "ix_attendance_log_local_day")
    }
    assert len(found) > 15
    return found


def test_django_makes_the_tables_that_the_server_makes(tmp_path):
    run(tmp_path / "django.db", MIGRATE)
    faceattend.Store(tmp_path / "core.db").create_student("Asha", "1")
    django, core = made_of(tmp_path / "django.db"), made_of(tmp_path / "core.db")
    # What the server makes besides: counters against ids that are given twice.
    extra = {key for key in core if key not in django}
    assert all(kind == "trigger" for kind, _ in extra), extra
    assert django == {key: sql for key, sql in core.items() if key in django}


DERIVED = """
import datetime
from faceattend.contrib.django import rosters
days = rosters.read(datetime.date(2026, 3, 2), now=datetime.datetime(2026, 3, 2, 16, tzinfo=datetime.timezone.utc))
print(sorted((entry.name, entry.period, entry.status) for entry in days.entries()))
"""


def derived(store):
    policy = faceattend.AttendancePolicy("Asia/Kolkata")
    days = faceattend.Rosters(store, policy).days(DAY, now=at(21, 30))
    return f"{sorted((entry.name, entry.period, entry.status) for entry in days.entries())}\n"


def test_the_server_goes_on_with_a_roster_of_django(database):
    told = run(
        database,
        MIGRATE
        + """
import datetime
day, early = datetime.date(2026, 3, 2), datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc)
group = StudentGroup.objects.create(name="5Ä", created_by="root")
names = ["Asha", "Ben", "Chen", "Dora"]
asha, ben, chen, dora = [Student.objects.create(name=n, roll_number=n, created_at=early) for n in names]
for each in (asha, ben, chen):
    GroupMember.objects.create(group=group, student=each, from_day=early.date(), created_by="root")
Timetable.objects.create(group=group, valid_from=early.date(), periods=%r)
Excuse.objects.create(student=chen, first_day=day, last_day=day, reason="Flu", created_by="root")
Withdrawal.objects.create(student=dora, from_day=day, created_by="root")
CalendarEntry.objects.create(name="Holi", first_day=day + datetime.timedelta(1), last_day=day + datetime.timedelta(1))
from faceattend.contrib.django import recognition
recognition.mark(ben.pk, 0.9, "Gate", datetime.datetime(2026, 3, 2, 3, tzinfo=datetime.timezone.utc))
"""
        % MORNING
        + DERIVED,
    )
    assert told == "[('Asha', 'morning', 'Absent'), ('Ben', 'morning', 'Late'), ('Chen', 'morning', 'Excused')]\n"
    store = faceattend.Store(database)
    assert derived(store) == told
    # The server finds the group by its name, and goes on.
    rosters_of = faceattend.Rosters(store)
    assert [each["group"]["name"] for each in rosters_of.groups()] == ["5Ä"]
    asha = next(row["id"] for row in rosters_of.days(DAY).students if row["name"] == "Asha")
    rosters_of.leave(asha, "5ä", DAY)
    rosters_of.add_excuse(asha, DAY, reason="Bus", by="server")
    assert run(database, DERIVED) == derived(store)
    assert ("Asha", "day", "Excused") in eval(derived(store))


def test_django_goes_on_with_a_roster_of_the_server(database):
    store = faceattend.Store(database)
    rosters_of = faceattend.Rosters(store, faceattend.AttendancePolicy("Asia/Kolkata"))
    group = rosters_of.create_group("5A")["id"]
    asha, ben = (store.create_student(name, name) for name in ("Asha", "Ben"))
    for each in (asha, ben):
        rosters_of.join(each.id, group, DAY)
    rosters_of.set_timetable(valid_from=DAY, weekdays="mon tue", periods=["morning=07:30/08:15"], group=group)
    rosters_of.add_excuse(ben.id, DAY, reason="Flu")
    assert run(database, MIGRATE + DERIVED) == derived(store)
    assert "('Ben', 'morning', 'Excused')" in derived(store)
    run(
        database,
        """
group = StudentGroup.objects.get()
assert group.kind == "class" and Timetable.objects.get().rows()[0]["name"] == "morning"
Withdrawal.objects.create(student=Student.objects.get(name="Asha"), from_day="2026-03-02", created_by="root")
StudentGroup.objects.create(name="Chor", kind="other", created_by="root")
""",
    )
    assert run(database, DERIVED) == derived(store) and "Asha" not in derived(store)
    assert [each["group"]["name"] for each in rosters_of.groups()] == ["5A", "Chor"]
    store.erase_student(ben.id)
    assert run(database, DERIVED) == "[]\n"
    assert run(database, "print(Excuse.objects.count(), GroupMember.objects.count())") == "0 1\n"


def test_the_key_of_a_name_is_the_servers(tmp_path):
    path = tmp_path / "core.db"
    rosters_of = faceattend.Rosters(faceattend.Store(path))
    names = ["5A", "  Große  Klasse ", "ΣΙΣΥΦΟΣ", "Ｋｌａｓｓｅ", "e\u0301cole", "İstanbul", "a\u200bb\u00adc"]
    names += ["ﬁ", "x\u00a0y"]
    for name in names:
        rosters_of.create_group(name)
    with sqlite3.connect(path) as db:
        kept = dict(db.execute("SELECT name, name_key FROM student_groups").fetchall())
    assert {name.strip(): name_key(name) for name in names} == kept
