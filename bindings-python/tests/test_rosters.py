"""Rosters in a real database: who was expected, who came, and who is missing."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

import faceattend
from faceattend import aio

MONDAY, TUESDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 8)
POLICY = faceattend.AttendancePolicy("Asia/Kolkata")
COUNTS = ("present", "late", "left_early", "excused", "absent", "pending")


def at(day: date, clock: str) -> datetime:
    """A moment by the site's clocks."""
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo("Asia/Kolkata"))


EVENING = at(SUNDAY, "20:00")


class School:
    """A class of ten on a Monday: one is late, one is excused, one leaves early, one has left the school."""

    def __init__(self, path):
        self.store = faceattend.Store(path)
        self.rosters = faceattend.Rosters(self.store, POLICY)
        self.book = faceattend.AttendanceBook(self.store, POLICY)
        early = at(date(2026, 3, 1), "09:00")
        self.group = self.rosters.create_group("5A", by="Ms Rao", at=early)["id"]
        changes = [
            change
            for number in range(1, 11)
            for change in (
                {"change": "student", "roll_number": f"R{number}", "name": f"Student {number:02}"},
                {"change": "join", "student": f"R{number}", "group": "5A", "from_day": MONDAY},
            )
        ]
        done = self.rosters.change_roster(changes, by="Ms Rao", at=early)
        assert done == {"outcome": "done", "changed": ["created"] * 20, "refused": []}
        self.rosters.set_timetable(periods=["morning=07:30/08:15/11:00"], valid_from=MONDAY, at=early)
        self.ids = {student.roll_number: student.id for student in self.store.students()}
        for roll_number in ("R1", "R2", "R3", "R4"):
            self.book.mark(self.ids[roll_number], at=at(MONDAY, "07:50"))
        self.book.mark(self.ids["R5"], at=at(MONDAY, "08:20"))
        # Seen again while leaving, at a time that is too early for the timetable of that day as it is in the end.
        self.book.mark(self.ids["R4"], at=at(MONDAY, "11:05"))
        self.rosters.set_timetable(
            periods=["morning=07:30/08:15/12:30"], valid_from=MONDAY, by="Ms Rao", at=at(MONDAY, "11:30")
        )
        self.rosters.add_excuse(self.ids["R6"], MONDAY, TUESDAY, reason="ill", by="Ms Rao", at=at(MONDAY, "09:00"))
        self.rosters.withdraw(self.ids["R10"], MONDAY, at=early)

    def status(self, days, roll_number, day=MONDAY):
        entry = days.entry(self.ids[roll_number], day)
        return entry and entry.status


@pytest.fixture
def school(tmp_path):
    return School(tmp_path / "school.db")


def counted(counts):
    return {name: getattr(counts, name) for name in COUNTS if getattr(counts, name)}


def test_a_class_is_counted_by_who_came_and_who_did_not(school):
    days = school.rosters.days(MONDAY, now=EVENING)
    counts = days.counts()
    assert counted(counts) == {"present": 3, "late": 1, "left_early": 1, "excused": 1, "absent": 3}
    assert (counts.expected, counts.came, counts.rate) == (9, 5, 5 / 9)
    assert counts.part(counts.absent) == 3 / 9
    assert counts == days.counts(MONDAY, school.group, period="morning") != days.counts(period="evening")
    assert [entry.roll_number for entry in days.entries(MONDAY, "Absent")] == ["R7", "R8", "R9"]
    statuses = [school.status(days, number) for number in ("R1", "R4", "R5", "R6", "R7", "R10")]
    assert statuses == ["Present", "LeftEarly", "Late", "Excused", "Absent", None]


def test_a_class_is_counted_the_same_in_postgresql(school, postgres):
    other = School(postgres)
    told = [(entry.roll_number, entry.status, entry.at) for entry in other.rosters.days(MONDAY, now=EVENING).entries()]
    here = school.rosters.days(MONDAY, now=EVENING).entries()
    assert told == [(entry.roll_number, entry.status, entry.at) for entry in here]
    assert other.rosters.plan_import(other.rosters.export(MONDAY, "xlsx"), day=MONDAY)["is_empty"]


