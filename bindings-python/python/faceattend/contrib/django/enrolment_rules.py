"""Which picture is good enough to enrol somebody by, as the core decides. It needs no model of this app."""

from __future__ import annotations

from typing import Any

import faceattend


def template_of(image: Any, engine: faceattend.Engine, *, color: Any = "bgr") -> faceattend.Embedding:
    """The embedding of the only face of a picture, if it is good enough to recognize somebody by.

    Raises
    ------
    faceattend.InvalidInputError
        When there is no face, when there are several, or when it is not clear; the message says what to do.
    """
    return engine.template(image, color=color)
