//! Orders, nonces and streams of frames.

use super::*;

#[test]
fn without_an_order_any_completes() {
    use Position::{Center, Left, Right};
    for order in [[Left, Right, Center], [Right, Center, Left], [Left, Center, Right]] {
        let mut run = Run::new(any_order());
        let yaw = |position| match position {
            Center | Position::Up | Position::Down => 0.0,
            Left => -25.0,
            Right => 25.0,
        };
        let outcomes = order.map(|position| run.see(position, vec![view(0, yaw(position))]));
        assert_eq!(outcomes.map(|outcome| outcome.session_completed), [false, false, true], "{order:?}");
    }
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
                Position::Center | Position::Up | Position::Down => 1.0,
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
