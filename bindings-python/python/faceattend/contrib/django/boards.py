"""What the pages of absence and of the register show, as values for templates, files and the command line."""

from __future__ import annotations

import datetime
from calendar import monthrange
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional
from zoneinfo import ZoneInfo

import faceattend
from faceattend._native import count_statuses, period_now

from . import conf, rosters
from .roster_models import StudentGroup

if TYPE_CHECKING:
    from faceattend.types import RosterStatus

# The choice of those who are in no group, as in the server's addresses.
NO_GROUP = 0
WITHOUT = "Without a group"


@dataclass(frozen=True)
class Status:
    """A status that the core derives, with how it is told."""

    code: str
    letter: str
    word: str
    css: str


STATUSES = {
    status.code: status
    for status in [
        Status("Present", "P", "Present", "present"),
        Status("Late", "L", "Late", "late"),
        Status("LeftEarly", "E", "Left early", "left"),
        Status("Excused", "X", "Excused", "excused"),
        Status("Absent", "A", "Absent", "absent"),
        Status("Pending", "", "Not late yet", "pending"),
    ]
}
# In the order in which a board lists them. Who is there in time, or may still come, is only counted.
_LISTED = ["Absent", "Late", "LeftEarly", "Excused"]


@dataclass(frozen=True)
class Choice:
    """A group that can be chosen: `NO_GROUP` for those who are in none."""

    id: int
    name: str


@dataclass(frozen=True)
class Person:
    """Somebody on a board who was not there in time. ``time`` is that of the mark, by the site's clocks."""

    student_id: int
    name: str
    roll_number: str
    status: Status
    time: str
    reason: str


@dataclass
class GroupBoard:
    """A group on a day.

    ``off`` says why nobody is expected, ``counts`` are those of the core.
    """

    group: Choice
    off: str = ""
    period: str = ""
    statuses: list[RosterStatus] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    @cached_property
    def counts(self) -> faceattend.StatusCounts:
        """How many came, and how."""
        return count_statuses(self.statuses)


@dataclass(frozen=True)
class Board:
    """A day: who is missing, by group."""

    day: datetime.date
    is_today: bool
    off: str
    counts: faceattend.StatusCounts
    groups: list[GroupBoard]
    choices: list[Choice]
    periods: list[str]
    students: int


def board_of(
    day: Optional[datetime.date] = None,
    *,
    group: Optional[int] = None,
    period: Optional[str] = None,
    reasons: bool = False,
    now: Optional[datetime.datetime] = None,
) -> Board:
    """Returns who is missing on a day, today without one.

    Parameters
    ----------
    day : date, optional
    group : int, optional
        Only this group; `NO_GROUP` for those who are in none.
    period : str, optional
        Default: the period that is now, of each student's own timetable.
    reasons : bool
        Whether the reasons of excuses are told.
    """
    policy = conf.policy()
    zone = ZoneInfo(policy.time_zone or "UTC")
    today = policy.day(now)[0]
    day = day or today
    days = rosters.read(day, now=now)
    of_day: dict[int, list[faceattend.RosterEntry]] = {}
    for entry in days.entries(day):
        of_day.setdefault(entry.student_id, []).append(entry)
    boards: dict[int, GroupBoard] = {}
    names = {row["id"]: row["name"] for row in days.groups}
    totals: list[RosterStatus] = []
    for student in days.students:
        entries = of_day.get(student["id"], [])
        own = days.groups_of(student["id"], day) or [NO_GROUP]
        if period is None and len(entries) > 1:
            now_is = period_now(days, day, student_id=student["id"])
            entries = [entry for entry in entries if entry.period == now_is]
        entries = [entry for entry in entries if period is None or entry.period == period]
        for number in dict.fromkeys(own):
            if number not in boards:
                boards[number] = GroupBoard(Choice(number, names.get(number, WITHOUT)))
            for entry in entries:
                boards[number].statuses.append(entry.status)
                if entry.status in _LISTED:
                    boards[number].people.append(_person(entry, zone, reasons))
        if group is None or group in own:
            totals.extend(entry.status for entry in entries)
    ordered = [boards[number] for number in [*names, NO_GROUP] if number in boards]
    for each in ordered:
        of_group = each.group.id or None
        each.off = off_of(days.plan(day, of_group))
        each.period = period or period_now(days, day, group=of_group) or ""
        each.people.sort(key=lambda person: _LISTED.index(person.status.code))
    plans = [days.plan(day), *(days.plan(day, number) for number in names)]
    return Board(
        day,
        day == today,
        off_of(plans[0]),
        count_statuses(totals),
        [each for each in ordered if group is None or each.group.id == group],
        [each.group for each in ordered],
        _names(plans),
        len(days.students),
    )


def _person(entry: faceattend.RosterEntry, zone: ZoneInfo, reasons: bool) -> Person:
    excuse, at = entry.excuse, entry.at
    reason = str(excuse["reason"]) if reasons and excuse is not None else ""
    time = at.astimezone(zone).strftime("%H:%M") if at is not None and entry.status in ("Late", "LeftEarly") else ""
    return Person(entry.student_id, entry.name, entry.roll_number, STATUSES[entry.status], time, reason)


