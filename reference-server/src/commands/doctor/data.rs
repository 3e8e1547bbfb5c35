//! The data directory: space, the database, its keys and its secrets.

use std::path::{Path, PathBuf};

use faceattend_core::Result;
use faceattend_core::backlog::waiting_in;
use faceattend_core::store::{
    AttendanceFilter, Inspection, Page, SqliteStore, Store, TemplateForms, TemplateKeys, schema,
};
use faceattend_core::types::ModelId;
use jiff::Timestamp;

use super::{Finding, cameras, notices};
use crate::auth::{DEFAULT_ADMIN, Secret, default_password_works};
use crate::commands::data_dir::{RECEIPT_KEY, SECRET, check_writable, default_data_dir, waiting_writes};
use crate::commands::database::{DATABASE, Place};
use crate::commands::serve::ServeArgs;
use crate::commands::{Hidden, enrol_again, one_roll_number};

/// Below this a day's marks may not fit: a few kilobytes a student, and the write-ahead log beside the database.
const LEAST: u64 = 100 << 20;
/// Below this it is time to think: a year of a school of two thousand is some hundred megabytes.
pub(super) const LITTLE: u64 = 1 << 30;

/// What waits for the database in the server's file, while no server runs or while the database is held.
fn waiting(args: &ServeArgs, place: &Place, dir: &Path) -> Option<Finding> {
    let file = waiting_writes(place, dir, args.server_name.as_deref());
    match waiting_in(&file) {
        Ok(0) => None,
        Ok(records) => {
            let found = format!("{records} marks or log entries wait in {}", file.display());
            Some(Finding::warning("waiting writes", found, "start the server: it writes them, each once"))
        }
        Err(error) => {
            let found = format!("{} cannot be read: {error}", file.display());
            Some(Finding::problem("waiting writes", found, "give it to the server's user with `chown`"))
        }
    }
}

/// What to do about rows that a person has to look at.
const MEND: &str = "keep a copy of the database; write times as 2026-03-02 08:00:00 in UTC, or delete the rows; give \
    all but one of the students another roll number, on the page Students";

/// What there is to say of the data for an engine with this embedding model, and when the latest attendance was.
pub(super) fn look(args: &ServeArgs, model: Option<&ModelId>) -> (Vec<Finding>, Option<Timestamp>) {
    let subject = "data directory";
    let choose = "choose another with --data-dir, or give it to the server's user with `chown`";
    let dir = match args.data_dir.clone().map_or_else(default_data_dir, Ok) {
        Ok(dir) => dir,
        Err(error) => return (vec![Finding::problem(subject, error.to_string(), choose)], None),
    };
    let mut findings = Vec::new();
    if !dir.exists() {
        let found = format!("{} is not there: the first start makes it", dir.display());
        findings.push(match nearest(&dir).map(|parent| check_writable(&parent)) {
            Some(Ok(())) => Finding::ok(subject, found),
            _ => Finding::problem(subject, format!("{} is not there and cannot be made", dir.display()), choose),
        });
        findings.extend(keys(args, None));
        return (findings, None);
    }
    findings.push(match check_writable(&dir) {
        Ok(()) => Finding::ok(subject, dir.display().to_string()),
        Err(error) => Finding::problem(subject, format!("{} cannot be written: {error}", dir.display()), choose),
    });
    findings.extend(space(&dir));
    findings.extend(secrets(args, &dir));
    let place = args.database.place(|| Ok(dir.clone()));
    findings.extend(place.as_ref().ok().and_then(|place| waiting(args, place, &dir)));
    let path = match place {
        Ok(Place::File(path)) => path,
        Ok(shared) => {
            let (about, latest) = shared_database(args, &shared, model);
            findings.extend(about);
            return (findings, latest);
        }
        Err(error) => {
            findings.push(Finding::problem("database", error.to_string(), "name another with --database"));
            return (findings, None);
        }
    };
    if !path.exists() {
        findings.push(Finding::ok("database", "none yet: the first start makes one"));
        findings.extend(keys(args, None));
        return (findings, None);
    }
    let (about, seen) = database(&path);
    findings.push(about);
    let Some(seen) = seen else { return (findings, None) };
    findings.extend(seen.to_mend.iter().map(|found| Finding::warning("rows", found.clone(), MEND)));
    findings.extend(keys(args, seen.forms.as_ref()));
    // To open an older one would migrate it.
    if seen.schema == seen.newest_schema && seen.damage.is_empty() && seen.not_writable.is_none() {
        match SqliteStore::open(&path) {
            Ok(store) => {
                findings.push(password(args, default_password_works(&store)));
                findings.extend(faces(&store, model));
                findings.extend(args.keys.read().ok().and_then(|keys| cameras::passwords(&store, &keys)));
                findings.extend(notices::outbox(&store, Timestamp::now()));
            }
            Err(error) => findings.push(password(args, Err(error))),
        }
    }
    (findings, seen.latest_attendance)
}

