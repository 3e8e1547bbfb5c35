//! What holds for every sequence of frames.

use proptest::prelude::*;

use super::*;
use crate::antispoof::PassivePad;
use crate::engine::{Analysis, Face};
use crate::types::{Degrees, SessionId, Threshold};

/// A frame, with the truth about it.
#[derive(Debug, Clone)]
struct Shown {
    requested: Position,
    /// Nobody is in the frame when `None`.
    person: Option<usize>,
    yaw: f32,
    flat: bool,
    real: Option<f32>,
    hash: u64,
    at: i64,
}

fn shown() -> impl Strategy<Value = Shown> {
    (
        prop::sample::select(Position::ALL.to_vec()),
        prop::option::weighted(0.95, prop_oneof![8 => Just(0usize), 2 => Just(1)]),
        prop_oneof![prop::sample::select(vec![0.0f32, 4.0, -20.0, 20.0]), -40.0f32..40.0],
        prop::bool::weighted(0.1),
        prop::option::weighted(0.3, 0.0f32..1.0),
        0u64..20,
        -10i64..700,
    )
        .prop_map(|(requested, person, yaw, flat, real, hash, at)| Shown {
            requested,
            person,
            yaw,
            flat,
            real,
            hash,
            at,
        })
}

fn faces(shown: &Shown) -> Vec<Face> {
    let Some(person) = shown.person else { return Vec::new() };
    let mut face = view(person, shown.yaw);
    if shown.flat {
        face.pose = face.pose.map(|pose| crate::pose::Pose { nose_offset: 0.0, ..pose });
    }
    if let Some(real) = shown.real {
        face.antispoof = PassivePad::Scored { real };
    }
    vec![face]
}

fn observe(session: &mut LivenessSession, shown: &Shown) -> Outcome {
    let analysis = Analysis { faces: faces(shown), input_size: 320 };
    let observation = Observation {
        requested: shown.requested,
        analysis: &analysis,
        embedder: &embedder(),
        frame_hash: hash_of(shown.hash),
        captured_at: None,
    };
    session.observe(&observation, seconds(shown.at))
}

fn session(options: LivenessOptions) -> LivenessSession {
    LivenessSession::with_entropy(SessionId::random(), None, options, start(), 7)
}

