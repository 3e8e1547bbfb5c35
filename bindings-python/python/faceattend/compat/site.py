"""Your models, found by what they are called and which fields they have.

==========  ===================================================  =======================================================
model       setting in ``FACEATTEND``, else looked for by name   fields, the first that is there
==========  ===================================================  =======================================================
students    ``STUDENT_MODEL``; ``Student``, ``StudentProfile``,  face: ``face_embedding``, ``face_encoding``,
            ``Person``, ``Employee``, ``Member`` with            ``embedding_vector``, ``face_encodings``,
            a face field                                         ``embedding``, ``encoding``; ``name``,
                                                                 ``full_name`` ...;
                                                                 ``is_active`` (inactive students are not recognized)
attendance  ``ATTENDANCE_MODEL``; a model whose name contains    the key to the student; a date (``date``,
            "attendance" with a key to the students              ``attendance_date`` ...) or else a time (``timestamp``
                                                                 ...); ``status``, ``confidence_score``, ``camera``,
                                                                 ``camera_location`` where they are there
cameras     ``CAMERA_MODEL``; ``CameraStream``, ``Camera``,      ``stream_url``, ``camera_url``, ``url``, ``rtsp_url``,
            ``CameraConfig``, ``IPCamera``                       ``http_url``, ``source``, or the number of a webcam:
                                                                 ``webcam_device_id``, ``device_id``, ``camera_index``
logs        ``LOG_MODEL``; ``DetectionLog``                      ``faces_detected``, ``students_recognized``,
                                                                 ``processing_time``, ``camera`` ...
==========  ===================================================  =======================================================

Rows need not be Django's: any object with such attributes will do where a student, camera or stream is an argument.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from typing import Any, Optional

from django.apps import apps
from django.db import models

from faceattend.contrib.django import conf

log = logging.getLogger("faceattend.compat")

FACE_FIELDS = ("face_embedding", "face_encoding", "embedding_vector", "face_encodings", "embedding", "encoding")
STUDENT_NAMES = ("Student", "StudentProfile", "Person", "Employee", "Member", "Profile", "User")
CAMERA_NAMES = ("CameraStream", "Camera", "CameraConfig", "CameraConfiguration", "IPCamera", "CCTVCamera", "Stream")
URL_FIELDS = ("stream_url", "camera_url", "url", "rtsp_url", "http_url", "source", "stream", "address", "ip_address")
NUMBER_FIELDS = ("webcam_device_id", "device_id", "camera_index", "device_index", "index")
ACTIVE_FIELDS = ("is_active", "active", "enabled", "is_enabled")
NAME_FIELDS = ("name", "full_name", "student_name", "display_name")
LOCATION_FIELDS = ("location", "camera_location", "place", "room")

Model = type[models.Model]


def fields_of(model: Any) -> dict[str, Any]:
    """A model's own fields by name; empty for what is no model."""
    meta = getattr(model, "_meta", None)
    return {} if meta is None else {field.name: field for field in meta.concrete_fields}


def first_of(row: Any, names: Iterable[str]) -> Any:
    """The value of the first of these attributes that is there and not empty."""
    for name in names:
        value = getattr(row, name, None)
        if value not in (None, ""):
            return value
    return None


def student_model() -> Optional[Model]:
    """The model of the students, or ``None``."""
    return _chosen("STUDENT_MODEL") or _named(STUDENT_NAMES, FACE_FIELDS)


def camera_model() -> Optional[Model]:
    """The model of the cameras, or ``None``."""
    return _chosen("CAMERA_MODEL") or _named(CAMERA_NAMES, URL_FIELDS + NUMBER_FIELDS)


def log_model() -> Optional[Model]:
    """The model of the detection logs, or ``None``."""
    return _chosen("LOG_MODEL") or _named(("DetectionLog", "DetectionLogs"), ("faces_detected",))


