//! `faceattend models list | pull NAME | add FILE | verify`: the packs on this machine.

use std::io::{IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use clap::{Args, Subcommand};
use faceattend_core::error::{Error, Result};
use faceattend_core::models::download::{Downloader, Progress, Pulled};
use faceattend_core::models::manifest::{LicenseConsent, Manifest, Pack};
use faceattend_core::models::store::{FileState, ModelStore};
use indicatif::{ProgressBar, ProgressStyle};

/// Lists, downloads and checks model packs.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// The folder of packs [default: what FACEATTEND_MODELS names, else faceattend/models among the user's data]
    #[arg(long, value_name = "FOLDER", global = true)]
    models_dir: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists every pack with its purpose, its licence, and whether it is installed
    List,
    /// Downloads a pack, and resumes an interrupted download. Ctrl-C stops it and keeps the received part
    Pull {
        /// The pack's name, as `list` shows it
        name: String,
        /// Confirms that you have read and accept the licence of the pack
        #[arg(long)]
        accept_license: bool,
    },
    /// Adds downloaded files to their packs, for a machine without internet
    Add {
        /// The files, under any names: they are recognized by their contents
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The pack to add the files to [default: every pack that a file belongs to]
        #[arg(long, value_name = "NAME")]
        pack: Option<String>,
        /// Confirms that you have read and accept the licences of the packs
        #[arg(long)]
        accept_license: bool,
    },
    /// Checks the contents of every installed file
    Verify,
}

fn consent(accepted: bool) -> LicenseConsent {
    if accepted { LicenseConsent::Accepted } else { LicenseConsent::NotGiven }
}

/// Runs one of the subcommands, writing to standard output and showing progress on a terminal.
///
/// # Errors
/// What the store or the download says; for `verify`, [`Error::Model`] when a file is damaged or missing from its pack.
pub fn run(args: &ModelsArgs) -> Result<()> {
    let store = ModelStore::locate(args.models_dir.as_deref())?;
    execute(&args.action, Manifest::embedded()?, &store, &mut std::io::stdout().lock())
}

fn execute(action: &Action, manifest: &Manifest, store: &ModelStore, out: &mut dyn Write) -> Result<()> {
    match action {
        Action::List => list(manifest, store, out),
        Action::Pull { name, accept_license } => pull(manifest.pack(name)?, consent(*accept_license), store, out),
        Action::Add { files, pack, accept_license } => {
            files.iter().try_for_each(|file| add(file, pack.as_deref(), consent(*accept_license), manifest, store, out))
        }
        Action::Verify => verify(manifest, store, out),
    }
}

fn list(manifest: &Manifest, store: &ModelStore, out: &mut dyn Write) -> Result<()> {
    line(out, &format!("Packs in {}:", store.folder().display()))?;
    for pack in manifest.packs() {
        let commercial = if pack.commercial_use { "commercial use allowed" } else { "no commercial use" };
        line(
            out,
            &format!(
                "\n{:<12} {:<10} {:>9}  {} ({commercial})\n{:<12} {}",
                pack.name,
                Presence::of(pack, store)?.word(),
                megabytes(pack.size()),
                pack.license,
                "",
                pack.title
            ),
        )?;
        for file in &pack.files {
            if let Some(reason) = &file.unavailable {
                line(out, &format!("{:<12} not by pull: {}: {reason}", "", file.name))?;
            }
        }
    }
    line(out, "\nFetch one: faceattend models pull NAME; without internet: faceattend models add FILE")
}

