//! Enrolment by photographs: a school has them before anybody stands in front of a camera.

use jiff::Timestamp;

use super::{Actor, Registry, UnprovenOutcome};
use crate::embedding::Embedding;
use crate::engine::{FaceEngine, SingleFace};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::gallery::Gallery;
use crate::store::{Enrolee, Student};
use crate::types::{StudentId, Threshold};

/// The most photographs of one person that are used: more than the three views of a liveness session, and few enough
/// for a face to stay a short list.
pub const MOST_PHOTOGRAPHS: usize = 5;

/// What the audit log says of a face that one photograph shows.
pub const OF_ONE_PHOTOGRAPH: &str = "by a photograph, without liveness";

/// A photograph of a person who is to be enrolled.
#[derive(Clone, Copy)]
pub struct Photograph<'a> {
    /// Its name, for the answer.
    pub name: &'a str,
    /// The bytes of a JPEG, PNG or WebP.
    pub bytes: &'a [u8],
}

/// A photograph that was not used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedPhotograph {
    /// Its name.
    pub name: String,
    /// Why, and what to do, as the end of a sentence.
    pub reason: String,
}

/// What came of the photographs of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct OfPhotographs {
    /// What came of the face; `None` where no photograph shows one that can be used.
    pub outcome: Option<UnprovenOutcome>,
    /// How many photographs the face was taken from.
    pub used: usize,
    /// The others.
    pub unused: Vec<UnusedPhotograph>,
}

/// Whether a student who has a face gets another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FaceThatIsThere {
    /// It stays: an import that was cut off goes on where it was, and a face that a session proved is not replaced.
    #[default]
    Keep,
    /// It is replaced, by the rules for a new face.
    Replace,
}

impl FaceThatIsThere {
    /// Returns whether the student needs no photograph.
    ///
    /// ```
    /// # use faceattend_core::enrolment::FaceThatIsThere;
    /// assert_eq!(FaceThatIsThere::default(), FaceThatIsThere::Keep);
    /// ```
    #[must_use]
    pub fn suffices(self, student: &Student) -> bool {
        self == Self::Keep && student.has_face
    }
}

impl Registry {
    /// Gives a student the face that photographs show, by the rules for a face that no liveness session proved
    /// ([`enrol_unproven`](Self::enrol_unproven)). Each must show one clear face, and all of them the same person: the
    /// first that can be used says who it is.
    ///
    /// # Errors
    /// Those of the engine and of the store. A picture that cannot be read is one of [`OfPhotographs::unused`].
    pub fn enrol_by_photographs(
        &self,
        engine: &dyn FaceEngine,
        student: StudentId,
        photographs: &[Photograph<'_>],
        actor: Actor<'_>,
        now: Timestamp,
    ) -> Result<OfPhotographs> {
        let mut views: Vec<Embedding> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut unused = Vec::new();
        // A gallery of the person alone compares by the scale of the model.
        let person = Gallery::new(engine.embedder().clone());
        for photograph in photographs {
            let mut leave_out = |reason: String| {
                unused.push(UnusedPhotograph { name: photograph.name.to_owned(), reason });
            };
            if views.len() == MOST_PHOTOGRAPHS {
                leave_out(format!("{MOST_PHOTOGRAPHS} others of this person are enough"));
                continue;
            }
            let view = match view_of(engine, photograph.bytes)? {
                Ok(view) => view,
                Err(reason) => {
                    leave_out(reason);
                    continue;
                }
            };
            if let Some(first) = names.first() {
                let found = person.search(&view, 1)?;
                if !found.iter().any(|found| Threshold::default().admits(found.similarity)) {
                    leave_out(format!("it shows somebody else than {first}: remove one of the two"));
                    continue;
                }
            } else {
                person.insert(student, std::slice::from_ref(&view))?;
            }
            views.push(view);
            names.push(photograph.name);
        }
        if views.is_empty() {
            return Ok(OfPhotographs { outcome: None, used: 0, unused });
        }
        let origin = match views.len() {
            1 => OF_ONE_PHOTOGRAPH.to_owned(),
            several => format!("by {several} photographs, without liveness"),
        };
        let outcome = self.enrol_unproven(&Enrolee::Student(student), &views, &origin, actor, now)?;
        Ok(OfPhotographs { outcome: Some(outcome), used: views.len(), unused })
    }
}

/// The face of a photograph, or why it cannot be used.
fn view_of(engine: &dyn FaceEngine, bytes: &[u8]) -> Result<Result<Embedding, String>> {
    let frame = match Frame::decode(bytes) {
        Ok(frame) => frame,
        Err(Error::InvalidImage { reason }) => return Ok(Err(format!("it is no picture that can be read: {reason}"))),
        Err(error) => return Err(error),
    };
    let found = SingleFace::find(engine, &frame, None)?;
    Ok(match found {
        SingleFace::Clear { embedding, .. } => Ok(embedding),
        other => Err(other.advice()),
    })
}
