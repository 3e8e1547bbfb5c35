//! Random orders that ask for looking up and down.

use super::*;
use crate::geometry::{Landmarks5, Point};

/// How the first center of these tests reads: nobody reads as level.
const LEVEL: f32 = -6.0;

fn options() -> LivenessOptions {
    LivenessOptions::default().with_order(Order::Random, 3).with_nods(Nods::Yes)
}

fn run_of(options: LivenessOptions, entropy: u128) -> Run {
    let session = LivenessSession::with_entropy(SessionId::random(), None, options, start(), entropy);
    Run { session, embedder: embedder(), frames: 0 }
}

fn pitched(person: usize, yaw: f32, pitch: f32) -> Face {
    let mut face = view(person, yaw);
    face.pose = face.pose.map(|pose| Pose { pitch: Degrees(pitch), ..pose });
    face
}

/// The view of `person` that shows `position`.
fn showing(person: usize, position: Position) -> Face {
    match position {
        Position::Center => pitched(person, 0.5, LEVEL),
        Position::Left => pitched(person, -22.0, LEVEL),
        Position::Right => pitched(person, 22.0, LEVEL),
        Position::Up | Position::Down => {
            let mut face = pitched(person, 1.0, if position == Position::Up { LEVEL + 12.0 } else { LEVEL - 12.0 });
            // A little unlike the center, as a nodding face is.
            let mut raw = vec![0.0; 48];
            raw[person * 3..person * 3 + 3].copy_from_slice(&[
                0.9,
                0.0,
                if position == Position::Up { 0.4 } else { -0.4 },
            ]);
            face.embedding = Some(Embedding::from_raw(ModelId::new("test"), &raw).unwrap());
            face
        }
    }
}

/// Returns a session that has followed its order up to its first nod, and that nod.
fn before_a_nod(options: LivenessOptions, nod: Position) -> Run {
    for entropy in 0..1000 {
        let mut run = run_of(options, entropy);
        while let Some(step) = run.session.next() {
            if step == nod {
                return run;
            }
            if step.is_nod() {
                break;
            }
            run.see(step, vec![showing(0, step)]);
        }
    }
    panic!("no order asks for {nod} first");
}

#[test]
fn whoever_nods_as_asked_completes_and_only_the_three_views_are_kept() {
    for steady_frames in [1, 3] {
        for entropy in 0..60 {
            let mut run = run_of(options().with_steady_frames(steady_frames), entropy);
            let mut asked = Vec::new();
            for _ in 0..100 {
                let Some(step) = run.session.next() else { break };
                let outcome = run.see(step, vec![showing(0, step)]);
                if outcome.is_live {
                    assert_eq!(outcome.detected_pose, Some(step));
                    asked.push(step);
                }
            }
            assert!(run.session.is_completed(), "{asked:?}");
            assert!(asked.len() == 6 && asked.iter().any(|step| step.is_nod()), "{asked:?}");
            assert_eq!(run.session.templates().count(), 3);
            assert!(Position::NODS.iter().all(|nod| run.session.position(*nod).is_none()));
        }
    }
}

#[test]
fn a_head_that_does_not_nod_is_told_which_way_and_passes_nothing() {
    for (nod, pitch, turn) in [
        (Position::Up, LEVEL, Turn::Up),
        (Position::Up, LEVEL + 6.0, Turn::FurtherUp),
        (Position::Up, LEVEL - 12.0, Turn::Up),
        (Position::Down, LEVEL - 7.0, Turn::FurtherDown),
        (Position::Down, LEVEL + 12.0, Turn::Down),
    ] {
        let mut run = before_a_nod(options(), nod);
        let (passed, _) = run.session.steps();
        let refused = run.see(nod, vec![pitched(0, 1.0, pitch)]);
        assert_eq!((refused.is_live, refused.reasons[0]), (false, Reason::WrongPose { turn }), "{nod} at {pitch}");
        assert_eq!(refused.rise, Some(Degrees(pitch - LEVEL)));
        assert!(refused.rise_gate.is_some_and(|[from, to]| !(from..=to).contains(&Degrees(pitch - LEVEL))));
        assert_eq!(run.session.steps().0, passed);
        // Nor does one that looks to a side while it nods.
        let turned = run.see(nod, vec![pitched(0, 20.0, if nod == Position::Up { 9.0 } else { -20.0 })]);
        assert_eq!(first_code(&turned), Some("wrong_pose"));
    }
}

