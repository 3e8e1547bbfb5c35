//! Faces encrypted at rest: what a column holds, sealed with AES-256-GCM (NIST SP 800-38D) under keys of the operator.
//!
//! Off until keys are given, so that the existing service can read the rows. With keys, whatever is written is sealed
//! with the first of them, and whatever is read may be plain or sealed with any of them: a database can be converted,
//! and a key replaced, while a server works with it.
//!
//! Sealed and plain values lie in the same columns and are told apart by how they begin:
//!
//! | column | plain | sealed |
//! |---|---|---|
//! | text | JSON, base64 | `sealed:1:`, the key's id in 16 hexadecimal digits, `:`, base64 of nonce, ciphertext and tag |
//! | bytes | little-endian `f32` | `sealed` and the byte 1, the 8 bytes of the key's id, nonce (12), ciphertext, tag (16) |
//!
//! No plain value begins like that: JSON and base64 have no `sealed:`, and sealed bytes never are a multiple of four.
//! Every value is bound to its column, to whose it is and to the model that made it, so that one student's cannot be put
//! in another's place, nor be passed off as another model's.
//!
//! This module knows no database: a store calls one function where it writes and one where it reads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};

/// How sealed text begins: the word and the version of the form.
const TEXT_MARK: &str = "sealed:1:";
/// How sealed bytes begin.
const BYTES_MARK: &[u8] = b"sealed\x01";
/// AES-256.
const KEY_BYTES: usize = 32;
/// 96 bits, random for every value: safe for 2^32 values under one key (NIST SP 800-38D, 8.3), which at a hundred
/// writes a second is sixteen months of nothing else.
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const ID_BYTES: usize = 8;

/// A column that holds a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as the column that it stands for")]
pub enum FaceColumn {
    StudentFaceEmbedding,
    StudentEmbeddingVector,
    TemplateEmbedding,
    SessionState,
    SessionCenterEmbedding,
    SessionLeftEmbedding,
    SessionRightEmbedding,
    SessionFinalEmbedding,
    SessionCenterFrame,
    SessionLeftFrame,
    SessionRightFrame,
}

impl FaceColumn {
    /// Table and column. It is part of what a sealed value is bound to, and never changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StudentFaceEmbedding => "students.face_embedding",
            Self::StudentEmbeddingVector => "students.embedding_vector",
            Self::TemplateEmbedding => "student_templates.embedding",
            Self::SessionState => "liveness_detection_sessions.state",
            Self::SessionCenterEmbedding => "liveness_detection_sessions.center_embedding",
            Self::SessionLeftEmbedding => "liveness_detection_sessions.left_embedding",
            Self::SessionRightEmbedding => "liveness_detection_sessions.right_embedding",
            Self::SessionFinalEmbedding => "liveness_detection_sessions.final_embedding",
            Self::SessionCenterFrame => "liveness_detection_sessions.center_frame_data",
            Self::SessionLeftFrame => "liveness_detection_sessions.left_frame_data",
            Self::SessionRightFrame => "liveness_detection_sessions.right_frame_data",
        }
    }
}

/// The columns of a liveness session that hold a face.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) const OF_SESSION: [(FaceColumn, &str); 8] = [
    (FaceColumn::SessionState, "state"),
    (FaceColumn::SessionCenterEmbedding, "center_embedding"),
    (FaceColumn::SessionLeftEmbedding, "left_embedding"),
    (FaceColumn::SessionRightEmbedding, "right_embedding"),
    (FaceColumn::SessionFinalEmbedding, "final_embedding"),
    (FaceColumn::SessionCenterFrame, "center_frame_data"),
    (FaceColumn::SessionLeftFrame, "left_frame_data"),
    (FaceColumn::SessionRightFrame, "right_frame_data"),
];

/// Rows that are brought into another form in one transaction: few enough that a server that waits does not notice.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) const AT_ONCE: u32 = 20;

/// Where a value lies: the column, whose it is (the key of a student's row, or a liveness session's id), and the model
/// that its row names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealContext {
    column: FaceColumn,
    owner: String,
    model: Option<String>,
}

