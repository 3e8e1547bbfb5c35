"""What a client at a distance is asked, and the receipt of its enrolment."""

import base64
import json

import pytest

import faceattend

# Different pictures of one person for each position: a picture counts once.
VIEWS = {"center": ["center", "yaw+00"], "left": ["left", "yaw+25"], "right": ["right", "yaw-25"]}


def completed(engine, media, **options):
    session = faceattend.LivenessSession(mirrored=False, **options)
    for position in ("center", "left", "right"):
        session.observe(media / "collins" / f"{position}.jpg", position, engine)
    assert session.is_completed
    return session


def test_a_random_order_is_drawn_for_each_session():
    drawn = {faceattend.LivenessSession(order="random").next for _ in range(30)}
    assert len(drawn) > 1, "thirty sessions began alike"
    session = faceattend.LivenessSession(order="random", extra_steps=2)
    assert (session.order, session.steps) == ("random", (0, 5))
    fixed = faceattend.LivenessSession()
    assert (fixed.order, fixed.next, fixed.nonce, fixed.steps) == ("fixed", "center", None, (0, 3))


def test_only_a_session_with_nods_asks_for_looking_up_and_down(engine, media):
    asking = faceattend.LivenessSession(mirrored=False, order="random", nods=True)
    assert asking.steps == (0, 6) and asking.next in ("center", "left", "right"), "a nod needs a look ahead first"
    while asking.next not in ("up", "down"):
        session = faceattend.LivenessSession(mirrored=False, order="random", nods=True)
        views = {position: list(names) for position, names in VIEWS.items()}
        while views.get(session.next):
            session.observe(media / "hopper" / f"{views[session.next].pop(0)}.jpg", session.next, engine)
        asking = session
    step, level = asking.next, asking.observe(media / "hopper" / "yaw+05.jpg", asking.next, engine)
    assert not level.is_live and level.reasons[0] == "wrong_pose" and step in level.advice[0]
    assert abs(level.rise) < 8 and level.rise_gate == ((8, 90) if step == "up" else (-90, -8))

    fixed = faceattend.LivenessSession(mirrored=False)
    first = fixed.observe(media / "collins" / "center.jpg", "center", engine)
    assert first.rise is None and first.to_dict()["rise_gate"] is None
    assert fixed.observe(media / "collins" / "yaw+05.jpg", "up", engine).reasons[0] == "out_of_order"


def test_an_answer_has_to_carry_the_nonce_of_its_step(engine, media):
    session = faceattend.LivenessSession(mirrored=False, order="random", extra_steps=0)
    views = {position: list(names) for position, names in VIEWS.items()}
    nonces = set()
    while session.next is not None:
        step, nonce = session.next, session.nonce
        picture = media / "hopper" / f"{views[step][0]}.jpg"
        for wrong in (None, "0" * 32):
            refused = session.observe_answer(wrong, picture, step, engine)
            assert not refused.is_live and refused.reasons[0] == "wrong_nonce"
        assert session.nonce == nonce, "a refused frame has changed the nonce"
        views[step].pop(0)
        # The picture has been seen, though it did not count: another one of the same view.
        picture = media / "hopper" / f"{views[step].pop(0)}.jpg"
        outcome = session.observe_answer(nonce, picture, step, engine)
        assert outcome.is_live, outcome.reasons
        nonces.add(nonce)
    assert session.is_completed and session.nonce is None and len(nonces) == 3
    assert outcome.steps == (3, 3) and outcome.passive == "not_run" and outcome.passive_mean is None


def test_a_guarded_session_asks_at_random_and_smooths_over_frames(engine, media):
    session = faceattend.LivenessSession(mirrored=False, guarded=True)
    state = json.loads(session.to_json())["options"]
    assert (session.order, state["steady_frames"], state["frozen_frames"]) == ("random", 3, 5)
    first = session.observe(media / "hopper" / "center.jpg", session.next, engine)
    assert not first.is_live and first.steps[0] == 0
    chosen = faceattend.LivenessSession(guarded=True, order="fixed", steady_frames=1)
    assert chosen.order == "fixed" and json.loads(chosen.to_json())["options"]["steady_frames"] == 1


def test_an_outcome_says_where_the_gate_is(engine, media):
    session = faceattend.LivenessSession(mirrored=False, left_gate=20)
    outcome = session.observe(media / "collins" / "left.jpg", "left", engine)
    assert outcome.gate == (20, 90) and outcome.smoothed_yaw == outcome.yaw
    assert json.loads(json.dumps(outcome.to_dict()))["gate"] == [20, 90]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"order": "sideways"}, "order"),
        ({"quality": "any"}, "quality"),
        ({"pad": "maybe"}, "pad"),
        ({"extra_steps": 9}, "extra steps"),
        ({"steady_frames": 2}, "steady frames"),
        ({"dominance": 0.5}, "dominance"),
        ({"left_gate": 80}, "left gate"),
    ],
)
def test_an_option_out_of_its_range_is_named(options, words):
    with pytest.raises(faceattend.InvalidInputError, match=words):
        faceattend.LivenessSession(**options)


