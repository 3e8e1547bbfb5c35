"""The settings: one dictionary, ``FACEATTEND``. Every key may be left out.

===================  ==================================================================================================
``ENGINE``           options of `faceattend.Engine`, such as ``{"threads": 2}``
``THRESHOLD``        from which similarity a face is recognized, in [0, 1]; default 0.7
``TIME_ZONE``        the site's IANA time zone: attendance is marked once a day there; default Django's ``TIME_ZONE``
``DAY_BOUNDARY``     when a day begins, ``"HH:MM"``; default midnight
``AGREEING_VIEWS``   how many good views of a face have to agree on a camera; default 2
``GATE``             what is asked of a face before its person is marked: ``"require"``, that its views show a living
                     person; ``"observe"``, nothing, and it says what they show; ``"off"``, nothing. Default:
                     ``"require"`` of cameras and of frames that are posted, ``"observe"`` of recordings
``GATE_WAIT``        for how many seconds a person is watched for signs of life before somebody has to look; default 4
``ORIENTATION_AT``   by how many degrees clockwise the pictures of a place's cameras are turned to be upright, such as
                     ``{"Hall": 180}``; 0, 90, 180 or 270
``MIRROR_AT``        the places whose cameras give mirrored pictures, such as ``["Lobby"]``
``DUPLICATES``       what to do with a face that another student has: ``"refuse"`` (the default), ``"warn"`` or
                     ``"allow"``
``LIVENESS``         options of `faceattend.LivenessSession`, such as ``{"pad": "require"}``
``LEGACY_MODEL``     the model that made embeddings which do not say which, on your word; default: they are not matched
``STUDENT_MODEL``    for `faceattend.compat` only, as are the next ones: your own model, ``"app.Model"``
``ATTENDANCE_MODEL`` your attendance
``CAMERA_MODEL``     your cameras
``LOG_MODEL``        your detection logs
``UNTAGGED``         whether embeddings of your tables that name no model are taken as this engine's: ``"unit"`` (the
                     default: when they have its length and are unit vectors), ``"never"``
===================  ==================================================================================================
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Optional

from django.conf import settings

import faceattend
from faceattend._native import usual_gate

if TYPE_CHECKING:
    from faceattend.types import Gate

DEFAULTS: dict[str, Any] = {
    "ENGINE": {},
    "THRESHOLD": 0.7,
    "TIME_ZONE": None,
    "DAY_BOUNDARY": "00:00",
    "AGREEING_VIEWS": 2,
    "GATE": None,
    "GATE_WAIT": 4.0,
    "ORIENTATION_AT": {},
    "MIRROR_AT": [],
    "DUPLICATES": "refuse",
    "LIVENESS": {},
    "LEGACY_MODEL": None,
    "STUDENT_MODEL": None,
    "ATTENDANCE_MODEL": None,
    "CAMERA_MODEL": None,
    "LOG_MODEL": None,
    "UNTAGGED": "unit",
}

_lock = threading.Lock()
_engines: dict[str, faceattend.Engine] = {}


def setting(name: str) -> Any:
    """Returns the setting with this name, or its default."""
    given = getattr(settings, "FACEATTEND", None) or {}
    return given.get(name, DEFAULTS[name])


def engine() -> faceattend.Engine:
    """Returns the engine of this process. It is loaded at its first frame, and anew after a fork."""
    options = setting("ENGINE")
    key = repr(sorted(options.items()))
    with _lock:
        if key not in _engines:
            _engines[key] = faceattend.Engine(**options)
        return _engines[key]


def gate(source: Optional[str] = None) -> Gate:
    """Returns what is asked of a face before its person is marked.

    ``source`` is the camera or recording; ``None`` for frames that somebody posts, which come from a camera.
    """
    chosen: Optional[Gate] = setting("GATE")
    if chosen is not None:
        return chosen
    return "require" if source is None else usual_gate(source)


def policy() -> faceattend.AttendancePolicy:
    """Returns the rules for the site's days."""
    zone: Optional[str] = setting("TIME_ZONE") or settings.TIME_ZONE
    return faceattend.AttendancePolicy(zone, day_boundary=setting("DAY_BOUNDARY"))
