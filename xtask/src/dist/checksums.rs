//! SHA256SUMS, which `sha256sum --check` reads.

use std::fs;
use std::path::Path;

use faceattend_runtime::sha256;

use super::folders::entries;
use crate::Result;

/// The list's name.
const NAME: &str = "SHA256SUMS";

/// Writes the hash of every file in `out` into a list beside them; says how many there are.
///
/// # Errors
/// When a file cannot be read, or the list not be written.
pub(super) fn write(out: &Path) -> Result<String> {
    let mut lines = String::new();
    let mut count = 0;
    for path in entries(out)?.into_iter().filter(|path| path.is_file()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name != NAME {
            lines += &format!("{}  {name}\n", sha256(&path)?);
            count += 1;
        }
    }
    let list = out.join(NAME);
    fs::write(&list, lines).map_err(|e| format!("cannot write {}: {e}", list.display()))?;
    Ok(format!("{count} files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_but_the_list_itself_has_its_line_in_the_order_of_names() {
        let folder = std::env::temp_dir().join(format!("faceattend-checksums-{}", std::process::id()));
        fs::create_dir_all(folder.join("folder")).unwrap();
        for name in ["b.whl", "a.tgz"] {
            fs::write(folder.join(name), b"").unwrap();
        }
        let written = write(&folder).and_then(|_| write(&folder));
        let list = fs::read_to_string(folder.join(NAME)).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        // The empty message's digest, from FIPS 180-4's test vectors.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(list, format!("{empty}  a.tgz\n{empty}  b.whl\n"));
        assert_eq!(written.as_deref(), Ok("2 files"));
    }
}
