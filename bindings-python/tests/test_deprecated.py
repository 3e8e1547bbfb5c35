"""The names of earlier versions: each still works, and says what to use instead."""

import warnings

import pytest

import faceattend
from faceattend.contrib.django import recognition

MODEL = "m"


@pytest.mark.parametrize("old, new", [("Recogniser", "Recognizer"), ("RecognisedFace", "RecognizedFace")])
def test_an_old_class_is_the_new_one(old, new):
    with pytest.warns(DeprecationWarning, match=f"use faceattend.{new}"):
        assert getattr(faceattend, old) is getattr(faceattend, new)


def test_the_new_names_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert faceattend.Recognizer and faceattend.RecognizedFace
        with pytest.raises(AttributeError, match="Recogniserr"):
            faceattend.Recogniserr  # noqa: B018


def test_gallery_add_inserts():
    gallery = faceattend.Gallery()
    with pytest.warns(DeprecationWarning, match="use Gallery.insert"):
        gallery.add(3, faceattend.Embedding.from_values([0.6, 0.8], MODEL))
    assert 3 in gallery and gallery.contains(3) and gallery.people == len(gallery) == 1


def test_delete_student_erases(tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    student = store.create_student("Grace Hopper", "R1")
    with pytest.warns(DeprecationWarning, match="use Store.erase_student"):
        assert store.delete_student(student.id).name == "Grace Hopper"
    assert store.student(student.id) is None
    with pytest.warns(DeprecationWarning), pytest.raises(faceattend.NotFoundError):
        store.delete_student(student.id)


def test_recognise_of_the_django_app_recognizes(monkeypatch):
    asked = []
    monkeypatch.setattr(recognition, "recognize", lambda image, **options: asked.append((image, options)) or ["seen"])
    with pytest.warns(DeprecationWarning, match="use recognition.recognize"):
        assert recognition.recognise(b"picture", among=[1]) == ["seen"]
    assert asked == [(b"picture", {"among": [1], "color": "bgr"})]
