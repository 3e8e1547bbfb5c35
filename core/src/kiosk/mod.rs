//! Kiosks: tablets at a gate, which greet whom they mark.
//!
//! | to | use |
//! |---|---|
//! | pair a tablet | [`PairingCode`], [`Kiosks`](crate::store::Kiosks) |
//! | say what a frame led to | [`Greeting`], [`Advice`] |
//! | take back what was not so, mark by a supervisor's PIN | [`Desk`], [`check_pin`] |

mod advice;
mod code;
mod desk;
mod greeting;
mod pin;

pub use advice::{Advice, advice};
pub use code::{CODE_LIFETIME, PairingCode};
pub use desk::{Desk, NOT_ME, TAKE_BACK_WITHIN, TakenBack};
pub use greeting::{Greeting, GreetingKind};
pub use pin::{LONGEST_PIN, SHORTEST_PIN, check_pin};
