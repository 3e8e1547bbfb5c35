"""The admin, and nothing else."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

admin.site.site_header = "Face attendance"
admin.site.site_title = "Face attendance"
admin.site.index_title = "School"

urlpatterns = [path("", RedirectView.as_view(url="/admin/")), path("admin/", admin.site.urls)]