def attendance_model(student: Model) -> Optional[Model]:
    """The model of the attendance, or ``None``."""
    chosen = _chosen("ATTENDANCE_MODEL")
    if chosen is not None:
        return chosen
    fitting = [
        model
        for model in apps.get_models()
        if "attendance" in model.__name__.lower() and student_field(model, student) is not None
    ]
    order = ["Attendance", "AttendanceRecord", "AttendanceLog"]
    fitting.sort(key=lambda model: order.index(model.__name__) if model.__name__ in order else len(order))
    return fitting[0] if fitting else None


def student_field(model: Model, student: Model) -> Optional[str]:
    """The name of a model's key to the students."""
    for name, field in fields_of(model).items():
        if field.is_relation and field.related_model is not None and issubclass(student, field.related_model):
            return name
    return None


def _chosen(setting: str) -> Optional[Model]:
    label = conf.setting(setting)
    return apps.get_model(label) if label else None


def _named(names: Sequence[str], having: Iterable[str]) -> Optional[Model]:
    having = set(having)
    fitting = [model for model in apps.get_models() if model.__name__ in names and having & set(fields_of(model))]
    # The project's own go before this module's.
    fitting.sort(key=lambda model: (model._meta.app_label == "faceattend", names.index(model.__name__)))
    return fitting[0] if fitting else None


def active_students() -> list[Any]:
    """Every student who may be recognized."""
    model = student_model()
    if model is None:
        log.warning("no model of students was found: set FACEATTEND['STUDENT_MODEL'] to \"app.Model\"")
        return []
    rows = model._default_manager.all()
    for name in ACTIVE_FIELDS:
        if name in fields_of(model):
            return list(rows.exclude(**{name: False}))
    return list(rows)


def active_cameras() -> list[Any]:
    """Every camera that is switched on."""
    model = camera_model()
    if model is None:
        log.warning("no model of cameras was found: set FACEATTEND['CAMERA_MODEL'] to \"app.Model\"")
        return []
    rows = model._default_manager.all()
    for name in ACTIVE_FIELDS:
        if name in fields_of(model):
            return list(rows.filter(**{name: True}))
    return list(rows)


def key_of(row: Any) -> Any:
    """A row's key as a plain value: a number, else text."""
    key = getattr(row, "pk", None)
    key = getattr(row, "id", None) if key is None else key
    return key if isinstance(key, (int, str)) or key is None else str(key)


def name_of(row: Any) -> str:
    """What a person is called."""
    name = first_of(row, NAME_FIELDS)
    if name is None and callable(getattr(row, "get_full_name", None)):
        name = row.get_full_name() or None
    if name is None:
        parts = [getattr(row, part, None) for part in ("first_name", "last_name")]
        name = " ".join(part for part in parts if part) or None
    if name is None and getattr(row, "user", None) is not None:
        user = row.user
        name = (user.get_full_name() if callable(getattr(user, "get_full_name", None)) else "") or str(user)
    return str(row) if name is None else str(name() if callable(name) else name)


def camera_name(stream: Any) -> str:
    """What a camera is called."""
    return str(first_of(stream, (*NAME_FIELDS, "camera_name", "title")) or stream)


def camera_location(stream: Any) -> str:
    """Where a camera hangs; empty when nobody said."""
    return str(first_of(stream, LOCATION_FIELDS) or "")


def source_of(stream: Any) -> str:
    """What to open for a camera: an address, a path, or the number of a webcam."""
    if isinstance(stream, (int, str, os.PathLike)):
        return str(stream if isinstance(stream, int) else os.fspath(stream))
    for name in ("get_stream_url", "get_url", "get_source", "get_camera_url"):
        method = getattr(stream, name, None)
        if callable(method):
            given = method()
            if given not in (None, ""):
                return str(given)
    kind = str(first_of(stream, ("camera_type", "stream_type", "type", "source_type")) or "").lower()
    number = next((n for n in (getattr(stream, name, None) for name in NUMBER_FIELDS) if n not in (None, "")), None)
    if number is not None and any(word in kind for word in ("webcam", "usb", "laptop", "local")):
        return str(number)
    address = first_of(stream, URL_FIELDS)
    if address is None and number is None:
        raise ValueError(f"{stream!s} has no address: one of {', '.join(URL_FIELDS)} is expected")
    return str(number if address is None else address)
