"""Who is expected when, and who is missing: what the core derives from the rows of this database.

No status is stored. `read` asks a fixed number of queries, however many students and days there are, and returns a
`faceattend.RosterDays`, which answers the rest.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Optional

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

import faceattend
from faceattend._native import own_place

from . import conf
from .models import Attendance, Student
from .roster_models import (
    AttendanceCorrection,
    CalendarEntry,
    Excuse,
    GroupMember,
    StudentGroup,
    Timetable,
    Withdrawal,
    periods_of,
)

# From which year to which days are looked at. Beyond, time zones are guesses and calendars end.
YEARS = (1900, 9000)


def read(
    first_day: datetime.date,
    last_day: Optional[datetime.date] = None,
    *,
    group: Optional[int] = None,
    student: Optional[int] = None,
    now: Optional[datetime.datetime] = None,
) -> faceattend.RosterDays:
    """Reads what the database has of a span of days.

    Parameters
    ----------
    first_day, last_day : date
        Both included. Default of the last: the first.
    group : int, optional
        Only the students who are members of this group in the span.
    student : int, optional
        Only this student.
    now : datetime, optional
        The moment up to which people may still come. Default: now.
    """
    last_day = last_day or first_day
    policy = conf.policy()
    of = _Of(first_day, last_day, group, student)
    return faceattend.RosterDays.from_rows(
        policy=policy,
        first_day=first_day,
        last_day=last_day,
        students=_students(of),
        groups=_groups(),
        memberships=_memberships(of),
        withdrawals=_withdrawals(of),
        timetables=_timetables(last_day),
        calendar=_calendar(of),
        excuses=_excuses(of),
        marks=_marks(of, policy),
        now=now or timezone.now(),
    )


@dataclass(frozen=True)
class Place:
    """Where a moment lies in a student's own timetable.

    Attributes
    ----------
    day : date
        The site's day.
    starts_at, ends_at : datetime
        The moments between which that day lies.
    period : str
    status : str
        How an arrival counts: ``"Present"`` or ``"Late"``.
    checks_out : bool
        Whether a marked student who is seen is leaving.
    """

    day: datetime.date
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    period: str
    status: str
    checks_out: bool


def place(student_id: int, at: datetime.datetime) -> Place:
    """Returns where a moment lies for a student: the first of the student's groups that has a timetable decides, else
    the site's."""
    policy = conf.policy()
    day, starts_at, ends_at = policy.day(at)
    timetables = _timetables(day)
    groups: list[int] = []
    if any(row["group"] is not None for row in timetables):
        own = GroupMember.objects.filter(student_id=student_id, from_day__lte=day)
        own = own.filter(Q(until_day=None) | Q(until_day__gt=day))
        groups = sorted(own.values_list("group_id", flat=True))
    return Place(day, starts_at, ends_at, *own_place(policy, timetables, groups, at))


