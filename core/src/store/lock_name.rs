//! What servers of one database take turns at.

/// What several servers of one database do one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockName {
    /// One server makes the back-up.
    Backup,
    /// Everything is replaced: no server follows the database meanwhile, and none begins to.
    Restore,
}
