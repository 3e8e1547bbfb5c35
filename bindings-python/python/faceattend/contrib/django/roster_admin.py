"""The admin of groups and their members, timetables, the calendar, excuses and withdrawals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from .models import Student
from .roster_forms import JoinForm, MemberFormSet, TimetableForm, WithdrawalForm
from .roster_models import (
    BEGINNING,
    CalendarEntry,
    Excuse,
    GroupMember,
    StudentGroup,
    Timetable,
    Withdrawal,
    today,
)

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
    _MemberInline = admin.TabularInline[GroupMember, Any]
else:
    _Admin = admin.ModelAdmin
    _MemberInline = admin.TabularInline


def by(request: HttpRequest) -> str:
    """Returns the name under which the user's rows are kept."""
    return request.user.get_username()[:255]


class _Noting(_Admin):
    """Rows that say who made them. Groups that are archived are no choice."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = by(request)
        super().save_model(request, obj, form, change)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "group":
            kwargs["queryset"] = StudentGroup.objects.filter(archived_at=None).order_by("name_key")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def save_noted(request: HttpRequest, formset: Any) -> None:
    """Saves the rows of an inline, the new ones with who made them."""
    rows = formset.save(commit=False)
    for gone in formset.deleted_objects:
        gone.delete()
    for row in rows:
        if isinstance(row, GroupMember) and not row.created_by:
            row.created_by = by(request)
        row.save()
    formset.save_m2m()


def on_day(day: Any, prefix: str = "") -> Q:
    """Returns the test that a membership holds on a day."""
    until = f"{prefix}until_day"
    return Q(**{f"{prefix}from_day__lte": day}) & (Q(**{until: None}) | Q(**{f"{until}__gt": day}))


class Members(_MemberInline):
    """Who is in a group, today or later."""

    model = GroupMember
    extra = 0
    fields = ["student", "from_day", "until_day"]
    readonly_fields = ["student"]
    verbose_name_plural = "members"

    def get_queryset(self, request: HttpRequest) -> QuerySet[GroupMember]:
        """Returns them by name. Those who have left are on their own pages."""
        rows = super().get_queryset(request).filter(Q(until_day=None) | Q(until_day__gt=today()))
        return rows.select_related("student", "group").order_by("student__name", "student_id")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Returns no: new ones have a table of their own."""
        return False


class NewMembers(_MemberInline):
    """Who comes into a group."""

    model = GroupMember
    formset = MemberFormSet
    extra = 3
    fields = ["student", "from_day", "until_day"]
    autocomplete_fields = ["student"]
    verbose_name = "new member"
    verbose_name_plural = "add members"

    def get_queryset(self, request: HttpRequest) -> QuerySet[GroupMember]:
        """Returns nobody."""
        return super().get_queryset(request).none()


class GroupsOfStudent(_MemberInline):
    """The groups of a student, also those of before."""

    model = GroupMember
    extra = 0
    fields = ["group", "from_day", "until_day"]
    verbose_name = "group"
    verbose_name_plural = "groups"


class InGroup(admin.SimpleListFilter):
    """Students by the group that they are in today."""

    title = "group"
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Returns the choices."""
        groups = StudentGroup.objects.filter(archived_at=None).order_by("name_key")
        found = [(str(group.pk), group.name) for group in groups]
        return [*found, ("0", "without a group")] if found else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Student]) -> QuerySet[Student]:
        """Returns the students that fit the choice."""
        value = self.value()
        if value is None or not value.isdecimal():
            return queryset
        members = GroupMember.objects.filter(on_day(today())).values("student_id")
        if value == "0":
            return queryset.exclude(pk__in=members)
        return queryset.filter(pk__in=members.filter(group_id=int(value)))


class AtWork(admin.SimpleListFilter):
    """Groups that are at work, unless somebody asks for the archive."""

    title = "archive"
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Returns the choices."""
        return [("1", "archived")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StudentGroup]) -> QuerySet[StudentGroup]:
        """Returns the groups that fit the choice."""
        return queryset.exclude(archived_at=None) if self.value() else queryset.filter(archived_at=None)


