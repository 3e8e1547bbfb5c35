//! Liveness sessions: frames in any order, and the state that a database keeps between them.
//!
//! The bytes are the JSON of a state, or frames for a fresh session.
//!
//! - Whatever a state holds, the session takes frames, and can be stored and restored.
//! - Nothing completes without three positions of one person, in time; what is complete stays so and is used up once.
//! - Scores lie in [0, 1], revisions never go back, and a state does not grow without end.

use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use faceattend_core::antispoof::PassivePad;
use faceattend_core::embedding::Calibration;
use faceattend_core::engine::Embedder;
use faceattend_core::geometry::Rect;
use faceattend_core::liveness::{FrameHash, Order, PadPolicy, PerceptualHash, SessionState, frame_hash};
use faceattend_core::types::{Degrees, ModelId};
use faceattend_core::{
    Analysis, ChannelOrder, Embedding, Face, Frame, LivenessOptions, LivenessSession, Observation, Outcome, Pose,
    Position, SessionId, StudentId, Timestamp,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::memory::within;

/// What a session may take beyond a multiple of its state.
const MEMORY: usize = 4 << 20;

/// The longest state that frames alone make: 64 looks, 256 hashes, 117 points for each of three positions.
const LONGEST: usize = 64 << 10;

const DIMENSION: usize = 12;

/// Frames of one input.
const MOST: usize = 64;

/// Reads `data` as a state, or as frames.
pub fn check(data: &[u8]) {
    if data.first() == Some(&b'{') {
        within(64 * data.len() + MEMORY, || restored(data));
    } else {
        // Frames need more bytes than there are: the rest is not tried.
        let _ = within(MEMORY, || fresh(&mut Unstructured::new(data)));
    }
}

/// Takes frames into a session of any state.
fn restored(data: &[u8]) {
    let Ok(state) = serde_json::from_slice::<SessionState>(data) else { return };
    let Ok(mut session) = LivenessSession::from_state(state) else { return };
    let now = session.created_at();
    for (number, position) in (0..).zip([Position::Center, Position::Left, Position::Right, Position::Center]) {
        let yaw = match position {
            Position::Center | Position::Up | Position::Down => 0.0,
            Position::Left => -25.0,
            Position::Right => 25.0,
        };
        let before = session.revision();
        let shown = Shown { yaw, flat: false, real: Some(0.9), hash: number, captured: None, person: 0 };
        let at = now.saturating_add(SignedDuration::from_millis(i64::from(number) * 300)).unwrap_or(now);
        let outcome = see(&mut session, position, &shown, at);
        assert!((0.0..=1.0).contains(&outcome.confidence), "{outcome:?}");
        assert!(session.revision() >= before);
        stored(&session);
    }
    let _ = session.verify(now);
    let _ = session.receipt(StudentId(1), now);
    if session.consume().is_ok() {
        assert!(session.consume().is_err() && session.is_consumed());
    }
}

/// Returns the session as a database gives it back.
fn stored(session: &LivenessSession) -> LivenessSession {
    let text = serde_json::to_string(&session.to_state()).expect("a state is JSON");
    let state = serde_json::from_str(&text).expect("what was written");
    let again = LivenessSession::from_state(state).expect("of this version");
    assert_eq!(again.revision(), session.revision());
    assert_eq!((again.status_at(Timestamp::MAX), again.next()), (session.status_at(Timestamp::MAX), session.next()));
    again
}

struct Shown {
    person: usize,
    yaw: f32,
    flat: bool,
    real: Option<f32>,
    hash: u8,
    captured: Option<i64>,
}

fn start() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_700_000_000)
}

fn seconds(tenths: i64) -> Timestamp {
    start() + SignedDuration::from_millis(tenths * 100)
}

fn see(session: &mut LivenessSession, requested: Position, shown: &Shown, now: Timestamp) -> Outcome {
    // As the recordings have it: a side is less like the center than like itself, and persons are far apart.
    let mut raw = [0.0; DIMENSION];
    let parts = match shown.yaw {
        yaw if yaw < -15.0 => [0.8, 0.6, 0.0],
        yaw if yaw > 15.0 => [0.8, -0.2, 0.565_7],
        _ => [1.0, 0.0, 0.0],
    };
    raw[shown.person * 3..shown.person * 3 + 3].copy_from_slice(&parts);
    let mut face = Face::detected(Rect::new(0.0, 0.0, 96.0, 96.0), 0.9, None);
    face.embedding = Embedding::from_raw(ModelId::new("test"), &raw).ok();
    let mut pose = Pose::default();
    pose.yaw = Degrees(shown.yaw);
    pose.nose_offset = if shown.flat { 0.0 } else { shown.yaw.to_radians().tan() / 0.8 };
    face.pose = Some(pose);
    if let Some(real) = shown.real {
        face.antispoof = PassivePad::Scored { real };
    }
    let embedder = Embedder::new(ModelId::new("test"), DIMENSION, Calibration::arcface());
    let analysis = Analysis::of(vec![face]);
    let captured_at = shown.captured.map(seconds);
    let frame_hash = hash(shown.hash);
    let observation = Observation { requested, analysis: &analysis, embedder: &embedder, frame_hash, captured_at };
    session.observe(&observation, now)
}