impl SealContext {
    /// The value of `column` that belongs to `owner`.
    #[must_use]
    pub fn new(column: FaceColumn, owner: impl fmt::Display) -> Self {
        Self { column, owner: owner.to_string(), model: None }
    }

    /// The same place in a row that names `model`.
    #[must_use]
    pub fn of_model(mut self, model: Option<impl Into<String>>) -> Self {
        self.model = model.map(Into::into);
        self
    }

    /// The associated data: a value opens only where it was sealed. The model comes last, whatever is in its name.
    #[cfg_attr(not(feature = "encryption"), expect(dead_code, reason = "nothing is bound without a cipher"))]
    fn bound_to(&self) -> Vec<u8> {
        let model = self.model.as_deref().map_or_else(String::new, |model| format!("\n{model}"));
        format!("faceattend sealed 1\n{}\n{}{model}", self.column.name(), self.owner).into_bytes()
    }
}

impl fmt::Display for SealContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.column.name(), self.owner)
    }
}

/// What a key is called in a sealed value: the beginning of its SHA-256, which says nothing of a random key. It is made
/// of the key, so a wrong key is known by its name before anything is opened with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_BYTES]);

impl KeyId {
    fn parse(text: &str) -> Option<Self> {
        if text.len() != 2 * ID_BYTES || !text.is_ascii() {
            return None;
        }
        let mut id = [0; ID_BYTES];
        for (byte, at) in id.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A key that templates are sealed with. Its `Debug` shows its id only.
#[derive(Clone)]
pub struct TemplateKey {
    id: KeyId,
    secret: [u8; KEY_BYTES],
}

impl fmt::Debug for TemplateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemplateKey({})", self.id)
    }
}

impl TemplateKey {
    fn from_bytes(secret: [u8; KEY_BYTES]) -> Self {
        let hash = Sha256::new().chain_update(b"faceattend template key\n").chain_update(secret).finalize();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&hash[..ID_BYTES]);
        Self { id: KeyId(id), secret }
    }

    /// A fresh key from the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        let mut hash = Sha256::new();
        // 122 random bits each.
        for _ in 0..3 {
            hash.update(Uuid::new_v4().as_bytes());
        }
        Self::from_bytes(hash.finalize().into())
    }

    /// What it is called in sealed values and messages.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The secret in base64, to be kept where only its owner reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64_STANDARD.encode(self.secret)
    }
}

/// The keys that templates are sealed with: the first seals, all of them open. Without any, nothing is sealed, and what
/// is sealed is an error.
#[derive(Debug, Clone, Default)]
pub struct TemplateKeys {
    keys: Vec<TemplateKey>,
    /// What is written stays plain, though there are keys.
    opening_only: bool,
}

/// How the values that hold a face lie in the database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateForms {
    /// How many anybody can read.
    pub plain: u64,
    /// How many are sealed, by the key.
    pub sealed: BTreeMap<KeyId, u64>,
    /// How many begin like sealed ones and are none.
    pub broken: u64,
}

impl TemplateForms {
    /// Counts one more.
    pub(super) fn add(&mut self, form: Form) {
        match form {
            Form::Plain => self.plain += 1,
            Form::Sealed(id) => *self.sealed.entry(id).or_default() += 1,
            Form::Broken => self.broken += 1,
        }
    }
}

/// What came of [`Store::reseal_templates`](super::Store::reseal_templates).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Rows (students with their templates, liveness sessions) that were brought into the form.
    pub changed: u64,
    /// Rows that had it already.
    pub unchanged: u64,
    /// Rows that were left as they are, because something in them is damaged: table and key.
    pub damaged: Vec<String>,
}

/// What a store says that cannot seal.
pub(super) fn not_here() -> Error {
    Error::State { what: "store", reason: "this kind of database has no encryption of templates".into() }
}

/// Why a value could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotOpened {
    /// None of the keys sealed it. The operator can help; to go on would leave people out.
    NoKey(KeyId),
    /// This build cannot.
    #[cfg_attr(feature = "encryption", expect(dead_code, reason = "only a build without it says so"))]
    NoCipher,
    /// It was changed, cut short, or belongs somewhere else.
    Damaged,
}

