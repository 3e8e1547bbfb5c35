"""The admin: register faces with the browser's camera, recognize photographs, watch live, export attendance.

`roster_admin` has groups, timetables, the calendar and excuses, `roster_pages` who is missing and the register.
"""

from __future__ import annotations

import csv
from typing import Any, Optional

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

import faceattend

from . import conf, enrolment, recognition, views
from .cells import cell
from .models import Attendance, AttendanceCorrection, Camera, DetectionLog, LivenessSession, SecondLook, Student
from .roster_admin import GroupsOfStudent, InGroup, by, join_group, save_noted
from .roster_forms import AttendanceForm
from .roster_pages import RosterPages

# Templates that earlier versions called otherwise.
_RENAMED_TEMPLATES = {"recognize": "recognise"}


class PhotoForm(forms.Form):
    """A photograph to analyze. It is not kept."""

    photo = forms.FileField(label="Photograph", help_text="JPEG, PNG or WebP. It is analyzed and not kept.")


class HasFace(admin.SimpleListFilter):
    """Students with a face, or without one."""

    title = "face"
    parameter_name = "face"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Returns the choices."""
        return [("live", "registered live"), ("photo", "from photographs"), ("none", "missing")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Student]) -> QuerySet[Student]:
        """Returns the students that fit the choice."""
        without = queryset.filter(face_embedding=None)
        if self.value() == "none":
            return without.filter(embedding_vector=None)
        if self.value() == "live":
            return queryset.exclude(face_embedding=None).filter(liveness_verified=True)
        if self.value() == "photo":
            return queryset.exclude(face_embedding=None).exclude(liveness_verified=True)
        return queryset


@admin.register(Student)
class StudentAdmin(RosterPages, admin.ModelAdmin):  # type: ignore[type-arg,misc,unused-ignore]
    """Students, and the pages that register and recognize their faces, and that say who is missing."""

    list_display = ["name", "roll_number", "face", "register_link"]
    list_filter = [HasFace, InGroup]
    search_fields = ["name", "roll_number"]
    fields = ["name", "roll_number", "face", "liveness_confidence_score", "liveness_verification_date", "model_version"]
    readonly_fields = ["face", "liveness_confidence_score", "liveness_verification_date", "model_version"]
    actions = ["recognize_from_photo", "add_to_group"]
    inlines = [GroupsOfStudent]
    change_list_template = "faceattend/student_list.html"
    change_form_template = "faceattend/student_form.html"

    @admin.display(description="Face")
    def face(self, student: Student) -> str:
        """Returns the state of the student's face, never its numbers."""
        if not student.has_face:
            return format_html('<span style="color:var(--error-fg,#ba2121)">{}</span>', "missing")
        if student.liveness_verified:
            score = student.liveness_confidence_score or 0.0
            return format_html("<strong>{}</strong> (liveness {})", "registered live", f"{score:.2f}")
        if student.model_version is None:
            return (
                "from an earlier system, not matched" if not conf.setting("LEGACY_MODEL") else "from an earlier system"
            )
        return "from photographs"

    @admin.display(description="")
    def register_link(self, student: Student) -> str:
        """Returns a link to the camera page."""
        url = reverse("admin:faceattend_student_register_face", args=[student.pk])
        return format_html('<a class="button" href="{}">Register face</a>', url)

    @admin.action(description="Recognize from photo (among the selected)", permissions=["view"])
    def recognize_from_photo(self, request: HttpRequest, queryset: QuerySet[Student]) -> HttpResponse:
        """Asks for a photograph, and shows which of the selected students are in it."""
        ids = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True)[:1000])
        return HttpResponseRedirect(reverse("admin:faceattend_student_recognize") + f"?ids={ids}")

    @admin.action(description="Add to a group", permissions=["group"])
    def add_to_group(self, request: HttpRequest, queryset: QuerySet[Student]) -> Optional[HttpResponse]:
        """Adds the selected students to a group."""
        return join_group(self, request, queryset)

    def has_group_permission(self, request: HttpRequest) -> bool:
        """Returns whether the user may: who adds members of groups."""
        return bool(request.user.has_perm("faceattend.add_groupmember"))

    def get_inlines(self, request: HttpRequest, obj: Optional[Student]) -> list[Any]:
        """Returns the groups of a student who is there."""
        return [] if obj is None else list(super().get_inlines(request, obj))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Saves the groups, the new ones with who added the student."""
        save_noted(request, formset)

    def get_urls(self) -> list[URLPattern]:
        """Returns the URLs of this admin's own pages and of the usual ones."""
        wrap = self.admin_site.admin_view
        own = [
            path("recognize/", wrap(self.recognize_view), name="faceattend_student_recognize"),
            # The name of earlier versions.
            path("recognise/", wrap(self.recognize_view), name="faceattend_student_recognise"),
            path("live/", wrap(self.live_view), name="faceattend_student_live"),
            path("live/frame/", wrap(self.live_frame_view), name="faceattend_student_live_frame"),
            path("<int:pk>/face/", wrap(self.register_view), name="faceattend_student_register_face"),
            path("<int:pk>/face/begin/", wrap(self.begin_view), name="faceattend_student_face_begin"),
            path("<int:pk>/face/frame/", wrap(self.frame_view), name="faceattend_student_face_frame"),
        ]
        return own + self.roster_urls() + super().get_urls()

    def _student(self, request: HttpRequest, pk: int) -> Student:
        student = get_object_or_404(Student, pk=pk)
        if not self.has_change_permission(request, student):
            raise PermissionDenied
        return student

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "opts": self.model._meta, "title": title, **context}
        # A project may have replaced a template under the name of earlier versions.
        names = [f"faceattend/{name}.html" for name in (_RENAMED_TEMPLATES.get(template), template) if name]
        return TemplateResponse(request, names, context)

    def register_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows the camera page, where the person looks straight, to the left and to the right."""
        student = self._student(request, pk)
        return self._page(request, "register_face", f"Register face: {student.name}", student=student)

    def begin_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begins a liveness session."""
        return views.begin(request, self._student(request, pk))

    def frame_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Takes a frame into the liveness session."""
        student = self._student(request, pk)
        had = student.liveness_verification_date
        answer = views.frame(request, student)
        student.refresh_from_db()
        if student.liveness_verification_date not in (None, had):
            self.log_change(request, student, "Registered the face with a liveness session.")
        return answer

    def recognize_view(self, request: HttpRequest) -> HttpResponse:
        """Shows who is in a photograph."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        ids = [int(part) for part in request.GET.get("ids", "").split(",") if part.isdigit()]
        form = PhotoForm(request.POST or None, request.FILES or None)
        faces: Optional[list[dict[str, Any]]] = None
        if request.method == "POST" and form.is_valid():
            try:
                faces = recognition.recognize(form.cleaned_data["photo"].read(), among=ids or None)
            except faceattend.InvalidImageError as error:
                form.add_error("photo", str(error))
        chosen = Student.objects.filter(pk__in=ids) if ids else None
        return self._page(request, "recognize", "Recognize from photo", form=form, faces=faces, chosen=chosen)

    def live_view(self, request: HttpRequest) -> HttpResponse:
        """Shows the browser's camera with the names of the people in view."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        can_mark = request.user.has_perm("faceattend.add_attendance")
        return self._page(request, "live", "Live view", can_mark=can_mark)

    def live_frame_view(self, request: HttpRequest) -> HttpResponse:
        """Recognizes the faces of a frame of the live view."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.GET.get("mark") == "1" and not request.user.has_perm("faceattend.add_attendance"):
            raise PermissionDenied
        return views.live_frame(request)


