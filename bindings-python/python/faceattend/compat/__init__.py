"""The names that an existing Django project calls, on this engine.

Change the imports, and nothing else::

    from faceattend.compat import FaceRecognitionEngine, FaceDetectionService, CameraProcessor, CameraManager

Signatures and returned dictionaries are those of the replaced code; every value in them is a plain Python type. What is
expected of your models is little, and told in `faceattend.compat.site`: which fields are looked for, under which names.
"""

from .camera_processor import CameraManager, CameraProcessor, camera_manager
from .face_detection import FaceDetectionService
from .face_recognition_engine import FaceRecognitionEngine

__all__ = [
    "CameraManager",
    "CameraProcessor",
    "FaceDetectionService",
    "FaceRecognitionEngine",
    "camera_manager",
]
