"""Values, errors, sessions, galleries and stores, as Python sees them."""

import copy
import datetime
import json
import pickle
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import faceattend
from faceattend import errors

MODEL = "m"


def embedding(*values, model=MODEL):
    return faceattend.Embedding.from_values(list(values), model)


def test_an_embedding_is_a_read_only_view_and_shows_no_value():
    one = embedding(3.0, 4.0)
    view = one.to_numpy()
    assert view.tolist() == pytest.approx([0.6, 0.8]) and view.dtype == np.float32
    assert view.base is one and not view.flags.writeable and not view.flags.owndata
    with pytest.raises(ValueError):
        view[0] = 1
    assert "0.6" not in repr(one) + str(one)


def test_a_view_outlives_its_embedding():
    view = embedding(*range(1, 129)).to_numpy()
    for _ in range(100):
        embedding(*range(1, 129))
    assert view[0] == pytest.approx(1 / np.linalg.norm(np.arange(1, 129)))


def test_bytes_are_little_endian_floats_and_come_back():
    one = embedding(0.6, 0.8)
    assert one.to_bytes() == np.array([0.6, 0.8], "<f4").tobytes()
    assert faceattend.Embedding.from_bytes(one.to_bytes(), MODEL) == one
    assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one)
    assert hash(pickle.loads(pickle.dumps(one))) == hash(one)


def test_embeddings_of_two_models_do_not_compare():
    with pytest.raises(faceattend.ModelMismatchError) as caught:
        embedding(1.0, 0.0).similarity(embedding(1.0, 0.0, model="other"))
    assert isinstance(caught.value, ValueError) and caught.value.code == "model_mismatch"


@pytest.mark.parametrize("bad", [b"", b"abc", np.full(4, np.nan, "<f4").tobytes(), bytes(16)])
def test_bytes_without_a_direction_are_refused(bad):
    with pytest.raises(faceattend.InvalidInputError):
        faceattend.Embedding.from_bytes(bad, MODEL)


def test_a_template_is_that_of_the_one_clear_face(engine, media):
    picture = media / "hopper" / "center.jpg"
    assert engine.template(picture) == engine.embed(picture)
    nobody = np.full((120, 160, 3), 90, np.uint8)
    assert engine.embed(nobody) is None
    with pytest.raises(faceattend.InvalidInputError, match="no face"):
        engine.template(nobody)


@pytest.mark.parametrize("person", ["hopper", "collins", "obama"])
def test_an_encoded_picture_shows_its_boxes_where_its_pixels_do(engine, media, person):
    data = (media / person / "center.jpg").read_bytes()
    # The first is decoded at a part of its size.
    [encoded], [pixels] = engine.detect(data), engine.detect(faceattend.decode_image(data))
    side = pixels.bbox[2] - pixels.bbox[0]
    assert np.allclose(encoded.bbox, pixels.bbox, atol=0.04 * side)


def test_every_error_is_ours_and_a_built_in():
    own = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.FaceAttendError)
    ]
    codes = [each.code for each in own]
    assert len(own) == 14 and len(set(codes)) == 14
    for each in own[1:]:
        assert any(base.__module__ == "builtins" and base is not Exception for base in each.__mro__[2:-3]), each


@pytest.mark.parametrize(
    "bad, error",
    [
        (b"", faceattend.InvalidImageError),
        (b"no picture", faceattend.InvalidImageError),
        ("", faceattend.InvalidImageError),
        ("/etc/hostname/none.jpg", faceattend.InvalidImageError),
        ("data:image/png;base64,AAAA", faceattend.InvalidImageError),
        (np.zeros((4, 4, 3), np.float32), faceattend.InvalidInputError),
        (np.zeros((0, 4, 3), np.uint8), faceattend.InvalidImageError),
        (np.zeros((4, 4, 2), np.uint8), faceattend.InvalidInputError),
        (np.zeros(4, np.uint8), faceattend.InvalidInputError),
        (None, faceattend.InvalidInputError),
        (7, faceattend.InvalidInputError),
    ],
)
def test_what_is_no_picture_is_refused(engine, bad, error):
    with pytest.raises(error):
        engine.detect(bad)


