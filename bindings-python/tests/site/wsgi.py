"""For gunicorn: with FACEATTEND_TEST_PRELOAD the engine has looked at a frame before the workers are forked."""

import os

import numpy as np
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.site.settings")
application = get_wsgi_application()

if os.environ.get("FACEATTEND_TEST_PRELOAD"):
    from faceattend.contrib.django import conf

    conf.engine().analyze(np.zeros((64, 64, 3), np.uint8))
