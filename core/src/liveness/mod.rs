//! Liveness sessions: a person looks straight, to the left and to the right, and so shows to be one living person.
//!
//! A [`LivenessSession`] is a plain state machine over [`Observation`]s: no clock, no thread, no file. An analyzed
//! frame and its time go in, an [`Outcome`] comes out. The state can be stored between any two frames
//! ([`LivenessSession::to_state`]), so any server can take the next frame.
//!
//! | layer | in | stops |
//! |---|---|---|
//! | pose gate per position, smoothed over a track | [`Gates`] | one still photograph |
//! | one person in every frame | [`LivenessSession`] | swapping people |
//! | parallax: the nose moves, the face has depth | [`Shape`] | a print or a telephone turned by hand |
//! | each frame counts once; one source | [`FrameHash`] | replayed, mirrored and frozen frames |
//! | the order of the positions, at random | [`Order`] | a prepared video |
//! | looking up and down, where asked for | [`Nods`] | a prepared video of turns |
//! | passive check, the mean over frames | [`PassiveCheck`] | screens and prints, with its model |
//!
//! Limits: in the fixed order, a video of a turning head, or a photograph turned by software, passes everything but
//! the passive check. A photograph that is turned by software on the spot passes the random order too.
//! `docs/src/liveness.md` has the figures.

mod challenge;
mod decision;
mod exif;
mod face_hash;
mod frame_hash;
mod gates;
mod hash;
mod intake;
mod judge;
mod movement;
mod nod;
mod options;
mod pad;
mod perceptual_hash;
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

pub use challenge::{Nods, Order};
pub use decision::{Outcome, Reason, Verification};
pub use face_hash::FaceHash;
pub use frame_hash::{FrameHash, frame_hash};
pub use gates::{Gates, Turn};
pub use movement::Shape;
pub(crate) use nod::NOD;
pub use options::{LivenessOptions, QualityGate};
pub use pad::{PadPolicy, PadVerdict, PassiveCheck};
pub use perceptual_hash::{ALIKE_BITS, PerceptualHash};
pub use position::{Mirrored, Position};
#[cfg(feature = "receipts")]
pub use receipt::{Receipt, ReceiptKey};
pub use replay::SeenFrame;
pub use session::{LivenessSession, Observation};
pub use state::{SessionState, VerifiedPosition};
pub use status::Status;