def test_an_entry_says_who_when_and_why(school):
    days = school.rosters.days(MONDAY, now=EVENING)
    late, excused = days.entry(school.ids["R5"], MONDAY), days.entry(school.ids["R6"], MONDAY, "morning")
    assert (late.student_id, late.name, late.roll_number) == (school.ids["R5"], "Student 05", "R5")
    assert (late.day, late.period, late.at, late.excuse) == (MONDAY, "morning", at(MONDAY, "08:20"), None)
    assert late.at.tzinfo is timezone.utc
    assert excused.at is None and excused.excuse["reason"] == "ill"
    assert excused.excuse == school.rosters.excuse(excused.excuse["id"])
    assert late.to_dict()["at"] == "2026-03-02T02:50:00Z" and "excuse" not in excused.to_dict()
    assert days.changed_at == at(MONDAY, "11:05")
    assert days.entry(999, MONDAY) is None


def test_who_may_still_come_is_pending_and_no_part_of_the_rate(school):
    days = school.rosters.days(MONDAY, now=at(MONDAY, "08:00"))
    assert days.counts().pending == 3 and days.counts().rate == 5 / 6


def test_a_holiday_and_a_free_day_expect_nobody(school):
    entry = school.rosters.add_calendar_entry("Holi", TUESDAY, by="Ms Rao")
    school.rosters.add_calendar_entry("Exams", SUNDAY, kind="extra_day", group=school.group)
    days = school.rosters.days(MONDAY, SUNDAY, now=EVENING)
    assert (days.plan(TUESDAY).kind, days.plan(TUESDAY).name) == ("holiday", "Holi")
    assert days.plan(date(2026, 3, 7)).kind == "free" and days.plan(MONDAY).kind == "school"
    assert (days.plan(SUNDAY).kind, days.plan(SUNDAY, school.group).kind) == ("free", "school")
    assert days.plan(SUNDAY, student_id=school.ids["R1"]).name == "Exams"
    assert {entry.day for entry in days.entries()} == {date(2026, 3, day) for day in (2, 4, 5, 6, 8)}
    assert days.counts().expected == 5 * 9
    school.rosters.remove_calendar_entry(entry["id"])
    assert [left["name"] for left in school.rosters.calendar(MONDAY, SUNDAY)] == ["Exams"]
    assert school.rosters.days(TUESDAY, now=EVENING).counts().expected == 9


def test_a_past_day_keeps_its_timetable(school):
    thursday = date(2026, 3, 5)
    school.rosters.set_timetable(
        weekdays=["mon", "thu"],
        periods=[
            {"name": "first", "begins": time(8), "late_after": "08:10"},
            {"name": "second", "begins": "10:00", "late_after": None},
        ],
        valid_from=thursday,
        at=at(TUESDAY, "15:00"),
    )
    days = school.rosters.days(MONDAY, SUNDAY, now=EVENING)
    assert [period["name"] for period in days.plan(MONDAY).periods] == ["morning"]
    assert days.plan(thursday).periods[0] == {
        "name": "first", "begins": time(8), "late_after": time(8, 10), "check_out_from": None,
    }  # fmt: skip
    assert days.plan(date(2026, 3, 6)).kind == "free"
    assert len(days.entries(thursday)) == 2 * 9 and len(days.entries(thursday, period="second")) == 9
    with pytest.raises(faceattend.StateError):
        school.rosters.set_timetable(valid_from=MONDAY, at=at(thursday, "09:00"))
    first, second = school.rosters.timetables()
    assert (first["weekdays"], second["weekdays"]) == (["mon", "tue", "wed", "thu", "fri"], ["mon", "thu"])
    assert school.rosters.remove_timetable(second["id"], at=at(TUESDAY, "16:00")) == second
    with pytest.raises(faceattend.StateError):
        school.rosters.remove_timetable(first["id"], at=at(TUESDAY, "16:00"))


def test_groups_are_made_changed_archived_and_restored(school):
    rosters = school.rosters
    empty = rosters.create_group("Choir", "other", by="Ms Rao")
    with pytest.raises(faceattend.ConflictError):
        rosters.create_group("CHOIR")
    assert rosters.change_group(empty["id"], name="Band")["name"] == "Band"
    assert [(size["group"]["name"], size["members"]) for size in rosters.groups(MONDAY)] == [("5A", 9), ("Band", 0)]
    assert rosters.remove_group(empty["id"]) == "removed" and rosters.group(empty["id"]) is None
    assert rosters.remove_group(school.group, at=at(TUESDAY, "12:00")) == "archived"
    assert rosters.group(school.group)["archived_at"] == at(TUESDAY, "12:00")
    with pytest.raises(faceattend.StateError):
        rosters.join(school.ids["R1"], "5A", TUESDAY)
    assert rosters.restore_group(school.group)["archived_at"] is None
    with pytest.raises(faceattend.InvalidInputError, match="team"):
        rosters.create_group("6A", "team")