impl NotOpened {
    /// What was opened, and `None` where it is damaged: that costs one face. Anything else would cost everybody's.
    pub(super) fn unless_damaged<T>(opened: Result<T, Self>, context: &SealContext) -> Result<Option<T>> {
        match opened {
            Ok(value) => Ok(Some(value)),
            Err(Self::Damaged) => Ok(None),
            Err(refused) => Err(refused.at(context)),
        }
    }

    /// It as an error about the value at `context`.
    pub(super) fn at(&self, context: &SealContext) -> Error {
        let reason = match self {
            Self::NoKey(id) => format!(
                "templates are encrypted with the key {id}, which was not given: start with a key file that holds it \
                 (`faceattend serve --template-key-file FILE`)"
            ),
            Self::NoCipher => {
                "templates are encrypted, and this build cannot open them: build it with the feature `encryption`"
                    .to_owned()
            }
            Self::Damaged => format!(
                "the encrypted value in {context} was changed, cut short or put there from elsewhere: restore it from a \
                 back-up or enrol again"
            ),
        };
        Error::Store { reason, source: None }
    }
}

/// How a value lies in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Plain,
    Sealed(KeyId),
    /// It begins like a sealed value and is none.
    Broken,
}

impl TemplateKeys {
    /// No keys: nothing is sealed.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These keys, of which the first seals.
    #[must_use]
    pub fn new(keys: Vec<TemplateKey>) -> Self {
        Self { keys, opening_only: false }
    }

    /// The same keys, with which nothing more is sealed: for a database that is to be plain again.
    #[must_use]
    pub fn opening_only(mut self) -> Self {
        self.opening_only = true;
        self
    }