class _Echo:
    """A file that returns what is written to it."""

    def write(self, value: str) -> str:
        """Returns the value."""
        return value


@admin.register(Attendance)
class AttendanceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Attendance, with filters and an export of the filtered rows as CSV. A corrected status keeps who and why."""

    form = AttendanceForm

    list_display = ["student", "timestamp", "status", "confidence", "camera_location"]
    list_filter = ["status", "camera_location", ("timestamp", admin.DateFieldListFilter)]
    list_select_related = ["student"]
    search_fields = ["student__name", "student__roll_number", "camera_location"]
    date_hierarchy = "timestamp"
    autocomplete_fields = ["student"]
    actions = ["export_csv"]
    change_list_template = "faceattend/attendance_list.html"

    def get_fields(self, request: HttpRequest, obj: Optional[Attendance] = None) -> list[Any]:
        """Returns the fields, with the reason of a correction where there is a row to correct."""
        fields = ["student", "timestamp", "status", "confidence_score", "camera_location"]
        if obj is None:
            return fields
        reason = ["reason"] if self.has_change_permission(request, obj) else []
        return [*fields[:3], *reason, *fields[3:], "corrected"]

    def get_readonly_fields(self, request: HttpRequest, obj: Optional[Attendance] = None) -> list[str]:
        """Returns the corrections."""
        return [] if obj is None else ["corrected"]

    @admin.display(description="Corrections")
    def corrected(self, row: Attendance) -> str:
        """Returns who changed the status, and why."""
        lines = [(str(each), f"{each.created_at:%Y-%m-%d %H:%M}", each.reason) for each in row.corrections.all()]
        return format_html_join("", "{} on {} UTC: {}<br>", lines) or "none"

    def save_model(self, request: HttpRequest, obj: Attendance, form: Any, change: bool) -> None:
        """Saves the row, and the correction of its status."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if change and "status" in form.changed_data:
                AttendanceCorrection.objects.create(
                    attendance=obj,
                    status=obj.status,
                    status_before=form.initial["status"],
                    corrected_by=by(request)[:100],
                    reason=form.cleaned_data["reason"].strip(),
                )

    @admin.display(description="Similarity", ordering="confidence_score")
    def confidence(self, row: Attendance) -> str:
        """Returns the similarity of the match."""
        return "-" if row.confidence_score is None else f"{row.confidence_score:.3f}"

    @admin.action(description="Export the selected as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Attendance]) -> StreamingHttpResponse:
        """Returns the selected rows as a CSV file."""
        return csv_of(queryset)

    def get_urls(self) -> list[URLPattern]:
        """Returns the URLs of this admin with the export of the filtered rows."""
        export = path("export/", self.admin_site.admin_view(self.export_view), name="faceattend_attendance_export")
        return [export, *super().get_urls()]

    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """Returns every row that passes the list's filters as a CSV file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        changelist = self.get_changelist_instance(request)
        return csv_of(changelist.get_queryset(request))


def csv_of(rows: QuerySet[Attendance]) -> StreamingHttpResponse:
    """Returns the rows as CSV, generated while it is sent."""
    # Every cell in quotes: a spreadsheet that separates by semicolons or tabs begins no cell inside another.
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    head = ["student", "roll_number", "date", "timestamp", "status", "confidence_score", "camera_location"]

    def lines() -> Any:
        yield writer.writerow(head)
        for row in rows.select_related("student").iterator(chunk_size=1000):
            values: list[Any] = [
                row.student.name,
                row.student.roll_number,
                row.local_day,
                row.timestamp.isoformat(),
                row.status,
            ]
            values += [row.confidence_score, row.camera_location]
            yield writer.writerow([cell(value) for value in values])

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = "attachment; filename=attendance.csv"
    return answer


def _without_credentials(source: str) -> str:
    """Returns the address of a camera without all that may hold a password, also where it is mistyped: without what
    stands before the last ``@`` and after the first ``?`` behind it."""
    scheme, sep, rest = source.partition("://")
    if not sep:
        scheme, rest = "", source
    login, at, place = rest.rpartition("@")
    # The path of a file may hold the sign; no login begins with a slash and is without a colon.
    if at and not sep and login.startswith("/") and ":" not in login:
        login, at, place = "", "", rest
    address, question, _ = place.partition("?")
    return scheme + sep + ("***@" if at else "") + address + ("?***" if question else "")


@admin.register(Camera)
class CameraAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Cameras for ``manage.py faceattend_run_cameras``."""

    list_display = ["name", "shown_source", "location", "enabled"]
    list_filter = ["enabled"]

    @admin.display(description="Source")
    def shown_source(self, camera: Camera) -> str:
        """Returns the source without credentials."""
        return _without_credentials(camera.source)


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SecondLook)
class SecondLookAdmin(_ReadOnly):
    """Sightings that a person confirms, which marks the student, or refuses. Django's own log says who did."""

    list_display = ["student", "seen_at", "camera_location", "verdict", "reason", "state", "decided_by"]
    list_filter = ["state", "camera_location", ("seen_at", admin.DateFieldListFilter)]
    list_select_related = ["student"]
    search_fields = ["student__name", "student__roll_number", "camera_location"]
    actions = ["confirm", "refuse"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Returns whether the user may: who confirms marks."""
        return bool(request.user.has_perm("faceattend.add_attendance"))

    @admin.action(description="Confirm: mark as seen", permissions=["decide"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[SecondLook]) -> None:
        """Marks the selected students as seen then."""
        self._decide(request, queryset, confirm=True)

    @admin.action(description="Refuse", permissions=["decide"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[SecondLook]) -> None:
        """Closes the selected sightings without a mark."""
        self._decide(request, queryset, confirm=False)

    def _decide(self, request: HttpRequest, queryset: QuerySet[SecondLook], *, confirm: bool) -> None:
        word, number = "confirmed" if confirm else "refused", 0
        for look in queryset.select_related("student"):
            if recognition.decide(look, confirm=confirm, by=request.user.get_username()):
                self.log_change(request, look, word)
                number += 1
        self.message_user(request, f"{number} {word}.")


@admin.register(LivenessSession)
class LivenessSessionAdmin(_ReadOnly):
    """Liveness sessions, read-only and without embeddings."""

    list_display = [
        "session_id",
        "student",
        "status",
        "liveness_score",
        "movement_verified",
        "created_at",
        "consumed_at",
    ]
    list_filter = ["status"]
    fields = [
        "session_id",
        "student",
        "status",
        "liveness_score",
        "movement_verified",
        "created_at",
        "completed_at",
        "expires_at",
        "consumed_at",
        "attempts_count",
        "error_message",
    ]


@admin.register(DetectionLog)
class DetectionLogAdmin(_ReadOnly):
    """What cameras saw, read-only."""

    list_display = ["timestamp", "camera_location", "faces_detected", "students_recognized", "processing_time"]
    list_filter = ["camera_location"]
