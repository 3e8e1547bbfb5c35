"""The forms of groups, timetables, withdrawals and corrections: what the core asks of them."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any, Optional

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import ValidationError

import faceattend
from faceattend._native import timetable_periods

from . import conf
from .models import Attendance
from .roster_models import BEGINNING, GroupMember, StudentGroup, Timetable, Withdrawal, today

if TYPE_CHECKING:
    _TimetableForm = forms.ModelForm[Timetable]
    _WithdrawalForm = forms.ModelForm[Withdrawal]
    _AttendanceForm = forms.ModelForm[Attendance]
    _MemberFormSet = forms.BaseInlineFormSet[GroupMember, StudentGroup, forms.ModelForm[GroupMember]]
else:
    _TimetableForm = _WithdrawalForm = _AttendanceForm = forms.ModelForm
    _MemberFormSet = forms.BaseInlineFormSet

WEEK = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
]


def lines_of(periods: list[dict[str, Any]]) -> str:
    """Returns periods as people type them, such as ``morning=07:30/08:15/12:00``: a line each."""

    def clock(text: Any) -> str:
        return str(text or "").removesuffix(":00") if str(text or "").count(":") == 2 else str(text or "")

    lines = []
    for period in periods:
        times = [clock(period.get(key)) for key in ("begins", "late_after", "check_out_from")]
        lines.append(f"{period.get('name')}=" + "/".join(times).rstrip("/"))
    return "\n".join(lines)


def periods_in(text: str, weekdays: str) -> str:
    """Returns typed periods as the core writes them, in order.

    Raises
    ------
    faceattend.InvalidInputError
        For what the core refuses: two periods of one name, times that lie outside theirs, days that are none.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = []
    for period in timetable_periods(conf.policy(), weekdays, lines):
        times = {key: time.isoformat() for key, time in period.items() if isinstance(time, datetime.time)}
        told.append({"name": period["name"], **times})
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


class TimetableForm(_TimetableForm):
    """Days of the week to tick, and a line for each period."""

    weekdays = forms.MultipleChoiceField(
        choices=WEEK,
        widget=forms.CheckboxSelectMultiple,
        help_text="The days of the week on which people are expected.",
    )
    periods = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 50, "placeholder": "morning=07:30/08:15/12:00"}),
        help_text="A line each: name=begins/late from/may leave from, such as morning=07:30/08:15/12:00. The last two "
        "times may be left out. Empty for a day that is marked once and knows no late.",
    )

    class Meta:
        model = Timetable
        fields = ["group", "valid_from", "weekdays", "periods"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["weekdays"] = self.instance.weekdays.replace(",", " ").split()
        self.initial["periods"] = lines_of(self.instance.rows())

    def clean(self) -> dict[str, Any]:
        """Refuses what the core refuses, and what would change past days."""
        data = super().clean() or self.cleaned_data
        data["weekdays"] = " ".join(data.get("weekdays") or [])
        if not data["weekdays"]:
            return data
        try:
            data["periods"] = periods_in(data.get("periods") or "", data["weekdays"])
        except faceattend.InvalidInputError as error:
            raise ValidationError({"periods": str(error)}) from error
        valid_from: Optional[datetime.date] = data.get("valid_from")
        others = Timetable.objects.filter(group=data.get("group")).exclude(pk=self.instance.pk)
        if valid_from is not None and valid_from < today() and others.exists():
            reason = f"Past days keep the timetable that they had: let it begin on {today()} or later."
            raise ValidationError({"valid_from": reason})
        return data


class WithdrawalForm(_WithdrawalForm):
    """Days on which a student is not expected."""

    from_day = forms.DateField(
        label="From",
        required=False,
        initial=today,
        widget=AdminDateWidget,
        help_text="The first day on which the student is not expected. Empty where this says the student's first day.",
    )
    until_day = forms.DateField(
        label="Until",
        required=False,
        widget=AdminDateWidget,
        help_text="The day on which the student is expected again, or for the first time; empty for one who has left.",
    )

    class Meta:
        model = Withdrawal
        fields = ["student", "from_day", "until_day"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.initial.get("from_day") == BEGINNING:
            self.initial["from_day"] = None

    def clean(self) -> dict[str, Any]:
        """Takes no first day for the time before the student's first day."""
        data = super().clean() or self.cleaned_data
        if "from_day" in data and data["from_day"] is None:
            if data.get("until_day") is None:
                raise ValidationError({"from_day": "Say from when on the student is not expected, or until when."})
            data["from_day"] = BEGINNING
        return data


class MemberFormSet(_MemberFormSet):
    """Members of a group that are added."""

    def clean(self) -> None:
        """Refuses one student twice."""
        super().clean()
        seen: set[Any] = set()
        for form in self.forms:
            data = getattr(form, "cleaned_data", None) or {}
            student = data.get("student")
            if student is not None and not data.get("DELETE"):
                if student.pk in seen:
                    raise ValidationError(f"{student} is named twice.")
                seen.add(student.pk)


class JoinForm(forms.Form):
    """The group that students join, and from when on."""

    group = forms.ModelChoiceField(StudentGroup.objects.filter(archived_at=None).order_by("name_key"))
    from_day = forms.DateField(label="From", initial=today, widget=AdminDateWidget, help_text="The first day.")


class AttendanceForm(_AttendanceForm):
    """A mark, and why somebody changes its status."""

    reason = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why the status is another. Needed when it changes: the correction is kept with your name.",
    )

    class Meta:
        model = Attendance
        fields = ["student", "timestamp", "status", "confidence_score", "camera_location"]

    def clean(self) -> dict[str, Any]:
        """Asks why, where the status of a mark changes."""
        data = super().clean() or self.cleaned_data
        if self.instance.pk and "status" in self.changed_data and not (data.get("reason") or "").strip():
            raise ValidationError({"reason": "Say why the status is another."})
        return data