def test_students_join_leave_and_come_back(school):
    rosters, one = school.rosters, school.ids["R1"]
    rosters.create_group("Choir", "other")
    assert rosters.join(one, "Choir", MONDAY, SUNDAY) == "created"
    assert rosters.join(one, "choir", MONDAY) == "unchanged"
    assert rosters.leave(one, "Choir", date(2026, 3, 4)) == "changed"
    own = rosters.memberships(student_id=one)
    assert [(row["from_day"], row["until_day"]) for row in own] == [(MONDAY, None), (MONDAY, date(2026, 3, 4))]
    days = rosters.days(MONDAY, SUNDAY, student_id=one, now=EVENING)
    assert len(days.groups_of(one, TUESDAY)) == 2 and days.groups_of(one, SUNDAY) == [school.group]
    ten = school.ids["R10"]
    assert rosters.withdrawals(ten)[0]["from_day"] == MONDAY and rosters.memberships(student_id=ten, on=TUESDAY) == []
    assert rosters.readmit(ten, date(2026, 3, 4)) == "changed"
    after = rosters.days(MONDAY, SUNDAY, now=EVENING)
    assert (after.is_there(ten, TUESDAY), after.is_there(ten, date(2026, 3, 4))) == (False, True)
    with pytest.raises(faceattend.NotFoundError):
        rosters.leave(one, "Nobody's")


def test_changes_are_made_together_or_not_at_all(school):
    changes = [
        {"change": "student", "roll_number": "R11", "name": "Asha"},
        {"change": "join", "student": "R11", "group": "6B"},
        {"change": "withdraw", "student": 999, "from_day": MONDAY},
    ]
    refused = school.rosters.change_roster(changes)
    assert refused["outcome"] == "refused" and refused["changed"] == []
    assert [(why["place"], type(why["error"])) for why in refused["refused"]] == [
        (1, faceattend.NotFoundError),
        (2, faceattend.NotFoundError),
    ]
    assert school.store.students("Asha") == []
    assert school.rosters.change_roster(changes[:1], preview=True)["changed"] == ["created"]
    assert school.store.students("Asha") == []
    for wrong in [{"change": "rename"}, {"change": "join", "group": 1}, {"student": 1}]:
        with pytest.raises(faceattend.InvalidInputError, match=r"changes\[0\]"):
            school.rosters.change_roster([wrong])


def test_excuses_are_withdrawn_and_stay(school):
    [excuse] = school.rosters.excuses(student_id=school.ids["R6"], from_day=TUESDAY)
    assert (excuse["first_day"], excuse["last_day"], excuse["created_by"]) == (MONDAY, TUESDAY, "Ms Rao")
    assert school.rosters.excuses(from_day=date(2026, 3, 4)) == []
    assert school.rosters.withdraw_excuse(excuse["id"], by="Mr Bose")["withdrawn_by"] == "Mr Bose"
    with pytest.raises(faceattend.StateError):
        school.rosters.withdraw_excuse(excuse["id"])
    assert school.status(school.rosters.days(MONDAY, now=EVENING), "R6") == "Absent"
    with pytest.raises(faceattend.InvalidInputError):
        school.rosters.add_excuse(school.ids["R6"], TUESDAY, MONDAY, reason="ill")


def test_arrivals_are_by_the_clocks_of_the_site(school):
    arrivals = school.rosters.days(MONDAY, now=EVENING).arrivals()
    assert arrivals["minutes"] == 5 and arrivals["bins"][0] == {"begins": time(7, 50), "in_time": 4, "late": 0}
    assert arrivals["bins"][-1] == {"begins": time(8, 20), "in_time": 0, "late": 1}
    assert school.rosters.days(TUESDAY, now=EVENING).arrivals() == {"minutes": 5, "bins": []}


def rows_of(path, first_day, last_day):
    """What the database has, read without the module: as a program does that keeps its rows itself."""
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    read = lambda sql: [dict(row) for row in database.execute(sql)]  # noqa: E731
    moment = lambda text: datetime.fromisoformat(text).replace(tzinfo=timezone.utc)  # noqa: E731
    marks = read(
        "SELECT id, student_id, timestamp AS at, status, local_day AS day, period, checked_out_at FROM attendance_log"
    )
    for mark in marks:
        mark["at"] = moment(mark["at"])
        mark["checked_out_at"] = mark["checked_out_at"] and moment(mark["checked_out_at"])
    students = read("SELECT id, name, roll_number, created_at FROM students ORDER BY name")
    for student in students:
        student["created_at"] = moment(student["created_at"])
    return {"students": students, "marks": marks, "first_day": first_day, "last_day": last_day}


