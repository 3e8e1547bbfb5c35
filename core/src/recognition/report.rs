//! The report on a frame of a camera.

use crate::attendance::Marking;
use crate::geometry::Rect;
use crate::tracking::{Decision, TrackId};
use crate::types::{Similarity, StudentId};

/// What a frame showed.
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
    /// How many parts of the picture were looked at; 0 for one that shows nothing new.
    pub looks: usize,
    /// How many faces were embedded.
    pub embedded: usize,
    /// Whether a face is in view whose next good view may decide whose it is: the next frame is worth having sooner.
    pub open: bool,
    /// What came of marking each student that was recognized; [`Marking::Marked`] for the newly marked.
    pub marks: Vec<Marking>,
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
    /// Where it is, in frame pixels.
    pub bbox: Rect,
    /// The same face in the frames before and after.
    pub track: TrackId,
    /// Whose it is, as far as the views of it tell.
    pub decision: Decision,
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
