//! What keeps a camera from naming people: as its status shows it, and as the log and the events tell it.

use std::sync::{Mutex, PoisonError};

use faceattend_core::camera::Orientation;
use faceattend_core::recognition::CameraProblem;
use serde::Serialize;
use utoipa::ToSchema;

/// A problem as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ProblemItem {
    /// A stable code: `too_slow` or `turned`.
    pub(crate) code: &'static str,
    /// What is wrong and what to do about it.
    pub(crate) message: String,
}

/// The problems of one camera, shared by its watch and its status.
#[derive(Debug, Default)]
pub(crate) struct Problems(Mutex<Vec<ProblemItem>>);

impl Problems {
    /// Returns the problems as they are now.
    pub(crate) fn now(&self) -> Vec<ProblemItem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the problems of the latest picture in; returns those that are new.
    pub(super) fn update(&self, items: Vec<ProblemItem>) -> Vec<ProblemItem> {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |item: &&ProblemItem| shown.iter().all(|before| before.code != item.code);
        let new = items.iter().filter(is_new).cloned().collect();
        *shown = items;
        new
    }
}

/// Returns the problems as the API shows them, for pictures that were turned like this before they were looked at.
/// `place` is that of a camera of the server, which has settings.
pub(super) fn items(problems: &[CameraProblem], has: Orientation, place: Option<Option<&str>>) -> Vec<ProblemItem> {
    let item = |problem: &CameraProblem| {
        let problem = problem.for_camera(has);
        let how = match (&problem, place) {
            (CameraProblem::Turned { set, .. }, Some(place)) => {
                let degrees = set.degrees();
                let flag = place.map(|place| format!("--camera-orientation-at '{place}={degrees}' for `serve`, or "));
                format!(": {}\"orientation\": {degrees} when it is started", flag.unwrap_or_default())
            }
            _ => String::new(),
        };
        ProblemItem { code: problem.code(), message: format!("{problem}{how}") }
    };
    problems.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_to_set_and_is_new_once() {
        let turned = CameraProblem::turned(Orientation::HalfTurn);
        let of_gate = items(&[turned], Orientation::Clockwise, Some(Some("Gate")));
        assert_eq!(of_gate[0].code, "turned");
        for expected in ["upside down", "--camera-orientation-at 'Gate=270'", "\"orientation\": 270"] {
            assert!(of_gate[0].message.contains(expected), "{of_gate:?}");
        }
        let of_browser = items(&[turned], Orientation::Upright, None);
        assert!(!of_browser[0].message.contains("--"), "{of_browser:?}");
        let problems = Problems::default();
        assert_eq!(problems.update(of_gate.clone()), of_gate);
        assert!(problems.update(of_gate.clone()).is_empty());
        assert_eq!(problems.now(), of_gate);
        assert!(problems.update(Vec::new()).is_empty() && problems.now().is_empty());
        assert_eq!(problems.update(of_gate).len(), 1, "again");
    }
}
