//! Notices to people and systems: channels, rules, what waits and what was given up, and guardians.

pub(super) mod channels;
pub(super) mod guardians;
pub(super) mod letters;
pub(super) mod rules;