def _names(plans: list[faceattend.DayPlan]) -> list[str]:
    """The periods of the plans, each once, in order."""
    return list(dict.fromkeys(str(period["name"]) for plan in plans for period in plan.periods))


def off_of(plan: faceattend.DayPlan) -> str:
    """Returns why nobody is expected on a day; nothing where people are."""
    if plan.kind == "school":
        return ""
    return plan.name or ("Holiday" if plan.kind == "holiday" else "No school")


@dataclass(frozen=True)
class SheetDay:
    """A column of a register, with why nobody is expected on it."""

    day: datetime.date
    off: str
    here: int
    expected: int


@dataclass(frozen=True)
class SheetRow:
    """A student's month: a status for each day, ``None`` where the student was not expected."""

    student_id: int
    name: str
    roll_number: str
    cells: list[tuple[SheetDay, Optional[Status]]]
    counts: faceattend.StatusCounts

    @property
    def percent(self) -> Optional[int]:
        """The attendance rate in hundredths; ``None`` where there is none."""
        return None if self.counts.rate is None else round(self.counts.rate * 100)


@dataclass(frozen=True)
class Sheet:
    """The register of a group and a month."""

    group: Choice
    first_day: datetime.date
    period: str
    periods: list[str]
    days: list[SheetDay]
    rows: list[SheetRow]


def last_of(first_day: datetime.date) -> datetime.date:
    """Returns the last day of a month."""
    return first_day.replace(day=monthrange(first_day.year, first_day.month)[1])


def sheets_of(
    first_day: datetime.date,
    groups: list[StudentGroup],
    *,
    only: Optional[int] = None,
    period: Optional[str] = None,
    now: Optional[datetime.datetime] = None,
) -> list[Sheet]:
    """Returns the registers of a month.

    Parameters
    ----------
    first_day : date
        The first day of the month.
    groups : list of StudentGroup
        Whose, in this order; then those who are in none.
    only : int, optional
        Only this group's, also where nobody is in it.
    period : str, optional
        Default: the first one of each day.
    """
    of_group = only if only else None
    days = rosters.read(first_day, last_of(first_day), group=of_group, now=now)
    found: dict[tuple[int, datetime.date], faceattend.RosterEntry] = {}
    for entry in days.entries(period=period):
        # The first period of the day, where none is asked for.
        found.setdefault((entry.student_id, entry.day), entry)
    span = [first_day + datetime.timedelta(days=each) for each in range(last_of(first_day).day)]
    where = {
        (student["id"], day): days.groups_of(student["id"], day) or [NO_GROUP]
        for student in days.students
        for day in span
    }
    choices = [Choice(group.pk, group.name) for group in groups] + [Choice(NO_GROUP, WITHOUT)]
    sheets = [
        _sheet(days, choice, span, found, where, period) for choice in choices if only is None or choice.id == only
    ]
    return [sheet for sheet in sheets if sheet.rows or only is not None]


def _sheet(
    days: faceattend.RosterDays,
    group: Choice,
    span: list[datetime.date],
    found: dict[tuple[int, datetime.date], faceattend.RosterEntry],
    where: dict[tuple[int, datetime.date], list[int]],
    period: Optional[str],
) -> Sheet:
    plans = [days.plan(day, group.id or None) for day in span]
    # A sheet names whom the group had in the month, also where nobody was expected yet.
    members = [
        student for student in days.students if any(group.id in where[student["id"], day] for day in span)
    ]
    entries = {
        (student["id"], day): found[student["id"], day]
        for student in members
        for day in span
        if group.id in where[student["id"], day] and (student["id"], day) in found
    }
    columns = []
    for day, plan in zip(span, plans):
        own = [entries[student["id"], day].status for student in members if (student["id"], day) in entries]
        sums = count_statuses(own)
        columns.append(SheetDay(day, off_of(plan), sums.came, sums.expected))
    rows = []
    for student in members:
        own_entries = [entries.get((student["id"], day)) for day in span]
        cells = [
            (column, None if entry is None else STATUSES[entry.status])
            for column, entry in zip(columns, own_entries)
        ]
        sums = count_statuses([entry.status for entry in own_entries if entry is not None])
        rows.append(SheetRow(student["id"], student["name"], student["roll_number"], cells, sums))
    periods = _names(plans)
    return Sheet(group, span[0], period or next(iter(periods), ""), periods, columns, rows)


def csv_rows(sheets: list[Sheet]) -> list[list[Any]]:
    """Returns registers as the rows of a file, the head first: as the server writes them."""
    days = [each.day.isoformat() for each in sheets[0].days] if sheets else []
    sums = ["Present", "Late", "Left early", "Excused", "Absent", "Rate"]
    rows: list[list[Any]] = [["Group", "Name", "Roll Number", *days, *sums]]
    for sheet in sheets:
        for row in sheet.rows:
            letters = ["" if status is None else status.letter for _, status in row.cells]
            counts = row.counts
            rate = "" if counts.rate is None else round(counts.rate, 4)
            told = [counts.present, counts.late, counts.left_early, counts.excused, counts.absent, rate]
            rows.append([sheet.group.name, row.name, row.roll_number, *letters, *told])
    return rows
