//! What a single frame is worth.

use super::*;

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