@pytest.mark.parametrize("now", [at(MONDAY, "08:00"), EVENING])
def test_rows_that_a_program_keeps_give_the_same_as_the_store(school, tmp_path, now):
    rosters = school.rosters
    rosters.add_calendar_entry("Holi", TUESDAY)
    rosters.create_group("Choir", "other")
    rosters.join(school.ids["R2"], "Choir", date(2026, 3, 4), date(2026, 3, 6))
    rosters.set_timetable(group=2, weekdays="sun", periods=["song=09:00"], valid_from=MONDAY, at=at(MONDAY, "12:00"))
    read = rosters.days(MONDAY, SUNDAY, now=now)
    made = faceattend.RosterDays.from_rows(
        policy=POLICY,
        groups=[size["group"] for size in rosters.groups()],
        memberships=rosters.memberships(),
        withdrawals=rosters.withdrawals(),
        timetables=rosters.timetables(),
        calendar=rosters.calendar(MONDAY, SUNDAY),
        excuses=(excuse for excuse in rosters.excuses()),
        now=now,
        **rows_of(tmp_path / "school.db", MONDAY, SUNDAY),
    )
    told = [(entry.to_dict(), entry.excuse) for entry in read.entries()]
    assert told and told == [(entry.to_dict(), entry.excuse) for entry in made.entries()]
    assert read.counts() == made.counts() and read.arrivals() == made.arrivals()
    assert (read.span, read.changed_at, read.groups) == (made.span, made.changed_at, made.groups)
    assert [row["id"] for row in read.students] == [row["id"] for row in made.students]
    for day in (MONDAY + timedelta(days=n) for n in range(7)):
        for group in (None, 1, 2):
            one, other = read.plan(day, group), made.plan(day, group)
            assert (one.kind, one.name, one.periods) == (other.kind, other.name, other.periods)
        for student in school.ids.values():
            assert read.is_there(student, day) == made.is_there(student, day)
            assert read.groups_of(student, day) == made.groups_of(student, day)


STUDENT = {"id": 1, "name": "Asha", "roll_number": "R1", "created_at": at(date(2026, 1, 5), "09:00")}


def made(**rows):
    return faceattend.RosterDays.from_rows(**{"policy": POLICY, "students": [STUDENT], "now": EVENING, **rows})


def test_a_mark_without_a_day_is_of_the_day_of_its_time():
    # 19:00 in UTC is half past midnight there.
    mark = {"id": 1, "student_id": 1, "at": datetime(2026, 3, 2, 19, tzinfo=timezone.utc), "status": "Present"}
    days = made(marks=[mark])
    assert (days.entry(1, MONDAY).status, days.entry(1, TUESDAY).status) == ("Absent", "Present")


def test_a_withdrawal_without_a_beginning_is_the_time_before_the_first_day():
    days = made(withdrawals=[{"student_id": 1, "from_day": None, "until_day": "2026-03-03"}])
    assert (days.is_there(1, MONDAY), days.is_there(1, TUESDAY)) == (False, True)


def test_days_whose_rows_are_not_there_are_refused():
    days = made(first_day=MONDAY)
    assert days.span == (MONDAY, MONDAY) and days.counts().absent == 1
    for call in (days.entry, lambda _, day: days.counts(day), lambda _, day: days.plan(day), days.is_there):
        with pytest.raises(faceattend.InvalidInputError, match="2026-03-03"):
            call(1, TUESDAY)
    unsaid = made()
    assert unsaid.span is None and unsaid.counts(TUESDAY).absent == 1
    for call in (unsaid.counts, unsaid.entries, unsaid.arrivals):
        with pytest.raises(faceattend.InvalidInputError, match="first_day"):
            call()
    with pytest.raises(faceattend.InvalidInputError, match="2026-03-02 comes before"):
        made(first_day=TUESDAY, last_day=MONDAY)


