"""Embeddings in the columns of your own tables.

Written: into a ``BinaryField`` the little-endian ``float32`` bytes, into a ``JSONField`` and into ``embedding_vector``
the list of numbers, into any other text field a text that names the model too: ``faceattend:<model>:<base64>``. A
field ``model_version``, where there is one, gets the model.

Read: all of those, base64 of ``float32`` bytes, lists and arrays. What names no model is taken by the setting
``UNTAGGED``: by default when it has the length of this engine's embeddings and is a unit vector, which those of
earlier engines (face_recognition's, hashes) are not.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Iterator
from typing import Any, Optional

import numpy as np
from django.db import models

import faceattend
from faceattend.contrib.django import conf

from .site import FACE_FIELDS, fields_of, first_of, name_of

__all__ = ["decode", "embedding_of", "encode", "name_of", "roll_number_of", "write"]

log = logging.getLogger("faceattend.compat")

_PREFIX = "faceattend:"
# How far the length of a vector may be from 1 after a round trip through decimal text.
_UNIT = 1e-3


def encode(embedding: faceattend.Embedding) -> str:
    """The embedding as text that names its model."""
    return f"{_PREFIX}{embedding.model}:{base64.b64encode(embedding.to_bytes()).decode('ascii')}"


def decode(value: Any, engine: faceattend.Engine, *, model: Optional[str] = None) -> Optional[faceattend.Embedding]:
    """The embedding in a stored value, or ``None`` when it is none that this engine could have made.

    Parameters
    ----------
    value : Embedding, str, bytes, list or array
    engine : Engine
    model : str, optional
        The model of a value that names none, on your word.
    """
    if isinstance(value, faceattend.Embedding):
        return value
    if isinstance(value, str) and value.startswith(_PREFIX):
        named, _, data = value[len(_PREFIX) :].rpartition(":")
        try:
            return faceattend.Embedding.from_bytes(base64.b64decode(data, validate=True), named)
        except (binascii.Error, ValueError):
            return None
    for values in _vectors(value):
        if model is None and not _could_be_ours(values, engine):
            continue
        try:
            return faceattend.Embedding.from_values(values, model or engine.model)
        except ValueError:
            continue
    return None


def _vectors(value: Any) -> Iterator[list[float]]:
    """What numbers a value may stand for, the likeliest first."""
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except ValueError:
            found = None
        if isinstance(found, list):
            yield from _vectors(found)
            return
        try:
            value = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        if data[:1] == b"[" or data.startswith(_PREFIX.encode()):
            try:
                yield from _vectors(data.decode())
            except UnicodeDecodeError:
                pass
        for dtype in ("<f4", "<f8"):
            if data and len(data) % np.dtype(dtype).itemsize == 0:
                yield np.frombuffer(data, dtype).astype(float).tolist()
        return
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return
    # Lists of one embedding are common; of several, the first.
    if array.ndim == 2 and len(array):
        array = array[0]
    if array.ndim == 1 and array.size:
        yield array.tolist()


def _could_be_ours(values: list[float], engine: faceattend.Engine) -> bool:
    if conf.setting("UNTAGGED") != "unit" or len(values) != engine.dimension:
        return False
    return bool(abs(float(np.linalg.norm(values)) - 1.0) < _UNIT)


def embedding_of(row: Any, engine: faceattend.Engine, *, model: Optional[str] = None) -> Optional[faceattend.Embedding]:
    """The embedding that a student's row holds, or ``None``."""
    named = model or getattr(row, "model_version", None) or conf.setting("LEGACY_MODEL")
    for name in FACE_FIELDS:
        value = getattr(row, name, None)
        if value is None or isinstance(value, (str, bytes)) and not value:
            continue
        embedding = decode(value, engine, model=named)
        if embedding is not None:
            return embedding
    return None


def roll_number_of(row: Any) -> str:
    """A student's roll number, or else what tells students apart."""
    number = first_of(row, ("roll_number", "roll_no", "student_id", "registration_number", "enrollment_number", "pk"))
    return "" if number is None else str(number)


def write(row: Any, embedding: faceattend.Embedding) -> None:
    """Writes an embedding into every face field of a student's row, and saves it.

    Raises
    ------
    ValueError
        When the row has no field for a face, or one that is too short.
    """
    fields = fields_of(type(row))
    written = [name for name in FACE_FIELDS if name in fields]
    if not fields:
        setattr(row, next((name for name in FACE_FIELDS if hasattr(row, name)), FACE_FIELDS[0]), encode(embedding))
        if callable(getattr(row, "save", None)):
            row.save()
        return
    if not written:
        raise ValueError(f"{type(row).__name__} has no field for a face: one of {', '.join(FACE_FIELDS)} is expected")
    for name in written:
        setattr(row, name, _value_for(fields[name], embedding))
    if "model_version" in fields:
        row.model_version = embedding.model
        written.append("model_version")
    row.save(update_fields=written)


def _value_for(field: Any, embedding: faceattend.Embedding) -> Any:
    if isinstance(field, models.BinaryField):
        return embedding.to_bytes()
    if isinstance(field, models.JSONField):
        return embedding.to_list()
    text = json.dumps(embedding.to_list()) if field.name == "embedding_vector" else encode(embedding)
    if field.max_length is not None and len(text) > field.max_length:
        raise ValueError(f"the field {field.name} holds {field.max_length} characters, {len(text)} are needed")
    return text
