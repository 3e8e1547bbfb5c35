//! Model packs: list, check and fetch them.
#![allow(dead_code, reason = "JavaScript calls what a namespace holds, and not every kind of build shows that")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use faceattend_core::Result;
use faceattend_core::models::Added;
use faceattend_core::models::download::Downloader;
use faceattend_core::models::manifest::{LicenseConsent, Manifest, Pack};
use faceattend_core::models::store::{FileState, ModelStore};
use napi::Status;
use napi::bindgen_prelude::AsyncTask;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::job::{Job, job};

/// How a file on disk compares with the manifest; `unverifiable` where the manifest has no hash.
#[napi(string_enum = "lowercase", namespace = "models")]
pub enum FileCondition {
    Sound,
    Missing,
    Damaged,
    Unverifiable,
}

/// One model file of a pack.
#[napi(object, use_nullable = true, namespace = "models")]
pub struct PackFile {
    pub name: String,
    /// What it is for.
    #[napi(ts_type = "'detector' | 'mesh' | 'embedder' | 'antispoof'")]
    pub role: String,
    /// In bytes; `null` for a file that cannot be had.
    pub size: Option<i64>,
    pub condition: FileCondition,
    /// Where it lies, or would lie.
    pub path: String,
    /// Why it cannot be fetched.
    pub unavailable: Option<String>,
}

/// Models that belong together, under one licence.
#[napi(object, use_nullable = true, namespace = "models")]
pub struct ModelPack {
    /// What `EngineOptions.pack` and `pull` take.
    pub name: String,
    pub title: String,
    /// An SPDX expression where there is one.
    pub license: String,
    pub commercial_use: bool,
    /// Whether the licence has to be accepted before the pack is fetched.
    pub requires_acceptance: bool,
    /// Whether the pack is part of this package: then its files need not be on disk.
    pub built_in: bool,
    /// Belongs in every product that ships it.
    pub attribution: String,
    pub note: Option<String>,
    pub files: Vec<PackFile>,
}

/// Where packs are installed.
#[napi(object, object_to_js = false, namespace = "models")]
pub struct FolderOptions {
    /// Default: `FACEATTEND_MODELS`, else `faceattend/models` in the user's folder for data.
    pub folder: Option<String>,
}

/// How a pack is fetched.
#[napi(object, object_to_js = false, namespace = "models")]
pub struct NativePullOptions {
    pub folder: Option<String>,
    pub accept_license: Option<bool>,
}

/// How a file is added.
#[napi(object, object_to_js = false, namespace = "models")]
pub struct AddOptions {
    /// Default: `FACEATTEND_MODELS`, else `faceattend/models` in the user's folder for data.
    pub folder: Option<String>,
    /// Only into this pack. Default: every pack that the file belongs to.
    pub pack: Option<String>,
    /// For packs whose licence has to be accepted: that the user has read and accepted it. Default false.
    pub accept_license: Option<bool>,
}

/// A file that is in its place now.
#[napi(object, namespace = "models")]
pub struct AddedFile {
    pub pack: String,
    /// Its name in that pack.
    pub file: String,
    pub path: String,
    /// The names of the files that the pack still needs.
    pub missing: Vec<String>,
}

/// Stops a download: its thread checks this flag.
#[napi]
#[derive(Default)]
pub struct NativeStop {
    asked: Arc<AtomicBool>,
}

#[napi]
impl NativeStop {
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    #[napi]
    pub fn stop(&self) {
        self.asked.store(true, Relaxed);
    }
}

/// How much of one file has arrived, in bytes.
#[napi(object, namespace = "models")]
pub struct PullProgress {
    pub file: String,
    pub done: i64,
    pub total: i64,
}

/// Resolves to every pack that this version knows, and what is on disk. It reads and hashes all files.
#[napi(
    namespace = "models",
    ts_args_type = "options?: FolderOptions & Abortable",
    ts_return_type = "Promise<Array<ModelPack>>"
)]
pub fn list(options: Option<FolderOptions>) -> AsyncTask<Job<Vec<ModelPack>>> {
    job(move || {
        let store = folder(options.and_then(|options| options.folder).as_deref())?;
        Manifest::embedded()?.packs().iter().map(|pack| describe(&store, pack)).collect()
    })
}

