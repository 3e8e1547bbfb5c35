"""Groups of students, timetables, the calendar and excuses: the roster tables of the reference server.

From these rows and the marks `rosters` derives who is missing; no status is stored. Names and columns are the
server's, see ``docs/src/school-day.md``. A day called ``until_day`` is the first one on which something is over.
"""

from __future__ import annotations

import datetime
import json
import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone

from . import conf
from .fields import ServerTimeField

# The `from_day` of the time before a student's first day.
BEGINNING = datetime.date(1, 1, 1)

# What is never seen in a name: see `visible` of the core's `store::text_keys`.
_WITHOUT_WIDTH = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)


def name_key(name: str) -> str:
    """Returns what makes names of groups one: without letter case, and with white space as a page shows it.

    It is the core's key: the server finds by it the group that Django made.
    """
    shown = "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in _WITHOUT_WIDTH.sub("", name))
    # Up and down again: so `ß` is `ss`.
    return " ".join(unicodedata.normalize("NFC", shown).split()).upper().lower()


def today() -> datetime.date:
    """Returns the site's day that is now."""
    return conf.policy().day()[0]


class _Noted(models.Model):
    """Who made a row, and when."""

    created_at = ServerTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=255, default="", editable=False)

    class Meta:
        abstract = True


class StudentGroup(_Noted):
    """A class, section, department or shift."""

    KINDS = [
        ("class", "class"),
        ("section", "section"),
        ("department", "department"),
        ("shift", "shift"),
        ("other", "other"),
    ]

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=255, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=KINDS, default="class")
    archived_at = ServerTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "student_groups"
        ordering = ["name", "id"]
        # Django's own groups are those of users.
        verbose_name = "student group"

    def __str__(self) -> str:
        return f"{self.name} (archived)" if self.archived_at else self.name

    def clean(self) -> None:
        """Refuses a name that another group has, in whatever letter case."""
        key = name_key(self.name or "")
        if not key:
            raise ValidationError({"name": "The group needs a name."})
        others = StudentGroup.objects.filter(name_key=key).exclude(pk=self.pk)
        if others.exists():
            raise ValidationError({"name": "There is a group with this name already, perhaps an archived one."})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the row, with the key of its name."""
        self.name = self.name.strip()
        self.name_key = name_key(self.name)
        if kwargs.get("update_fields") is not None and "name" in kwargs["update_fields"]:
            kwargs["update_fields"] = {*kwargs["update_fields"], "name_key"}
        super().save(*args, **kwargs)


class _Span(_Noted):
    """Days from one on until another, which is the first that is no longer of it."""

    from_day = models.DateField("from", default=today, help_text="The first day.")
    until_day = models.DateField(
        "until", null=True, blank=True, help_text="The first day on which it is over; empty where there is no end."
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Refuses a span without a day, and one that shares days with another of the same."""
        if self.from_day is None:
            return
        if self.until_day is not None and self.until_day <= self.from_day:
            raise ValidationError({"until_day": "It would be over before it has begun."})
        for other in self._others():
            begins_later = self.until_day is not None and other.from_day >= self.until_day
            if not begins_later and (other.until_day is None or other.until_day > self.from_day):
                raise ValidationError({"from_day": f"There is one from {other.from_day} on already."})

    def _others(self) -> Any:
        """The other rows that may share no day with this one."""
        return type(self)._default_manager.none()


class GroupMember(_Span):
    """A student in a group, from a day on."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(StudentGroup, on_delete=models.CASCADE, related_name="members")
    student = models.ForeignKey("faceattend.Student", on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        db_table = "group_members"
        ordering = ["student_id", "from_day", "group_id"]
        verbose_name = "member"

    def __str__(self) -> str:
        return f"{self.student} in {self.group}"

    def clean(self) -> None:
        """Refuses an archived group, and a student who has left."""
        super().clean()
        if self.group_id is None or self.student_id is None or self.from_day is None or self.pk is not None:
            return
        if self.group.archived_at is not None:
            raise ValidationError("The group is archived: restore it first.")
        left = Withdrawal.objects.filter(student_id=self.student_id, from_day__lte=self.from_day)
        left = left.exclude(from_day=BEGINNING).exclude(until_day__lte=self.from_day)
        for withdrawal in left:
            raise ValidationError(f"The student is withdrawn since {withdrawal.from_day}: end the withdrawal first.")

    def _others(self) -> models.QuerySet[GroupMember]:
        if self.group_id is None or self.student_id is None:
            return GroupMember.objects.none()
        same = GroupMember.objects.filter(group_id=self.group_id, student_id=self.student_id)
        return same.exclude(pk=self.pk)


class Withdrawal(_Span):
    """Days on which a student is not expected: after leaving, or before the first day."""

    id = models.BigAutoField(primary_key=True)
    student = models.ForeignKey("faceattend.Student", on_delete=models.CASCADE, related_name="withdrawals")

    class Meta:
        db_table = "withdrawals"
        ordering = ["student_id", "from_day"]

    def __str__(self) -> str:
        if self.from_day == BEGINNING:
            return f"{self.student} until {self.until_day}"
        return f"{self.student} from {self.from_day}"

    def _others(self) -> models.QuerySet[Withdrawal]:
        if self.student_id is None:
            return Withdrawal.objects.none()
        return Withdrawal.objects.filter(student_id=self.student_id).exclude(pk=self.pk)

    def end_memberships(self) -> int:
        """Ends the student's memberships on the day on which the student leaves. Returns how many."""
        if self.until_day is not None:
            return 0
        ongoing = GroupMember.objects.filter(student_id=self.student_id).exclude(until_day__lte=self.from_day)
        deleted, _ = ongoing.filter(from_day__gte=self.from_day).delete()
        return deleted + ongoing.filter(from_day__lt=self.from_day).update(until_day=self.from_day)