def test_a_truncated_picture_is_refused_or_has_no_face(engine, media):
    data = (media / "hopper" / "center.jpg").read_bytes()
    for part in (10, 100, len(data) // 8):
        try:
            engine.detect(data[:part])
        except faceattend.InvalidImageError:
            pass


def test_a_file_that_is_not_there_is_an_error_of_the_system(engine, tmp_path):
    with pytest.raises(OSError) as caught:
        engine.detect(tmp_path / "none.jpg")
    assert isinstance(caught.value, faceattend.FileError)


@pytest.mark.parametrize(
    "options",
    [{"threads": 0}, {"min_score": 2.0}, {"antispoof": "x"}, {"provider": "abacus"}, {"min_score": float("nan")}],
)
def test_options_out_of_range_are_refused_at_once(options):
    with pytest.raises(faceattend.InvalidInputError):
        faceattend.Engine(**options)


def test_a_provider_that_is_not_there_is_an_error_and_no_silent_cpu():
    with pytest.raises(faceattend.RuntimeLibraryError, match="cuda"):
        faceattend.Engine(provider="cuda").load()


def test_a_library_that_is_not_there_is_named(tmp_path):
    # In a process of its own: one that has loaded a library keeps it.
    code = f"import faceattend; faceattend.Engine(onnxruntime={str(tmp_path / 'none.so')!r}).load()"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert said.returncode == 1 and "RuntimeLibraryError" in said.stderr and "none.so" in said.stderr


@settings(max_examples=60, deadline=None)
@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 4]))))
def test_noise_of_any_size_neither_fails_nor_is_changed(engine, noise):
    before = noise.copy()
    assert isinstance(engine.detect(noise), list)
    assert (noise == before).all()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_a_picture_or_an_error_of_ours(engine, data):
    try:
        engine.detect(data)
    except faceattend.FaceAttendError:
        pass


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_picture_or_an_error_of_ours(engine, text):
    try:
        engine.detect(text)
    except faceattend.FaceAttendError:
        pass


@settings(max_examples=100, deadline=None)
@given(npst.arrays(np.float32, st.integers(1, 600), elements=st.floats(-100, 100, width=32)))
def test_values_come_back_scaled(values):
    try:
        one = faceattend.Embedding.from_values(values, MODEL)
    except faceattend.InvalidInputError:
        assert np.linalg.norm(values.astype(float)) < 1e-10
        return
    assert np.linalg.norm(one.to_numpy()) == pytest.approx(1, abs=1e-5)
    assert faceattend.Embedding.from_bytes(one.to_bytes(), MODEL).cosine(one) > 0.9999


def test_a_gallery_finds_its_people():
    gallery = faceattend.Gallery()
    assert gallery.search(embedding(1.0, 0.0)) == [] and not gallery.identify(embedding(1.0, 0.0))
    assert gallery.load({1: embedding(1.0, 0.0), 2: [embedding(0.0, 1.0), embedding(0.6, 0.8)]}) == 2
    assert (len(gallery), gallery.templates, 2 in gallery, 3 in gallery) == (2, 3, True, False)
    found = gallery.search(embedding(0.1, 1.0))
    assert [match.student_id for match in found] == [2, 1]
    seen = gallery.identify(embedding(0.0, 1.0))
    assert seen and seen.student_id == 2 and seen.margin > 0.4
    assert gallery.remove(2) and not gallery.remove(2)
    assert gallery.identify(embedding(0.0, 1.0)).student_id is None
    with pytest.raises(faceattend.ModelMismatchError):
        gallery.insert(5, embedding(1.0, 0.0, model="other"))


