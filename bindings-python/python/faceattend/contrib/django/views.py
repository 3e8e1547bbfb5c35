"""The calls of the admin's pages: they send frames as JPEG bodies and get JSON."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Optional

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

import faceattend

from . import enrolment, recognition
from .models import LivenessSession, Student
from .watching import Watch

if TYPE_CHECKING:
    from faceattend.types import Position

log = logging.getLogger("faceattend")

# How many live views of browsers one process follows. Beyond that, the oldest is dropped.
_FOLLOWED = 64
# A page that posts no frame for so many seconds is closed, or its camera is off.
_IDLE = 10.0
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


@dataclass
class _Followed:
    """The live view of one browser, and how it was asked for last."""

    watch: Watch
    location: str = ""
    mark: bool = False
    at: float = 0.0


_lock = threading.Lock()
_followed: OrderedDict[str, _Followed] = OrderedDict()


def _follow(key: str, location: str, mark: bool) -> Watch:
    now = time.monotonic()
    with _lock:
        there = _followed.pop(key, None) or _Followed(Watch())
        there.location, there.mark, there.at = location, mark, now
        _followed[key] = there
        # The longest unused stand first.
        over = [
            name
            for number, (name, each) in enumerate(_followed.items())
            if now - each.at > _IDLE or number < len(_followed) - _FOLLOWED
        ]
        ended = [_followed.pop(name) for name in over]
    for each in ended:
        each.watch.finish(each.location, mark=each.mark)
    return there.watch


@answered
def live_frame(request: HttpRequest) -> JsonResponse:
    """Recognizes the faces of a browser's frame, and marks whoever several views agree on and show to be alive."""
    key = f"{request.session.session_key}:{request.GET.get('view', '')[:40]}"
    location, mark = request.GET.get("location") or "Admin live view", request.GET.get("mark") == "1"
    seen = _follow(key, location, mark).see(request.body, location, mark=mark)
    known = {each.student_id for each in seen.suspected}
    known.update(face.student_id for face in seen.faces if face.student_id is not None)
    names = {student.pk: student.name for student in Student.objects.filter(pk__in=known)}

    def name(student_id: Optional[int]) -> Optional[str]:
        return None if student_id is None else names.get(student_id)

    return JsonResponse(
        {
            "faces": [{**face.to_dict(), "name": name(face.student_id)} for face in seen.faces],
            "marked": [{"name": name(row.student_id), "status": row.status} for row in seen.marked],
            "second_looks": [{"name": look.student.name, "reason": look.reason} for look in seen.second_looks],
            "suspected": [{"name": name(each.student_id), "reason": each.liveness_reason} for each in seen.suspected],
            "at": timezone.now().isoformat(),
        }
    )
