//! The back-ups: whether some are made, where, and how old the newest is.

use std::path::Path;

use faceattend_core::store::TemplateKeys;
use jiff::{SignedDuration, Timestamp};

use super::Finding;
use super::data::{LITTLE, free_bytes, nearest};
use crate::commands::backup::{passphrase, size};
use crate::commands::data_dir::{check_writable, default_data_dir};
use crate::commands::io_advice;
use crate::commands::serve::ServeArgs;
use crate::live::backup::{AUDIT_SUBJECT, newest_in};

/// A day has one: after two something is wrong.
const OLD: SignedDuration = SignedDuration::from_hours(48);

const SUBJECT: &str = "back-ups";

/// What there is to say of the back-ups of a server with these settings.
pub(super) fn look(args: &ServeArgs, now: Timestamp) -> Vec<Finding> {
    let Ok(dir) = args.data_dir.clone().map_or_else(default_data_dir, Ok) else { return Vec::new() };
    let Some(folder) = &args.backup.dir else { return vec![by_hand(args, &dir, now)] };
    let mut findings = Vec::new();
    if let Err(error) = passphrase::kept(args.backup.passphrase_file.as_deref()) {
        let advice = "name the right file with --backup-passphrase-file";
        findings.push(Finding::problem(SUBJECT, format!("no back-up can be encrypted: {error}"), advice));
    }
    let writable = if folder.exists() { Some(folder.clone()) } else { nearest(folder) };
    let Some(writable) = writable else { return findings };
    if let Err(error) = check_writable(&writable) {
        let found = format!("{} cannot be written: {error}", folder.display());
        let advice = io_advice::advice(&error).unwrap_or("choose another folder with --backup-dir");
        findings.push(Finding::problem(SUBJECT, found, advice));
    }
    let newest = newest_in(folder);
    findings.push(match &newest {
        None => {
            let found = format!("none is in {} yet", folder.display());
            Finding::warning(SUBJECT, found, "start the server: it makes the first one at once")
        }
        Some(newest) if newest.at < now - OLD => Finding::problem(
            SUBJECT,
            format!("the newest, {}, is {} days old", newest.file, (now - newest.at).get_hours() / 24),
            "see in the log of the server why none is made, and whether the server runs",
        ),
        Some(newest) => {
            let bytes = newest.bytes.map(size).unwrap_or_default();
            Finding::ok(SUBJECT, format!("{}, {bytes}", newest.file))
        }
    });
    if is_on_same_disk(&writable, &dir) {
        let found = format!("{} is on the disk of the data: both are lost with it", folder.display());
        findings.push(Finding::warning(SUBJECT, found, "choose a folder on another disk or machine with --backup-dir"));
    }
    let needs = newest.and_then(|newest| newest.bytes).map_or(LITTLE, |bytes| bytes.saturating_mul(3));
    if let Some(free) = free_bytes(&writable).filter(|free| *free < needs) {
        let found = format!("{} are free in {}", size(free), folder.display());
        findings.push(Finding::warning(SUBJECT, found, "make room, or keep fewer with --backup-keep"));
    }
    findings
}

/// Where the server makes none: the audit log knows of those of the command.
fn by_hand(args: &ServeArgs, dir: &Path, now: Timestamp) -> Finding {
    let newest = || {
        let place = args.database.place(|| Ok(dir.to_owned())).ok()?;
        let survey = place.survey().ok()?;
        if survey.needs_migration() || !survey.problems.is_empty() {
            return None;
        }
        let entries = place.open(TemplateKeys::none()).ok()?.audit_about(AUDIT_SUBJECT).ok()?;
        entries.last().map(|newest| newest.entry.at)
    };
    let advice = "--backup-dir DIR makes one every day, or run `faceattend backup FILE` from a timer";
    match newest() {
        Some(at) if at >= now - OLD => Finding::ok(SUBJECT, format!("the last one was made at {at}")),
        Some(at) => Finding::warning(SUBJECT, format!("the last one was made at {at}"), advice),
        None => Finding::warning(SUBJECT, "none has ever been made", advice),
    }
}

#[cfg(unix)]
fn is_on_same_disk(folder: &Path, dir: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (folder.metadata(), dir.metadata()) {
        (Ok(folder), Ok(dir)) => folder.dev() == dir.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_on_same_disk(_folder: &Path, _dir: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};
    use faceattend_core::backup::name_of;

    use super::super::Verdict;
    use super::*;

    fn found(dir: &Path, more: &[&str]) -> Vec<(Verdict, String)> {
        let command = ServeArgs::augment_args(clap::Command::new("serve"));
        let given = ["serve", "--data-dir", dir.to_str().unwrap()];
        let args = ServeArgs::from_arg_matches(&command.get_matches_from(given.iter().chain(more))).unwrap();
        let now = "2026-03-09T12:00:00Z".parse().unwrap();
        look(&args, now).into_iter().map(|finding| (finding.verdict, finding.found)).collect()
    }

    #[test]
    fn what_is_wrong_with_the_back_ups_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(found(dir.path(), &[])[0].0, Verdict::Warning, "none are made");
        let folder = dir.path().join("b");
        let at = ["--backup-dir", folder.to_str().unwrap()];
        assert!(found(dir.path(), &at)[0].1.contains("none is in"));
        std::fs::create_dir(&folder).unwrap();
        let write = |time: &str| {
            std::fs::write(folder.join(name_of(time.parse().unwrap())), "x").unwrap();
        };
        write("2026-03-07T02:30:00Z");
        assert_eq!(found(dir.path(), &at)[0].0, Verdict::Problem, "no back-up for two days");
        write("2026-03-09T02:30:00Z");
        assert_eq!(found(dir.path(), &at)[0].0, Verdict::Ok);
        #[cfg(unix)]
        assert!(found(dir.path(), &at)[1].1.contains("on the disk of the data"));
        let no_passphrase = [&at[..], &["--backup-passphrase-file", "/no/such/file"]].concat();
        assert_eq!(found(dir.path(), &no_passphrase)[0].0, Verdict::Problem);
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::write(&folder, "a file in its place").unwrap();
        assert_eq!(found(dir.path(), &at)[0].0, Verdict::Problem, "it cannot be written");
    }
}
