"""Who is missing, and the register: what the pages, the file and the command show, and to whom."""

import csv
import datetime
import io
import re

import pytest

pytest.importorskip("django")

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.urls import reverse  # noqa: E402

from faceattend.contrib.django import boards, rosters  # noqa: E402
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

pytestmark = pytest.mark.django_db

# A Monday in March; the site is Asia/Kolkata, half past five hours ahead.
DAY = datetime.date(2026, 3, 2)
BEFORE = datetime.date(2026, 1, 5)
EVENING = datetime.datetime(2026, 3, 2, 16, tzinfo=datetime.timezone.utc)
ABSENCE, REGISTER, CSV = (
    f"admin:faceattend_student_{name}" for name in ("absence", "register", "register_csv")
)


def at(hour, minute=0, day=DAY):
    """A time of the site's clocks."""
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    return datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


def student(name, roll_number, *groups, made=BEFORE):
    row = Student.objects.create(name=name, roll_number=roll_number, created_at=at(8, day=made))
    for group in groups:
        GroupMember.objects.create(group=group, student=row, from_day=made)
    return row


def mark(row, hour, minute=0, status="Present", day=DAY, **more):
    return Attendance.objects.create(student=row, timestamp=at(hour, minute, day), status=status, **more)


@pytest.fixture
def school(db):
    """Two classes with a timetable: Asha is missing, Ben late, Chen excused, Dora there; Emil is in no class."""
    Timetable.objects.create(
        valid_from=BEFORE, periods='[{"name":"morning","begins":"07:30:00","late_after":"08:15:00"}]'
    )
    first, second = (StudentGroup.objects.create(name=name) for name in ("5A", "5B"))
    asha, ben = student("Asha Rao", "1", first), student("Ben Ito", "2", first)
    chen, dora = student("Chen Li", "3", second), student("Dora Maar", "4", second)
    emil = student("Emil Roy", "5")
    mark(ben, 8, 40, "Late", period="morning", local_day=DAY)
    mark(dora, 8, 0, period="morning", local_day=DAY)
    mark(emil, 8, 5, period="morning", local_day=DAY)
    Excuse.objects.create(student=chen, first_day=DAY, last_day=DAY, reason="At the dentist", created_by="ms.rao")
    return {"5A": first, "5B": second, "asha": asha, "ben": ben, "chen": chen, "dora": dora, "emil": emil}


@pytest.fixture
def admin(client, db):
    client.force_login(get_user_model().objects.create_superuser("root", password="root"))
    return client


def clerk(client, *permissions):
    user = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def told(board):
    return {
        each.group.name: [(person.name, person.status.word) for person in each.people] for each in board.groups
    }


def test_the_board_names_the_missing_the_late_and_the_excused_by_group(school):
    board = boards.board_of(DAY, reasons=True, now=EVENING)
    assert told(board) == {
        "5A": [("Asha Rao", "Absent"), ("Ben Ito", "Late")],
        "5B": [("Chen Li", "Excused")],
        "Without a group": [],
    }
    counts = board.counts
    assert (counts.absent, counts.late, counts.excused, counts.present, counts.expected) == (1, 1, 1, 2, 5)
    [_, ben] = board.groups[0].people
    assert ben.time == "08:40" and board.groups[1].people[0].reason == "At the dentist"
    assert boards.board_of(DAY, now=EVENING).groups[1].people[0].reason == ""
    # Before a quarter past eight nobody is missing yet.
    early = boards.board_of(DAY, now=at(7, 45))
    assert (early.counts.absent, early.counts.pending) == (0, 1)
    assert boards.board_of(DAY, group=school["5A"].pk, now=EVENING).counts.expected == 2
    assert told(boards.board_of(DAY, group=boards.NO_GROUP, now=EVENING)) == {"Without a group": []}