#[test]
fn one_bad_reading_is_no_nod() {
    let mut run = before_a_nod(options().with_steady_frames(1), Position::Up);
    run.session.loosen(options().with_steady_frames(3));
    let codes: Vec<_> = [LEVEL, LEVEL + 12.0, LEVEL]
        .map(|pitch| first_code(&run.see(Position::Up, vec![pitched(0, 1.0 + pitch / 100.0, pitch)])))
        .to_vec();
    assert_eq!(codes, [Some("wrong_pose"), Some("not_steady"), Some("wrong_pose")]);
}

#[test]
fn straight_ahead_after_a_nod_is_level_again() {
    let mut run = (0..1000)
        .find_map(|entropy| {
            let mut run = run_of(options(), entropy);
            let mut last = Position::Center;
            while let Some(step) = run.session.next() {
                if last == Position::Up && step == Position::Center {
                    return Some(run);
                }
                run.see(step, vec![showing(0, step)]);
                last = step;
            }
            None
        })
        .unwrap();
    let still_up = run.see(Position::Center, vec![showing(0, Position::Up)]);
    assert_eq!(still_up.reasons[0], Reason::WrongPose { turn: Turn::BackFromUp });
    assert!(run.see(Position::Center, vec![showing(0, Position::Center)]).is_live);
}

#[test]
fn looking_down_when_asked_to_look_up_is_a_wrong_turn() {
    let mut run = before_a_nod(options(), Position::Up);
    run.see(Position::Up, vec![showing(0, Position::Center)]);
    run.see(Position::Up, vec![showing(0, Position::Down)]);
    let wrong = run.see(Position::Up, vec![showing(0, Position::Down)]);
    assert_eq!((first_code(&wrong), wrong.verified.len()), (Some("wrong_turn"), 0));
    // On the way to a side people look down for other reasons.
    let mut run = (0..1000)
        .map(|entropy| run_of(options(), entropy))
        .find_map(|mut run| {
            run.see(run.session.next()?, vec![showing(0, Position::Center)]);
            (run.session.steps().0 == 1 && run.session.next() == Some(Position::Left)).then_some(run)
        })
        .unwrap();
    for _ in 0..3 {
        assert_eq!(first_code(&run.see(Position::Left, vec![showing(0, Position::Down)])), Some("wrong_pose"));
    }
}

#[test]
fn a_flat_picture_or_another_face_does_not_nod() {
    let template = crate::alignment::Template::arcface112().points;
    let mut run = run_of(options(), 0);
    let pointed = |face: Face, points: Landmarks5| Face { landmarks: Some(points), ..face };
    for entropy in 0..1000 {
        run = run_of(options(), entropy);
        let mut found = false;
        while let Some(step) = run.session.next() {
            found = step.is_nod();
            if found {
                break;
            }
            let turned = match step {
                Position::Left => -9.0,
                Position::Right => 9.0,
                _ => 0.0,
            };
            let mut points = template;
            points.0[2].x += turned;
            run.see(step, vec![pointed(showing(0, step), points)]);
        }
        if found {
            break;
        }
    }
    let nod = run.session.next().unwrap();
    // The same points, tilted: whatever pitch is read, nothing has moved against the rest.
    let tilted = template.map(|point| Point::new(point.x, point.y * 0.8 + point.x * 0.1));
    assert_eq!(first_code(&run.see(nod, vec![pointed(showing(0, nod), tilted)])), Some("no_relief"));
    assert_eq!(first_code(&run.see(nod, vec![showing(1, nod)])), Some("different_person"));
    let mut nodding = template;
    nodding.0[2].y += if nod == Position::Up { -9.0 } else { 9.0 };
    assert!(run.see(nod, vec![pointed(showing(0, nod), nodding)]).is_live);
}

#[test]
fn a_session_that_asks_for_no_nods_takes_none() {
    for options in [LivenessOptions::default(), any_order(), LivenessOptions::default().with_order(Order::Random, 3)] {
        let mut run = run_of(options, 4);
        for position in [Position::Center, Position::Up] {
            let outcome = run.see(position, vec![showing(0, position)]);
            assert!(position == Position::Center || !outcome.is_live, "{outcome:?}");
            assert!(outcome.rise_gate.is_none());
        }
        assert!(run.session.next().is_some_and(|next| !next.is_nod()));
    }
    // Nor does a fixed order ask for any, whatever the options say.
    let mut run = run_of(LivenessOptions::default().with_nods(Nods::Yes), 4);
    assert!(run.genuine().session_completed);
}
