//! Where the parts of a back-up are on this machine: one place for the command, the schedule and the restore.

use std::path::{Path, PathBuf};

use clap::Args;
use faceattend_core::Result;
use faceattend_core::backup::{Part, Source};
use faceattend_core::store::StoreLocation;

use crate::commands::Hidden;
use crate::commands::data_dir::{RECEIPT_KEY, SECRET, data_dir, waiting_writes};
use crate::commands::database::{DatabaseArgs, Place};
use crate::commands::keys::KeyArgs;
use crate::tls::authority;

/// The settings of `serve` that say where data and keys are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DataArgs {
    /// The folder of the database and the secrets
    #[arg(long, env = "FACEATTEND_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    #[arg(long, env = "FACEATTEND_JWT_SECRET", hide = true)]
    pub(crate) jwt_secret: Option<Hidden>,
    #[arg(long, env = "FACEATTEND_RECEIPT_KEY", hide = true)]
    pub(crate) receipt_key: Option<Hidden>,
    #[arg(long, env = "FACEATTEND_SERVER_NAME", hide = true)]
    pub(crate) server_name: Option<String>,
}

/// Where everything is.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) dir: PathBuf,
    pub(crate) database: Place,
    /// The file of each part that has one.
    pub(crate) files: Vec<(Part, PathBuf)>,
    /// What no file of this machine holds.
    pub(crate) elsewhere: Vec<String>,
}

impl DataArgs {
    /// Returns where the data and the keys of these settings are.
    ///
    /// # Errors
    /// Those of the data folder and of the database's address.
    pub(crate) fn places(&self) -> Result<Places> {
        let dir = data_dir(self.data_dir.clone())?;
        let database = self.database.place_for_server(|| Ok(dir.clone()))?;
        Ok(self.places_in(dir, database))
    }

    /// The same where folder and database are known.
    pub(crate) fn places_in(&self, dir: PathBuf, database: Place) -> Places {
        let waiting = waiting_writes(&database, &dir, self.server_name.as_deref());
        let mut files = vec![(Part::WaitingWrites, waiting)];
        let mut elsewhere = Vec::new();
        let given = |what: &str| format!("{what}: it is given in the environment or the settings; keep a copy of it");
        if self.jwt_secret.is_some() {
            elsewhere.push(given("the secret of the tokens (FACEATTEND_JWT_SECRET)"));
        } else {
            files.push((Part::JwtSecret, dir.join(SECRET)));
        }
        if self.receipt_key.is_some() {
            elsewhere.push(given("the key of the receipts (FACEATTEND_RECEIPT_KEY)"));
        } else {
            files.push((Part::ReceiptKey, dir.join(RECEIPT_KEY)));
        }
        let (certificate, key) = authority::files_of_authority(&dir);
        files.extend([(Part::TlsAuthority, certificate), (Part::TlsAuthorityKey, key)]);
        if self.keys.are_given_as_text() {
            elsewhere.push(given("the keys of the faces (FACEATTEND_TEMPLATE_KEYS)"));
        }
        if let Some(file) = self.keys.file() {
            files.push((Part::TemplateKeys, file.to_owned()));
        }
        Places { dir, database, files, elsewhere }
    }
}

impl Places {
    /// Returns the source of a back-up, with the file of settings if there is one.
    pub(crate) fn source(&self, settings: Option<&Path>) -> Source {
        let mut source = Source::new(self.database.clone());
        source.files.clone_from(&self.files);
        source.not_included.clone_from(&self.elsewhere);
        if let StoreLocation::Url(_) = self.database {
            let what = "waiting writes of other servers of this database: each has its own in its data folder";
            source.not_included.push(what.into());
        }
        match settings {
            Some(file) => source.files.push((Part::Settings, file.to_owned())),
            None => source
                .not_included
                .push("settings given as flags or in the environment: keep a copy of how the server is started".into()),
        }
        source
    }

    /// Returns the file of a part.
    pub(crate) fn file(&self, part: Part) -> Option<&Path> {
        self.files.iter().find(|(of, _)| *of == part).map(|(_, file)| file.as_path())
    }
}
