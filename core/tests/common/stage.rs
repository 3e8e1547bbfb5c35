//! Frames analyzed once and shown to sessions: what the attack suite and the figures share.

use std::path::{Path, PathBuf};

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::engine::{Analysis, AnalyzeOptions, Embedder, Engine};
use faceattend_core::frame::Frame;
use faceattend_core::liveness::{
    FrameHash, LivenessOptions, LivenessSession, Mirrored, Observation, Outcome, Position, Reason, frame_hash,
};
use faceattend_core::types::SessionId;
use jiff::{SignedDuration, Timestamp};

/// The people of the sample media, each a head rendered at known yaws.
pub const PEOPLE: [&str; 3] = ["collins", "hopper", "obama"];
/// Five frames a second, as the page sends them.
pub const FRAME: SignedDuration = SignedDuration::from_millis(200);

pub fn media() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/media")
}

pub fn picture(path: &Path) -> Frame<'static> {
    decode(&std::fs::read(path).unwrap(), &DecodeLimits::default()).unwrap()
}

/// The rendered head of `person` at `yaw` degrees, positive towards the image's right edge; a multiple of 5 within 35.
pub fn still(person: &str, yaw: i32) -> Frame<'static> {
    picture(&media().join(person).join(format!("yaw{yaw:+03}.jpg")))
}

/// The frames of a recording, `per_second` of them; of anything but MJPEG in AVI where OpenCV is.
pub fn frames_of(clip: &Path, per_second: f64) -> Option<Vec<Frame<'static>>> {
    use faceattend_core::camera::{CameraSource, OpenOptions, open};
    let mut source = open(&CameraSource::parse(clip.to_str()?).ok()?, &OpenOptions::default()).ok()?;
    let every = source.frame_interval().map_or(1.0, |interval| 1.0 / per_second / interval.as_secs_f64()).max(1.0);
    let mut frames = Vec::new();
    let mut wanted = 0.0;
    for number in 0.. {
        let Ok(Some(frame)) = source.next_frame() else { break };
        if f64::from(number) >= wanted {
            frames.push(frame);
            wanted += every;
        }
    }
    Some(frames)
}

/// An analyzed frame.
#[derive(Clone)]
pub struct Shot {
    pub analysis: Analysis,
    pub hash: FrameHash,
}

impl Shot {
    pub fn of(engine: &Engine, frame: &Frame<'_>) -> Self {
        let analysis = engine.analyze(frame, &AnalyzeOptions::default()).unwrap();
        let hash = frame_hash(frame).with_face(frame, &analysis);
        Self { analysis, hash }
    }

    /// The yaw of the largest face.
    pub fn yaw(&self) -> Option<f32> {
        self.analysis.faces.first().and_then(|face| face.pose).map(|pose| pose.yaw.0)
    }
}

/// A session and the clock of its frames.
pub struct Scene {
    pub session: LivenessSession,
    pub embedder: Embedder,
    pub at: Timestamp,
    pub frames: u32,
    /// Every code that refused a frame, in order.
    pub codes: Vec<&'static str>,
}

impl Scene {
    /// A session over frames as a camera takes them: not mirrored.
    pub fn new(engine: &Engine, options: LivenessOptions, entropy: u128) -> Self {
        let start: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let options = options.with_mirrored(Mirrored::No);
        let session = LivenessSession::with_entropy(SessionId::random(), None, options, start, entropy);
        Self { session, embedder: engine.embedder().clone(), at: start, frames: 0, codes: Vec::new() }
    }

    /// Shows a frame for the position that the session asks for.
    pub fn show(&mut self, shot: &Shot) -> Outcome {
        let asked = self.session.next().unwrap_or(Position::Center);
        self.show_for(asked, shot)
    }

    pub fn show_for(&mut self, requested: Position, shot: &Shot) -> Outcome {
        self.at += FRAME;
        self.frames += 1;
        let nonce = self.session.nonce();
        let observation = Observation {
            requested,
            analysis: &shot.analysis,
            embedder: &self.embedder,
            frame_hash: shot.hash,
            captured_at: Some(self.at),
        };
        let outcome = self.session.observe_answer(nonce.as_deref(), &observation, self.at);
        if !outcome.is_live {
            self.codes.extend(outcome.reasons.first().map(Reason::code));
        }
        outcome
    }

    pub fn is_completed(&self) -> bool {
        self.session.is_completed()
    }

    pub fn is_over(&self) -> bool {
        use faceattend_core::liveness::Status;
        matches!(self.session.status_at(self.at), Status::Completed | Status::Failed | Status::Expired)
    }

    /// How long the session has run, in seconds.
    pub fn seconds(&self) -> f64 {
        self.at.duration_since(self.session.created_at()).as_secs_f64()
    }
}

/// A person who does as told, made of frames of one head at many yaws: the head moves by at most `speed` degrees a
/// frame towards what is asked and sways a little there, and no frame is shown again before many others.
pub struct Actor<'a> {
    shots: &'a [Shot],
    yaw: f32,
    speed: f32,
    lately: Vec<usize>,
}

impl<'a> Actor<'a> {
    pub fn new(shots: &'a [Shot], speed: f32) -> Self {
        Self { shots, yaw: 0.0, speed, lately: Vec::new() }
    }

    pub fn act(&mut self, asked: Position) -> &'a Shot {
        // As a camera sees it, the person's own left is the image's right.
        let target = match asked {
            Position::Center | Position::Up | Position::Down => 0.0,
            Position::Left => 25.0,
            Position::Right => -25.0,
        };
        self.yaw += (target - self.yaw).clamp(-self.speed, self.speed);
        let distance = |i: usize| self.shots[i].yaw().map_or(f32::INFINITY, |yaw| (yaw - self.yaw).abs());
        let fresh = (0..self.shots.len()).filter(|i| !self.lately.contains(i));
        let nearest = fresh.min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap_or(0);
        self.lately.push(nearest);
        if self.lately.len() > (self.shots.len() / 4).min(12) {
            self.lately.remove(0);
        }
        &self.shots[nearest]
    }

    /// Acts until the session is over or `frames` have been shown.
    pub fn play(&mut self, scene: &mut Scene, frames: u32) {
        while let Some(asked) = scene.session.next().filter(|_| !scene.is_over() && scene.frames < frames) {
            scene.show(self.act(asked));
        }
    }
}