def test_a_receipt_is_read_with_the_public_key_alone(engine, media):
    session = completed(engine, media)
    key = faceattend.ReceiptKey.generate()
    receipt = session.receipt(12)
    token = key.sign(receipt)
    read = faceattend.Receipt.verify(token, key.public_key_pem())
    assert read == receipt and read.student_id == 12 and read.model == engine.model
    assert (read.order, read.passive, len(read.nonce)) == ("fixed", "not_run", 32)
    assert read.liveness_score == pytest.approx(session.liveness_score)
    assert json.loads(json.dumps(read.to_dict()))["nonce"] == session.receipt(12).nonce
    again = faceattend.ReceiptKey.parse(key.to_text())
    assert again.public_key_pem() == key.public_key_pem() and key.to_text() not in repr(key) + str(key)


def test_a_forged_receipt_is_refused(engine, media):
    key, other = faceattend.ReceiptKey.generate(), faceattend.ReceiptKey.generate()
    token = key.sign(completed(engine, media).receipt(12))
    with pytest.raises(faceattend.InvalidInputError, match="another key"):
        faceattend.Receipt.verify(token, other.public_key_pem())
    header, claims, signature = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"sub": "13"}
    claims = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    with pytest.raises(faceattend.InvalidInputError):
        faceattend.Receipt.verify(f"{header}.{claims}.{signature}", key.public_key_pem())
    with pytest.raises(faceattend.InvalidInputError):
        faceattend.ReceiptKey.parse("no base64")


def test_a_session_that_is_not_complete_has_no_receipt():
    assert faceattend.LivenessSession().receipt(1) is None


def test_a_session_registers_one_student_once(engine, media, tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    store.create_student("Somebody", "R1")
    with pytest.raises(faceattend.StateError, match="not complete"):
        store.register_student(faceattend.LivenessSession(), "Eileen Collins", "R2")
    session = completed(engine, media)
    with pytest.raises(faceattend.ConflictError):
        store.register_student(session, "Eileen Collins", "R1")
    student = store.register_student(session, "Eileen Collins", "R2")
    assert student.liveness_verified and student.has_face and session.is_consumed
    assert len(store.templates_of(student.id)) == 3
    with pytest.raises(faceattend.StateError):
        store.register_student(session, "Eileen Collins", "R3")
    assert store.erase_student(student.id).sessions == 1
    assert store.session(session.id) is None


def test_a_session_goes_on_through_the_store_and_enrols_a_student(engine, media, tmp_path):
    store = faceattend.Store(tmp_path / "a.db")
    student = store.create_student("Eileen Collins", "R1")
    session = faceattend.LivenessSession(mirrored=False, student_id=student.id)
    session.observe(media / "collins" / "center.jpg", "center", engine)
    store.save_session(session)
    again = faceattend.Store(tmp_path / "a.db").session(session.id)
    assert again.verified == ["center"] and again.student_id == student.id
    for position in ("left", "right"):
        again.observe(media / "collins" / f"{position}.jpg", position, engine)
    store.save_session(again)
    session.observe(media / "collins" / "left.jpg", "left", engine)
    with pytest.raises(faceattend.StateError, match="changed in the store"):
        store.save_session(session)
    assert store.enrol_student(again, student.id).liveness_verified
    assert store.session("no key") is None


def test_a_face_that_is_enrolled_already_is_refused_also_by_another_process(engine, media, tmp_path):
    one, other = faceattend.Store(tmp_path / "a.db"), faceattend.Store(tmp_path / "a.db")
    known = faceattend.Gallery()
    registrar = one.with_gallery(known, engine)
    elsewhere = other.with_gallery(faceattend.Gallery(), engine)
    first = elsewhere.register_student(completed(engine, media), "Eileen Collins", "R1")
    again = completed(engine, media)
    with pytest.raises(faceattend.ConflictError, match="with this face"):
        registrar.register_student(again, "Another", "R2")
    assert not again.is_consumed
    elsewhere.erase_student(first.id)
    student = registrar.register_student(again, "Eileen Collins", "R2")
    assert student.id in known, "the gallery does not follow"
    lenient = one.with_gallery(faceattend.Gallery(), engine, duplicates="allow")
    lenient.register_student(completed(engine, media), "Twin", "R3")
    registrar.erase_student(student.id)
    assert student.id not in known
    with pytest.raises(faceattend.InvalidInputError, match="duplicates"):
        one.with_gallery(known, engine, duplicates="perhaps")