def test_a_session_goes_on_from_its_text_and_enrols_once(engine, media):
    session = faceattend.LivenessSession(mirrored=False, student_id=9)
    for position in ("center", "left", "right"):
        with pytest.raises(faceattend.StateError):
            session.consume()
        session = faceattend.LivenessSession.from_json(session.to_json())
        outcome = session.observe(media / "collins" / f"{position}.jpg", position, engine)
        assert outcome.is_live and outcome.detected_pose == position, outcome.advice
    assert session.is_completed and session.status() == "COMPLETED" and session.student_id == 9
    assert session.liveness_score > 0.5
    templates = session.consume()
    assert len(templates) == 3 and templates[0] == session.template("center")
    with pytest.raises(faceattend.ConflictError):
        session.consume()


def test_a_session_expires_and_a_broken_one_is_refused(engine, media):
    begun = datetime.datetime(2026, 3, 2, 8, tzinfo=datetime.timezone.utc)
    session = faceattend.LivenessSession(ttl=60, now=begun)
    assert session.expires_at == begun + datetime.timedelta(seconds=60)
    late = begun + datetime.timedelta(minutes=2)
    assert session.observe(media / "collins" / "center.jpg", "center", engine, now=late).reasons[0] == "expired"
    assert session.status(late) == "EXPIRED"
    for bad in ("", "{}", "[1]"):
        with pytest.raises(faceattend.StateError):
            faceattend.LivenessSession.from_json(bad)
    for options in ({"ttl": 0}, {"ttl": -1}, {"pad": "x"}, {"center_gate": 90}, {"same_person": 2}):
        with pytest.raises(faceattend.InvalidInputError):
            faceattend.LivenessSession(**options)


def test_a_day_is_the_sites_own():
    policy = faceattend.AttendancePolicy("Asia/Kolkata")
    at = datetime.datetime(2026, 3, 2, 19, tzinfo=datetime.timezone.utc)
    day, starts_at, ends_at = policy.day(at)
    assert day == datetime.date(2026, 3, 3) and starts_at <= at < ends_at
    assert faceattend.AttendancePolicy("UTC", day_boundary="04:00").day(at.replace(hour=2))[0] == datetime.date(
        2026, 3, 1
    )
    with pytest.raises(faceattend.InvalidInputError):
        faceattend.AttendancePolicy("Mars/Olympus")


