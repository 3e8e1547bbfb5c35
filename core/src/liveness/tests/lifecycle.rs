//! The life of a session: its end, its stored form, its result.

use super::*;

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
fn counters_of_a_stored_state_stay_at_their_largest_value() {
    let options = LivenessOptions::default().with_guard().with_wrong_turns(u32::MAX);
    let state = LivenessSession::with_entropy(SessionId::random(), None, options, start(), 7).to_state();
    let mut state = serde_json::to_value(state).unwrap();
    state["revision"] = u64::MAX.into();
    (state["wrong_turns"], state["frames"], state["suspicious"]) = (u32::MAX.into(), 0.into(), 0.into());
    (state["challenge"]["draws"], state["challenge"]["done"]) = (u32::MAX.into(), usize::MAX.into());
    let session = LivenessSession::from_state(serde_json::from_value(state).unwrap()).unwrap();
    let mut run = Run { session, embedder: embedder(), frames: 0 };
    for yaw in [0.0, -20.0, 20.0, 20.0, -20.0, -20.0] {
        let requested = run.session.next().unwrap_or(Position::Center);
        run.see(requested, vec![view(0, yaw)]);
    }
    run.session.verify(seconds(9));
    assert_eq!(run.session.revision(), u64::MAX);
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
