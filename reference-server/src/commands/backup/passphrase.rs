//! The passphrase of a back-up: from a file, the environment, or the terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;
use faceattend_core::backup::Passphrase;
use faceattend_core::{Error, Result};

/// The variable that holds it.
const VARIABLE: &str = "FACEATTEND_BACKUP_PASSPHRASE";

/// Where the passphrase is.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PassphraseArgs {
    /// A file with the passphrase of the back-up. FACEATTEND_BACKUP_PASSPHRASE holds one too
    #[arg(long = "backup-passphrase-file", env = "FACEATTEND_BACKUP_PASSPHRASE_FILE", value_name = "FILE")]
    pub(crate) backup_passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    /// Returns the passphrase of the file or the environment.
    ///
    /// # Errors
    /// [`Error::Io`] for the file; [`Error::InvalidInput`] for a passphrase that is too short.
    pub(crate) fn given(&self) -> Result<Option<Passphrase>> {
        kept(self.backup_passphrase_file.as_deref())
    }

    /// Returns the passphrase for a new back-up: the given one, or, when it is asked for, one from the terminal.
    ///
    /// # Errors
    /// As [`given`](Self::given); [`Error::InvalidInput`] where there is no terminal, or the two are not the same.
    pub(crate) fn for_new(&self, is_asked_for: bool) -> Result<Option<Passphrase>> {
        match self.given()? {
            None if is_asked_for => {}
            given => return Ok(given),
        }
        let first = ask("Passphrase of the back-up: ")?;
        let passphrase = Passphrase::new(&first)?;
        if ask("The same again: ")?.trim() != first.trim() {
            let reason = "the two are not the same; nothing was written".into();
            return Err(Error::InvalidInput { what: "passphrase of the back-up", reason });
        }
        Ok(Some(passphrase))
    }

    /// Returns the passphrase of a back-up that is there: the given one, else one from the terminal.
    ///
    /// # Errors
    /// As [`given`](Self::given); [`Error::InvalidInput`] where there is no terminal.
    pub(crate) fn for_sealed(&self) -> Result<Passphrase> {
        match self.given()? {
            Some(given) => Ok(given),
            None => Passphrase::new(&ask("Passphrase of the back-up: ")?),
        }
    }
}

/// Returns the passphrase that this file or the environment holds.
///
/// # Errors
/// As [`PassphraseArgs::given`].
pub(crate) fn kept(file: Option<&Path>) -> Result<Option<Passphrase>> {
    let text = match file {
        Some(file) => {
            let failed = |source| Error::Io { action: "read", path: file.to_owned(), source };
            Some(std::fs::read_to_string(file).map_err(failed)?)
        }
        None => std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()),
    };
    text.as_deref().map(Passphrase::new).transpose()
}

fn ask(prompt: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        let reason = format!("there is no terminal to ask at: set {VARIABLE} or --backup-passphrase-file FILE");
        return Err(Error::InvalidInput { what: "passphrase of the back-up", reason });
    }
    rpassword::prompt_password(prompt).map_err(|source| Error::Io {
        action: "read",
        path: "standard input".into(),
        source,
    })
}
