//! `faceattend kiosks list | revoke`: shows the kiosks and ends the pairing of a tablet, on the machine itself.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use faceattend_core::store::{Kiosk, NewAuditEntry, Store, TemplateKeys};
use faceattend_core::{Error, Result};
use jiff::Timestamp;

use crate::commands::data_dir::data_dir;
use crate::commands::database::DatabaseArgs;

/// Lists kiosks and revokes their tablets.
#[derive(Debug, Args)]
pub struct KiosksArgs {
    /// The folder of the database
    #[arg(long, env = "FACEATTEND_DATA_DIR", value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists every kiosk: its number, name and place, and when its tablet was heard of last
    List,
    /// Ends the pairing of a tablet at once. Its kiosk stays, and a new code pairs another one
    Revoke {
        /// The number or the name of the kiosk
        kiosk: String,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// [`Error::InvalidInput`] for a kiosk that is not there; those of the store.
pub fn run(args: KiosksArgs) -> Result<()> {
    let store = args.database.place(|| data_dir(args.data_dir))?.open(TemplateKeys::none())?;
    match args.action {
        Action::List => list(&*store),
        Action::Revoke { kiosk } => revoke(&*store, &kiosk, Timestamp::now()),
    }
}

fn list(store: &dyn Store) -> Result<()> {
    let kiosks = store.kiosks()?;
    if kiosks.is_empty() {
        super::say("There is no kiosk. The page Cameras adds one and shows the code that pairs its tablet.");
    }
    for kiosk in kiosks {
        super::say(&line_of(&kiosk));
    }
    Ok(())
}

fn line_of(kiosk: &Kiosk) -> String {
    let seen = match (kiosk.paired_at, kiosk.last_seen_at) {
        (Some(_), Some(seen)) => format!("last seen {}", seen.strftime("%Y-%m-%d %H:%M:%S UTC")),
        (Some(_), None) => "paired".to_owned(),
        (None, _) => "no tablet is paired".to_owned(),
    };
    let place = kiosk.settings.location.as_deref().unwrap_or("-");
    format!("{}\t{}\t{place}\t{seen}", kiosk.id, kiosk.settings.name)
}

fn revoke(store: &dyn Store, wanted: &str, now: Timestamp) -> Result<()> {
    let kiosks = store.kiosks()?;
    let named = kiosks.iter().find(|kiosk| kiosk.settings.name == wanted);
    let kiosk = named.or_else(|| kiosks.iter().find(|kiosk| kiosk.id.to_string() == wanted)).ok_or_else(|| {
        let reason = format!("there is no kiosk {wanted:?}: `faceattend kiosks list` shows them");
        Error::InvalidInput { what: "kiosk", reason }
    })?;
    let revoked = store.revoke_kiosk(kiosk.id)?;
    store.add_audit(&NewAuditEntry {
        at: now,
        actor: "command line".into(),
        action: "kiosk revoked".into(),
        subject: Some(format!("kiosk_id {}", revoked.id)),
        details: Some(revoked.settings.name.clone()),
    })?;
    super::say(&format!("The tablet of {} is paired no longer.", revoked.settings.name));
    Ok(())
}

#[cfg(test)]
mod tests {
    use faceattend_core::kiosk::PairingCode;
    use faceattend_core::store::prelude::*;
    use faceattend_core::store::{KioskSettings, NewKiosk, SecretHash, SqliteStore};

    use super::*;

    #[test]
    fn a_kiosk_is_revoked_by_its_name_or_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("a.db")).unwrap();
        let now = Timestamp::now();
        for name in ["Gate", "Door"] {
            let code = PairingCode::random();
            let settings = KioskSettings::named(name);
            let new = NewKiosk { settings, pin: None, code: code.open_at(now), by: "admin".into(), at: now };
            store.create_kiosk(&new).unwrap();
            store.pair_kiosk(&code.hash(), &SecretHash::new(name), now).unwrap().unwrap();
        }
        assert!(line_of(&store.kiosk(1).unwrap().unwrap()).starts_with("1\tGate\t-\tlast seen "));
        assert!(revoke(&store, "Window", now).is_err());
        revoke(&store, "Gate", now).unwrap();
        assert_eq!(store.kiosk_of_token(&SecretHash::new("Gate")).unwrap(), None);
        assert!(store.kiosk_of_token(&SecretHash::new("Door")).unwrap().is_some());
        revoke(&store, "2", now).unwrap();
        assert!(store.kiosks().unwrap().iter().all(|kiosk| kiosk.paired_at.is_none()));
        let entries = store.audit_about("kiosk_id 2").unwrap();
        assert_eq!(entries[0].entry.action, "kiosk revoked");
    }
}
