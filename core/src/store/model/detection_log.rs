//! What a camera saw, in figures.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A new row of the detection log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewDetectionLog {
    /// The time of the detection.
    pub timestamp: Timestamp,
    /// How many faces were found.
    pub faces_detected: u32,
    /// How many of them were recognized.
    pub students_recognized: u32,
    /// How long it took, in seconds.
    #[serde(with = "super::exact")]
    pub processing_time: Option<f64>,
    /// The location of the camera.
    pub camera_location: Option<String>,
    /// The error, if there was one.
    pub error_message: Option<String>,
}

/// A detection log row.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionLog {
    /// The key of the row.
    pub id: i64,
    /// The content.
    pub entry: NewDetectionLog,
}
