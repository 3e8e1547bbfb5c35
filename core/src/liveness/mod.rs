//! Liveness sessions: a person looks straight, to the left and to the right, and is thereby shown to be one living person.
//!
//! A [`LivenessSession`] is a plain state machine over [`Observation`]s: no clock, no thread, no file. Every frame that an
//! engine has analysed goes in with the time it arrived, an [`Outcome`] comes out. The session can be written down
//! between any two frames ([`LivenessSession::to_state`]), so that whichever server gets the next frame goes on with it.
//!
//! | layer | in | stops |
//! |---|---|---|
//! | pose gate per position | [`challenge`] | one still photograph |
//! | one person across the positions | [`session`] | swapping people |
//! | parallax: the nose moves against the eyes and mouth | [`movement`] | a print or a telephone turned by hand |
//! | a frame counts once, positions must differ | [`replay`] | re-sent frames, a frozen camera |
//! | passive check, the mean over frames | [`pad`] | screens and prints, where its model is installed |
//!
//! What it does not stop: a video of a turning head, or a photograph turned by software, injected or shown on a screen,
//! passes everything but the passive check.

pub mod challenge;
pub mod decision;
pub mod movement;
pub mod options;
pub mod pad;
pub mod replay;
pub mod session;
pub mod state;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use challenge::{Gates, Mirrored, Position};
pub use decision::{Outcome, Reason, Turn, Verification};
pub use options::LivenessOptions;
pub use pad::PadPolicy;
pub use replay::frame_hash;
pub use session::{LivenessSession, Observation};
pub use state::{SessionState, Status, VerifiedPosition};
