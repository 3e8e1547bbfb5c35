//! Cameras of browsers: pages that send one picture after the other. Their faces are followed and voted on like those
//! of any camera, so that nobody is marked from one lucky picture.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use faceattend_core::Result;
use faceattend_core::camera::Nature;
use faceattend_core::frame::Frame;
use faceattend_core::gate::LifeReason;
use faceattend_core::liveness::Position;
use faceattend_core::recognition::Effort;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problems::ProblemItem;
use super::watch::{Seen, Watch, Watcher, whole_pixels};

/// How long a session waits for its next picture.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// How many sessions there may be; the one that has waited longest goes first.
const MOST: usize = 256;

/// The sessions.
pub(crate) struct Browsers {
    watcher: Watcher,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
}

struct Session {
    watch: Mutex<Watch>,
    figures: Mutex<Figures>,
}

struct Figures {
    started: Instant,
    last: Instant,
    frames: u64,
    faces: u64,
    recognized: std::collections::BTreeSet<i64>,
    marks: u64,
}

/// What a picture of a browser showed.
pub(crate) struct BrowserSight {
    /// Every face, as the API shows it.
    pub(crate) faces: Vec<BrowserFace>,
    /// Of them, how many are known.
    pub(crate) recognized: usize,
    /// What keeps people from being named.
    pub(crate) problems: Vec<ProblemItem>,
}

/// A face in a picture of a browser, as the API shows it. All about the student is null until enough views agree.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BrowserFace {
    #[schema(required)]
    pub(crate) student_id: Option<i64>,
    #[schema(required)]
    student_name: Option<String>,
    #[schema(required)]
    roll_number: Option<String>,
    #[schema(required)]
    roll_no: Option<String>,
    /// Of earlier versions; always null.
    #[schema(required)]
    branch: Option<String>,
    /// Of earlier versions; always null.
    #[schema(required)]
    year: Option<String>,
    #[schema(required)]
    confidence: Option<f64>,
    /// Left, top, right, bottom in pixels of the picture.
    bbox: [i64; 4],
    /// The same face keeps its number from picture to picture.
    track: u64,
    attendance_marked: bool,
    /// Whether the face is alive, as far as its pictures tell: `live`, `undecided` or `spoof`. Where a living person
    /// is asked for, the others are not marked.
    liveness: &'static str,
    /// What speaks against a living person, as a stable code.
    #[schema(required)]
    liveness_reason: Option<&'static str>,
    /// The movement that the person is asked for: `left` and `right` (the person's own), `up` or `down`.
    #[schema(required)]
    asked: Option<&'static str>,
}

/// What a session of a browser came to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SessionStats {
    duration_seconds: f64,
    frames_processed: u64,
    faces_detected: u64,
    /// How many different students.
    students_recognized: usize,
    attendance_marked: u64,
}

impl Browsers {
    pub(super) fn new(watcher: Watcher) -> Self {
        Self { watcher, sessions: Mutex::default() }
    }

    /// Begins a session for the camera that is called `source`; returns its key.
    pub(crate) fn begin(&self, source: &str) -> String {
        let key = Uuid::new_v4().to_string();
        self.insert(key.clone(), source);
        key
    }

    /// Takes a picture of the session in; `None` for no session.
    ///
    /// # Errors
    /// Those of recognition.
    pub(crate) fn see(&self, key: &str, frame: &Frame<'_>) -> Option<Result<BrowserSight>> {
        let session = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()?;
        Some(session.see(frame))
    }

    /// Takes a picture of a page in that knows no sessions: it has one by its user.
    ///
    /// # Errors
    /// Those of recognition.
    pub(crate) fn see_of_user(&self, user: &str, frame: &Frame<'_>) -> Result<BrowserSight> {
        // No key of a session is a name with a space.
        let key = format!("user {user}");
        let known = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| self.insert(key, "Browser camera")).see(frame)
    }

    /// Ends a session; returns what it came to, `None` for no session.
    pub(crate) fn end(&self, key: &str) -> Option<SessionStats> {
        let session = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(key)?;
        let figures = session.figures.lock().unwrap_or_else(PoisonError::into_inner);
        Some(SessionStats {
            duration_seconds: figures.started.elapsed().as_secs_f64(),
            frames_processed: figures.frames,
            faces_detected: figures.faces,
            students_recognized: figures.recognized.len(),
            attendance_marked: figures.marks,
        })
    }

    fn insert(&self, key: String, source: &str) -> Arc<Session> {
        let now = Instant::now();
        let session = Arc::new(Session {
            watch: Mutex::new(self.watcher.watching(source, Some(source), Nature::Live, Effort::Everything)),
            figures: Mutex::new(Figures {
                started: now,
                last: now,
                frames: 0,
                faces: 0,
                recognized: std::collections::BTreeSet::new(),
                marks: 0,
            }),
        });
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let last = |session: &Session| session.figures.lock().unwrap_or_else(PoisonError::into_inner).last;
        sessions.retain(|_, session| last(session).elapsed() < IDLE);
        if sessions.len() >= MOST
            && let Some(oldest) = sessions.iter().min_by_key(|(_, session)| last(session)).map(|(key, _)| key.clone())
        {
            sessions.remove(&oldest);
        }
        sessions.insert(key, Arc::clone(&session));
        session
    }
}

impl Session {
    fn see(&self, frame: &Frame<'_>) -> Result<BrowserSight> {
        let sight = self.watch.lock().unwrap_or_else(PoisonError::into_inner).see(frame)?;
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures.last = Instant::now();
        figures.frames += 1;
        figures.faces += sight.faces.len() as u64;
        figures.marks += sight.marked.len() as u64;
        figures.recognized.extend(sight.faces.iter().filter_map(|seen| Some(seen.student.as_ref()?.id.0)));
        let recognized = sight.faces.iter().filter(|seen| seen.student.is_some()).count();
        let item = |Seen { face, student }: &Seen| {
            let student = student.as_ref();
            let roll_number = student.map(|student| student.roll_number.clone());
            BrowserFace {
                student_id: student.map(|student| student.id.0),
                student_name: student.map(|student| student.name.clone()),
                roll_number: roll_number.clone(),
                roll_no: roll_number,
                branch: None,
                year: None,
                confidence: student.and(face.similarity()).map(|similarity| f64::from(similarity.value())),
                bbox: whole_pixels(&face.bbox),
                track: face.track.0,
                attendance_marked: student.is_some_and(|student| sight.marked.contains(&student.id)),
                liveness: face.life.verdict.as_str(),
                liveness_reason: face.life.reason.map(LifeReason::as_str),
                asked: face.asked.map(Position::as_str),
            }
        };
        Ok(BrowserSight { faces: sight.faces.iter().map(item).collect(), recognized, problems: sight.problems })
    }
}
