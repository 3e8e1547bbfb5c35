"""The calls of the admin's pages: they send frames as JPEG bodies and get JSON."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Callable

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

import faceattend

from . import conf, enrolment, recognition
from .models import LivenessSession, Student

if TYPE_CHECKING:
    from faceattend.types import Position

log = logging.getLogger("faceattend")

# How many live views of browsers one process follows. Beyond that, the oldest is dropped.
_FOLLOWED = 64
_POSITIONS: dict[str, Position] = {"center": "center", "left": "left", "right": "right"}


def answered(view: Callable[..., JsonResponse]) -> Callable[..., JsonResponse]:
    """Returns the view with errors answered as JSON, each with a sentence for the person at the page."""

    def call(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
        if request.method != "POST":
            return JsonResponse({"detail": "POST only"}, status=405)
        try:
            return view(request, *args, **kwargs)
        except LivenessSession.DoesNotExist:
            return JsonResponse({"detail": "The session is not there any more: please start again."}, status=404)
        except faceattend.InvalidImageError:
            return JsonResponse({"detail": "The camera sent no picture."}, status=400)
        except (faceattend.ConflictError, faceattend.StateError) as error:
            return JsonResponse({"detail": str(error)}, status=409)
        except faceattend.FaceAttendError as error:
            log.exception("the engine failed")
            return JsonResponse({"detail": f"The engine failed ({error.code}): see the server's log."}, status=500)

    return call


@answered
def begin(request: HttpRequest, student: Student) -> JsonResponse:
    """Begins a liveness session for a student."""
    row = enrolment.begin_session(student, mirrored=request.GET.get("mirrored") != "0")
    return JsonResponse({"session_id": row.session_id, "expires_at": row.expires_at.isoformat()})


@answered
def frame(request: HttpRequest, student: Student) -> JsonResponse:
    """Takes a frame for a position. The frame that completes the session also enrols the student."""
    session_id, position = request.GET.get("session", ""), _POSITIONS.get(request.GET.get("position", ""))
    row = LivenessSession.objects.only("student_id", "consumed_at").get(session_id=session_id)
    if row.student_id != student.pk:
        raise LivenessSession.DoesNotExist
    if position is None:
        return JsonResponse({"detail": "position is center, left or right"}, status=400)
    outcome = enrolment.observe(session_id, position, request.body)
    answer: dict[str, Any] = {**outcome.to_dict(), "enrolled": False}
    if outcome.session_completed:
        answer["enrolled"] = True
        try:
            known = enrolment.enrol_compared(student, session_id, replace_unlike=request.user.is_superuser)
        except enrolment.FaceTakenError as taken:
            known, answer["enrolled"] = taken.known, False
        except enrolment.UnlikeFaceError as unlike:
            known, answer["enrolled"] = None, False
            answer["reasons"].append(unlike.code)
            answer["advice"].append(unlike.advice)
        except faceattend.ConflictError:
            known = None  # Another frame of the same session was first.
        if known is not None:
            answer["reasons"].append(known.code)
            answer["advice"].append(known.advice)
        recognition.forget()
    return JsonResponse(answer)


_lock = threading.Lock()
_followed: OrderedDict[str, tuple[faceattend.Gallery, faceattend.Recognizer]] = OrderedDict()


def _recognizer(key: str) -> faceattend.Recognizer:
    gallery = recognition.gallery()
    with _lock:
        there = _followed.get(key)
        if there is None or there[0] is not gallery:
            recognizer = faceattend.Recognizer(
                conf.engine(),
                gallery,
                threshold=conf.setting("THRESHOLD"),
                agreeing=conf.setting("AGREEING_VIEWS"),
            )
            _followed[key] = there = (gallery, recognizer)
            while len(_followed) > _FOLLOWED:
                _followed.popitem(last=False)
        return there[1]


@answered
def live_frame(request: HttpRequest) -> JsonResponse:
    """Recognizes the faces of a browser's frame, and marks whoever several views agree on."""
    key = f"{request.session.session_key}:{request.GET.get('view', '')[:40]}"
    seen = _recognizer(key).process(request.body)
    known = {face.student_id: face for face in seen.faces if face.student_id is not None}
    names = {student.pk: student for student in Student.objects.filter(pk__in=known)}
    marks = []
    if request.GET.get("mark") == "1":
        for student_id, face in known.items():
            row, new = recognition.mark(student_id, face.similarity, request.GET.get("location") or "Admin live view")
            if row is not None and new:
                marks.append({"name": names[student_id].name, "status": row.status})
    faces = []
    for face in seen.faces:
        student = names.get(face.student_id) if face.student_id is not None else None
        faces.append({**face.to_dict(), "name": None if student is None else student.name})
    return JsonResponse({"faces": faces, "marked": marks, "at": timezone.now().isoformat()})