/// Returns a hash that looks like no other.
fn hash(number: u8) -> FrameHash {
    static OF_A_PIXEL: OnceLock<FrameHash> = OnceLock::new();
    let of_a_pixel =
        OF_A_PIXEL.get_or_init(|| frame_hash(&Frame::new(vec![0; 3], 1, 1, ChannelOrder::Rgb).expect("a pixel")));
    let words = (1..=9u64).flat_map(|i| {
        let word = (u64::from(number) * 9 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        word.wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes()
    });
    let mut hash = *of_a_pixel;
    hash.exact = u64::from(number);
    hash.perceptual = PerceptualHash::from_bytes(&words.collect::<Vec<_>>()).expect("nine words");
    hash
}

/// Takes frames into a new session.
fn fresh(from: &mut Unstructured<'_>) -> Result<()> {
    let order = *from.choose(&[Order::Any, Order::Fixed, Order::Random])?;
    let options = LivenessOptions::default()
        .with_order(order, from.int_in_range(0..=5)?)
        .with_steady_frames(*from.choose(&[1, 3, 5, 7])?)
        .with_pad(*from.choose(&[PadPolicy::Off, PadPolicy::Prefer, PadPolicy::Require])?, 0.5)
        .with_wrong_turns(from.int_in_range(0..=2)?)
        .with_suspicious_limit(from.int_in_range(1..=60)?);
    assert!(options.check().is_ok());
    let slack = if options.steady_frames > 1 { 4.0 } else { 0.0 };
    let id = SessionId::parse("6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b").expect("an id");
    let mut session = LivenessSession::with_entropy(id, None, options, start(), from.arbitrary()?);
    let mut seen: Vec<(Position, Shown, i64)> = Vec::new();
    while !from.is_empty() && seen.len() < MOST {
        let shown = Shown {
            person: from.int_in_range(0..=1)?,
            yaw: f32::from(from.arbitrary::<i8>()?) / 2.0,
            flat: from.ratio(1, 8)?,
            real: if from.arbitrary()? { Some(f32::from(from.arbitrary::<u8>()?) / 255.0) } else { None },
            hash: from.arbitrary()?,
            captured: if from.ratio(1, 4)? { Some(i64::from(from.arbitrary::<i16>()?)) } else { None },
        };
        let asked = session.next().filter(|_| from.ratio(3, 4).unwrap_or(true));
        let requested = asked.map_or_else(|| from.choose(&Position::ALL).copied(), Ok)?;
        let at: i64 = from.int_in_range(0..=7000)?;
        let (completed, revision) = (session.is_completed(), session.revision());
        let mut again = stored(&session);
        let outcome = see(&mut session, requested, &shown, seconds(at));
        let after_storing = see(&mut again, requested, &shown, seconds(at));
        assert_eq!((outcome.status, outcome.is_live), (after_storing.status, after_storing.is_live));
        assert_eq!(outcome.verified, after_storing.verified);

        assert!((0.0..=1.0).contains(&outcome.confidence) && (0.0..=1.0).contains(&outcome.liveness_score));
        assert!(session.revision() >= revision && (!completed || session.is_completed()));
        assert_eq!(session.final_template().is_some(), session.is_completed());
        seen.push((requested, shown, at));
        if outcome.session_completed && !completed {
            assert!(at < 6000, "completed after the end");
            let proven = (0..=1).any(|person| Position::ALL.iter().all(|asked| proves(&seen, *asked, person, slack)));
            assert!(proven, "completed without a proof");
        }
    }
    let state = serde_json::to_string(&session.to_state()).expect("a state is JSON");
    assert!(state.len() <= LONGEST, "{} bytes", state.len());
    if session.is_completed() {
        assert!(session.consume().is_ok() && session.consume().is_err());
    } else {
        assert!(session.consume().is_err());
    }
    Ok(())
}

/// Returns whether a frame showed `position` of `person` in time: the truth about the frames, however the session
/// reckons.
fn proves(seen: &[(Position, Shown, i64)], position: Position, person: usize, slack: f32) -> bool {
    seen.iter().any(|(requested, shown, at)| {
        let shows = match position {
            Position::Center | Position::Up | Position::Down => shown.yaw.abs() <= 5.0 + slack,
            Position::Left => shown.yaw < -15.0 + slack && !shown.flat,
            Position::Right => shown.yaw > 15.0 - slack && !shown.flat,
        };
        *requested == position && shown.person == person && *at < 6000 && shows
    })
}

/// Returns the state of a completed session.
pub(crate) fn completed_state() -> Value {
    let session = turned();
    assert!(session.is_completed());
    json!(session.to_state())
}

/// Returns a session that an honest person has completed.
fn turned() -> LivenessSession {
    let id = SessionId::parse("6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b").expect("an id");
    let mut session = LivenessSession::with_entropy(id, None, LivenessOptions::default(), start(), 7);
    for (number, (position, yaw)) in
        (1..).zip([(Position::Center, 0.0), (Position::Left, -25.0), (Position::Right, 25.0)])
    {
        let shown = Shown { yaw, flat: false, real: Some(0.9), hash: number, captured: None, person: 0 };
        see(&mut session, position, &shown, seconds(i64::from(number)));
    }
    session
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let fresh = |options: LivenessOptions| {
        let id = SessionId::parse("6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b").expect("an id");
        LivenessSession::with_entropy(id, Some(StudentId(7)), options, start(), 7).to_state()
    };
    let written = |state: &SessionState| serde_json::to_vec(state).expect("a state is JSON");
    let mut begun = LivenessSession::from_state(fresh(LivenessOptions::default())).expect("of this version");
    let shown = Shown { yaw: 0.0, flat: false, real: None, hash: 1, captured: Some(3), person: 0 };
    see(&mut begun, Position::Center, &shown, seconds(4));
    vec![
        ("pending", written(&fresh(LivenessOptions::default()))),
        ("guarded", written(&fresh(LivenessOptions::guarded()))),
        ("begun", written(&begun.to_state())),
        ("completed", completed_state().to_string().into_bytes()),
        ("frames", (0..=255).collect()),
    ]
}
