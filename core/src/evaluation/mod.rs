//! How well it works: from scores with known labels to error rates, each with its sample size and a confidence
//! interval.
//!
//! Pure arithmetic: no picture, no model, no file. What `faceattend eval` and `faceattend calibrate` print is computed
//! here. The terms are those of ISO/IEC 19795-1 (comparison and identification) and ISO/IEC 30107-3 (presentation
//! attacks).
//!
//! | rates | module |
//! |---|---|
//! | a share with its Clopper-Pearson interval | [`rate`] |
//! | FMR, FNMR, DET, TAR at FAR, EER, AUC | [`comparison`] |
//! | APCER for each kind of attack, BPCER, ACER | [`pad`] |
//! | TPIR, FPIR | [`identification`] |
//! | FMR and FNMR of groups of people, worst against best | [`groups`] |
//! | errors of the yaw, recall of the gates | [`pose`] |
//! | intervals where trials share people | [`bootstrap`] |
//! | a threshold for a wished false match rate | [`threshold`] |
//! | false names in the time that strangers are seen | [`live`] |
//! | log-odds as a weighted sum, fitted to samples | [`logistic`] |

pub mod bootstrap;
pub mod comparison;
pub mod groups;
pub mod identification;
pub mod live;
pub mod logistic;
pub mod pad;
pub mod pose;
pub mod rate;
pub mod threshold;

pub use rate::{Interval, Rate};
