//! Encryption: chunks of AES-256-GCM under a key that Argon2id makes of a passphrase.

use std::io::{self, BufRead, Read, Write};

use super::Passphrase;
use super::sealed::Sealed;
use crate::error::Result;

/// The plain bytes of a chunk.
const CHUNK: usize = 64 << 10;
/// The bytes by which AES-GCM makes it longer.
const TAG: usize = 16;

#[cfg(feature = "encryption")]
mod cipher {
    use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
    use aes_gcm::{Aes256Gcm, Nonce};
    use argon2::{Algorithm, Argon2, Params, Version};
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use sha2::{Digest as _, Sha256};
    use uuid::Uuid;

    use super::super::Passphrase;
    use super::super::sealed::Sealed;
    use crate::error::{Error, Result};

    /// RFC 9106, section 4, second recommended option: 64 MiB, three passes, four lanes.
    const MEMORY_KIB: u32 = 64 << 10;
    const PASSES: u32 = 3;
    const LANES: u32 = 4;
    /// The most that a file may ask for: a forged one shall not take all of the machine.
    const MOST: (u32, u32, u32) = (1 << 20, 16, 16);

    pub(in super::super) struct Cipher {
        aead: Aes256Gcm,
        head: Vec<u8>,
        number: u64,
    }

    impl Sealed {
        pub(in super::super) fn fresh() -> Result<Self> {
            let random = Sha256::digest([*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat());
            Ok(Self {
                kdf: "argon2id".into(),
                memory_kib: MEMORY_KIB,
                passes: PASSES,
                lanes: LANES,
                salt: BASE64_STANDARD.encode(&random[..16]),
            })
        }
    }

    impl Cipher {
        /// The cipher of a file with this first line.
        pub(in super::super) fn new(sealed: &Sealed, passphrase: &Passphrase, head: &[u8]) -> Result<Self> {
            let bad = || Error::InvalidInput { what: "back-up", reason: "its first line is damaged".into() };
            let salt = BASE64_STANDARD.decode(&sealed.salt).map_err(|_| bad())?;
            let (memory, passes, lanes) = MOST;
            if sealed.kdf != "argon2id"
                || sealed.memory_kib > memory
                || sealed.passes > passes
                || sealed.lanes > lanes
                || salt.len() < 16
            {
                return Err(bad());
            }
            let params = Params::new(sealed.memory_kib, sealed.passes, sealed.lanes, Some(32)).map_err(|_| bad())?;
            let mut key = [0; 32];
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(passphrase.bytes(), &salt, &mut key)
                .map_err(|_| bad())?;
            Ok(Self { aead: Aes256Gcm::new(&key.into()), head: head.to_vec(), number: 0 })
        }

        /// The key is of one file, so a number is no nonce of another: the number of the chunk, and whether it is the
        /// last.
        fn nonce(&mut self, is_last: bool) -> [u8; 12] {
            let mut nonce = [0; 12];
            nonce[3..11].copy_from_slice(&self.number.to_be_bytes());
            nonce[11] = is_last.into();
            self.number += 1;
            nonce
        }

        pub(super) fn seal(&mut self, plain: &[u8], is_last: bool) -> Option<Vec<u8>> {
            let nonce = self.nonce(is_last);
            self.aead.encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &self.head }).ok()
        }

        pub(super) fn open(&mut self, sealed: &[u8], is_last: bool) -> Option<Vec<u8>> {
            let nonce = self.nonce(is_last);
            self.aead.decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad: &self.head }).ok()
        }

        pub(super) fn is_first(&self) -> bool {
            self.number == 1
        }
    }
}

#[cfg(not(feature = "encryption"))]
mod cipher {
    use super::super::Passphrase;
    use super::super::sealed::Sealed;
    use crate::error::{Error, Result};

    pub(in super::super) enum Cipher {}

    fn not_in_this_build<T>() -> Result<T> {
        let reason = "this build cannot encrypt: build it with the feature `encryption`";
        Err(Error::State { what: "back-up", reason: reason.into() })
    }

    impl Sealed {
        pub(in super::super) fn fresh() -> Result<Self> {
            not_in_this_build()
        }
    }

    impl Cipher {
        pub(in super::super) fn new(_sealed: &Sealed, _passphrase: &Passphrase, _head: &[u8]) -> Result<Self> {
            not_in_this_build()
        }

        pub(super) fn seal(&mut self, _plain: &[u8], _is_last: bool) -> Option<Vec<u8>> {
            None
        }

        pub(super) fn open(&mut self, _sealed: &[u8], _is_last: bool) -> Option<Vec<u8>> {
            None
        }

        pub(super) fn is_first(&self) -> bool {
            true
        }
    }
}

pub(super) use cipher::Cipher;

/// Writes plain bytes, or seals them on their way.
pub(super) struct Out<W: Write> {
    to: W,
    cipher: Option<Cipher>,
    chunk: Vec<u8>,
}

impl<W: Write> Out<W> {
    pub(super) fn new(to: W, cipher: Option<Cipher>) -> Self {
        Self { to, cipher, chunk: Vec::new() }
    }

    /// Writes the last chunk; returns what was written to.
    pub(super) fn end(mut self) -> io::Result<W> {
        if let Some(cipher) = &mut self.cipher {
            let sealed = cipher.seal(&self.chunk, true).ok_or_else(|| io::Error::other("it could not be encrypted"))?;
            self.to.write_all(&sealed)?;
        }
        self.to.flush()?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Out<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(cipher) = &mut self.cipher else { return self.to.write(bytes) };
        // A full chunk stays until something follows: the last one is marked.
        if self.chunk.len() == CHUNK {
            let sealed =
                cipher.seal(&self.chunk, false).ok_or_else(|| io::Error::other("it could not be encrypted"))?;
            self.to.write_all(&sealed)?;
            self.chunk.clear();
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads plain bytes, or opens them on their way.
pub(super) struct In<R: BufRead> {
    from: R,
    cipher: Option<Cipher>,
    chunk: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: BufRead> In<R> {
    pub(super) fn new(from: R, cipher: Option<Cipher>) -> Self {
        Self { from, cipher, chunk: Vec::new(), at: 0, is_over: false }
    }

    fn open_next(&mut self) -> io::Result<()> {
        let Some(cipher) = &mut self.cipher else { return Ok(()) };
        let mut sealed = Vec::with_capacity(CHUNK + TAG);
        let read = self.from.by_ref().take((CHUNK + TAG) as u64).read_to_end(&mut sealed)?;
        self.is_over = read < CHUNK + TAG || self.from.fill_buf()?.is_empty();
        let opened = cipher.open(&sealed, self.is_over);
        let refused = || {
            let reason = if cipher.is_first() {
                "the passphrase is wrong, or its beginning is damaged"
            } else {
                "it was changed or cut off since it was written"
            };
            io::Error::new(io::ErrorKind::InvalidData, reason)
        };
        self.chunk = opened.ok_or_else(refused)?;
        self.at = 0;
        Ok(())
    }
}

impl<R: BufRead> Read for In<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut have = self.fill_buf()?;
        let read = have.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for In<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.cipher.is_none() {
            return self.from.fill_buf();
        }
        while self.at == self.chunk.len() && !self.is_over {
            self.open_next()?;
        }
        Ok(&self.chunk[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        if self.cipher.is_none() {
            self.from.consume(amount);
        } else {
            self.at = (self.at + amount).min(self.chunk.len());
        }
    }
}

impl Sealed {
    pub(super) fn cipher(&self, passphrase: &Passphrase, head: &[u8]) -> Result<Cipher> {
        Cipher::new(self, passphrase, head)
    }
}
