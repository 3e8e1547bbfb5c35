"""A school of its own, with tables such as projects of this kind have."""

from django.db import models


class Student(models.Model):
    name = models.CharField(max_length=100)
    roll_number = models.CharField(max_length=20, unique=True)
    face_embedding = models.TextField(blank=True, null=True)
    is_active = models.BooleanField(default=True)


class Pupil(models.Model):
    """Not found by its name: named in the settings."""

    full_name = models.CharField(max_length=100)
    face_encoding = models.BinaryField(null=True)


class CameraStream(models.Model):
    name = models.CharField(max_length=100)
    location = models.CharField(max_length=100, blank=True)
    rtsp_url = models.CharField(max_length=500, blank=True)
    is_active = models.BooleanField(default=True)
    attendance_auto_mark = models.BooleanField(default=True)


class Attendance(models.Model):
    student = models.ForeignKey(Student, on_delete=models.CASCADE)
    date = models.DateField()
    time = models.TimeField()
    status = models.CharField(max_length=10, choices=[("PRESENT", "Present"), ("ABSENT", "Absent"), ("LATE", "Late")])
    confidence_score = models.FloatField(default=0.0)
    camera = models.ForeignKey(CameraStream, null=True, on_delete=models.SET_NULL)

    class Meta:
        unique_together = [("student", "date")]


class DetectionLog(models.Model):
    camera = models.ForeignKey(CameraStream, null=True, on_delete=models.CASCADE)
    timestamp = models.DateTimeField(auto_now_add=True)
    faces_detected = models.IntegerField(default=0)
    students_recognized = models.IntegerField(default=0)
    processing_time = models.FloatField(default=0.0)


class PupilAttendance(models.Model):
    """Knows a time and no date, and nothing in it keeps a pupil from being marked twice."""

    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE)
    timestamp = models.DateTimeField()
    status = models.CharField(max_length=20)
    camera_location = models.CharField(max_length=10)
