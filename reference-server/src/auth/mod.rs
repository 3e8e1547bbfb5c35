//! Who may ask: tokens, passwords, and the secret that signs.

pub(crate) mod clock;
pub(crate) mod hashing;
mod hs256;
pub(crate) mod throttle;

use std::fmt;
use std::io::Write;
use std::path::Path;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use faceattend_core::enrolment::Actor;
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
/// How far the clocks of two servers may be apart, in seconds.
const CLOCKS_DIFFER_BY: i64 = 300;
/// The bytes of a secret made here: as many as HS256 uses.
const SECRET_BYTES: usize = 32;

/// The secret that signs tokens. No `Debug` shows it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Returns the keyed hash of `parts`, in hexadecimal.
    pub(crate) fn mac(&self, parts: &[&str]) -> String {
        hex(&hs256::mac(self.0.as_bytes(), &parts.join("\n")))
    }

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
        Self(hex(&bytes))
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

/// What a user may do. Each may do what the ones before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks at students, attendance and cameras.
    Viewer,
    /// Registers, marks, and runs cameras.
    Operator,
    /// Changes accounts, erases people, and reads the audit log.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Its spelling in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role that `text` spells.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Returns who enrols when `user`, who has this role, does it: only admins may replace a face by one unlike it.
    pub(crate) fn enrols_as(self, user: &str) -> Actor<'_> {
        Actor::named(user).replacing_unlike_faces(self == Self::Admin)
    }

    /// The role of a user in the database. A word that nobody wrote may do the least.
    pub(crate) fn of(user: &AdminUser) -> Self {
        Self::parse(&user.role).unwrap_or(Self::Viewer)
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// The login that the token belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

/// Whose a token is by its signature; whether the user and the login still stand, the store knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) user: String,
    pub(crate) login: Option<String>,
}

/// Issues tokens and checks their signatures.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    pub(crate) fn new(secret: &Secret) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        // By a clock that does not go back: see `bearer_of`.
        validation.validate_exp = false;
        // The original accepts a token without `exp`; only the holder of the secret can make one.
        validation.required_spec_claims.clear();
        Self {
            encoding: EncodingKey::from_secret(secret.0.as_bytes()),
            decoding: DecodingKey::from_secret(secret.0.as_bytes()),
            validation,
        }
    }

    /// An access token of `user` for the login with this key.
    pub(crate) fn issue(&self, user: &str, login: &str, now: Timestamp) -> Result<String> {
        let claims = Claims {
            sub: Some(user.to_owned()),
            exp: Some((now + TOKEN_LIFETIME).as_second()),
            sid: Some(login.to_owned()),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| Error::Internal { reason: "a token could not be signed".into() })
    }

    /// Whose `token` is; `None` for one that is not good.
    pub(crate) fn bearer_of(&self, token: &str) -> Option<Bearer> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        if let Some(ends) = claims.exp {
            let now = clock::now().as_second();
            // A token of ours that lasts longer than ours do was made while the clock was wrong.
            let of_the_future = claims.sid.is_some() && ends > now + TOKEN_LIFETIME.as_secs() + CLOCKS_DIFFER_BY;
            if ends < now || of_the_future {
                return None;
            }
        }
        Some(Bearer { user: claims.sub?, login: claims.sid })
    }
}

/// How long a token is good for, in seconds, as the login answers it.
pub(crate) fn token_seconds() -> i64 {
    TOKEN_LIFETIME.as_secs()
}

/// Returns the bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A fresh key of a login, or the secret half of a refresh token: 32 random bytes in hexadecimal.
pub(crate) fn random_key() -> String {
    Secret::random().0
}

/// Returns whether `text` is as [`random_key`] makes them.
pub(crate) fn is_random_key(text: &str) -> bool {
    text.len() == 2 * SECRET_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the store keeps of a refresh token, or of the token of a kiosk. It has 256 random bits: a fast hash is enough.
pub(crate) fn hash_of_key(token: &str) -> String {
    use sha2::Digest as _;
    hex(&sha2::Sha256::digest(token.as_bytes()))
}

/// The shortest password that is taken: NIST SP 800-63B.
const SHORTEST_PASSWORD: usize = 8;
/// The longest one, in characters: NIST asks for 64 at least.
pub(crate) const LONGEST_PASSWORD: usize = 1000;
/// The longest name of an account that is looked for, in characters.
pub(crate) const LONGEST_NAME: usize = 255;

/// Whether `password` may be somebody's.
///
/// # Errors
/// [`Error::InvalidInput`] for one that is too short, too long or everybody's.
pub fn check_password(password: &str) -> Result<()> {
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&password.chars().count()) || password == DEFAULT_PASSWORD {
        let reason = format!(
            "it needs at least {SHORTEST_PASSWORD} characters and at most {LONGEST_PASSWORD}, and not \
             {DEFAULT_PASSWORD:?}, which everybody knows"
        );
        return Err(Error::InvalidInput { what: "password", reason });
    }
    Ok(())
}

