//! Admin users and their logins.

use jiff::Timestamp;

use super::{AdminChange, AdminUser, NewAdmin, NewLogin};
use crate::error::Result;

/// The admin users.
pub trait Accounts: Send + Sync {
    /// A new admin user.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when the name is taken.
    fn create_admin(&self, new: &NewAdmin, now: Timestamp) -> Result<AdminUser>;

    /// The admin user of this name.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn admin(&self, username: &str) -> Result<Option<AdminUser>>;

    /// Every admin user, by id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn admins(&self) -> Result<Vec<AdminUser>>;

    /// Gives the admin user of this name another password hash.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn set_admin_password(&self, username: &str, hashed_password: &str, now: Timestamp) -> Result<()>;

    /// Changes role and activity where given; returns the user as it is now. A user that becomes inactive loses every
    /// login in the same transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::State`](crate::Error::State) when no active user of the
    /// role `admin` would be left.
    fn update_admin(&self, username: &str, change: &AdminChange, now: Timestamp) -> Result<AdminUser>;
}

/// The logins of the admin users.
pub trait Logins: Send + Sync {
    /// Keeps a login.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when it names a user that is not there.
    fn begin_login(&self, login: &NewLogin) -> Result<()>;

    /// The active user of this name, if the login that its token names has neither ended nor expired. A token that
    /// names none was made by whoever holds the secret, as the existing service makes them: only the user counts.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn login_holder(&self, username: &str, login: Option<&str>, now: Timestamp) -> Result<Option<AdminUser>>;

    /// Puts the refresh token `fresh_hash` in place of `old_hash` and moves the end of the login; returns its active
    /// user. `None` when the login has ended or expired, or when its refresh token is another: then somebody uses an
    /// old one, perhaps a thief, and the login ends in the same transaction.
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
}