def test_nobody_is_expected_on_holidays_and_sundays_or_after_leaving(school):
    sunday = boards.board_of(DAY - datetime.timedelta(days=1), now=EVENING)
    assert (sunday.off, sunday.counts.expected) == ("No school", 0)
    CalendarEntry.objects.create(group=school["5A"], first_day=DAY, last_day=DAY, name="Trip")
    board = boards.board_of(DAY, now=EVENING)
    assert board.groups[0].off == "Trip" and board.counts.absent == 0
    CalendarEntry.objects.create(group=school["5A"], first_day=DAY, last_day=DAY, name="No trip", kind="extra_day")
    assert boards.board_of(DAY, now=EVENING).counts.absent == 1, "the later entry holds"
    Withdrawal.objects.create(student=school["asha"], from_day=DAY).end_memberships()
    assert boards.board_of(DAY, now=EVENING).counts.absent == 0
    assert "Asha Rao" in str(told(boards.board_of(DAY - datetime.timedelta(days=3), now=EVENING)))


def test_a_withdrawn_excuse_and_one_of_another_period_excuse_nothing(school):
    Excuse.objects.update(period="noon")
    assert ("Chen Li", "Absent") in told(boards.board_of(DAY, now=EVENING))["5B"]
    Excuse.objects.update(period="morning")
    assert ("Chen Li", "Excused") in told(boards.board_of(DAY, now=EVENING))["5B"]
    Excuse.objects.update(withdrawn_at=EVENING, withdrawn_by="ms.rao")
    assert ("Chen Li", "Absent") in told(boards.board_of(DAY, now=EVENING))["5B"]


def test_a_day_with_two_periods_asks_for_each(school):
    Timetable.objects.create(
        group=school["5A"],
        valid_from=DAY,
        periods='[{"name":"morning","begins":"07:30:00","late_after":"08:15:00"},'
        '{"name":"noon","begins":"12:00:00","late_after":"12:15:00"}]',
    )
    assert boards.board_of(DAY, now=at(9)).groups[0].period == "morning"
    noon = boards.board_of(DAY, now=at(13))
    assert noon.groups[0].period == "noon" and noon.periods == ["morning", "noon"]
    assert told(noon)["5A"] == [("Asha Rao", "Absent"), ("Ben Ito", "Absent")]
    assert told(noon)["5B"] == [("Chen Li", "Excused")], "5B has no noon"
    assert told(boards.board_of(DAY, period="morning", now=at(13)))["5A"][1] == ("Ben Ito", "Late")


def test_a_correction_and_a_check_out_say_how_it_was(school):
    Timetable.objects.all().delete()
    Timetable.objects.create(
        valid_from=BEFORE,
        periods='[{"name":"morning","begins":"07:30:00","late_after":"08:15:00","check_out_from":"12:00:00"}]',
    )
    row = Attendance.objects.get(student=school["dora"])
    row.checked_out_at = at(11)
    row.save()
    assert ("Dora Maar", "Left early") in told(boards.board_of(DAY, now=EVENING))["5B"]
    # Who was corrected is what the correction says.
    AttendanceCorrection.objects.create(
        attendance=row, status="Present", status_before="Late", corrected_by="root", reason="seen"
    )
    assert told(boards.board_of(DAY, now=EVENING))["5B"] == [("Chen Li", "Excused")]
    Attendance.objects.filter(pk=row.pk).update(status="Absent")
    assert ("Dora Maar", "Absent") in told(boards.board_of(DAY, now=EVENING))["5B"]
    Attendance.objects.filter(pk=row.pk).update(status="Left early")
    assert ("Dora Maar", "Left early") in told(boards.board_of(DAY, now=EVENING))["5B"]


def test_a_row_of_the_earlier_service_counts_by_its_time_and_the_erased_are_nobody(school):
    row = mark(school["asha"], 8)
    Attendance.objects.filter(pk=row.pk).update(local_day=None, period=None)
    assert boards.board_of(DAY, now=EVENING).counts.absent == 0
    Student.objects.filter(pk=school["chen"].pk).update(name="Erased", roll_number=f"erased-{school['chen'].pk}")
    assert boards.board_of(DAY, now=EVENING).counts.expected == 4


