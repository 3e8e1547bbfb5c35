//! `faceattend keys new | rotate | unseal | status`: faces encrypted at rest.
//!
//! A key is replaced without a pause in which somebody cannot read: `new FILE --add` puts a fresh key first and
//! leaves the old one behind it, the servers are started again with the file, and `rotate` brings every row to the
//! fresh key. Only when `status` counts nothing with the old key may its line go.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use faceattend_core::store::{NewAuditEntry, Store, TemplateForms, TemplateKey, TemplateKeys};
use faceattend_core::{Error, Result};
use jiff::Timestamp;

use crate::commands::Hidden;
use crate::commands::data_dir::data_dir;
use crate::commands::database::{DatabaseArgs, Place, that_is_there};

/// Where the keys of the templates are.
#[derive(Debug, Clone, Default, Args)]
pub struct KeyArgs {
    /// A file with keys that encrypt templates. The first one encrypts, all of them decrypt [default: no encryption]
    #[arg(long, env = "FACEATTEND_TEMPLATE_KEY_FILE", value_name = "FILE")]
    template_key_file: Option<PathBuf>,
    /// The keys themselves, for secrets that come through the environment
    #[arg(long, env = "FACEATTEND_TEMPLATE_KEYS", hide_env_values = true, value_name = "KEYS")]
    template_keys: Option<Hidden>,
    /// Also reads faces that are not encrypted: for a first encryption that was interrupted, or beside a program
    /// without keys. Whoever can write the database can then put a face there
    #[arg(long, env = "FACEATTEND_ACCEPT_PLAIN_FACES")]
    accept_plain_faces: bool,
}

impl KeyArgs {
    /// The file, if one is named.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.template_key_file.as_deref()
    }

    /// Whether the keys themselves are given.
    pub(crate) fn are_given_as_text(&self) -> bool {
        self.template_keys.is_some()
    }

    /// The keys; none when neither is given.
    ///
    /// # Errors
    /// Those of [`TemplateKeys::read`] and [`TemplateKeys::parse`]; [`Error::InvalidInput`] when both are given.
    pub fn read(&self) -> Result<TemplateKeys> {
        let keys = match (&self.template_key_file, &self.template_keys) {
            (None, None) => return Ok(TemplateKeys::none()),
            (Some(file), None) if file.is_dir() => {
                let source = std::io::ErrorKind::IsADirectory.into();
                return Err(Error::Io { action: "read", path: file.clone(), source });
            }
            (Some(file), None) => TemplateKeys::read(file)?,
            (None, Some(Hidden(text))) => TemplateKeys::parse(text)?,
            (Some(_), Some(_)) => {
                let reason = "they are given twice: use either --template-key-file or FACEATTEND_TEMPLATE_KEYS";
                return Err(Error::InvalidInput { what: "template keys", reason: reason.into() });
            }
        };
        Ok(if self.accept_plain_faces { keys.accepting_plain() } else { keys })
    }
}

/// Encrypts the stored faces.
#[derive(Debug, Args)]
pub struct KeysArgs {
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
    /// Creates a key file that only its owner can read
    New {
        /// The key file
        file: PathBuf,
        /// Adds a new key at the top of an existing file. The next start of the server encrypts with it
        #[arg(long)]
        add: bool,
    },
    /// Encrypts every stored face with the first key, both plain ones and those that another key encrypted
    #[command(visible_alias = "seal")]
    Rotate(KeyArgs),
    /// Decrypts every stored face
    Unseal(KeyArgs),
    /// Counts the plain rows and the rows encrypted with each key
    Status(KeyArgs),
}

/// Runs the subcommand.
///
/// # Errors
/// Those of the key file and of the store.
pub fn run(args: KeysArgs) -> Result<()> {
    let place = || that_is_there(args.database.place(|| data_dir(args.data_dir))?);
    match args.action {
        Action::New { file, add } => {
            let keys = generate(&file, add)?;
            let id = keys.sealing_key().map(|id| id.to_string()).unwrap_or_default();
            super::say(&format!(
                "The key {id} is in {}. Keep a copy where the database's back-ups are not: without it they are lost.",
                file.display()
            ));
            Ok(())
        }
        Action::Rotate(keys) => {
            let keys = keys.read()?;
            if keys.sealing_key().is_none() {
                let reason = "none is given: `faceattend keys new FILE`, then --template-key-file FILE";
                return Err(Error::InvalidInput { what: "template keys", reason: reason.into() });
            }
            rotate(&place()?, keys)
        }
        Action::Unseal(keys) => convert(&place()?, keys.read()?.opening_only(), "decrypt templates"),
        Action::Status(keys) => {
            let keys = keys.read()?;
            let forms = place()?.open(TemplateKeys::none())?.template_forms()?;
            super::say(&told(&forms, &keys));
            Ok(())
        }
    }
}