class Timetable(_Noted):
    """What holds from a day on: the days of the week, and the periods with their times.

    ``periods`` is JSON, as the core writes it. A past day keeps the timetable that it had.
    """

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(
        StudentGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="timetables",
        help_text="Empty for the site's: it holds for everybody whose groups have none.",
    )  # fmt: skip
    valid_from = models.DateField(default=today, help_text="The first day on which it holds.")
    weekdays = models.CharField(max_length=40, default="mon tue wed thu fri")
    periods = models.TextField(default="[]", blank=True)

    class Meta:
        db_table = "timetables"
        ordering = ["group_id", "valid_from"]
        constraints = [
            models.UniqueConstraint(Coalesce("group", 0), "valid_from", name="uq_timetables_valid_from"),
        ]

    def __str__(self) -> str:
        whose = "the site" if self.group_id is None else self.group
        return f"Timetable of {whose} from {self.valid_from}"

    def rows(self) -> list[dict[str, str]]:
        """The periods, each with ``name``, ``begins`` and perhaps ``late_after`` and ``check_out_from``."""
        return periods_of(self.periods)

    @property
    def holds(self) -> bool:
        """Whether it holds today, or held before: then it is history, and stays as it is."""
        return self.valid_from <= today()


def periods_of(text: str) -> list[dict[str, str]]:
    """Returns the periods that a row holds; none where nobody could read them."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else []


class _Days(_Noted):
    """Days from the first to the last."""

    first_day = models.DateField(default=today)
    last_day = models.DateField(default=today)

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Refuses a last day that is before the first."""
        if self.first_day is not None and self.last_day is not None and self.last_day < self.first_day:
            raise ValidationError({"last_day": "The last day is before the first."})


class CalendarEntry(_Days):
    """A holiday, or an extra day on which people are expected."""

    KINDS = [("holiday", "holiday: nobody is expected"), ("extra_day", "extra day: people are expected")]

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(
        StudentGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="calendar_entries",
        help_text="Empty for everybody.",
    )  # fmt: skip
    kind = models.CharField(max_length=20, choices=KINDS, default="holiday")
    name = models.CharField(max_length=255)

    class Meta:
        db_table = "calendar_entries"
        ordering = ["-first_day", "id"]
        verbose_name = "calendar entry"
        verbose_name_plural = "calendar"

    def __str__(self) -> str:
        return f"{self.name} ({self.first_day})"


class Excuse(_Days):
    """Why a student was absent. A withdrawn one stays, and excuses nothing any more."""

    id = models.BigAutoField(primary_key=True)
    student = models.ForeignKey("faceattend.Student", on_delete=models.CASCADE, related_name="excuses")
    period = models.TextField(
        null=True, blank=True, help_text="The name of a period of the timetable; empty for the whole of each day."
    )
    reason = models.TextField(validators=[MaxLengthValidator(4000)])
    withdrawn_at = ServerTimeField(null=True, blank=True, editable=False)
    withdrawn_by = models.CharField(max_length=255, null=True, blank=True, editable=False)

    class Meta:
        db_table = "excuses"
        ordering = ["-first_day", "-id"]

    def __str__(self) -> str:
        # Without the reason: this text is in lists and in the log.
        days = f"{self.first_day}" if self.first_day == self.last_day else f"{self.first_day} to {self.last_day}"
        return f"{self.student}, {days}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the row. No period is the whole day."""
        self.period = self.period or None
        super().save(*args, **kwargs)


class AttendanceCorrection(models.Model):
    """That a person gave a mark another status, and why."""

    id = models.BigAutoField(primary_key=True)
    # The server's table has no constraint here either: it deletes the corrections with their mark.
    attendance = models.ForeignKey(
        "faceattend.Attendance", on_delete=models.CASCADE, related_name="corrections", db_constraint=False
    )
    status = models.CharField(max_length=20)
    status_before = models.CharField(max_length=20)
    corrected_by = models.CharField(max_length=100)
    reason = models.TextField()
    created_at = ServerTimeField(default=timezone.now)

    class Meta:
        db_table = "attendance_corrections"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.status_before} to {self.status} by {self.corrected_by}"
