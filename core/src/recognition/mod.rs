//! Live recognition: from a camera's frames to marked attendance.
//!
//! Engine, tracker, gallery and marker meet here only. The engine finds the faces of a frame. The tracker tells which
//! faces were there before, and whom of the gallery their views show. The marker then marks the student.

mod ageing;
mod direction;
mod gallery_load;
mod gatekeeper;
mod options;
mod passed_over;
mod problem;
mod recognizer;
mod region_of_interest;
mod report;
mod scan_plan;
mod slowness;
mod turned;
mod unknown_faces;
mod view;

pub use ageing::{Ageing, AgeingOptions};
pub use direction::Direction;
pub use gallery_load::{GalleryLoad, load_gallery, load_gallery_telling, refresh_gallery};
pub use options::RecognitionOptions;
pub use problem::CameraProblem;
pub use recognizer::Recognizer;
pub use region_of_interest::RegionOfInterest;
pub use report::{RecognitionReport, RecognizedFace, Sighting};
pub use scan_plan::{Effort, ScanOptions};
pub use unknown_faces::{UnknownFace, UnknownFaces, UnknownId, UnknownOptions};
pub use view::view_weight;

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod gate_tests;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
