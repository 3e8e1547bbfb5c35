//! Admin users and their logins.

use std::fmt;

use jiff::Timestamp;

/// A new admin user.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAdmin {
    /// The name to log in with.
    pub username: String,
    /// The hash of the password.
    pub hashed_password: String,
    /// What the user may do.
    pub role: String,
}

/// An admin user.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminUser {
    /// The key of the row.
    pub id: i64,
    /// The name to log in with.
    pub username: String,
    /// The hash of the password.
    pub hashed_password: String,
    /// What the user may do; `admin` for those that the existing service made.
    pub role: String,
    /// Whether the user may log in.
    pub is_active: bool,
}

// A password hash does not reach a log either.
impl fmt::Debug for NewAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewAdmin({}, {})", self.username, self.role)
    }
}

impl fmt::Debug for AdminUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdminUser({}, {}, active: {})", self.username, self.role, self.is_active)
    }
}

/// A change to an admin user; `None` keeps the value.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct AdminChange {
    /// The hash of another password, which ends every login of the user.
    pub hashed_password: Option<String>,
    /// What the user may do.
    pub role: Option<String>,
    /// Whether the user may log in. Turning it off ends every login of the user.
    pub is_active: Option<bool>,
}

impl fmt::Debug for AdminChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.hashed_password.is_some();
        write!(f, "AdminChange(password: {password}, role: {:?}, active: {:?})", self.role, self.is_active)
    }
}

/// How logins of one key have failed of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginFailures {
    /// How many in a row, without a success between them.
    pub count: u32,
    /// When the last one was.
    pub last_at: Timestamp,
}

/// A new login. Tokens that name it are valid until it ends.
#[derive(Clone, PartialEq, Eq)]
pub struct NewLogin {
    /// Its key, which every token of this login carries.
    pub id: String,
    /// Who logged in.
    pub username: String,
    /// The hash of the refresh token that is valid now.
    pub refresh_hash: String,
    /// When the login began.
    pub created_at: Timestamp,
    /// When it ends unless it is renewed.
    pub expires_at: Timestamp,
}

// The hash of a token stays out of a log, like the token.
impl fmt::Debug for NewLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewLogin({}, until {})", self.username, self.expires_at)
    }
}
