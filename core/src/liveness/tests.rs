use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::antispoof::PassivePad;
use crate::embedding::{Calibration, Embedding};
use crate::engine::{Analysis, Embedder, Face};
use crate::error::ErrorKind;
use crate::geometry::Rect;
use crate::pose::Pose;
use crate::quality::{Quality, QualityReason};
use crate::types::{Cosine, Degrees, ModelId, SessionId, StudentId, Threshold};

pub(super) fn start() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

pub(super) fn seconds(count: i64) -> Timestamp {
    start() + SignedDuration::from_secs(count)
}

pub(super) fn embedder() -> Embedder {
    Embedder { model: ModelId::new("test"), dimension: 48, calibration: Calibration::arcface() }
}

/// The view of `person` at `yaw`, in the geometry of the recordings: cosine .8 from center to each side, .52 between the
/// sides; persons are orthogonal.
pub(super) fn view(person: usize, yaw: f32) -> Face {
    let mut raw = vec![0.0; 48];
    let parts: &[f32] = match yaw {
        y if y < -15.0 => &[0.8, 0.6, 0.0],
        y if y > 15.0 => &[0.8, -0.2, 0.565_7],
        _ => &[1.0, 0.0, 0.0],
    };
    raw[person * 3..person * 3 + 3].copy_from_slice(parts);
    let mut face = Face::detected(Rect::new(0.0, 0.0, 96.0, 96.0), 0.9, None);
    face.embedding = Some(Embedding::from_raw(ModelId::new("test"), &raw).unwrap());
    face.pose = Some(Pose { yaw: Degrees(yaw), nose_offset: yaw.to_radians().tan() / 0.8, ..Pose::default() });
    face
}

fn scored(person: usize, yaw: f32, real: f32) -> Face {
    Face { antispoof: PassivePad::Scored { real }, ..view(person, yaw) }
}

