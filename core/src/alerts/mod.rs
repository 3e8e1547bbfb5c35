//! Rules of notices to people and systems that no database holds: when a try is repeated, and where one may lead.
//!
//! What is told to whom is kept in the [`store`](crate::store::Outbox).

mod back_off;
mod reach;

pub use back_off::BackOff;
pub use reach::AlertReach;
