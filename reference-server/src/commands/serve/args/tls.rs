//! The settings of TLS.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use faceattend_core::{Error, Result};

/// For a year, as OWASP's ASVS asks for.
const HSTS_DAYS: u32 = 365;

/// Whether and with what certificate the server speaks TLS.
#[derive(Debug, Clone, Args)]
pub(crate) struct TlsArgs {
    /// Speaks TLS with a certificate that the server makes and keeps in the data folder, for this machine's names and
    /// addresses. Browsers of other machines give their camera to no other page. Plain HTTP on the same port is sent
    /// to HTTPS [default: off, unless --tls-cert is given]
    #[arg(long, env = "FACEATTEND_TLS", value_name = "MODE", value_enum)]
    tls: Option<TlsMode>,
    /// Speaks TLS with the certificate in this PEM file, followed by those between it and the authority's. A changed
    /// file is read again while the server runs
    #[arg(long, env = "FACEATTEND_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, in PEM without a passphrase; the server's user and a group may read it
    #[arg(long, env = "FACEATTEND_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The days for which browsers remember to ask this host over HTTPS alone, on every port (HSTS), where --tls-cert
    /// is an authority's; 0 for none
    #[arg(long, env = "FACEATTEND_TLS_HSTS_DAYS", value_name = "DAYS", default_value_t = HSTS_DAYS)]
    tls_hsts_days: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TlsMode {
    /// Speaks plain HTTP
    Off,
    /// Makes and keeps a certificate
    SelfSigned,
}

/// With what certificate the server speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption<'a> {
    Off,
    /// With one of its own.
    Own,
    /// With that in these files.
    Given {
        certificate: &'a Path,
        key: &'a Path,
        hsts_days: u32,
    },
}

impl TlsArgs {
    /// Returns what the settings ask for.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for settings that contradict each other.
    pub(crate) fn encryption(&self) -> Result<Encryption<'_>> {
        let refused = |what, reason: &str| Err(Error::InvalidInput { what, reason: reason.into() });
        match (self.tls, &self.tls_cert, &self.tls_key) {
            (Some(TlsMode::Off), ..) | (None, None, None) => Ok(Encryption::Off),
            (Some(TlsMode::SelfSigned), None, None) => Ok(Encryption::Own),
            (Some(TlsMode::SelfSigned), ..) => refused(
                "--tls",
                "self-signed makes a certificate, and --tls-cert and --tls-key name one: leave out the one or the \
                 others",
            ),
            (None, Some(certificate), Some(key)) => {
                Ok(Encryption::Given { certificate, key, hsts_days: self.tls_hsts_days })
            }
            (None, Some(_), None) => refused("--tls-cert", "its private key is missing: name its file with --tls-key"),
            (None, None, Some(_)) => {
                refused("--tls-key", "the certificate of this key is missing: name its file with --tls-cert")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _};

    use super::*;

    fn with(arguments: &[&str], expect: impl Fn(Result<Encryption<'_>>)) {
        let command = TlsArgs::augment_args(Command::new("serve"));
        let matches = command.get_matches_from([&["serve"], arguments].concat());
        expect(TlsArgs::from_arg_matches(&matches).unwrap().encryption());
    }

    #[test]
    fn a_certificate_has_its_key_and_no_other_beside_it() {
        with(&[], |choice| assert_eq!(choice.unwrap(), Encryption::Off));
        with(&["--tls", "self-signed"], |choice| assert_eq!(choice.unwrap(), Encryption::Own));
        let files = ["--tls-cert", "a", "--tls-key", "b"];
        with(&files, |choice| {
            let (certificate, key) = (Path::new("a"), Path::new("b"));
            assert_eq!(choice.unwrap(), Encryption::Given { certificate, key, hsts_days: 365 });
        });
        // The files may be in the configuration, and a flag turns them off.
        with(&[&files[..], &["--tls", "off"]].concat(), |choice| assert_eq!(choice.unwrap(), Encryption::Off));
        for (arguments, word) in [
            (&files[..2], "--tls-key"),
            (&files[2..], "--tls-cert"),
            (&[&files[..], &["--tls", "self-signed"]].concat()[..], "leave out"),
        ] {
            with(arguments, |choice| {
                let said = choice.unwrap_err().to_string();
                assert!(said.contains(word), "{said}");
            });
        }
    }
}