/// Options of every order, smoothing or not.
fn options() -> impl Strategy<Value = LivenessOptions> {
    let order = prop_oneof![Just(Order::Any), Just(Order::Fixed), Just(Order::Random)];
    (order, 0u32..3, prop::sample::select(vec![1u32, 1, 3])).prop_map(|(order, extra, steady)| {
        LivenessOptions::default().with_order(order, extra).with_steady_frames(steady)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_completes_without_three_positions_of_one_person(
        options in options(), frames in prop::collection::vec(shown(), 0..40),
    ) {
        let mut session = session(options);
        // With smoothing a reading may lie a little outside its gate: the median of its neighbors does not.
        let slack = if options.steady_frames > 1 { 4.0 } else { 0.0 };
        let mut before = Vec::<&Shown>::new();
        for frame in &frames {
            let was_completed = session.is_completed();
            let outcome = observe(&mut session, frame);
            prop_assert!((0.0..=1.0).contains(&outcome.confidence) && (0.0..=1.0).contains(&outcome.liveness_score));
            prop_assert_eq!(outcome.confidence > 0.7, outcome.is_live);
            before.push(frame);
            if outcome.session_completed && !was_completed {
                // The truth about the frames, independent of how the session reckons.
                let proves = |position: Position, person: usize| before.iter().any(|f| {
                    f.requested == position && f.person == Some(person) && f.at < 600 && match position {
                        Position::Center | Position::Up | Position::Down => f.yaw.abs() <= 5.0 + slack,
                        Position::Left => f.yaw < -15.0 + slack && !f.flat,
                        Position::Right => f.yaw > 15.0 - slack && !f.flat,
                    }
                });
                let one_person = (0..2).any(|person| Position::ALL.into_iter().all(|p| proves(p, person)));
                prop_assert!(one_person, "{:?}", before);
                prop_assert!(frame.at < 600, "completed after the end");
            }
            prop_assert!(!was_completed || session.is_completed(), "completion is not taken back");
        }
        prop_assert_eq!(session.final_template().is_some(), session.is_completed());
    }

    /// Frames of one honest turn, in whatever order the session asks, with strangers, repeats and empty frames between
    /// them: the honest person gets through.
    #[test]
    fn a_genuine_person_completes_whatever_comes_between(
        entropy: u128, order in prop_oneof![Just(Order::Any), Just(Order::Fixed), Just(Order::Random)],
        noise in prop::collection::vec(prop::option::of(shown()), 0..60),
    ) {
        let options = LivenessOptions::default().with_order(order, 2).with_wrong_turns(u32::MAX);
        let mut session = LivenessSession::with_entropy(SessionId::random(), None, options, start(), entropy);
        let mut noise = noise.into_iter();
        for number in 0..40u64 {
            let Some(step) = session.next() else { break };
            // A stranger in the noise who is verified first would be the person of the session.
            let other = noise.next().flatten().filter(|n| n.person != Some(1) && !n.flat);
            if let Some(other) = other {
                observe(&mut session, &Shown { real: None, at: 1, hash: 1000 + number, ..other });
            }
            let yaw = match step { Position::Left => -25.0, Position::Right => 25.0, _ => 1.0 };
            let frame = Shown { requested: step, person: Some(0), yaw, flat: false, real: None, hash: number, at: 2 };
            observe(&mut session, &frame);
        }
        prop_assert!(session.is_completed());
    }

    #[test]
    fn an_expired_session_never_completes(
        frames in prop::collection::vec(shown(), 0..20),
        late in prop::collection::vec(shown(), 1..20),
    ) {
        let mut session = session(LivenessOptions::default().with_order(Order::Any, 0));
        for frame in &frames {
            observe(&mut session, frame);
        }
        prop_assume!(!session.is_completed());
        for frame in &late {
            let outcome = observe(&mut session, &Shown { at: 600 + frame.at.abs(), ..frame.clone() });
            prop_assert!(!outcome.session_completed && !outcome.is_live);
        }
    }

    #[test]
    fn a_frame_that_passes_strict_options_passes_looser_ones(
        frames in prop::collection::vec(shown(), 0..20), next in shown(),
        center in 0.0f32..5.0, side in 0.0f32..10.0, person in 0.0f32..0.2, shift in 0.0f32..0.3, pad in 0.0f32..0.5,
    ) {
        let loose = LivenessOptions::default().with_order(Order::Any, 0);
        let strict = loose
            .with_gates(Degrees(5.0 - center), Degrees(15.0 + side), Degrees(15.0 + side))
            .with_same_person(Threshold::new(loose.same_person.value() + person).unwrap())
            .with_min_nose_shift(loose.min_nose_shift + shift)
            .with_pad(PadPolicy::Prefer, loose.min_pad_mean + pad);
        // The same past, judged by both.
        let mut past = session(strict);
        for frame in &frames {
            observe(&mut past, frame);
        }
        prop_assume!(!past.is_completed());
        let mut loosened = past.clone();
        loosened.loosen(loose);
        let strict_outcome = observe(&mut past, &next);
        let loose_outcome = observe(&mut loosened, &next);
        prop_assert!(!strict_outcome.is_live || loose_outcome.is_live, "{strict_outcome:?} {loose_outcome:?}");
        prop_assert!(!strict_outcome.session_completed || loose_outcome.session_completed);
    }

    #[test]
    fn a_session_stored_between_frames_answers_like_one_that_is_not(
        options in options(), frames in prop::collection::vec(shown(), 0..20),
    ) {
        let mut kept = session(options);
        let mut stored = kept.clone();
        for frame in &frames {
            let text = serde_json::to_string(&stored.to_state()).unwrap();
            stored = LivenessSession::from_state(serde_json::from_str(&text).unwrap()).unwrap();
            let (expected, got) = (observe(&mut kept, frame), observe(&mut stored, frame));
            // Storing scales embeddings to unit length again, so the last digit of a similarity may differ.
            prop_assert!((expected.liveness_score - got.liveness_score).abs() < 1e-5);
            let codes = |outcome: &Outcome| outcome.reasons.iter().map(Reason::code).collect::<Vec<_>>();
            prop_assert_eq!(codes(&expected), codes(&got));
            prop_assert_eq!((expected.status, expected.is_live), (got.status, got.is_live));
            prop_assert_eq!((expected.verified, kept.revision()), (got.verified, stored.revision()));
        }
    }
}