def window(policy: faceattend.AttendancePolicy, day: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """Returns the moments between which one of the site's days lies."""
    at = datetime.datetime.combine(day, datetime.time(12), datetime.timezone.utc)
    # Noon in Greenwich is on this day, or on the one before or after. A day that a zone left out has no moment.
    for _ in range(3):
        found, starts_at, ends_at = policy.day(at)
        if found == day:
            return starts_at, ends_at
        at = ends_at if found < day else starts_at - datetime.timedelta(seconds=1)
    return at, at


@dataclass(frozen=True)
class _Of:
    """The days, and whom the rows are about."""

    first_day: datetime.date
    last_day: datetime.date
    group: Optional[int]
    student: Optional[int]

    def about(self, rows: QuerySet[Any], key: str = "student_id") -> QuerySet[Any]:
        if self.student is not None:
            rows = rows.filter(**{key: self.student})
        if self.group is not None:
            members = self.spans(GroupMember.objects.filter(group_id=self.group))
            rows = rows.filter(**{f"{key}__in": members.values("student_id")})
        return rows

    def spans(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        within = rows.filter(from_day__lte=self.last_day)
        return within.filter(Q(until_day=None) | Q(until_day__gt=self.first_day))

    def days(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(last_day__gte=self.first_day, first_day__lte=self.last_day)


def _utc(at: Optional[datetime.datetime]) -> Optional[datetime.datetime]:
    """The time with its zone, which a table that the server made in PostgreSQL leaves out."""
    return at.replace(tzinfo=datetime.timezone.utc) if at is not None and at.tzinfo is None else at


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _students(of: _Of) -> list[dict[str, Any]]:
    rows = of.about(Student.objects.order_by(), "id").values("id", "name", "roll_number", "created_at")
    students = [{**row, "created_at": _utc(row["created_at"]) or _EPOCH} for row in rows if not _is_erased(row)]
    return sorted(students, key=lambda row: (row["name"].lower(), row["id"]))


def _is_erased(row: dict[str, Any]) -> bool:
    # The server keeps the marks of an erased student under a row that names nobody.
    return bool(row["name"] == "Erased" and row["roll_number"] == f"erased-{row['id']}")


def _groups() -> list[dict[str, Any]]:
    rows: Iterable[Any] = StudentGroup.objects.order_by().values("id", "name", "name_key", "kind", "archived_at")
    return sorted(rows, key=lambda row: (row["name_key"], row["id"]))


def _memberships(of: _Of) -> Iterator[dict[str, Any]]:
    rows = of.spans(of.about(GroupMember.objects.order_by()))
    for key, group, student, from_day, until_day in rows.values_list(
        "id", "group_id", "student_id", "from_day", "until_day"
    ):
        yield {"id": key, "group": group, "student_id": student, "from_day": from_day, "until_day": until_day}


def _withdrawals(of: _Of) -> Iterable[dict[str, Any]]:
    return of.spans(of.about(Withdrawal.objects.order_by())).values("id", "student_id", "from_day", "until_day")


def _timetables(last_day: datetime.date) -> list[dict[str, Any]]:
    rows = Timetable.objects.filter(valid_from__lte=last_day).order_by()
    return [
        {
            "id": key,
            "group": group,
            "valid_from": valid_from,
            "weekdays": weekdays,
            "periods": periods_of(periods),
        }
        for key, group, valid_from, weekdays, periods in rows.values_list(
            "id", "group_id", "valid_from", "weekdays", "periods"
        )
    ]


def _calendar(of: _Of) -> Iterator[dict[str, Any]]:
    rows = of.days(CalendarEntry.objects.order_by("id"))
    for key, group, kind, first_day, last_day, name in rows.values_list(
        "id", "group_id", "kind", "first_day", "last_day", "name"
    ):
        yield {
            "id": key,
            "group": group,
            "kind": kind,
            "first_day": first_day,
            "last_day": last_day,
            "name": name,
        }


def _excuses(of: _Of) -> Iterable[dict[str, Any]]:
    rows = of.days(of.about(Excuse.objects.filter(withdrawn_at=None).order_by("id")))
    return rows.values("id", "student_id", "first_day", "last_day", "period", "reason", "created_by")


def _marks(of: _Of, policy: faceattend.AttendancePolicy) -> Iterator[dict[str, Any]]:
    starts_at = window(policy, of.first_day)[0]
    ends_at = window(policy, of.last_day)[1]
    # Two queries, so that each has its index: days are in rows of this library, times in those of others.
    by_day = Attendance.objects.filter(local_day__gte=of.first_day, local_day__lte=of.last_day)
    by_time = Attendance.objects.filter(local_day=None, timestamp__gte=starts_at, timestamp__lt=ends_at)
    corrected = Exists(AttendanceCorrection.objects.filter(attendance_id=OuterRef("pk")))
    for rows in (by_day, by_time):
        found = of.about(rows.order_by()).annotate(is_corrected=corrected)
        for key, student, at, status, day, period, checked_out_at, is_corrected in found.values_list(
            "id", "student_id", "timestamp", "status", "local_day", "period", "checked_out_at", "is_corrected"
        ):
            yield {
                "id": key,
                "student_id": student,
                "at": _utc(at),
                "status": status,
                "day": day,
                "period": period if day is not None else None,
                "checked_out_at": checked_out_at,
                "is_corrected": is_corrected,
            }