/// The nearest folder above that is there.
pub(super) fn nearest(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().skip(1).find(|parent| parent.is_dir()).map(Path::to_path_buf)
}

fn space(dir: &Path) -> Option<Finding> {
    let free = free_bytes(dir)?;
    let found = format!("{} MB are free", free >> 20);
    let advice = "make room, or move the folder and name it with --data-dir; --retain-... deletes what is old";
    Some(match free {
        free if free < LEAST => Finding::problem("disk", found, advice),
        free if free < LITTLE => Finding::warning("disk", found, advice),
        _ => Finding::ok("disk", found),
    })
}

#[cfg(unix)]
pub(super) fn free_bytes(dir: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(dir).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

#[cfg(not(unix))]
pub(super) fn free_bytes(_dir: &Path) -> Option<u64> {
    None
}

/// Secrets that others may read, and one that is too short.
fn secrets(args: &ServeArgs, dir: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(Err(error)) = args.jwt_secret.clone().map(|Hidden(text)| Secret::new(text)) {
        findings.push(Finding::problem(
            "secrets",
            error.to_string(),
            "give a longer one, or none: one is made and kept",
        ));
    }
    let files = [SECRET, RECEIPT_KEY, DATABASE].map(|name| dir.join(name));
    for file in files.iter().filter(|file| others_may_read(file)) {
        findings.push(Finding::warning(
            "secrets",
            format!("others than its owner may read {}", file.display()),
            format!("`chmod 600 {}`", file.display()),
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("secrets", "nobody else reads them"));
    }
    findings
}

#[cfg(unix)]
fn others_may_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_file: &Path) -> bool {
    false
}

fn database(path: &Path) -> (Finding, Option<Inspection>) {
    let subject = "database";
    let seen = match SqliteStore::inspect(path) {
        Ok(seen) => seen,
        Err(error) => {
            let advice = "restore it from a back-up, or name another folder with --data-dir";
            return (Finding::problem(subject, error.to_string(), advice), None);
        }
    };
    let finding = if !seen.damage.is_empty() {
        Finding::problem(
            subject,
            format!("the file is damaged: {}", seen.damage.join("; ")),
            "stop the server, keep a copy, and restore a back-up; `sqlite3 FILE .recover` saves what can be read",
        )
    } else if seen.schema > seen.newest_schema {
        let found = format!("schema {}, and this version knows {}", seen.schema, seen.newest_schema);
        Finding::problem(subject, found, "use the newer version that wrote it")
    } else if let Some(reason) = &seen.not_writable {
        let advice = "give file and folder to the server's user with `chown`, or end what locks it";
        Finding::problem(subject, format!("nothing can be written: {reason}"), advice)
    } else if seen.schema < seen.newest_schema {
        let found = format!("schema {}: the next start brings it to {}", seen.schema, seen.newest_schema);
        Finding::warning(
            subject,
            found,
            "make a back-up before it: `faceattend backup FILE`, which leaves the schema as it is",
        )
    } else {
        Finding::ok(subject, format!("{} is sound and can be written, schema {}", path.display(), seen.schema))
    };
    (finding, Some(seen))
}

/// The keys that were given, against what is encrypted.
fn keys(args: &ServeArgs, forms: Option<&TemplateForms>) -> Vec<Finding> {
    let subject = "template keys";
    let keys = match args.keys.read() {
        Ok(keys) => keys,
        Err(error) => {
            let advice = "name the right file with --template-key-file";
            return vec![Finding::problem(subject, error.to_string(), advice)];
        }
    };
    match forms {
        Some(forms) => vec![against(subject, &keys, forms)],
        None if keys.ids().is_empty() => Vec::new(),
        None => vec![Finding::ok(subject, format!("{} can be read", keys.ids().len()))],
    }
}

fn against(subject: &'static str, keys: &TemplateKeys, forms: &TemplateForms) -> Finding {
    let known = keys.ids();
    let lost: Vec<String> = forms.sealed.keys().filter(|id| !known.contains(id)).map(ToString::to_string).collect();
    if !lost.is_empty() {
        let found = format!("faces are encrypted with {}, which was not given", lost.join(", "));
        return Finding::problem(subject, found, "start with the key file that holds it: --template-key-file FILE");
    }
    if forms.broken > 0 {
        let found = format!("{} encrypted values are damaged", forms.broken);
        return Finding::problem(subject, found, "enrol these people again, or restore a back-up");
    }
    let Some(first) = keys.sealing_key() else {
        return Finding::ok(subject, "none: faces lie in the database as they are");
    };
    let others: u64 = forms.sealed.iter().filter(|(id, _)| **id != first).map(|(_, count)| count).sum();
    if forms.plain > 0 && !forms.sealed.is_empty() && !keys.accepts_plain() {
        let found =
            format!("{} values are not encrypted and are not read: somebody without a key wrote them", forms.plain);
        let advice = "enrol these people again; if a program of yours wrote them, see --accept-plain-faces";
        return Finding::problem(subject, found, advice);
    }
    if forms.plain + others > 0 {
        let found = format!("{} values are not encrypted, {others} with an older key", forms.plain);
        return Finding::warning(subject, found, "`faceattend keys rotate` with the same key file");
    }
    Finding::ok(subject, format!("every face is encrypted with {first}"))
}

/// What there is to say of a database that several servers may share, and when its latest attendance was.
fn shared_database(args: &ServeArgs, place: &Place, model: Option<&ModelId>) -> (Vec<Finding>, Option<Timestamp>) {
    let subject = "database";
    let seen = match place.survey() {
        Ok(seen) => seen,
        Err(error) => {
            let advice = "see that PostgreSQL runs and lets this user in, or name another with --database";
            return (vec![Finding::problem(subject, error.to_string(), advice)], None);
        }
    };
    let newest = schema::newest_version();
    let begun = !seen.rows.is_empty();
    let about = if begun && !seen.problems.is_empty() {
        Finding::problem(subject, seen.problems.join("; "), "restore a back-up, or mend it by hand")
    } else if seen.schema > newest {
        let found = format!("schema {}, and this version knows {newest}", seen.schema);
        Finding::problem(subject, found, "use the newer version that wrote it")
    } else if !begun {
        Finding::ok(subject, format!("{place} answers and is empty: the first start makes the tables"))
    } else if seen.needs_migration() {
        let found = format!("schema {}: the next start brings it to {newest}", seen.schema);
        Finding::warning(
            subject,
            found,
            "make a back-up before it: `faceattend backup FILE`, which leaves the schema as it is",
        )
    } else {
        Finding::ok(subject, format!("{place} answers, schema {}", seen.schema))
    };
    let is_current = seen.schema == newest;
    let mut findings = vec![about];
    let opened = if is_current { Some(place.open(TemplateKeys::none())) } else { None };
    let Some(Ok(store)) = opened else {
        findings.extend(keys(args, None));
        return (findings, None);
    };
    findings.extend(keys(args, store.template_forms().ok().as_ref()));
    findings.push(password(args, default_password_works(&*store)));
    findings.extend(faces(&*store, model));
    findings.extend(args.keys.read().ok().and_then(|keys| cameras::passwords(&*store, &keys)));
    findings.extend(notices::outbox(&*store, Timestamp::now()));
    let alike = store.students_of_one_roll_number().unwrap_or_default();
    findings.extend(one_roll_number::lines(&alike).map(|line| Finding::warning("rows", line, one_roll_number::ADVICE)));
    let newest_first = store.attendance(&AttendanceFilter::default(), Page { skip: 0, limit: 1 });
    (findings, newest_first.ok().and_then(|rows| rows.items.first().map(|row| row.timestamp)))
}

/// Whether everybody whose face is stored can be recognized with this model, and who cannot.
fn faces(store: &dyn Store, model: Option<&ModelId>) -> Option<Finding> {
    let (subject, model) = ("faces", model?);
    Some(match store.students_to_enrol_again(model, None, Page::ALL) {
        Ok(students) if students.total == 0 => Finding::ok(subject, format!("every stored face is of {model}")),
        Ok(students) => Finding {
            details: enrol_again::lines(&students).collect(),
            ..Finding::warning(
                subject,
                enrol_again::summary(&students, model),
                "enrol them again on the page Students, which can show only them, or choose the model of their faces",
            )
        },
        Err(error) => Finding::problem(subject, error.to_string(), "`faceattend doctor` again when nothing else runs"),
    })
}

/// What there is to say of the documented password, from whether it works.
fn password(args: &ServeArgs, works: Result<bool>) -> Finding {
    let subject = "password";
    let advice = "`faceattend admin passwd`";
    match works {
        Ok(false) => Finding::ok(subject, "nobody has the documented one"),
        Ok(true) if args.host.is_loopback() => {
            Finding::warning(subject, format!("{DEFAULT_ADMIN} has the documented one, which everybody knows"), advice)
        }
        Ok(true) => {
            let found =
                format!("{DEFAULT_ADMIN} has the documented one: the server refuses to listen on {}", args.host);
            Finding::problem(subject, found, advice)
        }
        Err(error) => Finding::problem(subject, error.to_string(), "`faceattend doctor` again when nothing else runs"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};
    use faceattend_core::embedding::Embedding;
    use faceattend_core::store::TemplateKey;
    use faceattend_core::store::prelude::*;

    use super::super::Verdict;
    use super::*;
    use crate::auth::ensure_admin;

    fn args(dir: &Path, more: &[&str]) -> ServeArgs {
        let command = ServeArgs::augment_args(clap::Command::new("serve"));
        let given = ["serve", "--data-dir", dir.to_str().unwrap()];
        ServeArgs::from_arg_matches(&command.get_matches_from(given.iter().chain(more))).unwrap()
    }

    #[track_caller]
    fn verdict(findings: &[Finding], subject: &str) -> Verdict {
        findings.iter().filter(|f| f.subject == subject).map(|f| f.verdict).max().unwrap_or_else(|| panic!("{subject}"))
    }

    fn with_a_face(dir: &Path, keys: TemplateKeys) {
        let store = SqliteStore::open_with_keys(dir.join(DATABASE), keys).unwrap();
        let now = Timestamp::now();
        ensure_admin(&store, now).unwrap();
        let id = store.create_student("A", "R1", now).unwrap().id;
        let face = Embedding::from_raw(ModelId::new("m"), &[1.0, 2.0]).unwrap();
        store.replace_templates(id, &[face], now).unwrap();
    }

    #[test]
    fn a_first_start_has_nothing_against_it_and_nothing_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let (findings, latest) = look(&args(dir.path(), &[]), None);
        assert!(findings.iter().all(|f| f.verdict != Verdict::Problem), "{findings:?}");
        assert_eq!(latest, None);
        let absent = dir.path().join("a/b");
        assert_eq!(verdict(&look(&args(&absent, &[]), None).0, "data directory"), Verdict::Ok);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let impossible = Path::new("/proc/nothing/here");
        assert_eq!(verdict(&look(&args(impossible, &[]), None).0, "data directory"), Verdict::Problem);
    }

    #[test]
    fn the_documented_password_is_a_problem_on_the_network_only() {
        let dir = tempfile::tempdir().unwrap();
        with_a_face(dir.path(), TemplateKeys::none());
        assert_eq!(verdict(&look(&args(dir.path(), &[]), None).0, "password"), Verdict::Warning);
        assert_eq!(verdict(&look(&args(dir.path(), &["--host", "0.0.0.0"]), None).0, "password"), Verdict::Problem);
    }

    #[test]
    fn keys_are_held_against_what_is_encrypted() {
        let dir = tempfile::tempdir().unwrap();
        let key = TemplateKeys::new(vec![TemplateKey::generate()]);
        with_a_face(dir.path(), key.clone());
        let file = dir.path().join("keys");
        let text = file.to_str().unwrap();
        assert_eq!(verdict(&look(&args(dir.path(), &[]), None).0, "template keys"), Verdict::Problem, "no key");
        assert_eq!(
            verdict(&look(&args(dir.path(), &["--template-key-file", text]), None).0, "template keys"),
            Verdict::Problem,
            "no file"
        );
        key.write_new(&file).unwrap();
        assert_eq!(
            verdict(&look(&args(dir.path(), &["--template-key-file", text]), None).0, "template keys"),
            Verdict::Ok
        );
        std::fs::remove_file(&file).unwrap();
        key.with_first(TemplateKey::generate()).write_new(&file).unwrap();
        let (findings, _) = look(&args(dir.path(), &["--template-key-file", text]), None);
        assert_eq!(verdict(&findings, "template keys"), Verdict::Warning);
        assert!(findings.iter().any(|f| f.advice.as_ref().is_some_and(|advice| advice.contains("keys rotate"))));
    }

    #[test]
    fn databases_that_are_damaged_newer_or_none_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE);
        std::fs::write(&path, vec![b'x'; 5000]).unwrap();
        assert_eq!(verdict(&look(&args(dir.path(), &[]), None).0, "database"), Verdict::Problem);
        std::fs::remove_file(&path).unwrap();
        with_a_face(dir.path(), TemplateKeys::none());
        assert_eq!(verdict(&look(&args(dir.path(), &[]), None).0, "database"), Verdict::Ok);
        let seen = SqliteStore::inspect(&path).unwrap();
        assert_eq!(seen.schema, seen.newest_schema);
    }

    #[cfg(unix)]
    #[test]
    fn secrets_that_others_may_read_are_named() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(SECRET);
        std::fs::write(&file, "a secret of the tests").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let (findings, _) = look(&args(dir.path(), &["--jwt-secret", "short"]), None);
        assert_eq!(verdict(&findings, "secrets"), Verdict::Problem);
        assert!(findings.iter().any(|f| f.verdict == Verdict::Warning && f.found.contains(SECRET)), "{findings:?}");
        assert!(findings.iter().all(|f| !f.found.contains("short")), "{findings:?}");
    }

    #[test]
    fn who_has_another_models_face_is_counted_and_named_without_a_key() {
        let dir = tempfile::tempdir().unwrap();
        with_a_face(dir.path(), TemplateKeys::new(vec![TemplateKey::generate()]));
        let (ours, other) = (ModelId::new("m"), ModelId::new("sface@1"));
        assert_eq!(verdict(&look(&args(dir.path(), &[]), Some(&ours)).0, "faces"), Verdict::Ok);
        let (findings, _) = look(&args(dir.path(), &[]), Some(&other));
        let faces = findings.iter().find(|finding| finding.subject == "faces").unwrap();
        assert_eq!(faces.verdict, Verdict::Warning);
        assert!(faces.found.contains("1 person has to enrol again") && faces.found.contains("sface@1"), "{faces:?}");
        assert_eq!(faces.details, ["A (R1): face of m"]);
    }
}
