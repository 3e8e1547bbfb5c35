//! Certificates and keys in PEM files: reads them, and says in time what is wrong with them.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use faceattend_core::{Error, Result};
use jiff::Timestamp;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::names::Names;

/// The settings that name the files.
const CERTIFICATE: &str = "--tls-cert";
const KEY: &str = "--tls-key";

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) names: Names,
    /// The common name of its owner.
    pub(crate) owner: Option<String>,
    pub(crate) begins: Timestamp,
    pub(crate) ends: Timestamp,
    /// Whether it vouches for itself, as no authority's does.
    pub(crate) vouches_for_itself: bool,
    pub(crate) fingerprint: String,
}

impl Facts {
    /// Reads `der`; `None` where it is no certificate.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?.tbs_certificate;
        let time = |time: x509_cert::time::Time| {
            Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).ok()?).ok()
        };
        let mut names = Names::default();
        if let Ok(Some((_, SubjectAltName(alternatives)))) = certificate.get::<SubjectAltName>() {
            for name in alternatives {
                match name {
                    GeneralName::DnsName(name) => drop(names.dns.insert(name.as_str().to_ascii_lowercase())),
                    GeneralName::IpAddress(bytes) => names.addresses.extend(address_of(bytes.as_bytes())),
                    _ => {}
                }
            }
        }
        Some(Self {
            names,
            owner: common_name(&certificate.subject.to_string()),
            begins: time(certificate.validity.not_before)?,
            ends: time(certificate.validity.not_after)?,
            vouches_for_itself: certificate.issuer == certificate.subject,
            fingerprint: fingerprint(der),
        })
    }
}

fn address_of(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Returns the common name in a name as RFC 4514 writes it.
fn common_name(name: &str) -> Option<String> {
    name.split(',').find_map(|part| part.trim().strip_prefix("CN=")).map(str::to_owned)
}

/// Returns the SHA-256 of a certificate as browsers and telephones show it: pairs of digits with colons.
fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// What a server shows, with its facts.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) facts: Facts,
}

/// Reads the chain of certificates and the private key that the operator gave, and checks them at `now`.
///
/// # Errors
/// [`Error::InvalidInput`], which names the setting, the file, and what to do.
pub(crate) fn given(certificate: &Path, key: &Path, now: Timestamp) -> Result<Shown> {
    let shown = pair(certificate, key)?;
    let bad = |reason: String| bad(CERTIFICATE, certificate, &reason);
    let Facts { begins, ends, .. } = shown.facts;
    if ends <= now {
        return Err(bad(format!("it ended on {}: renew it", day(ends))));
    }
    if begins > now {
        return Err(bad(format!("it is valid from {} on: is the clock of this machine right?", day(begins))));
    }
    Ok(shown)
}

/// Reads a chain and its key, whatever their time is.
///
/// # Errors
/// As [`given`].
pub(crate) fn pair(certificate: &Path, key: &Path) -> Result<Shown> {
    let bad_certificate = |reason: &str| bad(CERTIFICATE, certificate, reason);
    let bad_key = |reason: &str| bad(KEY, key, reason);
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| bad_certificate(&unread(error, "a certificate")))?;
    let first = chain.first().ok_or_else(|| {
        bad_certificate(
            "there is no certificate in it (PEM, -----BEGIN \
         CERTIFICATE-----)",
        )
    })?;
    let facts = Facts::of(first).ok_or_else(|| bad_certificate("its first certificate cannot be read"))?;
    only_ours(key)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
        pem::Error::NoItemsFound => bad_key(no_key_in(key)),
        error => bad_key(&unread(error, "a private key")),
    })?;
    let provider = rustls::crypto::ring::default_provider();
    let key = CertifiedKey::from_der(chain, private, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => bad_key(&format!(
            "it is not the key of the certificate in {}: give the two files that were made together, and the server's \
             own certificate as the first of the chain",
            certificate.display()
        )),
        error => bad_key(&format!("it cannot be used: {error}")),
    })?;
    Ok(Shown { key: Arc::new(key), facts })
}

pub(crate) fn bad(what: &'static str, file: &Path, reason: &str) -> Error {
    Error::InvalidInput { what, reason: format!("{}: {reason}", file.display()) }
}

/// Returns the day of `time` in UTC, as certificates count.
pub(crate) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// What keeps a file from being read, and what to do.
fn unread(error: pem::Error, what: &str) -> String {
    match error {
        pem::Error::Io(error) => match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::PermissionDenied => {
                "the server may not read it: give it to the server's user or to a group of that user".to_owned()
            }
            _ => format!("it cannot be read: {error}"),
        },
        error => format!("it holds no {} in PEM: {error}", what.trim_start_matches("a ")),
    }
}

