"""Rosters whose calls are awaited, a part of `faceattend.aio`."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Optional, Union

import faceattend

if TYPE_CHECKING:
    from .aio import Store
    from .types import (
        CalendarEntryDict,
        CalendarKind,
        Day,
        ExcuseDict,
        GroupDict,
        GroupKind,
        GroupSizeDict,
        MembershipDict,
        Moment,
        PathLike,
        RosterChanged,
        RosterImportDict,
        RosterOutcomeDict,
        RosterPlanDict,
        TimetableVersionDict,
        WithdrawalDict,
    )


class Rosters:
    """Rosters whose calls are awaited. They share the threads of their store.

    Parameters
    ----------
    store : Store
    policy : faceattend.AttendancePolicy, optional
        The days of the site. Default: those of this machine's time zone.
    """

    def __init__(self, store: Store, policy: Optional[faceattend.AttendancePolicy] = None) -> None:
        self._store = store
        self._rosters = faceattend.Rosters(store.store, policy)

    @property
    def rosters(self) -> faceattend.Rosters:
        """The rosters themselves, for calls that are not awaited."""
        return self._rosters

    async def days(
        self,
        first_day: Day,
        last_day: Optional[Day] = None,
        *,
        group: Optional[int] = None,
        student_id: Optional[int] = None,
        now: Optional[Moment] = None,
    ) -> faceattend.RosterDays:
        """Returns who was expected, and how each attended. See `faceattend.Rosters.days`."""
        call = functools.partial(self._rosters.days, group=group, student_id=student_id, now=now)
        return await self._store.run(call, first_day, last_day)

    async def groups(self, on: Optional[Day] = None) -> list[GroupSizeDict]:
        """Returns every group with the number of its members. See `faceattend.Rosters.groups`."""
        return await self._store.run(self._rosters.groups, on)

    async def group(self, group_id: int) -> Optional[GroupDict]:
        """Returns the group with this id, or ``None``. See `faceattend.Rosters.group`."""
        return await self._store.run(self._rosters.group, group_id)

    async def create_group(
        self, name: str, kind: GroupKind = "class", *, by: str = "python", at: Optional[Moment] = None
    ) -> GroupDict:
        """Makes a group. See `faceattend.Rosters.create_group`."""
        return await self._store.run(self._rosters.create_group, name, kind, by=by, at=at)

    async def change_group(
        self, group_id: int, *, name: Optional[str] = None, kind: Optional[GroupKind] = None
    ) -> GroupDict:
        """Renames a group, or says what it is. See `faceattend.Rosters.change_group`."""
        return await self._store.run(self._rosters.change_group, group_id, name=name, kind=kind)

    async def remove_group(self, group_id: int, *, at: Optional[Moment] = None) -> Literal["removed", "archived"]:
        """Removes or archives a group. See `faceattend.Rosters.remove_group`."""
        return await self._store.run(self._rosters.remove_group, group_id, at=at)

    async def restore_group(self, group_id: int) -> GroupDict:
        """Takes a group out of the archive. See `faceattend.Rosters.restore_group`."""
        return await self._store.run(self._rosters.restore_group, group_id)

    async def memberships(
        self, *, group: Optional[int] = None, student_id: Optional[int] = None, on: Optional[Day] = None
    ) -> list[MembershipDict]:
        """Returns memberships. See `faceattend.Rosters.memberships`."""
        return await self._store.run(self._rosters.memberships, group=group, student_id=student_id, on=on)

    async def withdrawals(self, student_id: Optional[int] = None) -> list[WithdrawalDict]:
        """Returns the times in which students are not expected. See `faceattend.Rosters.withdrawals`."""
        return await self._store.run(self._rosters.withdrawals, student_id)

    async def change_roster(
        self,
        changes: Iterable[Mapping[str, Any]],
        *,
        preview: bool = False,
        by: str = "python",
        at: Optional[Moment] = None,
    ) -> RosterOutcomeDict:
        """Makes changes, all of them or none. See `faceattend.Rosters.change_roster`."""
        return await self._store.run(self._rosters.change_roster, changes, preview=preview, by=by, at=at)

    async def join(
        self,
        student_id: int,
        group: Union[int, str],
        from_day: Optional[Day] = None,
        until_day: Optional[Day] = None,
        *,
        by: str = "python",
        at: Optional[Moment] = None,
    ) -> RosterChanged:
        """Makes a student a member of a group. See `faceattend.Rosters.join`."""
        return await self._store.run(self._rosters.join, student_id, group, from_day, until_day, by=by, at=at)

    async def leave(
        self,
        student_id: int,
        group: Union[int, str],
        until_day: Optional[Day] = None,
        *,
        by: str = "python",
        at: Optional[Moment] = None,
    ) -> RosterChanged:
        """Ends a membership. See `faceattend.Rosters.leave`."""
        return await self._store.run(self._rosters.leave, student_id, group, until_day, by=by, at=at)

    async def withdraw(
        self, student_id: int, from_day: Optional[Day] = None, *, by: str = "python", at: Optional[Moment] = None
    ) -> RosterChanged:
        """Notes that a student has left. See `faceattend.Rosters.withdraw`."""
        return await self._store.run(self._rosters.withdraw, student_id, from_day, by=by, at=at)

    async def readmit(
        self, student_id: int, from_day: Optional[Day] = None, *, by: str = "python", at: Optional[Moment] = None
    ) -> RosterChanged:
        """Notes that a student is expected again. See `faceattend.Rosters.readmit`."""
        return await self._store.run(self._rosters.readmit, student_id, from_day, by=by, at=at)

    async def timetables(self) -> list[TimetableVersionDict]:
        """Returns every version of every timetable. See `faceattend.Rosters.timetables`."""
        return await self._store.run(self._rosters.timetables)

    async def set_timetable(
        self,
        *,
        weekdays: Optional[Union[str, Iterable[Union[str, int]]]] = None,
        periods: Optional[Iterable[Union[str, Mapping[str, Any]]]] = None,
        group: Optional[int] = None,
        valid_from: Optional[Day] = None,
        by: str = "python",
        at: Optional[Moment] = None,
    ) -> TimetableVersionDict:
        """Keeps a version of a timetable. See `faceattend.Rosters.set_timetable`."""
        call = functools.partial(
            self._rosters.set_timetable,
            weekdays=weekdays,
            periods=periods,
            group=group,
            valid_from=valid_from,
            by=by,
            at=at,
        )
        return await self._store.run(call)

    async def remove_timetable(self, timetable_id: int, *, at: Optional[Moment] = None) -> TimetableVersionDict:
        """Removes a version that does not hold yet. See `faceattend.Rosters.remove_timetable`."""
        return await self._store.run(self._rosters.remove_timetable, timetable_id, at=at)

    async def calendar(self, first_day: Day, last_day: Optional[Day] = None) -> list[CalendarEntryDict]:
        """Returns the entries of the calendar that touch these days. See `faceattend.Rosters.calendar`."""
        return await self._store.run(self._rosters.calendar, first_day, last_day)

    async def add_calendar_entry(
        self,
        name: str,
        first_day: Day,
        last_day: Optional[Day] = None,
        *,
        kind: CalendarKind = "holiday",
        group: Optional[int] = None,
        by: str = "python",
        at: Optional[Moment] = None,
    ) -> CalendarEntryDict:
        """Keeps an entry of the calendar. See `faceattend.Rosters.add_calendar_entry`."""
        call = functools.partial(self._rosters.add_calendar_entry, kind=kind, group=group, by=by, at=at)
        return await self._store.run(call, name, first_day, last_day)

    async def remove_calendar_entry(self, entry_id: int) -> CalendarEntryDict:
        """Removes an entry of the calendar. See `faceattend.Rosters.remove_calendar_entry`."""
        return await self._store.run(self._rosters.remove_calendar_entry, entry_id)

    async def excuses(
        self, *, student_id: Optional[int] = None, from_day: Optional[Day] = None, to_day: Optional[Day] = None
    ) -> list[ExcuseDict]:
        """Returns excuses. See `faceattend.Rosters.excuses`."""
        return await self._store.run(self._rosters.excuses, student_id=student_id, from_day=from_day, to_day=to_day)

    async def excuse(self, excuse_id: int) -> Optional[ExcuseDict]:
        """Returns the excuse with this id, or ``None``. See `faceattend.Rosters.excuse`."""
        return await self._store.run(self._rosters.excuse, excuse_id)

    async def add_excuse(
        self,
        student_id: int,
        first_day: Day,
        last_day: Optional[Day] = None,
        *,
        reason: str,
        period: Optional[str] = None,
        by: str = "python",
        at: Optional[Moment] = None,
    ) -> ExcuseDict:
        """Notes why a student is absent. See `faceattend.Rosters.add_excuse`."""
        call = functools.partial(self._rosters.add_excuse, reason=reason, period=period, by=by, at=at)
        return await self._store.run(call, student_id, first_day, last_day)

    async def withdraw_excuse(self, excuse_id: int, *, by: str = "python", at: Optional[Moment] = None) -> ExcuseDict:
        """Withdraws an excuse. See `faceattend.Rosters.withdraw_excuse`."""
        return await self._store.run(self._rosters.withdraw_excuse, excuse_id, by=by, at=at)

    async def plan_import(
        self,
        data: Union[bytes, bytearray, PathLike],
        *,
        sheet: Optional[str] = None,
        encoding: Optional[str] = None,
        withdraw_missing: bool = False,
        language: str = "en",
        day: Optional[Day] = None,
    ) -> RosterPlanDict:
        """Returns what the import of a list would change. See `faceattend.Rosters.plan_import`."""
        call = functools.partial(
            self._rosters.plan_import,
            sheet=sheet,
            encoding=encoding,
            withdraw_missing=withdraw_missing,
            language=language,
            day=day,
        )
        return await self._store.run(call, data)

    async def import_roster(
        self,
        data: Union[bytes, bytearray, PathLike],
        *,
        sheet: Optional[str] = None,
        encoding: Optional[str] = None,
        withdraw_missing: bool = False,
        language: str = "en",
        day: Optional[Day] = None,
        fingerprint: Optional[str] = None,
        by: str = "python",
        at: Optional[Moment] = None,
    ) -> RosterImportDict:
        """Imports a list: all of it, or nothing. See `faceattend.Rosters.import_roster`."""
        call = functools.partial(
            self._rosters.import_roster,
            sheet=sheet,
            encoding=encoding,
            withdraw_missing=withdraw_missing,
            language=language,
            day=day,
            fingerprint=fingerprint,
            by=by,
            at=at,
        )
        return await self._store.run(call, data)

    async def export(
        self,
        day: Optional[Day] = None,
        format: Literal["csv", "xlsx"] = "csv",
        *,
        byte_order_mark: bool = False,
        guardians: bool = False,
    ) -> bytes:
        """Returns the list of everybody as CSV or XLSX. See `faceattend.Rosters.export`."""
        call = functools.partial(self._rosters.export, byte_order_mark=byte_order_mark, guardians=guardians)
        return await self._store.run(call, day, format)

    def __repr__(self) -> str:
        return "<faceattend.aio.Rosters>"