def test_a_store_keeps_people_and_marks_them_once_a_day(engine, media, tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    student = store.create_student("Grace Hopper", "R1")
    with pytest.raises(faceattend.ConflictError):
        store.create_student("Somebody", "R1")
    store.replace_templates(student.id, [engine.embed(media / "hopper" / "center.jpg")])
    assert store.templates_of(student.id)[0].model == engine.model
    gallery = faceattend.Gallery()
    assert store.load_gallery(gallery, engine) == {"people": 1, "of_other_models": 0, "legacy": 0}
    assert gallery.identify(engine.embed(media / "hopper" / "left.jpg")).student_id == student.id

    book = faceattend.AttendanceBook(store, faceattend.AttendancePolicy("UTC"))
    at = datetime.datetime(2026, 3, 2, 8, tzinfo=datetime.timezone.utc)
    first = book.mark(student.id, 0.9, "Gate", at)
    assert first and first.record.camera_location == "Gate" and first.record.timestamp == at
    assert not book.mark(student.id, 0.9, "Gate", at + datetime.timedelta(hours=8))
    assert book.mark(student.id, 0.9, "Gate", at + datetime.timedelta(days=1))
    assert [row.local_day.day for row in book.records()] == [3, 2]
    assert book.summary()["total"] == 2
    with pytest.raises(faceattend.NotFoundError):
        book.mark(student.id + 1)


def test_a_recording_is_recognized_and_marked(engine, media, tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    for name in ("collins", "obama", "hopper"):
        pictures = [media / name / f"{view}.jpg" for view in ("center", "left", "right")]
        student = store.create_student(name, name)
        store.replace_templates(student.id, [engine.embed(picture) for picture in pictures])
    gallery = faceattend.Gallery()
    store.load_gallery(gallery, engine)
    gallery.remove(3)
    book = faceattend.AttendanceBook(store, faceattend.AttendancePolicy("UTC"))
    # What is asked of a living person is tried in test_gate.py.
    recognizer = faceattend.Recognizer(engine, gallery, book=book, camera_location="Class", gate="observe")
    decisions = set()
    with faceattend.Camera(media / "class.avi") as camera:
        for frame in camera:
            decisions |= {face.decision for face in recognizer.process(frame).faces}
    assert {row.student_name for row in book.records()} == {"collins", "obama"}
    assert decisions >= {"waiting", "known"}


def test_two_threads_share_an_engine(engine, media):
    picture = faceattend.decode_image(media / "hopper" / "center.jpg")
    known = engine.embed(picture)
    different = []

    def work():
        for _ in range(10):
            if engine.embed(picture) != known:
                different.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not different


def test_other_threads_run_while_a_frame_is_looked_at(engine, media):
    picture = faceattend.decode_image(media / "hopper" / "center.jpg")
    engine.analyze(picture)
    turns, done = [0], threading.Event()

    def count():
        while not done.is_set():
            turns[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    usual = sys.getswitchinterval()
    # Nobody is made to let the interpreter go, so the other thread runs only where the call lets it go by itself.
    sys.setswitchinterval(1000)
    try:
        before = turns[0]
        engine.analyze(picture)
        during = turns[0] - before
    finally:
        sys.setswitchinterval(usual)
        done.set()
    thread.join()
    assert during > 0


def test_another_thread_may_write_to_an_array_or_free_it_while_it_is_looked_at(engine, media):
    picture = faceattend.decode_image(media / "hopper" / "center.jpg").to_numpy("bgr").copy()
    expected = [face.bbox for face in engine.detect(picture)]
    assert expected
    interval = sys.getswitchinterval()
    # The other thread gets the interpreter when the engine releases it, and not before.
    sys.setswitchinterval(5)
    try:
        for damage in (lambda array: array.fill(0), lambda array: array.resize((1,), refcheck=False)):
            array, go = picture.copy(), threading.Event()
            thread = threading.Thread(target=lambda: go.wait() and damage(array))
            thread.start()
            go.set()
            faces = engine.detect(array)
            thread.join()
            assert [face.bbox for face in faces] == expected
            assert array.size == 1 or not array.any()
    finally:
        sys.setswitchinterval(interval)


def test_the_packs_are_listed_and_a_licence_is_asked_for(tmp_path):
    packs = {pack["name"]: pack for pack in faceattend.models.available(tmp_path)}
    assert packs["default"]["installed"] and packs["default"]["built_in"] and not packs["buffalo_l"]["installed"]
    assert faceattend.models.verify("default")
    with pytest.raises(faceattend.StateError, match="licen"):
        faceattend.models.pull("buffalo_l", folder=tmp_path)
    with pytest.raises(faceattend.ModelError):
        faceattend.models.verify("nothing")


def test_the_documentation_reads_well():
    for name in faceattend.__all__:
        value = getattr(faceattend, name)
        if isinstance(value, type) and value.__module__.startswith("faceattend"):
            assert value.__doc__ and len(value.__doc__) >= 20, name
            for member, what in vars(value).items():
                if not member.startswith("_"):
                    assert getattr(what, "__doc__", None), f"{name}.{member}"


def test_a_store_is_opened_by_a_url_and_shows_no_password(tmp_path):
    file = tmp_path / "a.db"
    student = faceattend.Store(f"sqlite:///{file}").create_student("Grace Hopper", "R1")
    assert faceattend.Store(path=file).student(student.id).name == "Grace Hopper"
    with pytest.raises(faceattend.InvalidInputError, match="mysql") as refused:
        faceattend.Store("mysql://me:geheim@host/db")
    unreachable = faceattend.Store("postgres://me:geheim@127.0.0.1:1/db")
    with pytest.raises(faceattend.StoreError) as failed:
        unreachable.check()
    assert "geheim" not in repr(unreachable) + str(refused.value) + str(failed.value)


def test_a_postgresql_is_a_store_like_any_other(postgres, engine, media):
    store = faceattend.Store(postgres)
    student = store.create_student("Grace Hopper", "R1")
    with pytest.raises(faceattend.ConflictError):
        store.create_student("Another", "R1")
    store.replace_templates(student.id, engine.embed(media / "hopper" / "center.jpg"))
    gallery = faceattend.Gallery()
    assert store.load_gallery(gallery, engine)["people"] == 1
    book = faceattend.AttendanceBook(store)
    assert [bool(book.mark(student.id)) for _ in range(2)] == [True, False]
    assert store.erase_student(student.id).marks_deleted == 1


def test_an_erasure_leaves_no_byte_of_the_face_in_the_files(engine, media, tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    face = engine.embed(media / "hopper" / "center.jpg")
    student = store.create_student("Grace Hopper", "R1")
    store.replace_templates(student.id, face)

    def files_hold(wanted):
        return any(wanted in path.read_bytes() for path in tmp_path.iterdir())

    assert files_hold(face.to_bytes())
    store.erase_student(student.id)
    assert not files_hold(face.to_bytes()) and not files_hold(b"Grace Hopper")


def test_an_erasure_says_what_is_gone_and_may_keep_marks_without_a_name(engine, media, tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    student = store.create_student("Grace Hopper", "R1")
    student = store.replace_templates(student.id, engine.embed(media / "hopper" / "center.jpg"))
    assert student.has_face and student.updated_at is not None and student.liveness_verification_date is None
    book = faceattend.AttendanceBook(store)
    mark = book.mark(student.id, 0.9).record
    assert book.record(mark.id).student_name == "Grace Hopper" and book.record(mark.id + 1) is None
    erased = store.erase_student(student.id, marks="anonymize")
    assert (erased.student.name, erased.templates, erased.marks_deleted, erased.marks_anonymized) == (
        "Grace Hopper",
        1,
        0,
        1,
    )
    assert json.loads(json.dumps(erased.to_dict()))["student"]["roll_number"] == "R1"
    with pytest.raises(faceattend.InvalidInputError, match="anonymize"):
        store.erase_student(student.id, marks="burn")


def test_two_records_of_one_person_become_one(engine, media, tmp_path):
    plain = faceattend.Store(tmp_path / "a.db")
    face = engine.embed(media / "hopper" / "center.jpg")
    rolls = [("Grace Hopper", "R1"), ("Grace M. Hopper", "R1-copy"), ("Eileen Collins", "R2"), ("Grace", "R3")]
    kept, again, other, bare = (plain.create_student(name, roll) for name, roll in rolls)
    for student in (kept, again):
        plain.replace_templates(student.id, face)
    plain.replace_templates(other.id, engine.embed(media / "collins" / "center.jpg"))
    book = faceattend.AttendanceBook(plain)
    for student in (again, bare):
        book.mark(student.id, 0.9)
    gallery = faceattend.Gallery()
    store = plain.with_gallery(gallery, engine)
    merged = store.merge_students(kept.id, again.id, actor="office")
    assert (merged.student.name, merged.erasure.student.roll_number) == ("Grace Hopper", "R1-copy")
    assert (merged.marks_moved, merged.erasure.templates, merged.took_face, merged.took_consent) == (1, 1, False, False)
    assert json.loads(json.dumps(merged.to_dict()))["erasure"]["student"]["name"] == "Grace M. Hopper"
    assert store.student(again.id) is None and len(gallery) == 2
    assert [record.student_id for record in book.records()] == [bare.id, kept.id]
    # Faces that are unlike, or none, are merged only where that is wished; of two marks of a day the earlier stays.
    for unlike in (other, bare):
        with pytest.raises(faceattend.ConflictError):
            store.merge_students(kept.id, unlike.id)
    merged = store.merge_students(kept.id, bare.id, merge_unlike=True)
    assert (merged.marks_moved, merged.erasure.marks_deleted) == (0, 1)
    assert plain.merge_students(other.id, kept.id, face="other").took_face, "without a gallery nobody compares"
    with pytest.raises(faceattend.NotFoundError):
        store.merge_students(other.id, kept.id)
    with pytest.raises(faceattend.InvalidInputError):
        store.merge_students(other.id, other.id)
    with pytest.raises(faceattend.InvalidInputError, match="kept"):
        store.merge_students(other.id, kept.id, face="both")


def test_a_person_decides_whether_somebody_was_there(tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    book = faceattend.AttendanceBook(store, faceattend.AttendancePolicy("UTC"))
    grace, eileen = (store.create_student(name, name) for name in ("Grace", "Eileen"))
    seen_at = datetime.datetime(2026, 3, 2, 8, 15, tzinfo=datetime.timezone.utc)
    seen = book.second_look(grace.id, "undecided", ["few_views"], similarity=0.8, camera_location="Gate", at=seen_at)
    assert seen and seen.is_new and seen.record is None
    look = seen.look
    assert (look.student_name, look.day.isoformat()) == ("Grace", "2026-03-02")
    assert (look.period, look.status) == ("day", "Present")
    assert (look.verdict, look.reasons, look.state, look.timestamp) == ("undecided", ["few_views"], "open", seen_at)
    again = book.second_look(grace.id, "undecided", ["few_views"], at=seen_at)
    assert not again and again.look.id == look.id
    picture = book.second_look(eileen.id, "spoof", ["frozen"], at=seen_at).look
    assert store.open_second_looks() == 2
    assert [each.id for each in store.second_looks(state="open", limit=1)] == [picture.id]

    marking = store.decide_second_look(look.id, "confirm", by="Ms Rao")
    assert marking and (marking.record.timestamp, marking.record.camera_location) == (seen_at, "Gate")
    assert store.decide_second_look(picture.id, "refuse", by="Ms Rao") is None
    decided = store.second_look(picture.id)
    assert (decided.state, decided.decided_by) == ("refused", "Ms Rao") and decided.decided_at is not None
    assert json.loads(json.dumps(decided.to_dict()))["reasons"] == ["frozen"]
    assert book.second_look(grace.id, "spoof", ["frozen"], at=seen_at).record.id == marking.record.id
    with pytest.raises(faceattend.StateError, match="confirmed already, by Ms Rao"):
        store.decide_second_look(look.id, "refuse", by="somebody else")
    with pytest.raises(faceattend.NotFoundError):
        store.decide_second_look(99, "confirm", by="Ms Rao")
    for wrong in (
        lambda: store.decide_second_look(look.id, "perhaps", by="Ms Rao"),
        lambda: store.second_looks(state="lost"),
        lambda: book.second_look(grace.id, "live", []),
        lambda: book.second_look(eileen.id, "spoof", ["no code"]),
    ):
        with pytest.raises(faceattend.InvalidInputError):
            wrong()
    assert store.erase_student(eileen.id).second_looks == 1 and store.second_look(picture.id) is None


def test_a_deleted_mark_can_be_made_again_at_once(tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    student = store.create_student("Grace Hopper", "R1")
    book = faceattend.AttendanceBook(store)
    mark = book.mark(student.id)
    assert mark and not book.mark(student.id)
    book.delete(mark.record.id)
    assert book.mark(student.id) and book.summary()["absent"] == 0
    with pytest.raises(faceattend.NotFoundError):
        book.delete(mark.record.id)