/// A hash that no other number has, and that looks like no other.
pub(super) fn hash_of(number: u64) -> FrameHash {
    let words = (0..9u64).flat_map(|i| {
        (number * 9 + i + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
            .to_le_bytes()
    });
    let perceptual = PerceptualHash::from_bytes(&words.collect::<Vec<_>>()).unwrap();
    FrameHash { exact: number, perceptual, size: [640, 480], camera: None, seen_elsewhere: false }
}

/// A session, and a counter that gives every frame its own hash.
struct Run {
    session: LivenessSession,
    embedder: Embedder,
    frames: u64,
}

impl Run {
    fn new(options: LivenessOptions) -> Self {
        let session = LivenessSession::new(SessionId::random(), Some(StudentId(7)), options, start());
        Self { session, embedder: embedder(), frames: 0 }
    }

    fn see(&mut self, requested: Position, faces: Vec<Face>) -> Outcome {
        self.frames += 1;
        self.see_frame(requested, faces, self.frames, seconds(1))
    }

    fn see_frame(&mut self, requested: Position, faces: Vec<Face>, frame_hash: u64, now: Timestamp) -> Outcome {
        let analysis = Analysis { faces, input_size: 320 };
        let frame_hash = hash_of(frame_hash);
        let observation =
            Observation { requested, analysis: &analysis, embedder: &self.embedder, frame_hash, captured_at: None };
        self.session.observe(&observation, now)
    }

    /// Sees a frame of which something else is known.
    fn see_as(
        &mut self,
        requested: Position,
        face: Face,
        frame_hash: FrameHash,
        captured_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Outcome {
        let analysis = Analysis { faces: vec![face], input_size: 320 };
        let observation =
            Observation { requested, analysis: &analysis, embedder: &self.embedder, frame_hash, captured_at };
        self.session.observe(&observation, now)
    }

    fn genuine(&mut self) -> Outcome {
        self.see(Position::Center, vec![view(0, 1.0)]);
        self.see(Position::Left, vec![view(0, -20.0)]);
        self.see(Position::Right, vec![view(0, 20.0)])
    }
}

fn default_run() -> Run {
    Run::new(LivenessOptions::default())
}

fn any_order() -> LivenessOptions {
    LivenessOptions::default().with_order(Order::Any, 0)
}

fn first_code(outcome: &Outcome) -> Option<&'static str> {
    outcome.reasons.first().map(Reason::code)
}

#[test]
fn a_genuine_turn_completes_in_three_frames() {
    let mut run = default_run();
    assert_eq!(run.session.status_at(start()), Status::Pending);
    let center = run.see(Position::Center, vec![view(0, 3.0)]);
    assert!(center.is_live && center.confidence > 0.7 && !center.session_completed);
    assert_eq!((center.status, center.next), (Status::InProgress, Some(Position::Left)));
    assert_eq!((center.liveness_score, center.movement_verified), (0.0, false));
    assert!(run.see(Position::Left, vec![view(0, -20.0)]).is_live);
    assert!(run.session.final_template().is_none(), "no template before the end");
    let right = run.see(Position::Right, vec![view(0, 20.0)]);
    assert!(right.is_live && right.session_completed && right.movement_verified);
    assert_eq!((right.status, right.next, right.reasons.len()), (Status::Completed, None, 0));
    assert!(right.liveness_score > 0.5 && right.liveness_score <= 1.0, "{}", right.liveness_score);
    assert_eq!(run.session.templates().count(), 3);
    assert_eq!(run.session.final_template(), view(0, 0.0).embedding.as_ref());
}

#[test]
fn without_an_order_any_completes() {
    use Position::{Center, Left, Right};
    for order in [[Left, Right, Center], [Right, Center, Left], [Left, Center, Right]] {
        let mut run = Run::new(any_order());
        let yaw = |position| match position {
            Center => 0.0,
            Left => -25.0,
            Right => 25.0,
        };
        let outcomes = order.map(|position| run.see(position, vec![view(0, yaw(position))]));
        assert_eq!(outcomes.map(|outcome| outcome.session_completed), [false, false, true], "{order:?}");
    }
}

#[test]
fn an_unmirrored_camera_swaps_the_signs() {
    let mut run = Run::new(LivenessOptions::default().with_mirrored(Mirrored::No));
    run.see(Position::Center, vec![view(0, 0.0)]);
    let wrong = run.see(Position::Left, vec![view(0, -20.0)]);
    assert_eq!((wrong.is_live, wrong.detected_pose), (false, Some(Position::Right)));
    assert!(run.see(Position::Left, vec![view(0, 20.0)]).is_live);
    assert!(run.see(Position::Right, vec![view(0, -20.0)]).session_completed);
}

#[test]
fn a_pose_outside_the_gate_is_named_and_refused() {
    let mut run = default_run();
    let between = run.see(Position::Center, vec![view(0, 8.0)]);
    assert_eq!((between.is_live, between.confidence), (false, 0.0));
    assert_eq!(between.detected_pose, Some(Position::Center));
    assert_eq!(between.yaw, Some(Degrees(8.0)));
    assert_eq!(between.reasons[0].advice(), "Look straight into the camera: turn a little to your left.");
    let turned = run.see(Position::Center, vec![view(0, -20.0)]);
    assert_eq!((turned.is_live, turned.detected_pose), (false, Some(Position::Left)));
    assert!(turned.verified.is_empty());
}

#[test]
fn one_picture_for_every_position_and_swapped_sides_do_not_complete() {
    let mut run = default_run();
    run.see(Position::Center, vec![view(0, 0.0)]);
    assert!(!run.see(Position::Left, vec![view(0, 0.0)]).is_live);
    assert!(!run.see(Position::Right, vec![view(0, 0.0)]).is_live);
    assert!(!run.see(Position::Left, vec![view(0, 20.0)]).is_live);
    let last = run.see(Position::Right, vec![view(0, -20.0)]);
    assert_eq!((last.is_live, last.session_completed), (false, false));
    assert_eq!(last.verified, [Position::Center]);
}

#[test]
fn nobody_and_no_embedding_are_answers() {
    let mut run = default_run();
    let nobody = run.see(Position::Center, vec![]);
    assert_eq!((nobody.is_live, nobody.detected_pose, first_code(&nobody)), (false, None, Some("no_face")));
    let unclear = Face { embedding: None, ..view(0, 0.0) };
    assert_eq!(first_code(&run.see(Position::Center, vec![unclear])), Some("face_unclear"));
    let poseless = Face { pose: None, ..view(0, 0.0) };
    assert_eq!(first_code(&run.see(Position::Center, vec![poseless])), Some("face_unclear"));
}

#[test]
fn a_measurement_that_is_no_number_is_refused() {
    let mut run = default_run();
    let pose = |yaw, nose_offset| Some(Pose { yaw: Degrees(yaw), nose_offset, ..Pose::default() });
    for bad in [pose(f32::NAN, 0.0), pose(0.0, f32::NAN), pose(0.0, f32::INFINITY)] {
        let outcome = run.see(Position::Center, vec![Face { pose: bad, ..view(0, 0.0) }]);
        assert!(!outcome.is_live && outcome.verified.is_empty(), "{bad:?}");
    }
}

#[test]
fn two_people_of_one_size_are_refused_and_a_small_one_behind_is_not() {
    let other = |width| Face { bbox: Rect::new(0.0, 0.0, width, 96.0), ..view(1, 0.0) };
    let mut run = default_run();
    let both = run.see(Position::Center, vec![view(0, 0.0), other(60.0)]);
    assert_eq!((both.is_live, both.detected_pose, first_code(&both)), (false, None, Some("several_faces")));
    assert!(run.see(Position::Center, vec![other(48.0), view(0, 0.0)]).is_live);
    assert_eq!(run.session.position(Position::Center).map(|v| &v.embedding), view(0, 0.0).embedding.as_ref());
    let dots = vec![Face { bbox: Rect::default(), ..view(0, 0.0) }; 2];
    assert_eq!(first_code(&run.see(Position::Center, dots)), Some("several_faces"));
}

#[test]
fn another_person_does_not_take_over_a_position() {
    let mut run = default_run();
    run.see(Position::Center, vec![view(0, 0.0)]);
    let swapped = run.see(Position::Left, vec![view(1, -20.0)]);
    assert_eq!((swapped.is_live, first_code(&swapped)), (false, Some("different_person")));
    // Nor when the sides come first: the center must match both.
    let mut run = Run::new(any_order());
    run.see(Position::Left, vec![view(0, -20.0)]);
    // Every frame is compared with what is verified, also between opposite sides.
    assert_eq!(first_code(&run.see(Position::Right, vec![view(1, 20.0)])), Some("different_person"));
    assert_eq!(first_code(&run.see(Position::Center, vec![view(1, 0.0)])), Some("different_person"));
}

#[test]
fn a_turned_print_shows_no_parallax() {
    let print = |yaw| {
        let mut face = view(0, yaw);
        face.pose = face.pose.map(|pose| Pose { nose_offset: pose.nose_offset * 0.3, ..pose });
        vec![face]
    };
    let mut run = default_run();
    run.see(Position::Center, print(0.0));
    assert_eq!(first_code(&run.see(Position::Left, print(-20.0))), Some("no_parallax"));
    let mut run = Run::new(any_order());
    run.see(Position::Left, print(-20.0));
    assert_eq!(first_code(&run.see(Position::Center, print(0.0))), Some("no_parallax"));
}

#[test]
fn a_frozen_picture_does_not_show_two_positions() {
    let mut run = default_run();
    run.see(Position::Center, vec![view(0, 0.0)]);
    let frozen = Face { embedding: view(0, 0.0).embedding, ..view(0, -20.0) };
    assert_eq!(first_code(&run.see(Position::Left, vec![frozen])), Some("frozen_picture"));
    // Between the two sides as well.
    run.see(Position::Left, vec![view(0, -20.0)]);
    let frozen = Face { embedding: view(0, -20.0).embedding, ..view(0, 20.0) };
    assert_eq!(first_code(&run.see(Position::Right, vec![frozen])), Some("frozen_picture"));
}

#[test]
fn a_repeated_frame_is_answered_but_counts_once() {
    let mut run = Run::new(LivenessOptions::default().with_pad(PadPolicy::Require, 0.5));
    let first = run.see_frame(Position::Center, vec![scored(0, 0.0, 0.9)], 11, seconds(1));
    assert!(first.is_live && first.reasons.is_empty());
    let scores = |run: &Run| serde_json::to_value(run.session.to_state()).unwrap()["pad"].clone();
    let before = scores(&run);
    let again = run.see_frame(Position::Center, vec![scored(0, 0.0, 0.9)], 11, seconds(2));
    assert!(again.is_live && again.confidence == first.confidence);
    assert_eq!(first_code(&again), Some("duplicate_frame"));
    assert_eq!(scores(&run), before);
    // With gates that let one frame show two positions, the hash still refuses it.
    let options =
        LivenessOptions::default().with_gates(Degrees(5.0), Degrees(-1.0), Degrees(15.0)).with_min_nose_shift(-1.0);
    let mut run = Run::new(options.with_frozen(Cosine(2.0)));
    run.see_frame(Position::Center, vec![view(0, 0.0)], 11, seconds(1));
    let reused = run.see_frame(Position::Left, vec![view(0, 0.0)], 11, seconds(2));
    assert_eq!((reused.is_live, first_code(&reused)), (false, Some("duplicate_frame")));
    assert_eq!(reused.verified, [Position::Center]);
}

#[test]
fn a_frame_refused_for_its_pose_may_come_again_for_the_position_it_shows() {
    let mut run = default_run();
    run.see_frame(Position::Center, vec![view(0, 0.0)], 11, seconds(1));
    assert!(!run.see_frame(Position::Center, vec![view(0, -20.0)], 12, seconds(2)).is_live);
    assert!(run.see_frame(Position::Left, vec![view(0, -20.0)], 12, seconds(3)).is_live);
}

#[test]
fn the_mean_of_the_passive_check_decides_and_keeps_refused_frames() {
    let mut run = default_run();
    let spoof = run.see(Position::Center, vec![scored(0, 0.0, 0.2)]);
    assert_eq!((spoof.is_live, first_code(&spoof)), (false, Some("spoof_suspected")));
    // One lucky frame does not outweigh it: (.2 + .7) / 2 < .5; the next one does.
    assert!(!run.see(Position::Center, vec![scored(0, 0.0, 0.7)]).is_live);
    assert!(run.see(Position::Center, vec![scored(0, 0.0, 0.9)]).is_live);
}

#[test]
fn require_wants_every_counting_frame_scored_and_off_ignores_scores() {
    let mut run = Run::new(LivenessOptions::default().with_pad(PadPolicy::Require, 0.5));
    assert_eq!(first_code(&run.see(Position::Center, vec![view(0, 0.0)])), Some("passive_check_missing"));
    assert!(run.see(Position::Center, vec![scored(0, 0.0, 0.9)]).is_live);
    let mut run = Run::new(LivenessOptions::default().with_pad(PadPolicy::Off, 0.5));
    assert!(run.see(Position::Center, vec![scored(0, 0.0, 0.0)]).is_live);
}

#[test]
fn suspicious_frames_fail_a_session_for_good_and_wrong_poses_do_not() {
    let mut run = Run::new(LivenessOptions::default().with_suspicious_limit(3).with_frozen_frames(1000));
    for _ in 0..100 {
        run.see(Position::Left, vec![view(0, 0.0)]);
    }
    run.see(Position::Center, vec![view(0, 0.0)]);
    assert_eq!(run.see(Position::Left, vec![view(1, -20.0)]).status, Status::InProgress);
    run.see(Position::Left, vec![view(1, -20.0)]);
    assert_eq!(run.see(Position::Left, vec![view(1, -20.0)]).status, Status::Failed);
    let refused = run.genuine();
    assert_eq!((refused.status, first_code(&refused)), (Status::Failed, Some("too_many_attempts")));
    assert!(!refused.session_completed);
}

#[test]
fn an_expired_session_takes_no_frame() {
    let mut run = default_run();
    run.see(Position::Center, vec![view(0, 0.0)]);
    run.see(Position::Left, vec![view(0, -20.0)]);
    let end = run.session.expires_at();
    assert_eq!(end, seconds(600));
    let late = run.see_frame(Position::Right, vec![view(0, 20.0)], 99, end);
    assert_eq!((late.status, late.is_live, first_code(&late)), (Status::Expired, false, Some("expired")));
    assert!(!late.session_completed && run.session.consume().is_err());
    assert!(run.see_frame(Position::Right, vec![view(0, 20.0)], 99, seconds(599)).session_completed);
}

#[test]
fn a_frame_from_before_the_session_is_refused() {
    let mut run = default_run();
    let analysis = Analysis { faces: vec![view(0, 0.0)], input_size: 320 };
    let mut observation = Observation {
        requested: Position::Center,
        analysis: &analysis,
        embedder: &embedder(),
        frame_hash: hash_of(1),
        captured_at: Some(seconds(-1)),
    };
    assert_eq!(first_code(&run.session.observe(&observation, seconds(1))), Some("stale_frame"));
    observation.captured_at = Some(seconds(0));
    assert!(run.session.observe(&observation, seconds(1)).is_live);
}

#[test]
fn a_completed_session_answers_frames_and_is_not_changed_by_them() {
    let mut run = default_run();
    run.genuine();
    let state = run.session.to_state();
    let again = run.see_frame(Position::Center, vec![view(0, 1.0)], 1, seconds(700));
    assert!(again.is_live && again.session_completed && again.movement_verified);
    let stranger = run.see(Position::Center, vec![view(1, 0.0)]);
    assert!(!stranger.is_live && stranger.session_completed);
    assert_eq!(run.session.to_state(), state);
    assert_eq!(run.session.status_at(seconds(100_000)), Status::Completed);
}

#[test]
fn closing_early_fails_the_session_until_late_frames_complete_it() {
    let mut run = default_run();
    let early = run.session.verify(seconds(1));
    assert_eq!((early.status, early.liveness_score, early.movement_verified), (Status::Failed, 0.0, false));
    assert!(early.final_template.is_none());
    assert_eq!(early.missing, Position::ALL);
    let center = run.see(Position::Center, vec![view(0, 0.0)]);
    assert!(center.is_live && center.status == Status::Failed);
    assert!(run.genuine().session_completed);
    let verified = run.session.verify(seconds(2));
    assert_eq!(verified.status, Status::Completed);
    assert!(verified.final_template.is_some() && verified.missing.is_empty());
}

#[test]
fn a_result_is_used_once() {
    let mut run = default_run();
    assert_eq!(run.session.consume().unwrap_err().kind(), ErrorKind::State);
    run.genuine();
    let before = run.session.revision();
    assert_eq!(run.session.consume().unwrap().len(), 3);
    assert!(run.session.is_consumed() && run.session.revision() > before);
    assert_eq!(run.session.consume().unwrap_err().kind(), ErrorKind::Conflict);
    let mut stored = through_json(&run.session);
    assert_eq!(stored.consume().unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn a_change_of_model_is_told() {
    let mut run = default_run();
    run.see(Position::Center, vec![view(0, 0.0)]);
    let other = Embedding::from_raw(ModelId::new("other"), &[1.0, 0.0]).unwrap();
    let outcome = run.see(Position::Left, vec![Face { embedding: Some(other), ..view(0, -20.0) }]);
    assert_eq!(first_code(&outcome), Some("model_changed"));
}

fn of_quality(face: Face, reasons: &[QualityReason]) -> Face {
    let quality =
        Quality { eye_distance: 50.0, sharpness: 90.0, brightness: 20.0, visible: 1.0, reasons: reasons.to_vec() };
    Face { quality: Some(quality), ..face }
}

#[test]
fn a_poor_center_view_is_refused_and_a_poor_side_view_is_remarked_on() {
    let dark = |yaw| of_quality(view(0, yaw), &[QualityReason::PoseTooFar, QualityReason::TooDark]);
    let mut run = default_run();
    let outcome = run.see(Position::Center, vec![dark(0.0)]);
    assert!(!outcome.is_live && outcome.verified.is_empty());
    assert_eq!(outcome.reasons, [Reason::Quality(QualityReason::TooDark)], "and a turned head is no remark");
    run.see(Position::Center, vec![view(0, 0.0)]);
    let side = run.see(Position::Left, vec![dark(-20.0)]);
    assert!(side.is_live);
    assert_eq!(side.reasons, [Reason::Quality(QualityReason::TooDark)]);
    let mut run = Run::new(LivenessOptions::default().with_quality(QualityGate::Remark));
    assert!(run.see(Position::Center, vec![dark(0.0)]).is_live);
}

#[test]
fn the_threshold_is_on_the_scale_of_the_models_calibration() {
    // On this scale the marker's cosine .8 stands for a similarity of .5 only.
    let calibration = Calibration::new(vec![[-1.0, 0.0], [0.8, 0.5], [1.0, 1.0]]).unwrap();
    let mut run = Run::new(LivenessOptions::default().with_same_person(Threshold::new(0.6).unwrap()));
    run.embedder.calibration = calibration;
    assert!(!run.genuine().session_completed);
    let mut run = Run::new(LivenessOptions::default().with_same_person(Threshold::new(0.6).unwrap()));
    assert!(run.genuine().session_completed);
}

fn through_json(session: &LivenessSession) -> LivenessSession {
    let text = serde_json::to_string(&session.to_state()).unwrap();
    LivenessSession::from_state(serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn any_server_can_take_the_next_frame() {
    let mut run = Run::new(LivenessOptions::default().with_pad(PadPolicy::Prefer, 0.6).with_mirrored(Mirrored::No));
    for (position, yaw) in [(Position::Center, 0.0), (Position::Left, 20.0), (Position::Right, -20.0)] {
        run.session = through_json(&run.session);
        assert!(run.see(position, vec![scored(0, yaw, 0.9)]).is_live, "{position}");
    }
    let restored = through_json(&run.session);
    assert_eq!(restored.to_state(), run.session.to_state());
    assert!(restored.is_completed());
    assert_eq!(restored.student(), Some(StudentId(7)));
}

#[test]
fn a_state_of_another_version_or_damaged_is_refused() {
    let mut run = default_run();
    run.genuine();
    let mut json = serde_json::to_value(run.session.to_state()).unwrap();
    json["version"] = 3.into();
    let state = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(LivenessSession::from_state(state).unwrap_err().kind(), ErrorKind::State);
    json["center"]["embedding"]["f32le"] = "AAAA".into();
    assert!(serde_json::from_value::<SessionState>(json).is_err());
}

#[test]
fn debug_shows_no_embedding() {
    let mut run = default_run();
    run.genuine();
    let text = format!("{:?} {:?}", run.session, run.session.position(Position::Left));
    assert!(text.contains("Embedding(test, 48-d)"), "{text}");
    assert!(!text.contains("0.56"), "{text}");
}

#[test]
fn options_that_no_session_could_work_with_are_refused() {
    let good = LivenessOptions::default();
    assert!(good.check().is_ok() && LivenessOptions::guarded().check().is_ok());
    for bad in [
        good.with_gates(Degrees(20.0), Degrees(15.0), Degrees(15.0)),
        good.with_gates(Degrees(f32::NAN), Degrees(15.0), Degrees(15.0)),
        good.with_dominance(0.5),
        good.with_suspicious_limit(0),
        good.with_ttl(SignedDuration::ZERO),
        good.with_min_nose_shift(-0.1),
        good.with_frozen(Cosine(1.5)),
        good.with_pad(PadPolicy::Require, 1.1),
        good.with_attempt_limit(2),
        good.with_steady_frames(0),
        good.with_steady_frames(2),
        good.with_steady_frames(9),
        good.with_frozen_frames(0),
        good.with_min_relief(-0.1),
        good.with_order(Order::Random, 6),
        good.with_recent_sessions(Some(SignedDuration::ZERO)),
    ] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
}

#[test]
fn the_words_of_the_wire() {
    for (status, word) in [
        (Status::Pending, "PENDING"),
        (Status::InProgress, "IN_PROGRESS"),
        (Status::Completed, "COMPLETED"),
        (Status::Failed, "FAILED"),
        (Status::Expired, "EXPIRED"),
    ] {
        assert_eq!(status.as_str(), word);
        assert_eq!(serde_json::to_value(status).unwrap(), word);
    }
    assert_eq!(Position::parse("left"), Some(Position::Left));
    assert_eq!(Position::parse("Left"), None);
}

#[test]
fn a_side_before_the_center_is_out_of_order_and_a_late_frame_is_not() {
    let mut run = default_run();
    let early = run.see(Position::Left, vec![view(0, -20.0)]);
    assert_eq!((early.is_live, early.reasons[0]), (false, Reason::OutOfOrder { expected: Position::Center }));
    assert_eq!((early.next, early.steps), (Some(Position::Center), (0, 3)));
    run.see(Position::Center, vec![view(0, 0.0)]);
    assert_eq!(first_code(&run.see(Position::Right, vec![view(0, 20.0)])), Some("out_of_order"));
    // A frame on its way when the page went on: answered, and the order stands.
    let late = run.see(Position::Center, vec![view(0, 1.0)]);
    assert_eq!((late.is_live, late.next, late.steps), (true, Some(Position::Left), (1, 3)));
    assert_eq!(run.session.position(Position::Center).unwrap().yaw, Degrees(0.0), "the first stays");
}

#[test]
fn too_many_frames_of_any_kind_fail_a_session() {
    let mut run = Run::new(LivenessOptions::default().with_attempt_limit(5));
    for _ in 0..5 {
        assert_eq!(run.see(Position::Center, vec![]).status, Status::InProgress);
    }
    let last = run.see(Position::Center, vec![view(0, 0.0)]);
    assert_eq!((last.status, first_code(&last)), (Status::Failed, Some("too_many_attempts")));
    assert!(!run.genuine().session_completed);
}

#[test]
fn a_frame_compressed_again_counts_once() {
    let options = LivenessOptions::default().with_pad(PadPolicy::Prefer, 0.5).with_frozen_frames(1000);
    let mut run = Run::new(options);
    let hash = hash_of(1);
    let first = run.see_as(Position::Center, scored(0, 0.0, 0.3), hash, None, seconds(1));
    assert_eq!(first_code(&first), Some("spoof_suspected"));
    // The lucky frame of a screen, again and again in other bytes: it is scored once.
    for exact in 10..30 {
        let again = run.see_as(Position::Center, scored(0, 0.4, 0.9), FrameHash { exact, ..hash }, None, seconds(2));
        assert!(!again.is_live && again.reasons.contains(&Reason::DuplicateFrame), "{again:?}");
        assert_eq!((again.passive.frames, again.passive.mean), (1, Some(0.3)));
    }
    // The same looks with another yaw are another frame: pictures of little detail look alike.
    let other = run.see_as(Position::Center, scored(0, 4.0, 0.9), FrameHash { exact: 99, ..hash }, None, seconds(3));
    assert!(other.is_live, "{other:?}");
}

#[test]
fn a_side_is_not_the_other_side_mirrored() {
    let mut run = default_run();
    run.see(Position::Center, vec![view(0, 0.0)]);
    let left = hash_of(50);
    assert!(run.see_as(Position::Left, view(0, -22.0), left, None, seconds(2)).is_live);
    let mirrored = FrameHash { exact: 51, perceptual: left.perceptual.mirrored(), ..left };
    let refused = run.see_as(Position::Right, view(0, 22.0), mirrored, None, seconds(3));
    assert_eq!((refused.is_live, first_code(&refused)), (false, Some("mirrored_frame")));
    assert!(run.see(Position::Right, vec![view(0, 22.0)]).session_completed);
}

#[test]
fn a_frame_of_another_session_is_refused_where_the_options_say_so() {
    let seen = hash_of(1).with_seen_elsewhere(true);
    let week = Some(SignedDuration::from_hours(168));
    let mut run = Run::new(LivenessOptions::default().with_recent_sessions(week));
    let refused = run.see_as(Position::Center, view(0, 0.0), seen, None, seconds(1));
    assert_eq!((refused.is_live, first_code(&refused)), (false, Some("replayed_frame")));
    assert!(default_run().see_as(Position::Center, view(0, 0.0), seen, None, seconds(1)).is_live);
}

#[test]
fn size_and_camera_may_not_change_after_the_first_position() {
    let mut run = default_run();
    let camera = |n, camera| FrameHash { camera, ..hash_of(n) };
    // Before it a camera may still settle.
    run.see_as(Position::Center, view(0, 9.0), FrameHash { size: [320, 240], ..hash_of(1) }, None, seconds(1));
    assert!(run.see_as(Position::Center, view(0, 0.0), camera(2, Some(7)), None, seconds(2)).is_live);
    for jump in [FrameHash { size: [480, 640], ..camera(3, Some(7)) }, camera(4, None), camera(5, Some(8))] {
        let outcome = run.see_as(Position::Left, view(0, -20.0), jump, None, seconds(3));
        assert_eq!((outcome.is_live, first_code(&outcome)), (false, Some("source_changed")), "{jump:?}");
    }
    assert!(run.see_as(Position::Left, view(0, -20.0), camera(6, Some(7)), None, seconds(4)).is_live);
}

#[test]
fn capture_times_that_stand_still_or_run_ahead_are_refused() {
    let mut run = default_run();
    let mut see = |n, yaw: f32, position, captured: i64| {
        first_code(&run.see_as(position, view(0, yaw), hash_of(n), Some(seconds(captured)), seconds(100)))
    };
    assert_eq!(see(1, 0.0, Position::Center, 10), None);
    assert_eq!(see(2, -20.0, Position::Left, 10), Some("bad_timestamp"), "two frames at one time");
    assert_eq!(see(3, -20.0, Position::Left, 9), Some("stale_frame"), "overtaken");
    assert_eq!(see(4, -20.0, Position::Left, 161), Some("bad_timestamp"), "ahead of now");
    assert_eq!(see(1, 0.0, Position::Center, 10), Some("duplicate_frame"), "the frame itself has its own time");
    assert_eq!(see(5, -20.0, Position::Left, 11), None);
}

#[test]
fn a_camera_that_stands_still_is_frozen_after_so_many_frames() {
    let mut run = Run::new(LivenessOptions::default().with_frozen_frames(3));
    let codes: Vec<_> =
        [1.0, 2.0, 2.5, 3.0].map(|yaw| first_code(&run.see(Position::Center, vec![view(0, yaw)]))).to_vec();
    assert_eq!(codes, [None, None, None, Some("frozen_picture")]);
    // A head that moved shows another picture.
    assert!(run.see(Position::Left, vec![view(0, -20.0)]).is_live);
}

#[test]
fn a_face_swapped_between_positions_is_told_whatever_it_shows() {
    let mut run = default_run();
    run.see(Position::Center, vec![view(0, 0.0)]);
    // On the way to the left somebody else is there, in no position at all.
    let swapped = run.see(Position::Left, vec![view(1, -9.0)]);
    assert_eq!(first_code(&swapped), Some("different_person"));
    // A face that cannot be told is not judged by it.
    let blurred = run.see(Position::Left, vec![of_quality(view(1, -9.0), &[QualityReason::Blurred])]);
    assert_eq!(first_code(&blurred), Some("wrong_pose"));
    let far = run.see(Position::Right, vec![view(1, -45.0)]);
    assert_ne!(first_code(&far), Some("different_person"));
}

/// Streams frames of one face, five a second from `from` on.
struct Streaming {
    run: Run,
    at: Timestamp,
}

impl Streaming {
    fn new(options: LivenessOptions) -> Self {
        Self { run: Run::new(options), at: seconds(1) }
    }

    fn see(&mut self, requested: Position, face: Face) -> Outcome {
        self.at += SignedDuration::from_millis(200);
        self.run.frames += 1;
        self.run.see_frame(requested, vec![face], self.run.frames, self.at)
    }

    fn show(&mut self, requested: Position, yaws: &[f32]) -> Vec<Option<&'static str>> {
        yaws.iter().map(|yaw| first_code(&self.see(requested, view(0, *yaw)))).collect()
    }
}

fn streaming() -> LivenessOptions {
    LivenessOptions::default().with_steady_frames(3)
}

#[test]
fn one_bad_reading_passes_nothing_and_stops_nobody() {
    let mut stream = Streaming::new(streaming());
    // Readings inside the gate by mistake, none beside another.
    let codes = stream.show(Position::Center, &[20.0, 1.0, 20.0, 20.0, 2.0]);
    assert_eq!(codes.last(), Some(&Some("not_steady")), "{codes:?}");
    assert!(stream.run.session.position(Position::Center).is_none());
    // A reading a little outside is made good by its neighbors; one far outside is not taken itself.
    let mut stream = Streaming::new(streaming());
    assert_eq!(stream.show(Position::Center, &[1.0, 2.0, 9.5]).last(), Some(&Some("wrong_pose")));
    let mut stream = Streaming::new(streaming());
    assert_eq!(stream.show(Position::Center, &[1.0, 2.0, 8.0]), [Some("not_steady"), Some("not_steady"), None]);
    assert_eq!(stream.run.session.position(Position::Center).unwrap().yaw, Degrees(2.0));
    assert_eq!(stream.show(Position::Left, &[-10.0, -20.0, -21.0]), [Some("wrong_pose"), Some("not_steady"), None]);
}

#[test]
fn a_face_that_is_lost_between_positions_begins_anew() {
    let mut stream = Streaming::new(streaming());
    stream.show(Position::Center, &[0.0, 1.0, 0.0]);
    assert_eq!(stream.run.session.steps(), (1, 3));
    // One missed detection is no break.
    stream.at += SignedDuration::from_millis(1000);
    assert_eq!(stream.show(Position::Left, &[-10.0]), [Some("wrong_pose")]);
    // A photograph was put in the place of another: out of sight for two seconds.
    stream.at += SignedDuration::from_secs(2);
    let broken = stream.see(Position::Left, view(0, -20.0));
    assert_eq!(
        (first_code(&broken), broken.verified.len(), broken.next),
        (Some("track_broken"), 0, Some(Position::Center))
    );
    // Or somewhere else at once.
    stream.show(Position::Center, &[0.0, 1.0, 0.0]);
    let elsewhere = Face { bbox: Rect::new(400.0, 0.0, 496.0, 96.0), ..view(0, -20.0) };
    assert_eq!(first_code(&stream.see(Position::Left, elsewhere)), Some("track_broken"));
    let mut stream = Streaming::new(streaming());
    stream.show(Position::Center, &[0.0, 1.0, 0.0]);
    stream.show(Position::Left, &[-10.0, -20.0, -22.0]);
    stream.show(Position::Right, &[-10.0, 0.0, 10.0, 20.0, 21.0]);
    assert!(stream.run.session.is_completed());
}

#[test]
fn a_random_order_is_followed_step_by_step_with_its_nonce() {
    let options = LivenessOptions::default().with_order(Order::Random, 2);
    for entropy in 0..50 {
        let session = LivenessSession::with_entropy(SessionId::random(), None, options, start(), entropy);
        let mut run = Run { session, embedder: embedder(), frames: 0 };
        let mut last_nonce = String::from("none yet");
        let mut asked = Vec::new();
        while let Some(step) = run.session.next() {
            let nonce = run.session.nonce().unwrap();
            assert_ne!(nonce, last_nonce, "a nonce is for one step");
            let yaw = match step {
                Position::Center => 1.0,
                Position::Left => -22.0,
                Position::Right => 22.0,
            } + asked.len() as f32 * 0.5;
            let mut answer = |nonce: Option<&str>, requested, yaw| {
                run.frames += 1;
                let analysis = Analysis { faces: vec![view(0, yaw)], input_size: 320 };
                let frame_hash = hash_of(run.frames);
                let observation = Observation {
                    requested,
                    analysis: &analysis,
                    embedder: &run.embedder,
                    frame_hash,
                    captured_at: None,
                };
                run.session.observe_answer(nonce, &observation, seconds(1))
            };
            for stale in [None, Some(last_nonce.as_str()), Some("")] {
                let refused = answer(stale, step, yaw);
                assert_eq!((refused.is_live, first_code(&refused)), (false, Some("wrong_nonce")));
            }
            let passed = answer(Some(&nonce), step, yaw);
            assert!(passed.is_live, "{passed:?}");
            asked.push(step);
            last_nonce = nonce;
        }
        assert!(run.session.is_completed() && asked.len() == 5, "{asked:?}");
        assert_eq!((run.session.nonce(), run.session.steps()), (None, (5, 5)));
    }
}

#[test]
fn a_turn_to_the_other_side_draws_a_new_order_and_fails_in_the_end() {
    let options = LivenessOptions::default().with_order(Order::Random, 2);
    // An entropy whose order begins ahead and goes to the left.
    let entropy = (0..1000)
        .find(|entropy| {
            let mut run = Run::new(options);
            run.session = LivenessSession::with_entropy(SessionId::random(), None, options, start(), *entropy);
            let first = run.session.next();
            run.see(Position::Center, vec![view(0, 0.0)]);
            (first, run.session.next()) == (Some(Position::Center), Some(Position::Left))
        })
        .unwrap();
    let mut run = Run::new(options);
    run.session = LivenessSession::with_entropy(SessionId::random(), None, options, start(), entropy);
    run.see(Position::Center, vec![view(0, 0.0)]);
    // One reading may err; a little beyond the gate is no turn.
    assert_eq!(first_code(&run.see(Position::Left, vec![view(0, 25.0)])), Some("wrong_pose"));
    run.see(Position::Left, vec![view(0, 0.0)]);
    run.see(Position::Left, vec![view(0, 18.0)]);
    assert_eq!(first_code(&run.see(Position::Left, vec![view(0, 18.0)])), Some("wrong_pose"));
    run.see(Position::Left, vec![view(0, 25.0)]);
    let wrong = run.see(Position::Left, vec![view(0, 26.0)]);
    assert_eq!((first_code(&wrong), wrong.verified.len(), wrong.steps.0), (Some("wrong_turn"), 0, 0));
    // Where the head is when a new question comes is no turn: it must have been ahead since.
    while run.session.status_at(seconds(1)) != Status::Failed {
        let asked = run.session.next().unwrap();
        let away = if asked == Position::Left { 30.0 } else { -30.0 };
        run.see(asked, vec![view(0, 0.0)]);
        run.see(run.session.next().unwrap(), vec![view(0, away)]);
        run.see(run.session.next().unwrap(), vec![view(0, away + 1.0)]);
        assert!(run.frames < 100);
    }
    assert_eq!(first_code(&run.see(Position::Center, vec![view(0, 0.0)])), Some("too_many_attempts"));
}

#[test]
fn a_prepared_order_does_not_fit_another() {
    let options = LivenessOptions::default().with_order(Order::Random, 1);
    let passes = (0..2000)
        .filter(|entropy| {
            let session = LivenessSession::with_entropy(SessionId::random(), None, options, start(), *entropy);
            let mut run = Run { session, embedder: embedder(), frames: 0 };
            for (position, yaw) in
                [(Position::Center, 0.0), (Position::Left, -20.0), (Position::Right, 20.0), (Position::Center, 3.0)]
            {
                run.see(position, vec![view(0, yaw)]);
            }
            run.session.is_completed()
        })
        .count();
    // 1 of 18 orders.
    assert!((60..170).contains(&passes), "{passes}");
}

#[test]
fn a_state_of_the_first_version_goes_on_without_an_order() {
    let mut run = Run::new(any_order());
    run.see(Position::Center, vec![view(0, 0.0)]);
    let mut json = serde_json::to_value(run.session.to_state()).unwrap();
    json["version"] = 1.into();
    let object = json.as_object_mut().unwrap();
    for later in ["challenge", "frames", "seen", "stream", "source"] {
        object.remove(later).unwrap();
    }
    object.insert("pad".into(), serde_json::json!({ "sum": 0.9, "frames": 1 }));
    for later in ["order", "extra_steps", "attempt_limit", "steady_frames", "min_relief", "quality", "recent_sessions"]
    {
        object["options"].as_object_mut().unwrap().remove(later).unwrap();
    }
    run.session = LivenessSession::from_state(serde_json::from_value(json).unwrap()).unwrap();
    run.see(Position::Right, vec![view(0, 20.0)]);
    assert!(run.see(Position::Left, vec![view(0, -20.0)]).session_completed);
}

#[test]
fn what_a_session_remembers_is_bounded() {
    let mut run = Run::new(LivenessOptions::guarded().with_suspicious_limit(u32::MAX).with_attempt_limit(1_000_000));
    let size = |run: &Run| serde_json::to_string(&run.session.to_state()).unwrap().len();
    for i in 0..300 {
        run.see(Position::Center, vec![scored(0, i as f32 / 75.0, 0.9)]);
    }
    let full = size(&run);
    for i in 0..600 {
        run.see(Position::Center, vec![scored(0, i as f32 / 150.0, 0.9)]);
    }
    assert!(size(&run) <= full + 200, "{} after {full}", size(&run));
    assert!(full < 20_000, "{full}");
}

#[test]
fn every_outcome_tells_its_gate_and_the_passive_check() {
    let mut run = Run::new(LivenessOptions::default().with_pad(PadPolicy::Prefer, 0.5));
    let outcome = run.see(Position::Center, vec![scored(0, 8.0, 0.9)]);
    assert_eq!((outcome.gate, outcome.yaw), ([Degrees(-5.0), Degrees(5.0)], Some(Degrees(8.0))));
    // A frame counts for the passive check whatever it shows.
    assert_eq!((outcome.passive.verdict, outcome.passive.frames), (PadVerdict::Live, 1));
    let left = run.see(Position::Left, vec![]);
    assert_eq!(left.gate, [Degrees(-90.0), Degrees(-15.0)]);
    assert_eq!(default_run().see(Position::Center, vec![]).passive.verdict, PadVerdict::NotRun);
}

#[cfg(feature = "receipts")]
#[test]
fn a_receipt_is_of_one_session() {
    let mut run = default_run();
    assert!(run.session.receipt(StudentId(7), seconds(5)).is_none());
    run.genuine();
    let receipt = run.session.receipt(StudentId(7), seconds(5)).unwrap();
    assert_eq!(receipt.nonce, through_json(&run.session).receipt(StudentId(7), seconds(9)).unwrap().nonce);
    let mut other = default_run();
    other.genuine();
    assert_ne!(receipt.nonce, other.session.receipt(StudentId(7), seconds(5)).unwrap().nonce);
    assert!((receipt.liveness_score, receipt.passive) == (run.session.liveness_score(), PadVerdict::NotRun));
}
