//! Rules of notices to people and systems that no database holds: who is absent at a time of the day, when a try is
//! repeated, and where one may lead.
//!
//! What is told to whom is kept in the [`store`](crate::store::Outbox).

mod absence;
mod back_off;
mod reach;

pub use absence::{ABSENT_TOLD_WITHIN, absence_days, absent_at};
pub use back_off::BackOff;
pub use reach::AlertReach;