    /// The keys in `text`: base64 of 32 bytes each, separated by blanks, commas or lines; `#` begins a comment.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when one is no key, and when there is none.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let words = lines.flat_map(|line| line.split([' ', '\t', ',', '\r'])).filter(|word| !word.is_empty());
        let keys = words
            .enumerate()
            .map(|(at, word)| {
                let bytes = BASE64_STANDARD.decode(word).ok().and_then(|bytes| bytes.try_into().ok());
                bytes.map(TemplateKey::from_bytes).ok_or_else(|| {
                    let reason =
                        format!("number {} is not 32 bytes in base64: `faceattend keys new FILE` makes one", at + 1);
                    Error::InvalidInput { what: "template key", reason }
                })
            })
            .collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Err(Error::invalid_input("template keys", "there is none: `faceattend keys new FILE` makes one"));
        }
        Ok(Self::new(keys))
    }

    /// The keys in `file`, which nobody but its owner may read.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read; [`Error::InvalidInput`] when others may read it, or when it holds no keys.
    pub fn read(file: &Path) -> Result<Self> {
        let io = |source| Error::Io { action: "read", path: file.to_owned(), source };
        let mut opened = std::fs::File::open(file).map_err(io)?;
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&opened.metadata().map_err(io)?.permissions());
            if mode & 0o077 != 0 {
                let reason = format!(
                    "{} may be read by others (mode {:03o}): run `chmod 600` on it, and take a new key if others were there",
                    file.display(),
                    mode & 0o777
                );
                return Err(Error::InvalidInput { what: "template key file", reason });
            }
        }
        let mut text = String::new();
        opened.read_to_string(&mut text).map_err(io)?;
        Self::parse(&text)
    }

    /// Writes the keys into a new `file` that its owner alone reads.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written; [`Error::Conflict`] when it is there: keys are never overwritten.
    pub fn write_new(&self, file: &Path) -> Result<()> {
        let io = |action: &'static str| move |source| Error::Io { action, path: file.to_owned(), source };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut new = options.open(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Error::Conflict { what: "key file" },
            _ => io("create")(error),
        })?;
        let mut text = String::from("# Template keys of faceattend: the first encrypts, all of them decrypt.\n");
        for key in &self.keys {
            text.push_str(&format!("{} # {}\n", key.to_text(), key.id));
        }
        new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).map_err(io("write"))
    }

    /// These keys behind `key`, which seals from now on.
    #[must_use]
    pub fn with_first(mut self, key: TemplateKey) -> Self {
        self.keys.insert(0, key);
        self
    }

    /// The id of the key that seals; `None` when nothing is sealed.
    #[must_use]
    pub fn sealing_key(&self) -> Option<KeyId> {
        self.sealing().map(TemplateKey::id)
    }

    fn sealing(&self) -> Option<&TemplateKey> {
        self.keys.first().filter(|_| !self.opening_only)
    }

    /// The form in which a value is written.
    pub(super) fn form(&self) -> Form {
        self.sealing_key().map_or(Form::Plain, Form::Sealed)
    }

    /// The ids of all keys, the one that seals first.
    #[must_use]
    pub fn ids(&self) -> Vec<KeyId> {
        self.keys.iter().map(TemplateKey::id).collect()
    }

    /// `plain` as it goes into a column of bytes.
    pub(super) fn seal_bytes<'p>(&self, context: &SealContext, plain: &'p [u8]) -> Result<Cow<'p, [u8]>> {
        let Some(key) = self.sealing() else { return Ok(Cow::Borrowed(plain)) };
        let sealed = [BYTES_MARK, &key.id.0, &cipher::seal(key, context, plain)?].concat();
        Ok(Cow::Owned(sealed))
    }

    /// `plain` as it goes into a column of text.
    pub(super) fn seal_text<'p>(&self, context: &SealContext, plain: &'p str) -> Result<Cow<'p, str>> {
        let Some(key) = self.sealing() else { return Ok(Cow::Borrowed(plain)) };
        let sealed = BASE64_STANDARD.encode(cipher::seal(key, context, plain.as_bytes())?);
        Ok(Cow::Owned(format!("{TEXT_MARK}{}:{sealed}", key.id)))
    }

    /// What a column of bytes holds, opened if it is sealed.
    pub(super) fn open_bytes<'s>(&self, context: &SealContext, stored: &'s [u8]) -> Result<Cow<'s, [u8]>, NotOpened> {
        match form_of_bytes(stored) {
            Form::Plain => Ok(Cow::Borrowed(stored)),
            Form::Broken => Err(NotOpened::Damaged),
            Form::Sealed(id) => self.open(id, context, &stored[BYTES_MARK.len() + ID_BYTES..]).map(Cow::Owned),
        }
    }

    /// What a column of text holds, opened if it is sealed.
    pub(super) fn open_text<'s>(&self, context: &SealContext, stored: &'s str) -> Result<Cow<'s, str>, NotOpened> {
        match form_of_text(stored) {
            Form::Plain => Ok(Cow::Borrowed(stored)),
            Form::Broken => Err(NotOpened::Damaged),
            Form::Sealed(id) => {
                let (_, sealed) = stored[TEXT_MARK.len()..].split_once(':').ok_or(NotOpened::Damaged)?;
                let sealed = BASE64_STANDARD.decode(sealed).map_err(|_| NotOpened::Damaged)?;
                let opened = self.open(id, context, &sealed)?;
                String::from_utf8(opened).map(Cow::Owned).map_err(|_| NotOpened::Damaged)
            }
        }
    }

    fn open(&self, id: KeyId, context: &SealContext, sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let key = self.keys.iter().find(|key| key.id == id).ok_or(NotOpened::NoKey(id))?;
        cipher::open(key, context, sealed)
    }
}

/// How the bytes of a column lie there.
pub(super) fn form_of_bytes(stored: &[u8]) -> Form {
    let Some(rest) = stored.strip_prefix(BYTES_MARK) else { return Form::Plain };
    // Eight bytes like the mark can be two numbers of a plain vector; then their count is a multiple of four, which that
    // of sealed numbers never is.
    if stored.len().is_multiple_of(4) {
        return Form::Plain;
    }
    match rest.split_first_chunk() {
        Some((id, sealed)) if sealed.len() >= NONCE_BYTES + TAG_BYTES => Form::Sealed(KeyId(*id)),
        _ => Form::Broken,
    }
}

