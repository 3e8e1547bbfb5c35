"""The gate: a head that turns is marked, a photograph is not, and nobody who is recognized is lost."""

import datetime
import json

import pytest

import faceattend

BEGIN = datetime.datetime(2026, 3, 2, 8, 0, tzinfo=datetime.timezone.utc)


@pytest.fixture
def school(engine, media, tmp_path):
    """A store with one person, the gallery of it, and its book."""
    store = faceattend.Store(tmp_path / "a.db")
    student = store.create_student("Eileen Collins", "R1")
    store.replace_templates(student.id, [engine.embed(media / "collins" / "center.jpg")])
    gallery = faceattend.Gallery()
    store.load_gallery(gallery, engine)
    return store, gallery, faceattend.AttendanceBook(store, faceattend.AttendancePolicy("UTC"))


def watched(recognizer, media, seconds):
    """What a photograph gives that is held to the camera for so long, ten times a second."""
    picture = faceattend.decode_image(media / "collins" / "center.jpg")
    moments = [BEGIN + datetime.timedelta(milliseconds=100 * n) for n in range(int(seconds * 10))]
    return [recognizer.process(picture, now=moment) for moment in moments]


def test_a_head_that_turns_is_alive_and_marked(engine, media, school):
    store, gallery, book = school
    verdicts, admitted = [], []
    with faceattend.Recognizer(engine, gallery, book=book, camera_location="Gate") as recognizer:
        with faceattend.Camera(media / "collins" / "turn.avi") as camera:
            for frame in camera:
                seen = recognizer.process(frame)
                verdicts += [face.liveness for face in seen.faces]
                admitted += seen.admitted
                assert not seen.second_looks and not seen.suspected
                assert not seen.marks or seen.faces[0].liveness == "live", "marked before it was known to be alive"
    assert verdicts[0] == "undecided" and verdicts[-1] == "live"
    assert [row.student_name for row in book.records()] == ["Eileen Collins"]
    assert (admitted[0].liveness, admitted[0].liveness_reason) == ("live", None)
    assert store.open_second_looks() == 0


def test_a_photograph_is_not_marked_and_somebody_has_to_look(engine, media, school):
    store, gallery, book = school
    recognizer = faceattend.Recognizer(engine, gallery, book=book, camera_location="Gate")
    seen = watched(recognizer, media, 6)
    assert book.records() == [] and not any(each.marks or each.admitted for each in seen)
    [(when, look)] = [(n, look) for n, each in enumerate(seen) for look in each.second_looks]
    assert 38 <= when <= 45, "after the wait of four seconds"
    assert (look.student_id, look.similarity > 0.9) == (1, True)
    assert look.liveness in ("undecided", "spoof") and look.liveness_reason
    assert look.at == BEGIN + datetime.timedelta(milliseconds=100 * when)
    assert json.loads(json.dumps(look.to_dict()))["liveness"] == look.liveness
    suspected = [each for one in seen for each in one.suspected]
    assert [(each.liveness, each.liveness_reason) for each in suspected] == [("spoof", "frozen")], "told once"
    [kept] = store.second_looks()
    assert (kept.student_id, kept.camera_location) == (1, "Gate")
    face = seen[-1].faces[0]
    assert face.liveness != "live" and face.to_dict()["liveness_reason"] == face.liveness_reason is not None
    assert recognizer.finish().second_looks == [], "once"


def test_observing_marks_and_says_what_it_thought_and_off_does_not_look(engine, media, school):
    _, gallery, book = school
    observing = faceattend.Recognizer(engine, gallery, book=book, gate="observe")
    seen = watched(observing, media, 5)
    assert [mark.is_new for mark in seen[1].marks] == [True], "with the second view"
    assert [each.liveness_reason for one in seen for each in one.suspected] == ["frozen"]
    assert not any(each.second_looks for each in seen)
    blind = faceattend.Recognizer(engine, gallery, gate="off")
    assert {face.liveness for one in watched(blind, media, 5) for face in one.faces} == {"undecided"}


def test_whoever_is_in_view_at_the_end_is_not_lost(engine, media, school):
    store, gallery, book = school
    with faceattend.Recognizer(engine, gallery, book=book) as recognizer:
        watched(recognizer, media, 1)
        assert store.open_second_looks() == 0
    assert store.open_second_looks() == 1 and book.records() == []


def test_the_wait_is_the_programs_own(engine, media, school):
    _, gallery, _ = school
    patient = faceattend.Recognizer(engine, gallery, gate_wait=1.0)
    seen = watched(patient, media, 2)
    assert [n for n, each in enumerate(seen) if each.second_looks] in ([11], [12])


@pytest.mark.parametrize("bad", [{"gate": "sometimes"}, {"gate_wait": -1.0}, {"gate_wait": float("nan")}])
def test_what_is_no_gate_is_refused(engine, bad):
    with pytest.raises(faceattend.InvalidInputError):
        faceattend.Recognizer(engine, faceattend.Gallery(), **bad)


def at_intervals(recognizer, picture, seconds, count):
    """What the same picture gives ``count`` times, so many seconds apart."""
    return [recognizer.process(picture, now=BEGIN + datetime.timedelta(seconds=seconds * n)) for n in range(count)]


@pytest.mark.parametrize("seconds", [1.0, 1.5, 3.0])
def test_a_slow_source_marks_without_the_gate_and_asks_somebody_to_look_with_it(engine, media, school, seconds):
    store, gallery, book = school
    picture = faceattend.decode_image(media / "collins" / "center.jpg")
    strict = faceattend.Recognizer(engine, gallery, book=book, gate="require")
    seen = at_intervals(strict, picture, seconds, 12)
    assert book.records() == [] and store.open_second_looks() == 1
    assert all(problem.code == "too_slow" for problem in seen[-1].problems)
    with faceattend.Recognizer(engine, gallery, book=book, gate="off") as recognizer:
        seen = at_intervals(recognizer, picture, seconds, 5)
    assert [row.student_name for row in book.records()] == ["Eileen Collins"]
    assert seen[-1].problems == []


def test_a_camera_that_is_upside_down_is_told_how_to_be_set(engine, media, school):
    np = pytest.importorskip("numpy")
    _, gallery, _ = school
    upright = np.asarray(faceattend.decode_image(media / "collins" / "center.jpg"))
    recognizer = faceattend.Recognizer(engine, gallery, gate="off")
    seen = at_intervals(recognizer, np.ascontiguousarray(upright[::-1, ::-1]), 2.0, 31)
    [problem] = seen[-1].problems
    assert problem.code == "turned" and "180" in problem.message
    assert json.loads(json.dumps(problem.to_dict())) == {"code": "turned", "message": problem.message}
    assert all(face.bbox[0] >= 0 and face.bbox[1] >= 0 for each in seen for face in each.faces)
