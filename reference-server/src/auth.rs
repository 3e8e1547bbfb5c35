//! Who may ask: tokens, passwords, and the secret that signs.

use std::collections::HashSet;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::RwLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use faceattend_core::store::{AdminUser, NewAdmin, Store};
use faceattend_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// The name of the admin user that an empty database begins with, as the replaced service documents it.
pub const DEFAULT_ADMIN: &str = "admin";
/// Its password, which works on loopback only.
pub const DEFAULT_PASSWORD: &str = "admin123";
/// How long a token is good for.
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(30);
/// The bytes of a secret made here: as many as HS256 uses.
const SECRET_BYTES: usize = 32;

/// The secret that signs tokens. No `Debug` shows it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret that the operator chose.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when it is shorter than 16 characters.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        if text.len() < 16 {
            return Err(Error::InvalidInput { what: "JWT secret", reason: "it needs at least 16 characters".into() });
        }
        Ok(Self(text))
    }

    /// A fresh random secret.
    #[must_use]
    pub fn random() -> Self {
        let bytes: [u8; SECRET_BYTES] = rand::random();
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The secret kept in `file`, made there on the first call, readable by its owner only.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can be neither read nor made; [`Error::InvalidInput`] when it holds no secret.
    pub fn kept_in(file: &Path) -> Result<Self> {
        let io = |action: &'static str| move |source| Error::Io { action, path: file.to_owned(), source };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(file) {
            Ok(mut new) => {
                let secret = Self::random();
                new.write_all(secret.0.as_bytes()).and_then(|()| new.sync_all()).map_err(io("write"))?;
                Ok(secret)
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::new(std::fs::read_to_string(file).map_err(io("read"))?.trim())
            }
            Err(error) => Err(io("create")(error)),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

/// Issues and checks tokens.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    /// Who may hold a token: the active admin users at the start, and all who logged in since.
    holders: RwLock<HashSet<String>>,
}

impl Tokens {
    pub(crate) fn new(secret: &Secret, holders: impl IntoIterator<Item = String>) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        // The original accepts a token without `exp`; only the holder of the secret can make one.
        validation.required_spec_claims.clear();
        Self {
            encoding: EncodingKey::from_secret(secret.0.as_bytes()),
            decoding: DecodingKey::from_secret(secret.0.as_bytes()),
            validation,
            holders: RwLock::new(holders.into_iter().collect()),
        }
    }

    pub(crate) fn issue(&self, user: &str, now: Timestamp) -> Result<String> {
        self.holders.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(user.to_owned());
        let claims = Claims { sub: Some(user.to_owned()), exp: Some((now + TOKEN_LIFETIME).as_second()) };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| Error::Internal { reason: "a token could not be signed".into() })
    }

    /// Whose `token` is; `None` for one that is not good.
    pub(crate) fn user_of(&self, token: &str) -> Option<String> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        let holders = self.holders.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        claims.sub.filter(|user| holders.contains(user))
    }
}

/// A hash of `password` to store. Slow on purpose: call it where blocking is fine.
///
/// # Errors
/// [`Error::Internal`] when the system gives no random numbers.
pub fn hash_password(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|_| Error::Internal { reason: "a password could not be hashed".into() })
}

/// Whether `password` is the one that `hash` was made of: argon2, or bcrypt as the replaced service wrote it.
fn matches(password: &str, hash: &str) -> bool {
    if hash.starts_with("$2") {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    PasswordHash::new(hash).is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// The active admin user with this name and password. Slow on purpose: call it where blocking is fine.
///
/// # Errors
/// [`Error::Store`].
pub(crate) fn check_login(store: &dyn Store, username: &str, password: &str) -> Result<Option<AdminUser>> {
    // An unknown name takes as long as a wrong password, so that the time tells nobody which names exist.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9i$VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU";
    let admin = store.admin(username)?.filter(|admin| admin.is_active);
    let hash = admin.as_ref().map_or(NOBODY, |admin| &admin.hashed_password);
    Ok(if matches(password, hash) { admin } else { None })
}

/// Makes the documented admin user in a database that has none.
///
/// # Errors
/// [`Error::Store`].
pub fn ensure_admin(store: &dyn Store, now: Timestamp) -> Result<()> {
    if !store.admins()?.is_empty() {
        return Ok(());
    }
    let hashed_password = hash_password(DEFAULT_PASSWORD)?;
    let admin = NewAdmin { username: DEFAULT_ADMIN.into(), hashed_password, role: "admin".into() };
    match store.create_admin(&admin, now) {
        // Another server of the same database was first.
        Ok(_) | Err(Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether the documented password, which everybody knows, opens this database.
///
/// # Errors
/// [`Error::Store`].
pub fn default_password_works(store: &dyn Store) -> Result<bool> {
    let admins = store.admins()?;
    Ok(admins.iter().any(|admin| admin.is_active && matches(DEFAULT_PASSWORD, &admin.hashed_password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(&Secret::new("a secret of the tests").unwrap(), ["admin".to_owned()])
    }

    #[test]
    fn a_token_is_good_for_half_an_hour_to_its_second() {
        let tokens = tokens();
        let now = Timestamp::now();
        let fresh = tokens.issue("admin", now).unwrap();
        assert_eq!(tokens.user_of(&fresh).as_deref(), Some("admin"));
        let old = tokens.issue("admin", now - SignedDuration::from_mins(30) - SignedDuration::from_secs(1)).unwrap();
        assert_eq!(tokens.user_of(&old), None);
    }

    #[test]
    fn a_token_of_another_secret_or_user_is_refused() {
        let other = Tokens::new(&Secret::random(), []);
        assert_eq!(tokens().user_of(&other.issue("admin", Timestamp::now()).unwrap()), None);
        let signer = tokens();
        let stranger = signer.issue("bob", Timestamp::now()).unwrap();
        assert_eq!(tokens().user_of(&stranger), None, "only who is an admin user of this server");
    }

    #[test]
    fn the_secret_is_made_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("jwt-secret");
        let first = Secret::kept_in(&file).unwrap();
        assert_eq!(first.0, Secret::kept_in(&file).unwrap().0);
        assert_eq!(first.0.len(), 2 * SECRET_BYTES);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(!format!("{first:?}").contains(&first.0));
    }

    #[test]
    fn both_kinds_of_hash_are_read() {
        assert!(matches("admin123", &hash_password("admin123").unwrap()));
        assert!(!matches("admin124", &hash_password("admin123").unwrap()));
        let bcrypt = bcrypt::hash("admin123", 4).unwrap();
        assert!(matches("admin123", &bcrypt) && !matches("x", &bcrypt) && !matches("admin123", "no hash"));
    }
}
