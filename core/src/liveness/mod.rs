//! Liveness sessions: a person looks straight, to the left and to the right, and is thereby shown to be one living
//! person.
//!
//! A [`LivenessSession`] is a plain state machine over [`Observation`]s: no clock, no thread, no file. Every frame
//! that an engine has analyzed goes in with the time it arrived, an [`Outcome`] comes out. The session can be written
//! down between any two frames ([`LivenessSession::to_state`]), so that whichever server gets the next frame goes on
//! with it.
//!
//! | layer | in | stops |
//! |---|---|---|
//! | pose gate per position, smoothed over a track | [`Gates`] | one still photograph |
//! | one person in every frame | [`LivenessSession`] | swapping people |
//! | parallax: the nose moves, and the face has depth | [`Shape`] | a print or a telephone turned by hand |
//! | a frame counts once, here and across sessions; a stream has one source, moves and keeps time | [`FrameHash`] | re-sent frames, a frozen camera, mirrored frames |
//! | the order of the positions, random for clients that follow | [`Order`] | a prepared video |
//! | passive check, the mean over frames | [`PassiveCheck`] | screens and prints, where its model is installed |
//!
//! What it does not stop: a video of a turning head, or a photograph turned by software, injected or shown on a
//! screen, passes everything in the fixed order but the passive check; and whoever turns a photograph by software on
//! the spot passes the random order too. `docs/liveness.md` has the figures.

mod challenge;
mod decision;
mod exif;
mod gates;
mod hash;
mod intake;
mod judge;
mod movement;
mod options;
mod pad;
mod position;
#[cfg(feature = "receipts")]
mod receipt;
mod replay;
mod session;
mod state;
mod status;
mod stored_embedding;
mod stream;

#[cfg(test)]
mod tests;

pub use challenge::Order;
pub use decision::{Outcome, Reason, Verification};
pub use gates::{Gates, Turn};
pub use movement::Shape;
pub use options::{LivenessOptions, QualityGate};
pub use pad::{PadPolicy, PadVerdict, PassiveCheck};
pub use position::{Mirrored, Position};
#[cfg(feature = "receipts")]
pub use receipt::{Receipt, ReceiptKey};
pub use replay::{ALIKE_BITS, FrameHash, PerceptualHash, SeenFrame, frame_hash};
pub use session::{LivenessSession, Observation};
pub use state::{SessionState, VerifiedPosition};
pub use status::Status;
