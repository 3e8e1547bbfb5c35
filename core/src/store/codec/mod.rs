//! Faces encrypted at rest: what a column holds, sealed with AES-256-GCM (NIST SP 800-38D) under keys of the operator.
//!
//! Encryption is off until keys are given, so that the existing service can read the rows. With keys, the store seals
//! what it writes with the first key, and reads values that any of the keys sealed. So a key can be replaced while a
//! server works with the database. A plain value is damage then, unless the operator says that a program without keys
//! writes to the database ([`TemplateKeys::accepting_plain`]): whoever can write the file could put one there.
//!
//! Sealed and plain values lie in the same columns and are told apart by how they begin:
//!
//! | column | plain | sealed |
//! |---|---|---|
//! | text | JSON, base64 | `sealed:1:`, the key's id in 16 hexadecimal digits, `:`, base64 of nonce, ciphertext and tag |
//! | bytes | little-endian `f32` | `sealed` and the byte 1, the 8 bytes of the key's id, nonce (12), ciphertext, tag (16) |
//!
//! No plain value begins like that: JSON and base64 have no `sealed:`, and sealed bytes never are a multiple of four.
//! Every value is bound to its column, to the key of its row and to the model that made it, so that it cannot be put in
//! another row's place, nor be passed off as another model's. Names and roll numbers are neither sealed nor bound: who
//! can write the database can give one student's row another's name.
//!
//! This module knows no database: a store calls one function where it writes and one where it reads.

mod aead;
mod context;
pub(crate) mod door;
mod forms;
mod key;
#[cfg(all(test, feature = "encryption"))]
mod tests;

pub use context::{FaceColumn, SealContext};
pub use forms::{Resealed, TemplateForms};
pub use key::{KeyId, TemplateKey, TemplateKeys};

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use context::{AT_ONCE, OF_SESSION};
#[cfg(feature = "postgres")]
pub(super) use forms::{HEAD_BYTES, form_of_head};
// Opening a value needs these too, with or without a store.
pub(super) use forms::{Form, form_of_bytes, form_of_text};

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use forms::{BYTES_MARK, TEXT_MARK};
use key::ID_BYTES;

use crate::error::{Error, Result};

/// Why a value could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum NotOpened {
    /// None of the keys sealed it. The operator can help; to go on would leave people out.
    NoKey(KeyId),
    /// This build cannot.
    #[cfg_attr(feature = "encryption", expect(dead_code, reason = "only a build without it says so"))]
    NoCipher,
    /// It was changed, cut short, or belongs somewhere else.
    Damaged,
    /// It is plain, and these keys do not accept that.
    Plain,
}

impl NotOpened {
    /// Returns what was opened, and `None` for a damaged value, which costs one face. Any other error would cost
    /// everybody's face, so it stays an error.
    pub(in crate::store) fn unless_damaged<T>(opened: Result<T, Self>, context: &SealContext) -> Result<Option<T>> {
        match opened {
            Ok(value) => Ok(Some(value)),
            Err(Self::Damaged | Self::Plain) => Ok(None),
            Err(refused) => Err(refused.at(context)),
        }
    }

    /// Returns an error that names `context`.
    pub(in crate::store) fn at(&self, context: &SealContext) -> Error {
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
                "the encrypted value in {context} was changed, cut short or put there from elsewhere: restore it from \
                 a back-up or enrol again"
            ),
            Self::Plain => format!(
                "the value in {context} is not encrypted, although keys are given: somebody without a key wrote it. \
                 If that was a program of yours, start with --accept-plain-faces; otherwise enrol again"
            ),
        };
        Error::Store { reason, source: None }
    }
}

impl TemplateKeys {
    /// Returns the form in which values are written.
    pub(in crate::store) fn form(&self) -> Form {
        self.sealing_key().map_or(Form::Plain, Form::Sealed)
    }

    /// Returns `plain` in the form for a column of bytes.
    pub(in crate::store) fn seal_bytes<'p>(&self, context: &SealContext, plain: &'p [u8]) -> Result<Cow<'p, [u8]>> {
        let Some(key) = self.sealing() else { return Ok(Cow::Borrowed(plain)) };
        let sealed = [BYTES_MARK, &key.id.0, &aead::seal(key, context, plain)?].concat();
        Ok(Cow::Owned(sealed))
    }

    /// Returns `plain` in the form for a column of text.
    pub(in crate::store) fn seal_text<'p>(&self, context: &SealContext, plain: &'p str) -> Result<Cow<'p, str>> {
        let Some(key) = self.sealing() else { return Ok(Cow::Borrowed(plain)) };
        let sealed = BASE64_STANDARD.encode(aead::seal(key, context, plain.as_bytes())?);
        Ok(Cow::Owned(format!("{TEXT_MARK}{}:{sealed}", key.id)))
    }

    /// Returns the plain bytes of a column.
    pub(in crate::store) fn open_bytes<'s>(
        &self,
        context: &SealContext,
        stored: &'s [u8],
    ) -> Result<Cow<'s, [u8]>, NotOpened> {
        match form_of_bytes(stored) {
            Form::Plain if !self.accepts_plain() => Err(NotOpened::Plain),
            Form::Plain => Ok(Cow::Borrowed(stored)),
            Form::Broken => Err(NotOpened::Damaged),
            Form::Sealed(id) => self.open(id, context, &stored[BYTES_MARK.len() + ID_BYTES..]).map(Cow::Owned),
        }
    }

    /// Returns the plain text of a column.
    pub(in crate::store) fn open_text<'s>(
        &self,
        context: &SealContext,
        stored: &'s str,
    ) -> Result<Cow<'s, str>, NotOpened> {
        match form_of_text(stored) {
            Form::Plain if !self.accepts_plain() => Err(NotOpened::Plain),
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

    /// Returns the plain text of a column, for a caller that needs the value.
    ///
    /// # Errors
    /// [`Error::Store`] when the value is damaged or needs a key that is not there.
    pub(in crate::store) fn text_at(&self, context: &SealContext, stored: &str) -> Result<String> {
        self.open_text(context, stored).map(Cow::into_owned).map_err(|refused| refused.at(context))
    }

    fn open(&self, id: KeyId, context: &SealContext, sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let key = self.keys.iter().find(|key| key.id == id).ok_or(NotOpened::NoKey(id))?;
        aead::open(key, context, sealed)
    }
}
