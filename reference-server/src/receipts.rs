//! The key that signs receipts, kept beside the database.

use std::io::Write as _;
use std::path::Path;

use faceattend_core::liveness::ReceiptKey;
use faceattend_core::{Error, Result};

/// The key in `file`, which is made with a fresh one when it is not there, readable by its owner alone.
///
/// # Errors
/// [`Error::Io`] when the file can be neither read nor made; [`Error::InvalidInput`] when it holds no key.
pub(crate) fn kept_in(file: &Path) -> Result<ReceiptKey> {
    let io = |action: &'static str| move |source| Error::Io { action, path: file.to_owned(), source };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(mut new) => {
            let key = ReceiptKey::generate();
            new.write_all(key.to_text().as_bytes()).and_then(|()| new.sync_all()).map_err(io("write"))?;
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            ReceiptKey::parse(&std::fs::read_to_string(file).map_err(io("read"))?)
        }
        Err(error) => Err(io("create")(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("receipt-key");
        let first = kept_in(&file).unwrap();
        assert_eq!(first.public_key_pem(), kept_in(&file).unwrap().public_key_pem());
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&file, "damaged").unwrap();
        assert!(kept_in(&file).is_err());
    }
}
