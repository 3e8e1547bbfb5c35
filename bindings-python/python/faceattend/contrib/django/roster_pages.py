"""The admin's pages of a school's day: who is missing, and the register of a month."""

from __future__ import annotations

import csv
import datetime
import re
from typing import TYPE_CHECKING, Any, Optional

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.http import urlencode

from . import boards, rosters
from .cells import cell
from .models import Student
from .roster_models import StudentGroup, today

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Student]
else:
    _Admin = object

# The choice of every group, one sheet each.
ALL = "all"


class RosterPages(_Admin):
    """The pages, for the admin of students."""

    def roster_urls(self) -> list[URLPattern]:
        """Returns the URLs of the pages."""
        wrap = self.admin_site.admin_view
        return [
            path("absence/", wrap(self.absence_view), name="faceattend_student_absence"),
            path("register/", wrap(self.register_month_view), name="faceattend_student_register"),
            path("register/csv/", wrap(self.register_csv_view), name="faceattend_student_register_csv"),
        ]

    def absence_view(self, request: HttpRequest) -> HttpResponse:
        """Shows who is missing on a day, by group."""
        self._may_look(request)
        day, problem = _day(request.GET.get("day", ""))
        group = self._group(request.GET.get("group", ""))
        period = request.GET.get("period") or None
        board = boards.board_of(day, group=group, period=period, reasons=_sees(request, "excuse"))
        one = datetime.timedelta(days=1)
        return self._roster_page(
            request,
            "absence",
            "Who is missing?",
            board=board,
            group=group,
            period=period,
            problem=problem,
            before=board.day - one,
            after=board.day + one,
            kept=_kept(group, period),
            sees_reasons=_sees(request, "excuse"),
            has_groups=any(choice.id != boards.NO_GROUP for choice in board.choices),
        )

    def register_month_view(self, request: HttpRequest) -> HttpResponse:
        """Shows the register of a group and a month, on the screen and on paper."""
        month, sheets, asked = self._sheets(request)
        before = month - datetime.timedelta(days=1)
        after = boards.last_of(month) + datetime.timedelta(days=1)
        groups = self._groups(asked["chosen"])
        title = "Register"
        if len(sheets) == 1:
            title = f"Register: {sheets[0].group.name}, {month:%B %Y}"
        return self._roster_page(
            request,
            "register_month",
            title,
            sheets=sheets,
            month=month,
            before=before.replace(day=1),
            after=after,
            kept=_kept(ALL if asked["chosen"] is None else asked["chosen"], asked["period"]),
            groups=groups,
            periods=list(dict.fromkeys(period for sheet in sheets for period in sheet.periods)),
            statuses=[status for status in boards.STATUSES.values() if status.letter],
            has_students=Student.objects.exists(),
            **asked,
        )

    def register_csv_view(self, request: HttpRequest) -> HttpResponse:
        """Returns the register as a CSV file."""
        month, sheets, _ = self._sheets(request)
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f"attachment; filename=register_{month:%Y_%m}.csv"
        # What Excel takes for the sign that the text is UTF-8.
        answer.write("\ufeff")
        writer = csv.writer(answer, quoting=csv.QUOTE_ALL)
        for row in boards.csv_rows(sheets):
            writer.writerow([cell(value) for value in row])
        return answer

    def _sheets(self, request: HttpRequest) -> tuple[datetime.date, list[boards.Sheet], dict[str, Any]]:
        """The month, its registers, and what was asked for."""
        self._may_look(request)
        month, problem = _month(request.GET.get("month", ""))
        period = request.GET.get("period") or None
        wanted = request.GET.get("group", "")
        chosen = None if wanted == ALL else self._group(wanted)
        groups = list(StudentGroup.objects.order_by("name_key", "pk"))
        if not wanted:
            # The first group, where there is one.
            chosen = next((group.pk for group in groups if group.archived_at is None), boards.NO_GROUP)
        sheets = boards.sheets_of(month, groups, only=chosen, period=period)
        return month, sheets, {"chosen": chosen, "period": period, "problem": problem}

    def _may_look(self, request: HttpRequest) -> None:
        if not (self.has_view_permission(request) and _sees(request, "attendance")):
            raise PermissionDenied

    def _group(self, text: str) -> Optional[int]:
        if not text:
            return None
        if not text.isdecimal():
            raise Http404("There is no such group.")
        number = int(text)
        if number != boards.NO_GROUP and not StudentGroup.objects.filter(pk=min(number, 2**63 - 1)).exists():
            raise Http404("There is no such group.")
        return number

    def _groups(self, chosen: Optional[int]) -> list[boards.Choice]:
        groups = StudentGroup.objects.order_by("name_key", "pk")
        known = [group for group in groups if group.archived_at is None or group.pk == chosen]
        return [*(boards.Choice(group.pk, str(group)) for group in known), boards.Choice(0, boards.WITHOUT)]

    def _roster_page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "opts": self.model._meta, "title": title, **context}
        return TemplateResponse(request, f"faceattend/{template}.html", context)


def _sees(request: HttpRequest, model: str) -> bool:
    """Whether the user may see rows of a model, as the admin has it."""
    return any(request.user.has_perm(f"faceattend.{verb}_{model}") for verb in ("view", "change"))


def _kept(group: Any, period: Optional[str]) -> str:
    """What an arrow of a page keeps of its address."""
    asked = [(name, value) for name, value in (("group", group), ("period", period)) if value is not None]
    return "&" + urlencode(asked) if asked else ""


def _day(text: str) -> tuple[Optional[datetime.date], str]:
    """The day that was asked for, and what is wrong with it."""
    if not text:
        return None, ""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return None, f"{text!r} is no day such as 2026-03-02. This is today."
    if not rosters.YEARS[0] <= day.year <= rosters.YEARS[1]:
        return None, f"{text} is too far away. This is today."
    return day, ""


def _month(text: str) -> tuple[datetime.date, str]:
    """The first day of the month that was asked for, and what is wrong with it."""
    this = today().replace(day=1)
    if not text:
        return this, ""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        return this, f"{text!r} is no month such as 2026-03. This is the month that is now."
    month = datetime.date(max(int(text[:4]), 1), int(text[5:]), 1)
    if not rosters.YEARS[0] <= month.year <= rosters.YEARS[1]:
        return this, f"{text} is too far away. This is the month that is now."
    return month, ""