fn no_key_in(file: &Path) -> &'static str {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    if text.contains("ENCRYPTED PRIVATE KEY") {
        return "the key is encrypted with a passphrase, which nobody types when a server starts: write it without one \
                (`openssl pkey -in FILE -out NEW`) for the server's user alone";
    }
    "there is no private key in it (PEM, -----BEGIN PRIVATE KEY-----)"
}

/// Refuses a key that every user of the machine can read. A group may: Debian keeps keys for `ssl-cert`.
#[cfg(unix)]
fn only_ours(key: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // A file that is not there is told by whoever reads it.
    let Ok(there) = std::fs::metadata(key) else { return Ok(()) };
    let mode = there.permissions().mode();
    if mode & 0o007 != 0 {
        let reason = format!(
            "every user of this machine may read or write it (mode {:03o}): run `chmod 640 {}`, and take a new key if \
             others use this machine",
            mode & 0o777,
            key.display()
        );
        return Err(bad(KEY, key, &reason));
    }
    Ok(())
}

#[cfg(not(unix))]
fn only_ours(_key: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    struct Files {
        folder: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap() }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let file = self.folder.path().join(name);
            let _ = std::fs::remove_file(&file);
            std::io::Write::write_all(
                &mut faceattend_core::own_file::create_new(&file, faceattend_core::own_file::Readers::Owner).unwrap(),
                text.as_bytes(),
            )
            .unwrap();
            file
        }
    }

    fn certificate(key: &KeyPair, years: (i32, i32)) -> String {
        let mut params = CertificateParams::new(["school.example".to_owned(), "192.0.2.7".to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        params.self_signed(key).unwrap().pem()
    }

    fn refused(certificate: &Path, key: &Path) -> String {
        given(certificate, key, Timestamp::now()).unwrap_err().to_string()
    }

    #[test]
    fn a_pair_is_read_with_its_names_and_its_end() {
        let (files, key) = (Files::new(), KeyPair::generate().unwrap());
        let chain = files.write("chain.pem", &certificate(&key, (2020, 2040)));
        let shown = given(&chain, &files.write("key.pem", &key.serialize_pem()), Timestamp::now()).unwrap();
        assert_eq!(shown.facts.names.texts(), ["school.example", "192.0.2.7"]);
        assert_eq!(day(shown.facts.ends), "2040-01-01");
        assert!(shown.facts.vouches_for_itself);
        assert_eq!(shown.facts.fingerprint.len(), 32 * 3 - 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_file_and_with_what_to_do() {
        let (files, own, other) = (Files::new(), KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let chain = files.write("chain.pem", &certificate(&own, (2020, 2040)));
        let key = files.write("key.pem", &own.serialize_pem());
        let others = files.write("others.pem", &other.serialize_pem());
        let nowhere = files.folder.path().join("nowhere.pem");
        let text = files.write("text.pem", "hello");
        let ended = files.write("ended.pem", &certificate(&own, (2020, 2021)));
        let early = files.write("early.pem", &certificate(&own, (2999, 3000)));
        let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let locked = files.write("locked.pem", locked);
        for (certificate, key, words) in [
            (&chain, &others, ["--tls-key", "others.pem", "chain.pem", "made together"]),
            (&nowhere, &key, ["--tls-cert", "nowhere.pem", "no such file", ""]),
            (&chain, &nowhere, ["--tls-key", "nowhere.pem", "no such file", ""]),
            (&text, &key, ["--tls-cert", "text.pem", "no certificate", "BEGIN"]),
            (&chain, &text, ["--tls-key", "text.pem", "no private key", "BEGIN"]),
            (&chain, &locked, ["--tls-key", "locked.pem", "passphrase", "openssl"]),
            (&key, &key, ["--tls-cert", "key.pem", "no certificate", ""]),
            (&ended, &key, ["--tls-cert", "ended.pem", "2021-01-01", "renew"]),
            (&early, &key, ["--tls-cert", "early.pem", "2999-01-01", "clock"]),
        ] {
            let said = refused(certificate, key);
            assert!(words.iter().all(|word| said.contains(word)), "{said} lacks one of {words:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_everybody_reads_is_refused_and_a_groups_is_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let (files, key) = (Files::new(), KeyPair::generate().unwrap());
        let chain = files.write("chain.pem", &certificate(&key, (2020, 2040)));
        let file = files.write("key.pem", &key.serialize_pem());
        let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        let said = refused(&chain, &file);
        assert!(said.contains("644") && said.contains("chmod 640") && said.contains("key.pem"), "{said}");
        mode(0o640);
        assert!(given(&chain, &file, Timestamp::now()).is_ok());
    }
}
