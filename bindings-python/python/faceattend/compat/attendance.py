"""Marks in your own table of attendance, once in each of the site's days."""

from __future__ import annotations

import threading
from datetime import date, datetime
from typing import Any, Optional

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from faceattend.contrib.django import conf

from . import site

_DATES = ("date", "attendance_date", "local_day", "day", "marked_date")
_TIMES = ("timestamp", "marked_at", "check_in_time", "time_in", "detected_at", "attendance_time", "created_at", "time")
_CONFIDENCES = ("confidence_score", "confidence", "recognition_confidence", "similarity", "match_score")
# One mark at a time in this process: a table without a unique key has nobody else to see to it.
_lock = threading.Lock()


def mark(student: Any, similarity: float, camera: Any = None, at: Optional[datetime] = None) -> tuple[Any, bool, str]:
    """Marks a student present today, unless a row says so already.

    Returns
    -------
    tuple of (row or None, bool, str)
        The row that stands for the day, whether it is new, and its status.
    """
    at = at or timezone.now()
    policy = conf.policy()
    day, starts_at, ends_at = policy.day(at)
    word = policy.status(at)
    model = site.attendance_model(type(student)) if isinstance(student, models.Model) else None
    if model is None:
        return None, False, word
    fields = site.fields_of(model)
    key = site.student_field(model, type(student))
    if key is None:
        return None, False, word
    status = _status(fields.get("status"), word)
    values = {name: value for name, value in _values(fields, at, day, similarity, camera, status).items()}
    if "period" in fields and "local_day" in fields:
        values["period"] = policy.period(at)
    today = {key: student, **_of_day(model, fields, (day, starts_at, ends_at))}
    with _lock:
        try:
            with transaction.atomic():
                # Between processes, the student's row is the lock.
                type(student)._default_manager.select_for_update().filter(pk=student.pk).first()
                there = model._default_manager.filter(**today).first()
                if there is not None:
                    return there, False, str(getattr(there, "status", status))
                return model._default_manager.create(**{key: student, **values}), True, status
        except IntegrityError:
            # Another process was first, and the table's own key says so.
            there = model._default_manager.filter(**today).first()
            if there is None:
                raise
            return there, False, str(getattr(there, "status", status))


def marked(student: Any) -> bool:
    """Returns whether a row says that a student is marked today."""
    model = site.attendance_model(type(student)) if isinstance(student, models.Model) else None
    key = None if model is None else site.student_field(model, type(student))
    if model is None or key is None:
        return False
    today = _of_day(model, site.fields_of(model), conf.policy().day(timezone.now()))
    return bool(model._default_manager.filter(**{key: student}, **today).exists())


def _of_day(model: Any, fields: dict[str, Any], bounds: tuple[date, datetime, datetime]) -> dict[str, Any]:
    """Which rows are of one of the site's days."""
    day, starts_at, ends_at = bounds
    date_field = next((name for name in _DATES if isinstance(fields.get(name), models.DateField)), None)
    if date_field is not None and not isinstance(fields[date_field], models.DateTimeField):
        return {date_field: day}
    time_field = next((name for name in _TIMES if isinstance(fields.get(name), models.DateTimeField)), None)
    if time_field is None:
        raise ValueError(f"{model.__name__} has neither a date nor a time")
    return {f"{time_field}__gte": _moment(starts_at), f"{time_field}__lt": _moment(ends_at)}


def _moment(at: datetime) -> datetime:
    return at if settings.USE_TZ else timezone.make_naive(at, timezone.get_default_timezone())


def _values(
    fields: dict[str, Any], at: datetime, day: Any, similarity: float, camera: Any, status: str
) -> dict[str, Any]:
    local = timezone.localtime(at) if timezone.is_aware(at) else at
    values: dict[str, Any] = {}
    for name, field in fields.items():
        # What the field fills in by itself is left to it.
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            continue
        if name in _DATES and isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
            values[name] = day
        elif name in _TIMES and isinstance(field, models.DateTimeField):
            values[name] = at
        elif name in (*_TIMES, "check_in", "arrival_time") and isinstance(field, models.TimeField):
            values[name] = local.time().replace(microsecond=0)
        elif name in _CONFIDENCES:
            values[name] = round(float(similarity), 4)
        elif name == "status":
            values[name] = status
        elif field.is_relation and camera is not None and _is_of(camera, field.related_model):
            values[name] = camera
        elif name in site.LOCATION_FIELDS and not field.is_relation and camera is not None:
            values[name] = _cut(field, site.camera_location(camera) or site.camera_name(camera))
        elif name in ("method", "marked_by", "source", "recognition_method") and field.choices:
            face = next((value for value, label in field.flatchoices if "face" in f"{value} {label}".lower()), None)
            if face is not None:
                values[name] = face
    return values


def _is_of(row: Any, model: Any) -> bool:
    return isinstance(model, type) and isinstance(row, model)


def _cut(field: Any, text: str) -> str:
    return text if field.max_length is None else text[: field.max_length]


def _status(field: Any, word: str) -> str:
    """The word as the table spells it: by its choices, else as it is."""
    choices = list(getattr(field, "flatchoices", None) or [])
    for value, label in choices:
        if str(value).lower() == word.lower() or str(label).lower() == word.lower():
            return str(value)
    for value, label in choices:
        if str(label).lower().startswith(word.lower()[:4]) or str(value).lower().startswith(word.lower()[:4]):
            return str(value)
    return str(choices[0][0]) if choices and word == "Present" and field.default in (None, "") else word
