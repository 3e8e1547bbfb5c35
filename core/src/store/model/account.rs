//! Admin users and their logins.

use std::fmt;

use jiff::Timestamp;

/// An admin user to be made.
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
    /// Its key.
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

/// What to change of an admin user; `None` leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdminChange {
    /// What the user may do.
    pub role: Option<String>,
    /// Whether the user may log in. Turning it off ends every login of the user.
    pub is_active: Option<bool>,
}

/// A login to be kept: from here until it ends, tokens that name it are good.
#[derive(Clone, PartialEq, Eq)]
pub struct NewLogin {
    /// Its key, which every token of this login carries.
    pub id: String,
    /// Who logged in.
    pub username: String,
    /// The hash of the one refresh token that is good now.
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