def month_of_many(number=300):
    groups = [StudentGroup.objects.create(name=f"Class {n}") for n in range(10)]
    students = Student.objects.bulk_create(
        [Student(name=f"Student {n:03}", roll_number=f"S{n}", created_at=at(8, day=BEFORE)) for n in range(number)]
    )
    students = list(Student.objects.order_by("id")) if students[0].pk is None else students
    GroupMember.objects.bulk_create(
        [GroupMember(group=groups[n % 10], student=row, from_day=BEFORE) for n, row in enumerate(students)]
    )
    days = [DAY + datetime.timedelta(days=n) for n in range(28)]
    Attendance.objects.bulk_create(
        [
            Attendance(student=row, timestamp=at(8, day=day), local_day=day, period="day")
            for n, row in enumerate(students)
            for day in days
            if day.weekday() < 5 and n % 7
        ]
    )
    return groups


def test_a_month_of_three_hundred_is_read_with_as_many_queries_as_a_day_of_one(school, django_assert_num_queries):
    with django_assert_num_queries(9):
        rosters.read(DAY)
    groups = month_of_many()
    with django_assert_num_queries(9):
        days = rosters.read(DAY, DAY.replace(day=31), now=EVENING)
    assert len(days.students) == 305
    with django_assert_num_queries(9):
        rosters.read(DAY, DAY.replace(day=31), group=groups[0].pk)
    with django_assert_num_queries(9):
        [sheet] = boards.sheets_of(DAY.replace(day=1), groups, only=groups[1].pk, now=at(20, day=DAY.replace(day=31)))
    assert len(sheet.rows) == 30 and sheet.rows[0].counts.expected == 22
    with django_assert_num_queries(9):
        assert boards.board_of(DAY, now=EVENING).counts.absent == 43 + 1


def test_the_absence_page_shows_a_chosen_day(admin, school, monkeypatch):
    page = admin.get(reverse(ABSENCE) + f"?day={DAY}").content.decode()
    for text in ("Who is missing?", "Monday, 2 March 2026", "Asha Rao", "08:40", "At the dentist", "1 missing of 2"):
        assert text in page, text
    assert "?day=2026-03-01" in page and "?day=2026-03-03" in page
    assert re.search(r'<th scope="row"><a href="[^"]+">Asha Rao</a>', page)
    assert "Who of 5A was not there in time" in page
    one = admin.get(reverse(ABSENCE) + f"?day={DAY}&group={school['5B'].pk}").content.decode()
    assert "Chen Li" in one and "Asha Rao" not in one and f"&amp;group={school['5B'].pk}" in one
    wrong = admin.get(reverse(ABSENCE) + "?day=yesterday")
    assert wrong.status_code == 200 and "is no day such as 2026-03-02" in wrong.content.decode()
    for group in ("99", "x", "9" * 30):
        assert admin.get(reverse(ABSENCE) + f"?group={group}").status_code == 404
    for day in ("0001-01-01", "9999-12-31"):
        assert "too far away" in admin.get(reverse(ABSENCE) + f"?day={day}").content.decode()
    assert "Nobody is expected: No school" in admin.get(reverse(ABSENCE) + "?day=2026-03-01").content.decode()


def test_pages_without_anybody_say_what_to_do(admin):
    page = admin.get(reverse(ABSENCE)).content.decode()
    assert "There is nobody yet." in page and reverse("admin:faceattend_student_add") in page
    assert "There is nobody yet." in admin.get(reverse(REGISTER)).content.decode()
    student("Asha", "1")
    page = admin.get(reverse(ABSENCE) + f"?day={DAY}").content.decode()
    assert "Nobody is in a group." in page and reverse("admin:faceattend_studentgroup_add") in page
    group = StudentGroup.objects.create(name="Empty")
    page = admin.get(reverse(REGISTER) + f"?group={group.pk}&month=2026-03").content.decode()
    assert "Nobody was in Empty in March 2026." in page


