//! AES-256-GCM, where this build has it.

#[cfg(feature = "encryption")]
mod cipher {
    use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
    use aes_gcm::{Aes256Gcm, Nonce};

    use sha2::{Digest as _, Sha256};
    use uuid::Uuid;

    use super::super::forms::NONCE_BYTES;
    use super::super::{NotOpened, SealContext, TemplateKey};
    use crate::error::{Error, Result};

    /// Returns nonce, ciphertext and tag.
    pub(in super::super) fn seal(key: &TemplateKey, context: &SealContext, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce = fresh_nonce();
        let payload = Payload { msg: plain, aad: &context.bound_to() };
        let sealed = Aes256Gcm::new(&key.secret.into())
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| Error::Internal { reason: format!("{context} could not be encrypted") })?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub(in super::super) fn open(
        key: &TemplateKey,
        context: &SealContext,
        sealed: &[u8],
    ) -> Result<Vec<u8>, NotOpened> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(NotOpened::Damaged)?;
        let payload = Payload { msg: sealed, aad: &context.bound_to() };
        Aes256Gcm::new(&key.secret.into()).decrypt(&Nonce::from(*nonce), payload).map_err(|_| NotOpened::Damaged)
    }

    /// Returns 96 bits of a hash over 122 random bits: some bits of a UUID itself are fixed.
    fn fresh_nonce() -> [u8; NONCE_BYTES] {
        let hash = Sha256::digest(Uuid::new_v4().as_bytes());
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash[..NONCE_BYTES]);
        nonce
    }
}

#[cfg(not(feature = "encryption"))]
mod cipher {
    use super::super::{NotOpened, SealContext, TemplateKey};
    use crate::error::{Error, Result};

    pub(in super::super) fn seal(_key: &TemplateKey, _context: &SealContext, _plain: &[u8]) -> Result<Vec<u8>> {
        let reason = "this build cannot encrypt templates: build it with the feature `encryption`, or give no keys";
        Err(Error::invalid_input("template keys", reason))
    }

    pub(in super::super) fn open(
        _key: &TemplateKey,
        _context: &SealContext,
        _sealed: &[u8],
    ) -> Result<Vec<u8>, NotOpened> {
        Err(NotOpened::NoCipher)
    }
}

pub(super) use cipher::{open, seal};