fn pull(pack: &Pack, consent: LicenseConsent, store: &ModelStore, out: &mut dyn Write) -> Result<()> {
    if pack.built_in {
        return line(out, &format!("{} is built in: there is nothing to fetch", pack.name));
    }
    let downloader = Downloader::from_env()?;
    let (bar, stop) = (Bars::new(), stop_signal()?);
    let pulled = downloader.pull(store, pack, consent, &mut |progress| {
        bar.show(progress);
        if stop.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish();
    let paths = match pulled? {
        Pulled::Complete(paths) => paths,
        Pulled::Stopped(stopped) => return Err(Error::Download { reason: stopped.to_string(), source: None }),
    };
    for path in paths {
        line(out, &format!("here: {}", path.display()))?;
    }
    for file in &pack.files {
        if let Some(reason) = &file.unavailable {
            line(out, &format!("left out: {}: {reason}", file.name))?;
        }
    }
    line(out, &format!("licence: {}\n{}", pack.license, pack.attribution))
}

/// What becomes true once somebody presses Ctrl-C or asks this process to end, from now on.
fn stop_signal() -> Result<Arc<AtomicBool>> {
    let failed = |source| Error::Io { action: "start", path: "the watch for Ctrl-C".into(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let asked = {
        let _inside = runtime.enter();
        asked_to_end().map_err(failed)?
    };
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    // It ends with the process: the pull is all that this process does.
    let watch = move || {
        runtime.block_on(asked);
        told.store(true, Relaxed);
    };
    std::thread::Builder::new().name("signals".into()).spawn(watch).map_err(failed)?;
    Ok(stop)
}

/// Resolves at Ctrl-C or a polite request to end; neither ends the process by itself once this has returned.
#[cfg(unix)]
fn asked_to_end() -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn asked_to_end() -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut interrupted = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupted.recv().await;
    })
}

fn add(
    file: &Path,
    pack: Option<&str>,
    consent: LicenseConsent,
    manifest: &Manifest,
    store: &ModelStore,
    out: &mut dyn Write,
) -> Result<()> {
    for added in store.add(manifest, file, pack, consent)? {
        line(out, &format!("{} is {}/{}, here: {}", file.display(), added.pack, added.file, added.path.display()))?;
        if added.missing.is_empty() {
            line(
                out,
                &format!("the pack {} is complete; a server that runs uses it after its next start", added.pack),
            )?;
        } else {
            line(out, &format!("the pack {} still needs: {}", added.pack, added.missing.join(", ")))?;
        }
    }
    Ok(())
}

fn verify(manifest: &Manifest, store: &ModelStore, out: &mut dyn Write) -> Result<()> {
    let mut broken = Vec::new();
    for pack in manifest.packs() {
        let presence = Presence::of(pack, store)?;
        for file in &pack.files {
            let name = format!("{}/{}", pack.name, file.name);
            match store.state(pack, file)? {
                FileState::Sound => line(out, &format!("sound    {name}"))?,
                FileState::Unverifiable => line(out, &format!("unknown  {name}: no published checksum"))?,
                // A pack that was never fetched is not broken, and not every file of a pack can be fetched.
                FileState::Missing
                    if matches!(presence, Presence::Absent | Presence::BuiltIn) || file.unavailable.is_some() => {}
                FileState::Missing | FileState::Damaged { .. } => {
                    // The store words it: what was expected, what was found, what to run.
                    if let Err(error) = store.verified(pack, file) {
                        line(out, &format!("BROKEN   {name}"))?;
                        broken.push(error.to_string());
                    }
                }
            }
        }
    }
    if broken.is_empty() {
        line(out, &format!("Everything in {} is what it should be.", store.folder().display()))
    } else {
        Err(Error::Model { model: "packs".into(), reason: broken.join("\n") })
    }
}

/// How much of a pack is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    BuiltIn,
    Here,
    /// What is here is sound, and more is needed.
    Partly,
    Broken,
    Absent,
}

impl Presence {
    /// Looks at the files that a pull would fetch; those put there by hand come on top.
    fn of(pack: &Pack, store: &ModelStore) -> Result<Self> {
        let mut missing = 0;
        let mut sound = 0;
        let mut damaged = 0;
        for file in pack.files.iter().filter(|file| file.unavailable.is_none()) {
            match store.state(pack, file)? {
                FileState::Missing => missing += 1,
                FileState::Sound | FileState::Unverifiable => sound += 1,
                FileState::Damaged { .. } => damaged += 1,
            }
        }
        Ok(match (sound, damaged, missing) {
            (0, 0, _) if pack.built_in => Self::BuiltIn,
            (0, 0, _) => Self::Absent,
            (_, 0, 0) => Self::Here,
            (_, 0, _) => Self::Partly,
            _ => Self::Broken,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::BuiltIn => "built in",
            Self::Here => "here",
            Self::Partly => "partly",
            Self::Broken => "BROKEN",
            Self::Absent => "not here",
        }
    }
}

/// One bar after another, a bar for each file. Nothing is drawn where nobody looks.
struct Bars {
    bar: ProgressBar,
}

impl Bars {
    fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template(
            "{msg:36!} {bar:30} {binary_bytes:>10} of {binary_total_bytes} {binary_bytes_per_sec} {eta}",
        ) {
            bar.set_style(style);
        }
        Self { bar }
    }