def test_the_register_is_a_sheet_of_the_month(admin, school):
    page = admin.get(reverse(REGISTER) + "?month=2026-03").content.decode()
    assert "Register: 5A, March 2026" in page, "the first group is shown"
    assert "?month=2026-02&amp;group=" in page and "?month=2026-04&amp;group=" in page
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.S)
    asha = next(row for row in rows if "Asha Rao" in row)
    assert re.findall(r"<abbr[^>]*>(\w)</abbr>", asha)[0] == "A"
    assert asha.count('<td class="fa-day') == 31 and 'title="Absent"' in asha
    head = next(row for row in rows if "Roll number" in row)
    assert 'scope="col"' in head and "Sunday, 1 March: No school" in head and '<th scope="row"' in asha
    every = admin.get(reverse(REGISTER) + "?month=2026-03&group=all").content.decode()
    assert every.count('<section class="fa-sheet"') == 3 and "Without a group, March 2026" in every
    assert "is no month such as" in admin.get(reverse(REGISTER) + "?month=2026-13").content.decode()
    assert admin.get(reverse(REGISTER) + "?month=0000-01").status_code == 200
    assert admin.get(reverse(REGISTER) + "?group=99").status_code == 404


def test_the_register_is_a_file_without_formulas(admin, school):
    Student.objects.filter(pk=school["asha"].pk).update(name="=HYPERLINK(1)")
    answer = admin.get(reverse(CSV) + "?month=2026-03&group=all")
    assert answer["Content-Disposition"] == "attachment; filename=register_2026_03.csv"
    text = answer.content.decode()
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert {row["Group"]: row["Name"] for row in rows if row["2026-03-02"] == "A"} == {"5A": "'=HYPERLINK(1)"}
    letters = {row["Name"]: (row["2026-03-01"], row["2026-03-02"]) for row in rows}
    assert letters["Ben Ito"] == ("", "L") and letters["Chen Li"] == ("", "X") and letters["Dora Maar"] == ("", "P")
    assert list(rows[0])[-6:] == ["Present", "Late", "Left early", "Excused", "Absent", "Rate"]


def test_pages_and_reasons_are_for_those_who_may(client, school):
    addresses = [reverse(name) for name in (ABSENCE, REGISTER, CSV)]
    assert all(client.get(address).status_code == 302 for address in addresses)
    clerk(client, "view_student")
    assert [client.get(address).status_code for address in addresses] == [403, 403, 403]
    user = get_user_model().objects.get(username="clerk")
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_student", "view_attendance"]))
    page = client.get(addresses[0] + f"?day={DAY}").content.decode()
    assert "Chen Li" in page and "dentist" not in page and "Reason" not in page
    assert client.get(addresses[1]).status_code == 200 and client.get(addresses[2]).status_code == 200
    lists = client.get(reverse("admin:faceattend_student_changelist")).content.decode()
    assert addresses[0] in lists and addresses[1] in lists
    lists = client.get(reverse("admin:faceattend_attendance_changelist")).content.decode()
    assert addresses[0] in lists and addresses[1] in lists
    user.user_permissions.add(Permission.objects.get(codename="view_excuse"))
    assert "dentist" in client.get(addresses[0] + f"?day={DAY}").content.decode()


def test_the_command_prints_the_missing(school, capsys):
    call_command("faceattend_absent", "--day", str(DAY))
    assert capsys.readouterr().out.splitlines() == [
        "2026-03-02: 1 missing of 5, 1 late, 1 excused.",
        "5A: 1 of 2",
        "  Asha Rao (1)",
    ]
    call_command("faceattend_absent", "--day", str(DAY), "--group", " 5b ")
    assert capsys.readouterr().out == "2026-03-02: 0 missing of 2, 0 late, 1 excused.\n"
    call_command("faceattend_absent", "--day", "2026-03-01")
    assert capsys.readouterr().out == "2026-03-01: nobody is expected (No school).\n"
    for wrong, reason in [
        (["--day", "monday"], "no day such as"),
        (["--group", "9Z"], "there are 5A, 5B"),
        (["--period", "noon"], "there are morning"),
    ]:
        with pytest.raises(CommandError, match=reason):
            call_command("faceattend_absent", *wrong)
