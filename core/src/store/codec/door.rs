//! Sealing and opening for the fuzz targets, which know nothing of the modules around.

use std::borrow::Cow;

use super::{NotOpened, SealContext, TemplateKeys};
use crate::error::Result;

/// A value as it lies in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// In a column of bytes.
    Bytes(Vec<u8>),
    /// In a column of text.
    Text(String),
}

/// What came of opening a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It was plain.
    Plain,
    /// It was sealed, and this is what it holds.
    Sealed(Stored),
    /// None of the keys sealed it.
    NoKey,
    /// It is damaged, or this build has no cipher.
    Refused,
}

/// Returns `plain` as it is stored under `keys`. For fuzzing.
///
/// # Errors
/// When this build cannot encrypt.
pub fn sealed(keys: &TemplateKeys, context: &SealContext, plain: &Stored) -> Result<Stored> {
    Ok(match plain {
        Stored::Bytes(plain) => Stored::Bytes(keys.seal_bytes(context, plain)?.into_owned()),
        Stored::Text(plain) => Stored::Text(keys.seal_text(context, plain)?.into_owned()),
    })
}

/// Opens what is stored. For fuzzing.
#[must_use]
pub fn opened(keys: &TemplateKeys, context: &SealContext, stored: &Stored) -> Opened {
    let opened = match stored {
        Stored::Bytes(stored) => keys.open_bytes(context, stored).map(|opened| match opened {
            Cow::Borrowed(_) => Opened::Plain,
            Cow::Owned(plain) => Opened::Sealed(Stored::Bytes(plain)),
        }),
        Stored::Text(stored) => keys.open_text(context, stored).map(|opened| match opened {
            Cow::Borrowed(_) => Opened::Plain,
            Cow::Owned(plain) => Opened::Sealed(Stored::Text(plain)),
        }),
    };
    opened.unwrap_or_else(|refused| match refused {
        NotOpened::NoKey(_) => Opened::NoKey,
        NotOpened::NoCipher | NotOpened::Damaged | NotOpened::Plain => Opened::Refused,
    })
}
