//! Liveness sessions.

use jiff::ToSpan as _;

use super::super::super::*;
use super::completion;
use super::now;
use super::pending;
use super::race;
use crate::liveness::SeenFrame;
use crate::liveness::Status;

pub(crate) fn of_two_frames_on_one_version_one_must_read_again(store: &dyn Store) {
    let session = pending(store, None);
    let update = |n: usize| SessionUpdate {
        status: Status::InProgress,
        state: n.to_string(),
        attempts: n as u32,
        completed_at: None,
        ..completion()
    };
    let results = race(8, |n| store.update_session(session, 0, &update(n)).unwrap());
    let winners: Vec<_> = (0..8).filter(|n| results[*n].is_some()).collect();
    assert_eq!(winners.len(), 1, "{results:?}");
    let record = store.session(session).unwrap().unwrap();
    assert_eq!((record.state, record.version), (Some(winners[0].to_string()), 1));
    assert_eq!((record.expires_at, record.completed_at), (now() + 10.minutes(), None));
    assert_eq!((record.liveness_score, record.movement_verified), (0.875, true));
}

pub(crate) fn a_frame_of_another_session_is_known_by_its_looks(store: &dyn Store) {
    use crate::liveness::PerceptualHash;
    use crate::types::Degrees;
    let frame =
        |bytes: [u8; 72], yaw| SeenFrame { perceptual: PerceptualHash::from_bytes(&bytes).unwrap(), yaw: Degrees(yaw) };
    let (first, second) = (pending(store, None), pending(store, None));
    let seen = frame([0b0101_0101; 72], -20.5);
    store.remember_frame(first, &seen, now()).unwrap();
    let like = |session, frame: SeenFrame, since| store.frame_seen_elsewhere(session, &frame, since).unwrap();
    assert!(like(second, seen, now()));
    // Compressed again: a few bits and a part of a degree.
    let mut bits = [0b0101_0101; 72];
    (bits[3], bits[70]) = (0b0101_0110, 0b0101_1101);
    assert!(like(second, frame(bits, -21.4), now() - 1.hour()));
    assert!(!like(first, seen, now()), "its own session");
    assert!(!like(second, seen, now() + 1.second()), "too long ago");
    assert!(!like(second, frame([0b0101_0101; 72], -10.0), now()), "another yaw");
    assert!(!like(second, frame([0b1101_0101; 72], -20.5), now()), "other looks");
}