/// How the text of a column lies there.
pub(super) fn form_of_text(stored: &str) -> Form {
    let Some(rest) = stored.strip_prefix(TEXT_MARK) else { return Form::Plain };
    rest.split_once(':').and_then(|(id, _)| KeyId::parse(id)).map_or(Form::Broken, Form::Sealed)
}

#[cfg(feature = "encryption")]
mod cipher {
    use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
    use aes_gcm::{Aes256Gcm, Nonce};

    use super::{Error, NONCE_BYTES, NotOpened, Result, SealContext, Sha256, TemplateKey, Uuid};
    use sha2::Digest as _;

    /// Nonce, ciphertext and tag.
    pub(super) fn seal(key: &TemplateKey, context: &SealContext, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce = fresh_nonce();
        let payload = Payload { msg: plain, aad: &context.bound_to() };
        let sealed = Aes256Gcm::new(&key.secret.into())
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| Error::Internal { reason: format!("{context} could not be encrypted") })?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub(super) fn open(key: &TemplateKey, context: &SealContext, sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(NotOpened::Damaged)?;
        let payload = Payload { msg: sealed, aad: &context.bound_to() };
        Aes256Gcm::new(&key.secret.into()).decrypt(&Nonce::from(*nonce), payload).map_err(|_| NotOpened::Damaged)
    }

    /// 96 bits of a hash over 122 random ones: those of a UUID itself have fixed bits among them.
    fn fresh_nonce() -> [u8; NONCE_BYTES] {
        let hash = Sha256::digest(Uuid::new_v4().as_bytes());
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash[..NONCE_BYTES]);
        nonce
    }
}

#[cfg(not(feature = "encryption"))]
mod cipher {
    use super::{Error, NotOpened, Result, SealContext, TemplateKey};

    pub(super) fn seal(_key: &TemplateKey, _context: &SealContext, _plain: &[u8]) -> Result<Vec<u8>> {
        let reason = "this build cannot encrypt templates: build it with the feature `encryption`, or give no keys";
        Err(Error::invalid_input("template keys", reason))
    }

    pub(super) fn open(_key: &TemplateKey, _context: &SealContext, _sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        Err(NotOpened::NoCipher)
    }
}

#[cfg(all(test, feature = "encryption"))]
mod tests {
    use super::*;

    fn keys() -> TemplateKeys {
        TemplateKeys::new(vec![TemplateKey::generate()])
    }

    fn context() -> SealContext {
        SealContext::new(FaceColumn::StudentFaceEmbedding, 7)
    }

    #[test]
    fn what_is_sealed_opens_again_and_shows_nothing() {
        let (keys, plain) = (keys(), [7_u8; 2048]);
        let sealed = keys.seal_bytes(&context(), &plain).unwrap();
        assert_eq!(form_of_bytes(&sealed), Form::Sealed(keys.sealing_key().unwrap()));
        assert!(!sealed.windows(8).any(|window| window == [7; 8]));
        assert_eq!(*keys.open_bytes(&context(), &sealed).unwrap(), plain);
        let text = keys.seal_text(&context(), "[0.25,0.5]").unwrap();
        assert!(text.starts_with("sealed:1:") && !text.contains("0.25"), "{text}");
        assert_eq!(keys.open_text(&context(), &text).unwrap(), "[0.25,0.5]");
        assert_ne!(keys.seal_text(&context(), "[0.25,0.5]").unwrap(), text, "a nonce is used once");
    }

    #[test]
    fn without_keys_everything_stays_as_it_is() {
        let none = TemplateKeys::none();
        assert_eq!(none.seal_text(&context(), "[1.0]").unwrap(), "[1.0]");
        assert_eq!(*none.seal_bytes(&context(), &[1, 2, 3, 4]).unwrap(), [1, 2, 3, 4]);
        assert_eq!(keys().open_text(&context(), "[1.0]").unwrap(), "[1.0]", "and what is plain is read with keys too");
    }

