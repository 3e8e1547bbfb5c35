//! What a camera saw, in figures.

use jiff::Timestamp;

/// A detection log row to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDetectionLog {
    /// When.
    pub timestamp: Timestamp,
    /// How many faces were found.
    pub faces_detected: u32,
    /// How many of them were recognized.
    pub students_recognized: u32,
    /// How long it took, in seconds.
    pub processing_time: Option<f64>,
    /// The camera's place.
    pub camera_location: Option<String>,
    /// What went wrong.
    pub error_message: Option<String>,
}

/// A detection log row.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionLog {
    /// Its key.
    pub id: i64,
    /// What it says.
    pub entry: NewDetectionLog,
}
