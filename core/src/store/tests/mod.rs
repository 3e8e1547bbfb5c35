//! The contract that every [`Store`](super::Store) keeps, and what only a file on a disk can break.

mod accounts;
mod contract;
#[cfg(feature = "sqlite")]
mod portable;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(feature = "sqlite", feature = "encryption"))]
mod sealed;
mod sharing;
#[cfg(feature = "sqlite")]
mod sqlite;