/// A hash of `password` to store. Slow on purpose: call it where blocking is fine.
///
/// # Errors
/// [`Error::Internal`] when the system gives no random numbers.
pub fn hash_password(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|_| Error::Internal { reason: "a password could not be hashed".into() })
}

/// Returns the hash of a new password that somebody may have. Slow on purpose, as [`hash_password`].
///
/// # Errors
/// Those of [`check_password`] and [`hash_password`].
pub fn hash_new_password(password: &str) -> Result<String> {
    check_password(password)?;
    hash_password(password)
}

/// Whether `password` is the one that `hash` was made of: argon2, or bcrypt as the replaced service wrote it.
pub(crate) fn matches(password: &str, hash: &str) -> bool {
    if hash.starts_with("$2") {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    PasswordHash::new(hash).is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// What comparing a password came to.
pub(crate) enum Compared {
    /// It is the user's. The hash of the user is the one that is stored now.
    Right(AdminUser),
    /// It is not, or there is no such user who is active.
    Wrong {
        /// Whether there is a user of that name.
        is_known: bool,
    },
}

/// Compares a password with that of the active user of this name. Slow on purpose: call it where blocking is fine.
///
/// # Errors
/// [`Error::Store`].
pub(crate) fn check_login(store: &dyn Store, username: &str, password: &str) -> Result<Compared> {
    // An unknown name takes as long as a wrong password, so that the time tells nobody which names exist.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9i$VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU";
    let admin = store.admin(username)?;
    let is_known = admin.is_some();
    let admin = admin.filter(|admin| admin.is_active);
    let hash = admin.as_ref().map_or(NOBODY, |admin| &admin.hashed_password);
    let is_right = matches(password, hash);
    let Some(mut admin) = admin.filter(|_| is_right) else { return Ok(Compared::Wrong { is_known }) };
    // The replaced service wrote bcrypt: now that the password is at hand, it is kept as argon2id.
    if admin.hashed_password.starts_with("$2") {
        let better = hash_password(password)?;
        store.renew_password_hash(&admin.username, &admin.hashed_password, &better, Timestamp::now())?;
        admin.hashed_password = better;
    }
    Ok(Compared::Right(admin))
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
    use faceattend_core::store::prelude::*;

    #[test]
    fn a_token_is_good_for_half_an_hour_to_its_second() {
        let tokens = Tokens::new(&Secret::new("a secret of the tests").unwrap());
        let now = Timestamp::now();
        let fresh = tokens.issue("admin", "login", now).unwrap();
        let bearer = Bearer { user: "admin".into(), login: Some("login".into()) };
        assert_eq!(tokens.bearer_of(&fresh), Some(bearer));
        let late = now - SignedDuration::from_mins(30) - SignedDuration::from_secs(1);
        assert_eq!(tokens.bearer_of(&tokens.issue("admin", "login", late).unwrap()), None);
        let of_the_future = tokens.issue("admin", "login", now + SignedDuration::from_hours(24)).unwrap();
        assert_eq!(tokens.bearer_of(&of_the_future), None, "made by a clock that was wrong by a day");
        let other = Tokens::new(&Secret::random());
        assert_eq!(tokens.bearer_of(&other.issue("admin", "login", now).unwrap()), None, "signed by another");
    }

    #[test]
    fn an_old_hash_is_upgraded_at_login() {
        let dir = tempfile::tempdir().unwrap();
        let store = faceattend_core::store::SqliteStore::open(dir.path().join("x.db")).unwrap();
        let old = bcrypt::hash("correct horse", 4).unwrap();
        let new = NewAdmin { username: "bob".into(), hashed_password: old.clone(), role: "admin".into() };
        store.create_admin(&new, Timestamp::now()).unwrap();
        let is_right = |password| matches!(check_login(&store, "bob", password).unwrap(), Compared::Right(_));
        assert!(!is_right("wrong"));
        assert_eq!(store.admin("bob").unwrap().unwrap().hashed_password, old);
        assert!(is_right("correct horse"));
        let now = store.admin("bob").unwrap().unwrap().hashed_password;
        assert!(now.starts_with("$argon2id$"));
        assert!(is_right("correct horse"));
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
