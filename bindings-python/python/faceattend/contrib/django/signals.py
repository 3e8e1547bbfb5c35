"""What the app tells the project, as signals of Django. A receiver that fails stops no camera.

Each is sent with ``student`` (the row), ``camera_location`` and ``sighting`` (a `faceattend.Sighting`).
"""

from django.dispatch import Signal

second_look = Signal()
"""Somebody was recognized and is not marked, because the views did not show in time that the person is alive. Students
of the app are on its second-look list from now on. For your own students, `faceattend.compat` keeps no list: connect
this signal to whatever asks a person to look."""

spoof_suspected = Signal()
"""A face shows a picture of a student. Each face is told once."""
