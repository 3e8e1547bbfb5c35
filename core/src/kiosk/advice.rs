//! What a kiosk asks of the person who stands before it.

use crate::liveness::Position;
use crate::quality::QualityReason;
use crate::recognition::RecognitionReport;
use crate::tracking::{Decision, TrackId};

/// What the nearest person can do to be marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Show the face better: closer, with more light, turned to the camera.
    Better(QualityReason),
    /// Look at the camera for a moment.
    Look,
    /// Make this movement.
    Move(Position),
    /// Wait: the database is busy or away, and the mark waits for it.
    Wait,
    /// Nobody knows this face: use the way without a face, or ask a person.
    Unknown,
    /// A person has to look: the face did not show in time that it is alive.
    SecondLook,
}

impl Advice {
    /// Returns the stable code, in snake case.
    ///
    /// ```
    /// use faceattend_core::Position;
    /// use faceattend_core::kiosk::Advice;
    /// use faceattend_core::quality::QualityReason;
    ///
    /// assert_eq!(Advice::Better(QualityReason::TooDark).code(), "too_dark");
    /// assert_eq!(Advice::Move(Position::Left).code(), "left");
    /// ```
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Better(reason) => reason.code(),
            Self::Look => "look",
            Self::Move(movement) => movement.as_str(),
            Self::Wait => "wait",
            Self::Unknown => "unknown",
            Self::SecondLook => "second_look",
        }
    }
}

/// Returns what the nearest person of a frame can do to be marked; `None` where nobody is there, or the nearest is
/// marked. `handed_over` says whether a track was put on the second-look list.
///
/// ```
/// use faceattend_core::kiosk::advice;
/// use faceattend_core::recognition::RecognitionReport;
///
/// assert_eq!(advice(&RecognitionReport::default(), |_| false), None);
/// ```
#[must_use]
pub fn advice(report: &RecognitionReport, handed_over: impl Fn(TrackId) -> bool) -> Option<Advice> {
    let face = report.faces.iter().max_by(|a, b| a.bbox.area().total_cmp(&b.bbox.area()))?;
    let track = face.track;
    if let Some(student) = face.student()
        && report.marks.iter().any(|mark| mark.record().student == student)
    {
        return None;
    }
    if report.waiting.iter().any(|sighting| sighting.track == track) {
        return Some(Advice::Wait);
    }
    if let Some(movement) = face.asked {
        return Some(Advice::Move(movement));
    }
    if handed_over(track) {
        return Some(Advice::SecondLook);
    }
    if let Some((_, reason)) = report.poor.iter().find(|(poor, _)| *poor == track) {
        return Some(Advice::Better(*reason));
    }
    Some(match face.decision {
        Decision::Waiting | Decision::Known { .. } => Advice::Look,
        Decision::Unknown => Advice::Unknown,
    })
}