/// Refuses a database whose faces are all plain, for a server that has keys and would read none of them.
///
/// # Errors
/// [`Error::State`] for such a database; those of the store.
pub(crate) fn must_read_faces(store: &dyn Store, keys: &TemplateKeys) -> Result<()> {
    if keys.accepts_plain() {
        return Ok(());
    }
    let forms = store.template_forms()?;
    if forms.plain == 0 {
        return Ok(());
    }
    if forms.sealed.is_empty() {
        let reason = "none of the stored faces is encrypted, and keys are given: run `faceattend keys rotate` with the \
                      same settings first";
        return Err(Error::State { what: "templates", reason: reason.into() });
    }
    tracing::warn!(
        "{} values that hold a face are not encrypted and are not read: somebody without a key wrote them. \
         `faceattend keys status` counts them; if a program of yours wrote them, see --accept-plain-faces",
        forms.plain
    );
    Ok(())
}

/// A line for every form that values have, and whether the key for it is among `keys`.
fn told(forms: &TemplateForms, keys: &TemplateKeys) -> String {
    let mut lines = vec![format!("{:>8} plain", forms.plain)];
    for (id, count) in &forms.sealed {
        let known = match keys.ids().iter().position(|known| known == id) {
            Some(0) => "the first of the keys given",
            Some(_) => "an older one of the keys given: `faceattend keys rotate` brings it to the first",
            None if keys.ids().is_empty() => "no keys given",
            None => "NOT among the keys given: nobody can read these",
        };
        lines.push(format!("{count:>8} encrypted with {id} ({known})"));
    }
    if forms.broken > 0 {
        lines.push(format!("{:>8} damaged", forms.broken));
    }
    lines.join("\n")
}

fn generate(file: &Path, add: bool) -> Result<TemplateKeys> {
    let fresh = TemplateKey::generate();
    if !add {
        let keys = TemplateKeys::new(vec![fresh]);
        keys.write_new(file)?;
        return Ok(keys);
    }
    let keys = TemplateKeys::read(file)?.with_first(fresh);
    // Beside it and then in its place: a reader sees the old keys or all of them.
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    keys.write_new(&beside)?;
    std::fs::rename(&beside, file).map_err(|source| Error::Io { action: "replace", path: file.to_owned(), source })?;
    Ok(keys)
}

fn rotate(place: &Place, keys: TemplateKeys) -> Result<()> {
    let forms = place.open(keys.clone())?.template_forms()?;
    // Where nothing is encrypted yet, everything is plain.
    let keys = if forms.sealed.is_empty() { keys.accepting_plain() } else { keys };
    convert(place, keys, "encrypt templates")
}

fn convert(place: &Place, keys: TemplateKeys, action: &str) -> Result<()> {
    let store = place.open(keys)?;
    let done = store.reseal_templates(&mut |rows| tracing::debug!(rows, "converted"))?;
    let details = format!("{} rows changed, {} as they should be", done.changed, done.unchanged);
    let entry = NewAuditEntry {
        at: Timestamp::now(),
        actor: "command line".into(),
        action: action.into(),
        subject: None,
        details: Some(details.clone()),
    };
    store.add_audit(&entry)?;
    super::say(&format!("{details}."));
    if done.damaged.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "rows that are damaged, or not encrypted, were left as they are: {}. Enrol these people again, or restore a \
         back-up. If a program without keys wrote them, or the first encryption was interrupted, run this again with \
         --accept-plain-faces",
        done.damaged.join(", ")
    );
    Err(Error::State { what: "templates", reason })
}

#[cfg(test)]
mod tests {
    use faceattend_core::store::SqliteStore;
    use faceattend_core::store::prelude::*;

    use super::*;
    use crate::commands::database::DATABASE;

