//! Liveness sessions: a person looks straight, to the left and to the right, and is thereby shown to be one living person.
//!
//! A [`LivenessSession`] is a plain state machine over [`Observation`]s: no clock, no thread, no file. Every frame that an
//! engine has analyzed goes in with the time it arrived, an [`Outcome`] comes out. The session can be written down
//! between any two frames ([`LivenessSession::to_state`]), so that whichever server gets the next frame goes on with it.
//!
//! | layer | in | stops |
//! |---|---|---|
//! | pose gate per position, smoothed over a track | [`challenge`] | one still photograph |
//! | one person in every frame | [`session`] | swapping people |
//! | parallax: the nose moves, and the face has depth | [`movement`] | a print or a telephone turned by hand |
//! | a frame counts once, here and across sessions; a stream has one source, moves and keeps time | [`replay`] | re-sent frames, a frozen camera, mirrored frames |
//! | the order of the positions, random for clients that follow | [`Order`] | a prepared video |
//! | passive check, the mean over frames | [`pad`] | screens and prints, where its model is installed |
//!
//! What it does not stop: a video of a turning head, or a photograph turned by software, injected or shown on a screen,
//! passes everything in the fixed order but the passive check; and whoever turns a photograph by software on the spot
//! passes the random order too. `docs/liveness.md` has the figures.

pub mod challenge;
pub mod decision;
mod exif;
pub mod movement;
pub mod options;
pub mod pad;
#[cfg(feature = "receipts")]
pub mod receipt;
pub mod replay;
pub mod session;
pub mod state;
mod stream;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use challenge::{Gates, Mirrored, Order, Position};
pub use decision::{Outcome, Reason, Turn, Verification};
pub use movement::Shape;
pub use options::{LivenessOptions, QualityGate};
pub use pad::{PadPolicy, PadVerdict, PassiveCheck};
#[cfg(feature = "receipts")]
pub use receipt::{Receipt, ReceiptKey};
pub use replay::{FrameHash, PerceptualHash, SeenFrame, frame_hash};
pub use session::{LivenessSession, Observation};
pub use state::{SessionState, Status, VerifiedPosition};
