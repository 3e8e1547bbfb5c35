//! The contract that every [`Store`](super::Store) keeps, and what only a file on a disk can break.

mod accounts;
mod contract;
mod sharing;
#[cfg(feature = "sqlite")]
mod sqlite;