@admin.register(StudentGroup)
class StudentGroupAdmin(_Noting):
    """Groups with their members. One that has had members is archived, and its history stays."""

    list_display = ["name", "kind", "members_today", "links"]
    list_filter = [AtWork, "kind"]
    search_fields = ["name"]
    fields = ["name", "kind"]
    inlines = [Members, NewMembers]
    actions = ["archive", "restore"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StudentGroup]:
        """Returns the groups, with how many are in each today."""
        members = Count("members__student", filter=on_day(today(), "members__"), distinct=True)
        groups: QuerySet[StudentGroup] = super().get_queryset(request).annotate(today=members)
        return groups

    @admin.display(description="Members today", ordering="today")
    def members_today(self, group: Any) -> int:
        """Returns how many are in the group today."""
        return int(group.today)

    @admin.display(description="")
    def links(self, group: StudentGroup) -> str:
        """Returns links to the pages of the group."""
        students = reverse("admin:faceattend_student_changelist")
        return format_html(
            '<a href="{}?group={}">Students</a> · <a href="{}?group={}">Who is missing?</a> · '
            '<a href="{}?group={}">Register</a>',
            students,
            group.pk,
            reverse("admin:faceattend_student_absence"),
            group.pk,
            reverse("admin:faceattend_student_register"),
            group.pk,
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Saves the members, the new ones with who added them."""
        save_noted(request, formset)

    def has_delete_permission(self, request: HttpRequest, obj: Optional[StudentGroup] = None) -> bool:
        """Returns no for a group that has had members."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not GroupMember.objects.filter(group=obj).exists())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Returns what goes with a group: its timetables go too, also those that hold."""
        deletable, counts, perms, protected = super().get_deleted_objects(objs, request)
        return deletable, counts, set(perms) - {Timetable._meta.verbose_name}, protected

    @admin.action(description="Archive: end the memberships today", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[StudentGroup]) -> None:
        """Archives the selected groups. Their history stays."""
        number = 0
        for group in queryset.filter(archived_at=None):
            with transaction.atomic():
                day = today()
                ongoing = GroupMember.objects.filter(group=group).exclude(until_day__lte=day)
                ongoing.filter(from_day__gte=day).delete()
                ongoing.filter(from_day__lt=day).update(until_day=day)
                group.archived_at = timezone.now()
                group.save(update_fields=["archived_at"])
            self.log_change(request, group, "Archived.")
            number += 1
        self.message_user(request, f"{number} archived.")

    @admin.action(description="Take out of the archive", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[StudentGroup]) -> None:
        """Takes the selected groups out of the archive. Their members do not come back."""
        number = 0
        for group in queryset.exclude(archived_at=None):
            group.archived_at = None
            group.save(update_fields=["archived_at"])
            self.log_change(request, group, "Taken out of the archive.")
            number += 1
        self.message_user(request, f"{number} taken out of the archive.")


@admin.register(Timetable)
class TimetableAdmin(_Noting):
    """Timetables. A past day keeps the one that it had: what holds is replaced by one that begins later."""

    form = TimetableForm
    list_display = ["whose", "valid_from", "weekdays", "shown_periods", "created_by"]
    list_filter = [("group", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["group"]
    fields = ["group", "valid_from", "weekdays", "periods"]

    @admin.display(description="For", ordering="group__name")
    def whose(self, timetable: Timetable) -> str:
        """Returns whom it is for."""
        return "everybody" if timetable.group is None else str(timetable.group)

    @admin.display(description="Periods")
    def shown_periods(self, timetable: Timetable) -> str:
        """Returns the names of the periods."""
        return ", ".join(str(period.get("name")) for period in timetable.rows()) or "the whole day"

    def has_change_permission(self, request: HttpRequest, obj: Optional[Timetable] = None) -> bool:
        """Returns no for one that held on a past day."""
        return super().has_change_permission(request, obj) and (obj is None or obj.valid_from >= today())

    def has_delete_permission(self, request: HttpRequest, obj: Optional[Timetable] = None) -> bool:
        """Returns no for one that holds, or held before."""
        return super().has_delete_permission(request, obj) and (obj is None or not obj.holds)


@admin.register(CalendarEntry)
class CalendarEntryAdmin(_Noting):
    """Holidays and extra days."""

    list_display = ["name", "kind", "first_day", "last_day", "whose", "created_by"]
    list_filter = ["kind", ("group", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["group"]
    search_fields = ["name"]
    date_hierarchy = "first_day"
    fields = ["kind", "name", "first_day", "last_day", "group"]

    @admin.display(description="For", ordering="group__name")
    def whose(self, entry: CalendarEntry) -> str:
        """Returns whom it is for."""
        return "everybody" if entry.group is None else str(entry.group)


@admin.register(Excuse)
class ExcuseAdmin(_Noting):
    """Excuses. What was noted stays: a wrong one is withdrawn, and excuses nothing any more."""

    list_display = ["student", "first_day", "last_day", "period", "created_by", "withdrawn_by"]
    list_filter = [("first_day", admin.DateFieldListFilter), ("withdrawn_at", admin.EmptyFieldListFilter)]
    list_select_related = ["student"]
    search_fields = ["student__name", "student__roll_number"]
    date_hierarchy = "first_day"
    autocomplete_fields = ["student"]
    fields = ["student", "first_day", "last_day", "period", "reason"]
    actions = ["withdraw"]

    def get_readonly_fields(self, request: HttpRequest, obj: Optional[Excuse] = None) -> list[str]:
        """Returns every field of one that is noted."""
        noted = ["created_by", "created_at", "withdrawn_by", "withdrawn_at"]
        return [] if obj is None else ["student", "first_day", "last_day", "period", "reason", *noted]

    def get_fields(self, request: HttpRequest, obj: Optional[Excuse] = None) -> list[Any]:
        """Returns the fields, with who noted it where it is noted."""
        return self.get_readonly_fields(request, obj) or ["student", "first_day", "last_day", "period", "reason"]

    @admin.action(description="Withdraw: they excuse nothing any more", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Excuse]) -> None:
        """Withdraws the selected excuses."""
        number = 0
        for excuse in queryset.filter(withdrawn_at=None).select_related("student"):
            excuse.withdrawn_at, excuse.withdrawn_by = timezone.now(), by(request)
            excuse.save(update_fields=["withdrawn_at", "withdrawn_by"])
            self.log_change(request, excuse, "Withdrawn.")
            number += 1
        self.message_user(request, f"{number} withdrawn.")


@admin.register(Withdrawal)
class WithdrawalAdmin(_Noting):
    """Days on which students are not expected. Who leaves is in no group from that day on."""

    form = WithdrawalForm
    list_display = ["student", "since", "until_day", "created_by"]
    list_select_related = ["student"]
    search_fields = ["student__name", "student__roll_number"]
    autocomplete_fields = ["student"]
    fields = ["student", "from_day", "until_day"]

    @admin.display(description="From", ordering="from_day")
    def since(self, withdrawal: Withdrawal) -> str:
        """Returns from when on."""
        return "before the first day" if withdrawal.from_day == BEGINNING else str(withdrawal.from_day)

    def save_model(self, request: HttpRequest, obj: Withdrawal, form: Any, change: bool) -> None:
        """Saves it, and ends the memberships of one who leaves."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            ended = obj.end_memberships()
        if ended:
            self.message_user(request, f"Memberships that ended: {ended}.")


def join_group(model_admin: Any, request: HttpRequest, students: QuerySet[Student]) -> Optional[HttpResponse]:
    """Asks for the group that students join, and adds them; all of them or none."""
    form = JoinForm(request.POST if "join" in request.POST else None)
    if "join" in request.POST and form.is_valid():
        group, from_day = form.cleaned_data["group"], form.cleaned_data["from_day"]
        there = set(GroupMember.objects.filter(on_day(from_day), group=group).values_list("student_id", flat=True))
        new = [
            GroupMember(group=group, student=student, from_day=from_day, created_by=by(request))
            for student in students
            if student.pk not in there
        ]
        try:
            for member in new:
                member.clean()
        except ValidationError as problem:
            form.add_error(None, f"{member.student}: {'; '.join(problem.messages)}")
        else:
            with transaction.atomic():
                for member in new:
                    member.save()
            model_admin.log_change(request, group, f"Added {len(new)} members.")
            model_admin.message_user(request, f"{len(new)} added to {group}.", messages.SUCCESS)
            return HttpResponseRedirect(request.get_full_path())
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": "Add to a group",
        "form": form,
        "students": students,
        "media": form.media,
    }
    return TemplateResponse(request, "faceattend/join_group.html", context)
