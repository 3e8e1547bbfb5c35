"""An app for Django: students, liveness sessions, templates and attendance, with an admin that registers faces itself.

Add ``"faceattend.contrib.django"`` to ``INSTALLED_APPS`` and migrate. Settings are in one dictionary, ``FACEATTEND``:
see `faceattend.contrib.django.conf`.
"""
