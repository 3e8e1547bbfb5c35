"""What is wrong with the settings, told by ``manage.py check``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

import faceattend

from . import conf


@register("faceattend")
def check_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Unknown keys, values out of range, a time zone that does not exist."""
    given = getattr(settings, "FACEATTEND", {})
    if not isinstance(given, dict):
        return [Error("FACEATTEND is not a dictionary.", id="faceattend.E001")]
    found: list[CheckMessage] = []
    for name in sorted(set(given) - set(conf.DEFAULTS)):
        hint = "Known are: " + ", ".join(sorted(conf.DEFAULTS)) + "."
        found.append(Error(f"FACEATTEND[{name!r}] is no setting.", hint=hint, id="faceattend.E002"))
    threshold = conf.setting("THRESHOLD")
    if not isinstance(threshold, (int, float)) or not 0 <= threshold <= 1:
        found.append(Error("FACEATTEND['THRESHOLD'] must lie between 0 and 1.", id="faceattend.E003"))
    elif threshold < 0.6:
        hint = "0.7 is the documented threshold, on the scale (cosine + 1) / 2."
        found.append(Warning("FACEATTEND['THRESHOLD'] lets strangers pass.", hint=hint, id="faceattend.W001"))
    views = conf.setting("AGREEING_VIEWS")
    if not isinstance(views, int) or views < 1:
        found.append(Error("FACEATTEND['AGREEING_VIEWS'] must be 1 or more.", id="faceattend.E004"))
    gate = conf.setting("GATE")
    if gate not in (None, "off", "observe", "require", "ask"):
        found.append(Error("FACEATTEND['GATE'] is none of off, observe, require, ask.", id="faceattend.E008"))
    elif gate in ("off", "observe"):
        hint = "A photograph of a student marks the student."
        found.append(Warning(f"FACEATTEND['GATE'] is {gate!r}.", hint=hint, id="faceattend.W002"))
    wait = conf.setting("GATE_WAIT")
    if not isinstance(wait, (int, float)) or not wait >= 0:
        found.append(Error("FACEATTEND['GATE_WAIT'] must be 0 seconds or more.", id="faceattend.E009"))
    for name, make in [
        ("TIME_ZONE", conf.policy),
        ("ENGINE", lambda: faceattend.Engine(**conf.setting("ENGINE"))),
        ("LIVENESS", lambda: faceattend.LivenessSession(**conf.setting("LIVENESS"))),
    ]:
        try:
            make()
        except (faceattend.FaceAttendError, TypeError, AttributeError) as error:
            found.append(Error(f"FACEATTEND[{name!r}]: {error}", id="faceattend.E005"))
    if not getattr(settings, "USE_TZ", True):
        hint = "Times are kept in UTC, as the reference server keeps them. Set USE_TZ = True."
        found.append(Error("faceattend needs USE_TZ.", hint=hint, id="faceattend.E006"))
    return found


@register("faceattend", Tags.database, deploy=True)
def check_engine(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Whether the engine loads, for ``check --deploy``: it takes a moment."""
    try:
        conf.engine().load()
    except faceattend.FaceAttendError as error:
        return [Error(f"The engine does not load: {error}", id="faceattend.E007")]
    return []