    fn show(&self, progress: Progress<'_>) {
        if self.bar.message() != progress.file {
            self.bar.reset();
            self.bar.set_message(progress.file.to_owned());
            self.bar.set_length(progress.total);
        }
        self.bar.set_position(progress.done);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn megabytes(bytes: u64) -> String {
    if bytes == 0 { "-".into() } else { format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10) }
}

fn line(out: &mut dyn Write, text: &str) -> Result<()> {
    writeln!(out, "{text}").map_err(|source| Error::Io { action: "write", path: "standard output".into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use faceattend_core::ErrorKind;
    use faceattend_core::models::manifest::Role;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        models: ModelsArgs,
    }

    /// What `faceattend models <arguments>` prints, or its error.
    fn models(folder: &std::path::Path, arguments: &[&str]) -> Result<String> {
        let cli = Cli::try_parse_from([&["models"], arguments].concat()).unwrap();
        let mut out = Vec::new();
        execute(&cli.models.action, Manifest::embedded()?, &ModelStore::at(folder), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// A store whose `default` pack is the repository's.
    fn with_default_pack() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("default")).unwrap();
        for name in ["blazeface.onnx", "face-mesh.onnx", "sface.onnx"] {
            let from = format!("{}/../models/default/{name}", env!("CARGO_MANIFEST_DIR"));
            std::fs::copy(from, folder.path().join("default").join(name)).unwrap();
        }
        folder
    }

    #[test]
    fn list_names_every_pack_with_licence_and_presence() {
        let folder = tempfile::tempdir().unwrap();
        let text = models(folder.path(), &["list"]).unwrap();
        for pack in Manifest::embedded().unwrap().packs() {
            let first = text.lines().find(|line| line.starts_with(&pack.name)).unwrap();
            assert!(first.contains(&pack.license), "{first}");
            assert!(first.contains(if pack.built_in { "built in" } else { "not here" }), "{first}");
        }
        assert!(text.contains("yolov8n-face.onnx: no published checksum"), "{text}");
    }

    #[test]
    fn a_licence_has_to_be_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let error = models(folder.path(), &["pull", "buffalo_l"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        assert!(error.to_string().contains("non-commercial research only"), "{error}");
        assert!(!folder.path().join("buffalo_l").exists());
    }

    #[test]
    fn pulling_what_is_built_in_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(models(folder.path(), &["pull", "default"]).unwrap().contains("built in"));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_names() {
        let folder = tempfile::tempdir().unwrap();
        let error = models(folder.path(), &["pull", "buffalo"]).unwrap_err().to_string();
        assert!(error.contains("antelopev2"), "{error}");
    }

    #[test]
    fn verify_passes_over_packs_that_were_never_fetched() {
        let folder = tempfile::tempdir().unwrap();
        assert!(models(folder.path(), &["verify"]).unwrap().contains("Everything"));
    }

    #[test]
    fn verify_finds_sound_damaged_and_missing_files() {
        let folder = with_default_pack();
        let text = models(folder.path(), &["verify"]).unwrap();
        assert_eq!(text.matches("sound ").count(), 3, "{text}");

        let path = folder.path().join("default/blazeface.onnx");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[5000] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        std::fs::remove_file(folder.path().join("default/face-mesh.onnx")).unwrap();
        let error = models(folder.path(), &["verify"]).unwrap_err().to_string();
        let pack = Manifest::embedded().unwrap().pack("default").unwrap();
        let expected = pack.file(Role::Detector).unwrap().sha256.as_ref().unwrap();
        assert!(error.contains(expected.as_str()), "{error}");
        assert!(error.contains("face-mesh.onnx is not there"), "{error}");
        assert!(!error.contains("sface"), "{error}");
        assert!(models(folder.path(), &["list"]).unwrap().contains("BROKEN"));
    }

    #[test]
    fn a_brought_file_is_put_into_its_pack_and_the_rest_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let pack = Manifest::embedded().unwrap().pack("default").unwrap();
        let from = format!("{}/../models/default", env!("CARGO_MANIFEST_DIR"));
        let brought = folder.path().join("download.bin");
        let (first, others) = pack.files.split_first().unwrap();
        std::fs::copy(Path::new(&from).join(&first.name), &brought).unwrap();
        let text = models(folder.path(), &["add", brought.to_str().unwrap()]).unwrap();
        assert!(text.contains(&format!("default/{}", first.name)) && text.contains("still needs"), "{text}");
        assert!(others.iter().all(|other| text.contains(&other.name)), "{text}");
        let list = models(folder.path(), &["list"]).unwrap();
        assert!(list.lines().any(|line| line.starts_with("default") && line.contains("partly")), "{list}");
        let rest: Vec<String> = others.iter().map(|other| format!("{from}/{}", other.name)).collect();
        let arguments: Vec<&str> = std::iter::once("add").chain(rest.iter().map(String::as_str)).collect();
        assert!(models(folder.path(), &arguments).unwrap().contains("the pack default is complete"));
        assert!(models(folder.path(), &["verify"]).unwrap().contains("Everything"));
    }

    #[test]
    fn a_file_that_no_pack_knows_is_refused_with_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let brought = folder.path().join("2.7_80x80_MiniFASNetV2.onnx");
        std::fs::write(&brought, b"half of it").unwrap();
        let error = models(folder.path(), &["add", brought.to_str().unwrap()]).unwrap_err().to_string();
        let pack = Manifest::embedded().unwrap().pack("minifasnet").unwrap();
        assert!(error.contains(pack.files[0].sha256.as_ref().unwrap().as_str()), "{error}");
        assert!(error.contains(faceattend_core::models::store::hash_of(b"half of it").as_str()), "{error}");
        assert!(!folder.path().join("minifasnet").exists());
        assert!(Cli::try_parse_from(["models", "add"]).is_err());
    }
}
