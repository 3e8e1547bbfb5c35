//! The report on a frame of a camera.

use jiff::Timestamp;

use super::problem::CameraProblem;
use crate::attendance::Marking;
use crate::gate::Life;
use crate::geometry::Rect;
use crate::liveness::Position;
use crate::quality::QualityReason;
use crate::store::SecondLook;
use crate::tracking::{Ambiguity, Decision, TrackId};
use crate::types::{Similarity, StudentId};

/// The report on a frame.
///
/// ```
/// use faceattend_core::attendance::Marking;
/// use faceattend_core::recognition::RecognitionReport;
///
/// fn arrivals(report: &RecognitionReport) -> Vec<String> {
///     let newly = |mark: &Marking| matches!(mark, Marking::Marked(_));
///     report.marks.iter().filter(|mark| newly(mark)).map(|mark| mark.record().student_name.clone()).collect()
/// }
/// assert!(arrivals(&RecognitionReport::default()).is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RecognitionReport {
    /// The faces in view: those that were found, largest first, and those that nobody looked for because nothing moved
    /// where they are.
    pub faces: Vec<RecognizedFace>,
    /// The number of parts of the picture that were analyzed; 0 for a picture that shows nothing new.
    pub looks: usize,
    /// The number of faces that were embedded.
    pub embedded: usize,
    /// Whether the next good view of a face may decide its identity: the next frame is worth having sooner.
    pub open: bool,
    /// The marking of each student that was recognized; [`Marking::Marked`] for the newly marked. Under
    /// [`GatePolicy::Require`](crate::gate::GatePolicy::Require) and `Ask` of the living alone.
    pub marks: Vec<Marking>,
    /// The people who may be marked and whose marks wait for the database, which is held or away: see
    /// [`Backlog`](crate::backlog::Backlog).
    pub waiting: Vec<Sighting>,
    /// The people who may be marked, by what the camera asks of a face: what a program marks that has no marker and a
    /// table of its own. Under [`GatePolicy::Require`](crate::gate::GatePolicy::Require) and `Ask` they are the living;
    /// without those whom the marker knows to be marked already.
    pub admitted: Vec<Sighting>,
    /// The people who were recognized and are not marked, because their views did not show in time that they are
    /// alive. Each sighting is reported once, and goes on the second-look list of the marker's store.
    pub second_looks: Vec<Sighting>,
    /// Of them, the new entries of the list: a student who is on it already, or was marked by another camera, is not
    /// put there again.
    pub added_second_looks: Vec<SecondLook>,
    /// The faces that show a picture of a person, each reported once.
    pub suspected: Vec<Sighting>,
    /// The faces whose views of this frame were too poor to judge them by, each with the first reason.
    pub poor: Vec<(TrackId, QualityReason)>,
    /// Between whom faces in view cannot be told apart: they are one person who is enrolled twice, or look alike.
    pub ambiguous: Vec<Ambiguity>,
    /// What keeps this camera from naming people, as far as its pictures tell so far: the same in every report for as
    /// long as it lasts.
    pub problems: Vec<CameraProblem>,
}

/// A person whom a camera recognized, and what the views say of life.
///
/// ```
/// use faceattend_core::recognition::RecognitionReport;
///
/// fn told(report: &RecognitionReport) -> Vec<String> {
///     let line = |seen: &faceattend_core::recognition::Sighting| {
///         let why = seen.life.reason.map_or("no reason", |reason| reason.as_str());
///         format!("student {}: {}", seen.student, why)
///     };
///     report.second_looks.iter().map(line).collect()
/// }
/// assert!(told(&RecognitionReport::default()).is_empty());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Sighting {
    /// The face.
    pub track: TrackId,
    /// Whom it shows.
    pub student: StudentId,
    /// The similarity of the mean of the views.
    pub similarity: Similarity,
    /// What the views say of life.
    pub life: Life,
    /// When it was seen last.
    pub at: Timestamp,
}

/// A face of a frame.
///
/// ```
/// use faceattend_core::recognition::RecognizedFace;
///
/// fn label(face: &RecognizedFace) -> String {
///     face.student().map_or_else(|| "unknown".to_owned(), |student| format!("student {student}"))
/// }
/// # let _ = label;
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RecognizedFace {
    /// The box, in frame pixels, as far as it lies in the frame.
    pub bbox: Rect,
    /// The same face in the frames before and after.
    pub track: TrackId,
    /// Whose it is, as far as the views of it tell.
    pub decision: Decision,
    /// Whether it is alive, as far as they tell. Nobody looks for it under
    /// [`GatePolicy::Off`](crate::gate::GatePolicy::Off), and for long only where it decides about a mark.
    pub life: Life,
    /// The movement that the person is asked for, under [`GatePolicy::Ask`](crate::gate::GatePolicy::Ask): left and
    /// right are the person's own.
    pub asked: Option<Position>,
}

impl RecognizedFace {
    /// Returns the student whose face it is.
    #[must_use]
    pub fn student(&self) -> Option<StudentId> {
        self.known().map(|(student, _)| student)
    }

    /// Returns the similarity of the mean of the views.
    #[must_use]
    pub fn similarity(&self) -> Option<Similarity> {
        self.known().map(|(_, similarity)| similarity)
    }

    pub(super) fn known(&self) -> Option<(StudentId, Similarity)> {
        if let Decision::Known { student, similarity } = self.decision { Some((student, similarity)) } else { None }
    }
}