@pytest.mark.parametrize(
    "rows, told",
    [
        ({"students": [{**STUDENT, "name": None}]}, r'students\[0\]\["name"\]: it is missing'),
        ({"students": [STUDENT, 3]}, r"students\[1\] is no mapping"),
        ({"marks": 3}, "iterable"),
        ({"marks": [{"id": 1, "student_id": "R1", "at": 0.0, "status": "Present"}]}, r'marks\[0\]\["student_id"\]'),
        ({"excuses": [{"id": 1, "student_id": 1, "first_day": EVENING}]}, "a datetime is no day"),
        ({"calendar": [{"id": 1, "kind": "vacation", "first_day": MONDAY}]}, "neither holiday nor extra_day"),
        ({"timetables": [{"valid_from": MONDAY, "weekdays": []}]}, "no day of the week"),
        ({"timetables": [{"valid_from": MONDAY, "weekdays": [7]}]}, "from 0 to 6"),
        ({"timetables": [{"valid_from": MONDAY, "weekdays": "mon", "periods": ["9 am"]}]}, "night=22:00"),
        ({"timetables": [{"valid_from": "today", "weekdays": "mon"}]}, "2026-03-02"),
        ({"timetables": [{"valid_from": "2026-03-02T08:00", "weekdays": "mon"}]}, "expected a date"),
    ],
)
def test_a_row_that_is_none_is_refused_by_its_place(rows, told):
    with pytest.raises(faceattend.InvalidInputError, match=told):
        made(**rows)


LIST = """Roll number;Name;Class;Guardian email
R1;Student 01;5A;
R11;Müller, Jörg;5B;parent@school.example
"""


