import os

from django.contrib import admin
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from faceattend.contrib.django import conf


@csrf_exempt
def faces(request):
    """For the test with gunicorn: how many faces a posted picture has, and in which process."""
    return JsonResponse({"faces": len(conf.engine().analyze(request.body)), "process": os.getpid()})


urlpatterns = [path("admin/", admin.site.urls), path("faces/", faces)]
