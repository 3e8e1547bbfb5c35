//! Admin users and their logins.

use jiff::Timestamp;

use super::{AdminChange, AdminUser, LoginFailures, NewAdmin, NewLogin};
use crate::error::Result;

/// The admin users.
pub trait Accounts: Send + Sync {
    /// Creates an admin user.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when the name is taken.
    fn create_admin(&self, new: &NewAdmin, now: Timestamp) -> Result<AdminUser>;

    /// Returns the admin user of this name.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn admin(&self, username: &str) -> Result<Option<AdminUser>>;

    /// Returns every admin user, ordered by id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn admins(&self) -> Result<Vec<AdminUser>>;

    /// Gives an admin user another password, and ends every login of the user in the same transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn set_admin_password(&self, username: &str, hashed_password: &str, now: Timestamp) -> Result<()>;

    /// Replaces the hash of the same password by a better one, if it still is `old_hash`. Logins go on.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn renew_password_hash(&self, username: &str, old_hash: &str, new_hash: &str, now: Timestamp) -> Result<()>;

    /// Changes password, role and activity where given, all or nothing; returns the user as it is now. A user that
    /// becomes inactive or gets another password loses every login in the same transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::State`](crate::Error::State) when no active user of the
    /// role `admin` would be left.
    fn update_admin(&self, username: &str, change: &AdminChange, now: Timestamp) -> Result<AdminUser>;
}

/// The logins of the admin users.
pub trait Logins: Send + Sync {
    /// Stores a login of a user whose password was compared with `verified_hash`. Returns `false`, and stores nothing,
    /// when the user has another hash by now or is not active: the password was changed while it was being compared.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when it names a user that is not there.
    fn begin_login(&self, login: &NewLogin, verified_hash: &str) -> Result<bool>;

    /// Returns the active user of this name, if the login that the token names has neither ended nor expired. A token
    /// without a login was signed with the secret by another program, as the existing service does: only the user
    /// counts.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn login_holder(&self, username: &str, login: Option<&str>, now: Timestamp) -> Result<Option<AdminUser>>;

    /// Replaces the refresh token `old_hash` by `fresh_hash`, extends the login, and returns its active user. Returns
    /// `None` when the login has ended or expired. It also returns `None` when the login has another refresh token:
    /// somebody uses an old one, perhaps a thief, so the login ends in the same transaction.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn renew_login(
        &self,
        login: &str,
        old_hash: &str,
        fresh_hash: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<AdminUser>>;

    /// Ends the login, if it has not ended.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn end_login(&self, login: &str, now: Timestamp) -> Result<()>;

    /// Ends every login of the user; returns how many had not ended.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn end_logins_of(&self, username: &str, now: Timestamp) -> Result<u64>;

    /// Returns how logins with this key have failed at `since` or later; `None` when none has, or the last one passed.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn login_failures(&self, key: &str, since: Timestamp) -> Result<Option<LoginFailures>>;

    /// Notes that a login with this key failed; returns how many in a row have failed at `since` or later. The newest
    /// [`MAX_LOGIN_FAILURES`](super::MAX_LOGIN_FAILURES) keys are kept, so that inventing them fills no disk. Keep keys
    /// short, and make them of hashes: a name that somebody typed may be a password.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn note_login_failure(&self, key: &str, since: Timestamp, now: Timestamp) -> Result<LoginFailures>;

    /// Forgets the failures of a key, after a login that passed.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn forget_login_failures(&self, key: &str) -> Result<()>;
}
