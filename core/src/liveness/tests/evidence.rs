//! Frames that prove nothing: repeated, replayed, frozen, flat, or of somebody else.

use super::*;

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
fn a_change_of_model_is_told() {
    let mut run = default_run();
    run.see(Position::Center, vec![view(0, 0.0)]);
    let other = Embedding::from_raw(ModelId::new("other"), &[1.0, 0.0]).unwrap();
    let outcome = run.see(Position::Left, vec![Face { embedding: Some(other), ..view(0, -20.0) }]);
    assert_eq!(first_code(&outcome), Some("model_changed"));
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