    #[test]
    fn a_missing_or_wrong_key_is_told_by_its_name() {
        let right = keys();
        let id = right.sealing_key().unwrap();
        let sealed = right.seal_text(&context(), "[1.0]").unwrap();
        for wrong in [TemplateKeys::none(), keys()] {
            let refused = wrong.open_text(&context(), &sealed).unwrap_err();
            assert_eq!(refused, NotOpened::NoKey(id));
            let told = refused.at(&context()).to_string();
            assert!(told.contains(&id.to_string()) && told.contains("--template-key-file"), "{told}");
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let keys = keys();
        let sealed = keys.seal_bytes(&context(), b"a face, a face").unwrap().into_owned();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            match keys.open_bytes(&context(), &changed) {
                // A change in the mark makes it plain to look at, as any bytes are; no number of theirs is a face.
                Ok(plain) => assert!(at < BYTES_MARK.len() && *plain == changed, "byte {at}"),
                Err(NotOpened::NoKey(_)) => assert!((BYTES_MARK.len()..BYTES_MARK.len() + ID_BYTES).contains(&at)),
                Err(refused) => assert_eq!(refused, NotOpened::Damaged, "byte {at}"),
            }
        }
        for length in 0..sealed.len() {
            let cut = keys.open_bytes(&context(), &sealed[..length]);
            assert!(cut.is_err() || *cut.unwrap() == sealed[..length], "cut to {length}");
        }
        for text in ["sealed:1:", "sealed:1:xyz:AAAA", "sealed:1:0011223344556677", "sealed:1:é011223344556677:A"] {
            assert_eq!(keys.open_text(&context(), text).unwrap_err(), NotOpened::Damaged, "{text}");
        }
    }

    #[test]
    fn a_value_in_another_place_does_not_open() {
        let keys = keys();
        let sealed = keys.seal_text(&context(), "[1.0]").unwrap();
        for elsewhere in [
            SealContext::new(FaceColumn::StudentFaceEmbedding, 8),
            SealContext::new(FaceColumn::StudentEmbeddingVector, 7),
            SealContext::new(FaceColumn::SessionState, 7),
            context().of_model(Some("another model")),
        ] {
            assert_eq!(keys.open_text(&elsewhere, &sealed).unwrap_err(), NotOpened::Damaged, "{elsewhere}");
        }
    }

    #[test]
    fn an_older_key_still_opens_and_the_first_seals() {
        let old = keys();
        let sealed = old.seal_text(&context(), "[1.0]").unwrap();
        let both = old.clone().with_first(TemplateKey::generate());
        assert_eq!(both.open_text(&context(), &sealed).unwrap(), "[1.0]");
        let fresh = both.seal_text(&context(), "[1.0]").unwrap();
        assert_eq!(form_of_text(&fresh), Form::Sealed(both.sealing_key().unwrap()));
        assert!(matches!(old.open_text(&context(), &fresh), Err(NotOpened::NoKey(_))));
    }

    #[test]
    fn numbers_that_look_like_the_mark_are_numbers() {
        let mut vector = BYTES_MARK.to_vec();
        vector.resize(512 * 4, 0);
        assert_eq!(form_of_bytes(&vector), Form::Plain);
        for numbers in 1..2000 {
            let sealed = BYTES_MARK.len() + ID_BYTES + NONCE_BYTES + 4 * numbers + TAG_BYTES;
            assert!(!sealed.is_multiple_of(4), "{numbers}");
        }
    }

    #[test]
    fn keys_are_written_once_and_read_back_and_no_debug_shows_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("template-keys");
        let keys = keys().with_first(TemplateKey::generate());
        keys.write_new(&file).unwrap();
        assert_eq!(TemplateKeys::read(&file).unwrap().ids(), keys.ids());
        assert!(matches!(keys.write_new(&file), Err(Error::Conflict { .. })));
        let shown = format!("{keys:?}");
        assert!(keys.keys.iter().all(|key| !shown.contains(&key.to_text())), "{shown}");
        for bad in ["", "# nothing\n", "AAAA", "not a key"] {
            let refused = TemplateKeys::parse(bad).unwrap_err().to_string();
            assert!(refused.contains("faceattend keys new"), "{refused}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("template-keys");
        keys().write_new(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = TemplateKeys::read(&file).unwrap_err().to_string();
        assert!(refused.contains("chmod 600") && refused.contains("640"), "{refused}");
    }
}
