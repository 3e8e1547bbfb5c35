"""The part of `faceattend.types` about rosters, which re-exports it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal, Optional, TypedDict

from .errors import FaceAttendError

RosterStatus = Literal["Present", "Late", "LeftEarly", "Excused", "Absent", "Pending"]
"""How somebody attended who was expected. Pending: not there yet, and not late yet."""
DayKind = Literal["school", "holiday", "free"]
"""What a day is. Free: a day of the week on which nobody is expected."""
GroupKind = Literal["class", "section", "department", "shift", "other"]
CalendarKind = Literal["holiday", "extra_day"]
"""What an entry of the calendar says: nobody is expected, or people are, whatever day of the week it is."""
RosterChanged = Literal["created", "changed", "unchanged"]
"""What a change of a roster did."""


class RosterStudentDict(TypedDict):
    """A student of `RosterDays.students`."""

    id: int
    name: str
    roll_number: str
    created_at: datetime


class GroupDict(TypedDict):
    """A group, as `Rosters.group` returns it."""

    id: int
    name: str
    kind: GroupKind
    archived_at: Optional[datetime]
    created_at: Optional[datetime]
    created_by: str


class GroupSizeDict(TypedDict):
    """`Rosters.groups`: a group with the number of its members on a day, without those who are withdrawn."""

    group: GroupDict
    members: int


class MembershipDict(TypedDict):
    """`Rosters.memberships`. ``until_day`` is the first day on which it is over."""

    id: int
    group: int
    student_id: int
    from_day: date
    until_day: Optional[date]


class WithdrawalDict(TypedDict):
    """`Rosters.withdrawals`: a time in which a student is not expected. Without ``from_day`` it is the time before the
    first day; without ``until_day`` the student has left."""

    id: int
    student_id: int
    from_day: Optional[date]
    until_day: Optional[date]
    by: str
    at: datetime


class PeriodDict(TypedDict):
    """A part of a day that is marked once, in times of the site's clocks."""

    name: str
    begins: time
    late_after: Optional[time]
    check_out_from: Optional[time]


class TimetableVersionDict(TypedDict):
    """`Rosters.timetables`: what holds from a day on. Without ``group`` it is the site's."""

    id: int
    group: Optional[int]
    valid_from: date
    weekdays: list[str]
    periods: list[PeriodDict]
    created_at: datetime
    created_by: str


class CalendarEntryDict(TypedDict):
    """`Rosters.calendar`. Without ``group`` it is the site's."""

    id: int
    group: Optional[int]
    kind: CalendarKind
    name: str
    first_day: date
    last_day: date
    created_at: datetime
    created_by: str


class ExcuseDict(TypedDict):
    """`Rosters.excuses`. Without ``period`` it is for the whole of each day."""

    id: int
    student_id: int
    first_day: date
    last_day: date
    period: Optional[str]
    reason: str
    created_at: Optional[datetime]
    created_by: str
    withdrawn_at: Optional[datetime]
    withdrawn_by: Optional[str]


class RosterEntryDict(TypedDict):
    """`RosterEntry.to_dict`, without the excuse. ``day`` is a text such as ``2026-03-02``, ``at`` one such as
    ``2026-03-02T08:00:00Z``."""

    student_id: int
    name: str
    roll_number: str
    day: str
    period: str
    status: RosterStatus
    at: Optional[str]


class StatusCountsDict(TypedDict):
    """`StatusCounts.to_dict`."""

    present: int
    late: int
    left_early: int
    excused: int
    absent: int
    pending: int
    expected: int
    came: int
    rate: Optional[float]


class ArrivalBinDict(TypedDict):
    """Arrivals in some minutes, from ``begins`` on."""

    begins: time
    in_time: int
    late: int


class ArrivalsDict(TypedDict):
    """`RosterDays.arrivals`: how many minutes a bin has, and the bins without gaps."""

    minutes: int
    bins: list[ArrivalBinDict]


class RefusedChangeDict(TypedDict):
    """A change that cannot be made: its place in the list, from 0, and why."""

    place: int
    error: FaceAttendError


class RosterOutcomeDict(TypedDict):
    """`Rosters.change_roster`: all were made (or would be, in a preview), or nothing has changed."""

    outcome: Literal["done", "refused"]
    changed: list[RosterChanged]
    refused: list[RefusedChangeDict]


class RosterProblemDict(TypedDict):
    """What is wrong with a list, and where. ``code`` is a stable word such as ``missing``; without ``line`` the whole
    file is meant."""

    line: Optional[int]
    column: Optional[str]
    code: str
    value: str
    message: str


class PlannedGroupDict(TypedDict):
    """A group that an import makes."""

    name: str
    kind: GroupKind


class PlannedMembershipDict(TypedDict):
    """A membership that an import makes, or one that is there and gets other days."""

    membership: Optional[int]
    group: str
    from_day: date
    until_day: Optional[date]


class PlannedStudentDict(TypedDict):
    """A student whom an import makes."""

    line: int
    roll_number: str
    name: str
    joins: list[PlannedMembershipDict]
    guardian_emails: list[str]


class PlannedChangeDict(TypedDict):
    """A student whom an import changes."""

    line: int
    student_id: int
    roll_number: str
    name: str
    new_name: Optional[str]
    joins: list[PlannedMembershipDict]
    redated: list[PlannedMembershipDict]
    leaves: list[str]
    guardian_emails: list[str]
    returns: bool
    withdrawn_on: Optional[date]


class UnlistedStudentDict(TypedDict):
    """A student whom a list does not name."""

    student_id: int
    roll_number: str
    name: str


class RosterPlanDict(TypedDict):
    """`Rosters.plan_import`: what an import would change."""

    new_groups: list[PlannedGroupDict]
    new: list[PlannedStudentDict]
    changed: list[PlannedChangeDict]
    unchanged: int
    unlisted: list[UnlistedStudentDict]
    withdraws: bool
    problems: list[RosterProblemDict]
    is_empty: bool
    fingerprint: str
    sheet: Optional[str]
    other_sheets: list[str]
    guessed_encoding: Optional[str]
    unknown_columns: list[str]


class RosterImportDict(TypedDict):
    """`Rosters.import_roster`: of ``outdated`` and ``refused`` nothing has changed."""

    outcome: Literal["done", "outdated", "refused"]
    plan: RosterPlanDict


class GuardianDict(TypedDict):
    """A guardian of a student, as `Store.guardians` returns it: personal data, erased with the student."""

    email: str
    language: str
