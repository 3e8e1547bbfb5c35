//! Cameras of browsers: pages that send one picture after the other. Their faces are followed and voted on like those of
//! any camera, so that nobody is marked from one lucky picture.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use faceattend_core::Result;
use faceattend_core::frame::Frame;
use faceattend_core::recognition::Effort;
use serde_json::{Value, json};
use uuid::Uuid;

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
    pub(crate) faces: Vec<Value>,
    /// Of them, how many are known.
    pub(crate) recognized: usize,
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
    pub(crate) fn end(&self, key: &str) -> Option<Value> {
        let session = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(key)?;
        let figures = session.figures.lock().unwrap_or_else(PoisonError::into_inner);
        Some(json!({
            "duration_seconds": figures.started.elapsed().as_secs_f64(),
            "frames_processed": figures.frames,
            "faces_detected": figures.faces,
            "students_recognized": figures.recognized.len(),
            "attendance_marked": figures.marks,
        }))
    }

    fn insert(&self, key: String, source: &str) -> Arc<Session> {
        let now = Instant::now();
        let session = Arc::new(Session {
            watch: Mutex::new(self.watcher.watching(source, Some(source), Effort::Everything)),
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
            json!({
                "student_id": student.as_ref().map(|student| student.id),
                "student_name": student.as_ref().map(|student| &student.name),
                "roll_number": student.as_ref().map(|student| &student.roll_number),
                "roll_no": student.as_ref().map(|student| &student.roll_number),
                // Of earlier versions; the tables have none.
                "branch": null,
                "year": null,
                "confidence": student.as_ref().and(face.similarity()),
                "bbox": whole_pixels(&face.bbox),
                "track": face.track.0,
                "attendance_marked": student.as_ref().is_some_and(|student| sight.marked.contains(&student.id)),
            })
        };
        Ok(BrowserSight { faces: sight.faces.iter().map(item).collect(), recognized })
    }
}