/// Resolves to one pack and what of it is on disk. Rejects with `model` for an unknown name.
#[napi(
    namespace = "models",
    ts_args_type = "pack: string, options?: FolderOptions & Abortable",
    ts_return_type = "Promise<ModelPack>"
)]
pub fn verify(pack: String, options: Option<FolderOptions>) -> AsyncTask<Job<ModelPack>> {
    job(move || {
        let store = folder(options.and_then(|options| options.folder).as_deref())?;
        describe(&store, Manifest::embedded()?.pack(&pack)?)
    })
}

/// Fetches the missing and damaged files of a pack, checked against the manifest's hashes, and resolves to the paths of
/// its files. An interrupted download continues where it broke off. It is needed before the first use of a pack that is
/// not built in, never at run time. Rejects with `state` when the licence has to be accepted, with `download` when a
/// file could not be fetched.
///
/// `signal` stops the download itself, within a fraction of a second. What has arrived is kept, and the next pull
/// continues from there.
#[napi(
    namespace = "models",
    ts_args_type = "pack: string, options?: PullOptions & Abortable",
    ts_return_type = "Promise<Array<string>>"
)]
pub fn pull(
    pack: String,
    options: Option<NativePullOptions>,
    progress: Option<ThreadsafeFunction<PullProgress, (), PullProgress, Status, false>>,
    stop: Option<&NativeStop>,
) -> AsyncTask<Job<Vec<String>>> {
    let progress = progress.map(Arc::new);
    let asked = stop.map(|stop| Arc::clone(&stop.asked)).unwrap_or_default();
    job(move || {
        let (chosen, accepted) = options.map_or((None, None), |options| (options.folder, options.accept_license));
        let store = folder(chosen.as_deref())?;
        let pack = Manifest::embedded()?.pack(&pack)?;
        let pulled = Downloader::from_env()?.pull(&store, pack, consent(accepted), &mut |step| {
            if let Some(progress) = &progress {
                let bytes = |n: u64| n.cast_signed();
                let told = PullProgress { file: step.file.into(), done: bytes(step.done), total: bytes(step.total) };
                progress.call(told, ThreadsafeFunctionCallMode::NonBlocking);
            }
            if asked.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(pulled.complete()?.iter().map(|path| path.display().to_string()).collect())
    })
}

/// Copies a file that was fetched elsewhere into its pack, for machines without internet. Its contents decide its name
/// there. A file of several packs goes into each of them. Rejects with `model` for a file that no pack knows,
/// with its hash and those that are expected; with `state` when the licence has to be accepted.
#[napi(
    namespace = "models",
    ts_args_type = "file: string, options?: AddOptions & Abortable",
    ts_return_type = "Promise<Array<AddedFile>>"
)]
pub fn add(file: String, options: Option<AddOptions>) -> AsyncTask<Job<Vec<AddedFile>>> {
    job(move || {
        let (chosen, pack, accepted) =
            options.map_or((None, None, None), |options| (options.folder, options.pack, options.accept_license));
        let store = folder(chosen.as_deref())?;
        let added = store.add(Manifest::embedded()?, &PathBuf::from(file), pack.as_deref(), consent(accepted))?;
        let told = |Added { pack, file, path, missing, .. }| AddedFile {
            pack,
            file,
            path: path.display().to_string(),
            missing,
        };
        Ok(added.into_iter().map(told).collect())
    })
}

fn consent(accepted: Option<bool>) -> LicenseConsent {
    if accepted == Some(true) { LicenseConsent::Accepted } else { LicenseConsent::NotGiven }
}

fn folder(explicit: Option<&str>) -> Result<ModelStore> {
    ModelStore::locate(explicit.map(Path::new))
}

fn describe(store: &ModelStore, pack: &Pack) -> Result<ModelPack> {
    let mut files = Vec::new();
    for file in &pack.files {
        let condition = match store.state(pack, file)? {
            FileState::Sound => FileCondition::Sound,
            FileState::Missing => FileCondition::Missing,
            FileState::Damaged { .. } => FileCondition::Damaged,
            FileState::Unverifiable => FileCondition::Unverifiable,
        };
        files.push(PackFile {
            name: file.name.clone(),
            role: file.role.to_string(),
            size: file.size.map(u64::cast_signed),
            condition,
            path: store.path(pack, file).display().to_string(),
            unavailable: file.unavailable.clone(),
        });
    }
    Ok(ModelPack {
        name: pack.name.clone(),
        title: pack.title.clone(),
        license: pack.license.clone(),
        commercial_use: pack.commercial_use,
        requires_acceptance: pack.requires_acceptance,
        built_in: pack.built_in,
        attribution: pack.attribution.clone(),
        note: pack.note.clone(),
        files,
    })
}