    #[test]
    fn a_fresh_key_goes_first_and_the_old_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("template-keys");
        let first = generate(&file, false).unwrap();
        assert!(generate(&file, false).is_err(), "a key is never overwritten");
        let both = generate(&file, true).unwrap();
        assert_eq!(both.ids()[1..], first.ids()[..]);
        assert_eq!(TemplateKeys::read(&file).unwrap().ids(), both.ids());
        assert!(!dir.path().join("template-keys.new").exists());
        assert!(generate(&dir.path().join("none"), true).is_err());
    }

    #[test]
    fn keys_come_from_one_place() {
        let text = TemplateKey::generate().to_text();
        let args = |file: Option<&str>, keys: Option<&str>| KeyArgs {
            template_key_file: file.map(PathBuf::from),
            template_keys: keys.map(|keys| Hidden(keys.to_owned())),
            accept_plain_faces: false,
        };
        assert!(args(None, None).read().unwrap().sealing_key().is_none());
        assert!(args(None, Some(&text)).read().unwrap().sealing_key().is_some());
        assert!(args(Some("/nowhere"), Some(&text)).read().unwrap_err().to_string().contains("twice"));
        assert!(args(Some("/nowhere"), None).read().is_err());
    }

    #[test]
    fn the_status_names_keys_that_are_missing() {
        let (old, new, lost) = (TemplateKey::generate(), TemplateKey::generate(), TemplateKey::generate());
        let mut forms = TemplateForms { plain: 3, ..TemplateForms::default() };
        forms.sealed.extend([(old.id(), 5), (new.id(), 7), (lost.id(), 9)]);
        let text = told(&forms, &TemplateKeys::new(vec![new.clone(), old.clone()]));
        let line = |key: &TemplateKey| text.lines().find(|line| line.contains(&key.id().to_string())).unwrap();
        assert!(line(&new).contains("first") && line(&old).contains("rotate") && line(&lost).contains("NOT"), "{text}");
        assert!(text.starts_with("       3 plain"), "{text}");
    }

    #[test]
    fn a_server_with_keys_refuses_a_plain_database_and_rotate_trusts_plain_faces_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE);
        let keys = TemplateKeys::new(vec![TemplateKey::generate()]);
        let plain = SqliteStore::open(&path).unwrap();
        must_read_faces(&plain, &keys).unwrap();
        let now = Timestamp::now();
        let model = faceattend_core::types::ModelId::new("m");
        let face = faceattend_core::embedding::Embedding::from_raw(model, &[1.0, 2.0]).unwrap();
        let [first, second] = ["R1", "R2"].map(|roll| plain.create_student("A", roll, now).unwrap().id);
        plain.replace_templates(first, std::slice::from_ref(&face), now).unwrap();
        let refused = must_read_faces(&plain, &keys).unwrap_err().to_string();
        assert!(refused.contains("faceattend keys rotate"), "{refused}");
        must_read_faces(&plain, &TemplateKeys::none()).unwrap();
        must_read_faces(&plain, &keys.clone().accepting_plain()).unwrap();

        rotate(&Place::File(path.clone()), keys.clone()).unwrap();
        must_read_faces(&plain, &keys).unwrap();
        // A plain face that comes later is somebody else's work: neither read nor encrypted.
        plain.replace_templates(second, &[face], now).unwrap();
        must_read_faces(&plain, &keys).unwrap();
        let refused = rotate(&Place::File(path.clone()), keys.clone()).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("students {second}")) && refused.contains("--accept-plain-faces"),
            "{refused}"
        );
        rotate(&Place::File(path), keys.accepting_plain()).unwrap();
    }

    #[test]
    fn a_database_goes_there_and_back_and_the_audit_log_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let path = dir.path().join(DATABASE);
        let model = faceattend_core::types::ModelId::new("m");
        let face = faceattend_core::embedding::Embedding::from_raw(model, &[1.0, 2.0]).unwrap();
        let store = SqliteStore::open(&path).unwrap();
        let id = store.create_student("A", "R1", now).unwrap().id;
        store.replace_templates(id, &[face], now).unwrap();
        let keys = TemplateKeys::new(vec![TemplateKey::generate()]);
        let first = keys.clone().accepting_plain();
        convert(&Place::File(path.clone()), first, "encrypt templates").unwrap();
        assert!(store.templates_of(id).is_err());
        convert(&Place::File(path.clone()), keys.opening_only(), "decrypt templates").unwrap();
        assert_eq!(store.templates_of(id).unwrap().len(), 1);
        let log = store.audit(faceattend_core::store::Page::ALL).unwrap().items;
        assert_eq!(log.iter().filter(|entry| entry.entry.action.contains("templates")).count(), 2);
    }
}
