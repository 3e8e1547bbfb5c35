//! Options of recognition.

use super::region_of_interest::RegionOfInterest;
use super::scan_plan::{Effort, ScanOptions};
use crate::gate::GateOptions;
use crate::tracking::TrackingOptions;
use crate::types::Threshold;

/// Options of recognition.
///
/// ```
/// use faceattend_core::recognition::Effort;
/// use faceattend_core::{RecognitionOptions, Threshold};
///
/// let options = RecognitionOptions::default().with_threshold(Threshold::new(0.75)?).with_effort(Effort::Everything);
/// assert_eq!(options.effort, Effort::Everything);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RecognitionOptions {
    /// The least similarity at which a person is named, however many views there are. Default
    /// [`Threshold::DOCUMENTED`]. In a large gallery the evidence that [`TrackingOptions::false_names`] asks for is
    /// the higher hurdle.
    pub threshold: Threshold,
    /// Options of tracking.
    pub tracking: TrackingOptions,
    /// The part of each picture that is analyzed.
    pub effort: Effort,
    /// How often each region is scanned.
    pub scan: ScanOptions,
    /// The part of the picture that counts. Default: all of it.
    pub interest: Option<RegionOfInterest>,
    /// What is asked of a face before its person is marked. Default: that it is alive
    /// ([`GatePolicy::Require`](crate::gate::GatePolicy::Require)).
    pub gate: GateOptions,
}

impl RecognitionOptions {
    /// Returns the same options with this threshold.
    #[must_use]
    pub fn with_threshold(mut self, threshold: Threshold) -> Self {
        self.threshold = threshold;
        self
    }

    /// Returns the same options with this tracking.
    #[must_use]
    pub fn with_tracking(mut self, tracking: TrackingOptions) -> Self {
        self.tracking = tracking;
        self
    }

    /// Returns the same options with this effort.
    #[must_use]
    pub fn with_effort(mut self, effort: Effort) -> Self {
        self.effort = effort;
        self
    }

    /// Returns the same options, looking this often.
    #[must_use]
    pub fn with_scan(mut self, scan: ScanOptions) -> Self {
        self.scan = scan;
        self
    }

    /// Returns the same options, asking this of a face before its person is marked.
    #[must_use]
    pub fn with_gate(mut self, gate: GateOptions) -> Self {
        self.gate = gate;
        self
    }

    /// Returns the same options for this part of the picture.
    #[must_use]
    pub fn with_interest(mut self, interest: RegionOfInterest) -> Self {
        self.interest = Some(interest);
        self
    }
}
