//! Capture times that a client at a distance claims, held against the arrival of its frames.

use super::*;

/// A client at a distance: it says when each frame was captured, and the server sees when each arrives.
struct Client {
    run: Run,
    arrived: Timestamp,
}

impl Client {
    fn new(entropy: u128) -> Self {
        let options = LivenessOptions::default().with_order(Order::Random, 3).with_steady_frames(3);
        let session = LivenessSession::with_entropy(SessionId::random(), None, options, start(), entropy);
        Self { run: Run { session, embedder: embedder(), frames: 0 }, arrived: seconds(1) }
    }

    /// Sends a frame of a head at `yaw` that the client says to have captured at `captured_at`.
    fn send(&mut self, yaw: f32, captured_at: Timestamp) -> Outcome {
        self.run.frames += 1;
        let analysis = Analysis { faces: vec![view(0, yaw)], input_size: 320 };
        let observation = Observation {
            requested: self.run.session.next().unwrap_or(Position::Center),
            analysis: &analysis,
            embedder: &self.run.embedder,
            frame_hash: hash_of(self.run.frames),
            captured_at: Some(captured_at),
        };
        let nonce = self.run.session.nonce();
        self.run.session.observe_answer(nonce.as_deref(), &observation, self.arrived)
    }

    /// Shows what is asked for, five frames a second as the client says; `delay` gives the arrival of each frame after
    /// its capture, in milliseconds, and frames arrive in their order. Returns the reasons of refusal.
    fn follow(&mut self, mut delay: impl FnMut(u32) -> i64) -> Vec<&'static str> {
        let mut codes = Vec::new();
        for number in 0..200 {
            if self.run.session.is_completed() {
                break;
            }
            let captured_at = seconds(1) + SignedDuration::from_millis(200 * i64::from(number));
            self.arrived = self.arrived.max(captured_at + SignedDuration::from_millis(delay(number)));
            let yaw = shown(self.run.session.next().unwrap());
            codes.extend(first_code(&self.send(yaw, captured_at)));
        }
        codes
    }
}

fn shown(position: Position) -> f32 {
    match position {
        Position::Left => -22.0,
        Position::Right => 22.0,
        _ => 0.0,
    }
}

/// The same numbers in every run: Knuth's linear congruential generator.
fn numbers(seed: u64) -> impl FnMut(i64) -> i64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 33).unwrap() % below
    }
}

#[test]
fn stills_that_are_changed_in_pauses_do_not_complete_whatever_times_are_claimed() {
    // Three frames of each still, and a pause to fetch the next. Every claim is 200 ms after the one before, or as far
    // as one track allows: a network that had held the frames back would look like this.
    for claimed in [200, 1400] {
        for entropy in 0..40 {
            let mut client = Client::new(entropy);
            let mut captured_at = seconds(1);
            let mut broken = false;
            for _ in 0..12 {
                let asked = client.run.session.next().unwrap();
                client.arrived += SignedDuration::from_secs(2);
                for _ in 0..3 {
                    captured_at += SignedDuration::from_millis(claimed);
                    client.arrived += SignedDuration::from_millis(50);
                    let outcome = client.send(shown(asked), captured_at);
                    broken |= first_code(&outcome) == Some("track_broken");
                    assert!(!outcome.session_completed, "claims of {claimed} ms, order {entropy}");
                }
            }
            assert!(broken, "claims of {claimed} ms, order {entropy}");
        }
    }
}

#[test]
fn a_program_that_holds_its_own_camera_is_not_held_against_its_own_speed() {
    // A recording that is analyzed more slowly than it was taken: its own times count.
    let mut run = Run::new(LivenessOptions::default().with_steady_frames(3));
    let mut number = 0;
    for (position, yaw) in [(Position::Center, 0.0), (Position::Left, -22.0), (Position::Right, 22.0)] {
        for _ in 0..3 {
            number += 1;
            let captured_at = start() + SignedDuration::from_millis(200 * number);
            let hash = hash_of(number.unsigned_abs());
            run.see_as(position, view(0, yaw), hash, Some(captured_at), seconds(3 * number));
        }
    }
    assert!(run.session.is_completed());
}

#[test]
fn clients_behind_a_bad_network_complete() {
    for entropy in 0..20 {
        let mut random = numbers(entropy + 1);
        // Always a second late.
        let mut late = Client::new(u128::from(entropy));
        assert!(!late.follow(|_| 1000).contains(&"track_broken") && late.run.session.is_completed());
        // Each up to a second late, in bursts.
        let mut uneven = Client::new(u128::from(entropy));
        let codes = uneven.follow(|_| random(1000));
        assert!(!codes.contains(&"track_broken") && uneven.run.session.is_completed(), "{codes:?}");
        // The network stands still for two seconds, and then brings everything at once.
        let mut stalled = Client::new(u128::from(entropy));
        let codes = stalled.follow(|number| if (6..16).contains(&number) { 200 * i64::from(16 - number) } else { 100 });
        assert!(!codes.contains(&"track_broken") && stalled.run.session.is_completed(), "{codes:?}");
    }
}

#[test]
fn a_clock_that_runs_fast_counts_as_the_arrival() {
    // Claims of twenty seconds ahead hide no pause, and stop nobody who shows what is asked.
    let mut client = Client::new(3);
    for number in 0..100 {
        let Some(asked) = client.run.session.next() else { break };
        client.arrived += SignedDuration::from_millis(200);
        let ahead = client.arrived + SignedDuration::from_millis(20_000 + 1000 * number);
        client.send(shown(asked), ahead.min(client.arrived + SignedDuration::from_secs(59)));
    }
    assert!(client.run.session.is_completed());
}