def test_a_list_is_planned_imported_and_exported(school, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(LIST, encoding="utf-8")
    plan = school.rosters.plan_import(path, day=MONDAY)
    assert plan["problems"] == [] and not plan["is_empty"] and plan["unchanged"] == 1
    assert plan["new_groups"] == [{"name": "5B", "kind": "class"}]
    assert plan["new"] == [
        {
            "line": 3, "roll_number": "R11", "name": "Müller, Jörg", "guardian_emails": ["parent@school.example"],
            "joins": [{"membership": None, "group": "5B", "from_day": MONDAY, "until_day": None}],
        }
    ]  # fmt: skip
    assert school.store.students("Jörg") == []
    done = school.rosters.import_roster(
        LIST.encode(), day=MONDAY, fingerprint=plan["fingerprint"], by="Ms Rao", language="de"
    )
    assert done["outcome"] == "done"
    [jorg] = school.store.students("jorg")
    assert school.store.guardians(jorg.id) == [{"email": "parent@school.example", "language": "de"}]
    assert school.rosters.plan_import(LIST.encode("utf-16"), day=MONDAY)["is_empty"]
    outdated = school.rosters.import_roster(LIST.encode(), day=MONDAY, fingerprint=plan["fingerprint"])
    assert outdated["outcome"] == "outdated"
    exported = school.rosters.export(MONDAY)
    assert b"parent@" not in exported and b"parent@" in school.rosters.export(MONDAY, guardians=True)
    assert school.rosters.plan_import(exported, day=MONDAY)["is_empty"]
    marked = school.rosters.export(MONDAY, byte_order_mark=True)
    assert marked == b"\xef\xbb\xbf" + exported
    workbook = school.rosters.export(MONDAY, "xlsx", guardians=True)
    assert workbook.startswith(b"PK") and school.rosters.plan_import(workbook, day=MONDAY)["is_empty"]
    with pytest.raises(faceattend.InvalidInputError, match="pdf"):
        school.rosters.export(MONDAY, "pdf")


def test_a_list_with_a_bad_line_changes_nothing(school):
    bad = LIST + "R12;;5C;nobody\n"
    before = school.rosters.export(MONDAY)
    refused = school.rosters.import_roster(bad.encode(), day=MONDAY)
    assert refused["outcome"] == "refused"
    problems = {(its["line"], its["column"], its["code"]) for its in refused["plan"]["problems"]}
    assert problems == {(4, "Name", "missing"), (4, "Guardian email", "bad_email")}
    assert school.rosters.export(MONDAY) == before and len(school.store.students()) == 10


def test_a_list_can_withdraw_whom_it_does_not_name(school):
    plan = school.rosters.plan_import(b"roll number,name\nR1,Student 01\n", day=TUESDAY, withdraw_missing=True)
    assert plan["withdraws"] and len(plan["unlisted"]) == 8
    done = school.rosters.import_roster(b"roll number,name\nR1,Student 01\n", day=TUESDAY, withdraw_missing=True)
    assert done["outcome"] == "done" and len(school.store.students()) == 10
    assert school.rosters.days(MONDAY, TUESDAY, now=EVENING).counts(TUESDAY).expected == 1


def test_what_is_no_list_is_refused(school, tmp_path):
    with pytest.raises(faceattend.FileError):
        school.rosters.plan_import(tmp_path / "nowhere.csv")
    with pytest.raises(faceattend.InvalidInputError, match="bytes"):
        school.rosters.plan_import(3)
    [problem] = school.rosters.plan_import(b"")["problems"]
    assert (problem["line"], problem["code"]) == (None, "empty")


def test_days_of_an_unknown_group_or_student_are_not_found(school):
    with pytest.raises(faceattend.NotFoundError, match="group"):
        school.rosters.days(MONDAY, group=99)
    with pytest.raises(faceattend.NotFoundError, match="student"):
        school.rosters.days(MONDAY, student_id=99)
    with pytest.raises(faceattend.InvalidInputError):
        school.rosters.days(MONDAY, group=1, student_id=1)


def test_days_of_a_group_count_its_members_alone(school):
    school.store.create_student("In no group", "R20")
    everybody = school.rosters.days(MONDAY, now=EVENING)
    assert everybody.counts(group=school.group) == school.rosters.days(MONDAY, group=school.group).counts()


def test_lists_come_in_the_order_that_is_asked_for(school):
    def numbers(**options):
        return [student.roll_number for student in school.store.students(**options)]

    assert numbers(sort="roll_number", limit=2) == ["R1", "R2"] and numbers(sort="roll_number")[-1] == "R10"
    assert numbers(sort="name", descending=True)[0] == "R10" and numbers(descending=True, limit=1) == ["R10"]
    template = faceattend.Embedding.from_values([1.0, 0.0], "m")
    school.store.replace_templates(school.ids["R3"], [template])
    assert "R3" not in numbers(no_face=True) and len(numbers(no_face=True)) == 9
    assert numbers(sort="face")[-1] == "R3" and numbers(sort="face", descending=True)[0] == "R3"
    marked = [mark.student_roll_number for mark in school.book.records()]
    assert marked == ["R5", "R4", "R3", "R2", "R1"]
    by_name = [mark.student_roll_number for mark in school.book.records(sort="name", skip=1, limit=2)]
    assert by_name == ["R2", "R3"]
    assert school.book.records(sort="status")[0].status == "Late"
    assert school.book.records(descending=False)[-1].student_roll_number == "R5"
    for call in (school.store.students, school.book.records):
        with pytest.raises(faceattend.InvalidInputError, match="shoe_size"):
            call(sort="shoe_size")


def test_guardians_are_kept_with_their_language(school):
    one = school.ids["R1"]
    school.store.set_guardians(one, ["a@school.example", {"email": "b@school.example", "language": "hi"}])
    assert school.store.guardians(one) == [
        {"email": "a@school.example", "language": "en"},
        {"email": "b@school.example", "language": "hi"},
    ]
    with pytest.raises(faceattend.InvalidInputError):
        school.store.set_guardians(one, ["nobody"])
    with pytest.raises(faceattend.NotFoundError):
        school.store.set_guardians(999, [])
    school.store.erase_student(one)
    assert school.store.guardians(one) == []


def test_a_book_that_forgets_knows_the_new_timetable_at_once(school):
    wednesday = date(2026, 3, 4)
    assert school.book.mark(school.ids["R1"], at=at(wednesday, "08:00")).record.status == "Present"
    school.rosters.set_timetable(periods=["morning=07:00/07:15"], valid_from=wednesday, at=at(wednesday, "08:01"))
    school.book.forget()
    assert school.book.mark(school.ids["R2"], at=at(wednesday, "08:02")).record.status == "Late"


def test_calls_are_awaited_with_the_same_arguments(school):
    async def main():
        store = aio.Store(school.store)
        rosters = aio.Rosters(store, POLICY)
        assert [size["members"] for size in await rosters.groups(MONDAY)] == [9]
        days = await rosters.days(MONDAY, now=EVENING)
        assert days.counts().absent == 3
        assert await rosters.join(school.ids["R1"], "5A", MONDAY) == "unchanged"
        assert (await rosters.plan_import(LIST.encode(), day=MONDAY))["unchanged"] == 1
        assert [its.roll_number for its in await store.students(sort="name", descending=True, limit=1)] == ["R10"]
        await store.set_guardians(school.ids["R1"], ["a@school.example"])
        assert len(await store.guardians(school.ids["R1"])) == 1
        store.close()

    asyncio.run(main())
    ours = {name for name in vars(faceattend.Rosters) if not name.startswith("_")}
    assert ours | {"rosters"} == {name for name in vars(aio.Rosters) if not name.startswith("_")}
