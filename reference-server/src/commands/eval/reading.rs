//! Measuring pictures once: a cache of what was measured, so that a stopped run goes on, and a bar to watch.

use std::collections::HashMap;
use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::{AnalyzeOptions, Depth, Selection};
use faceattend_core::models::store::hash_of;
use faceattend_core::own_file::{self, Readers};
use faceattend_core::recognition::view_weight;
use faceattend_core::types::ModelId;
use faceattend_core::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::models::Loaded;
use super::{CommonArgs, bad};

/// What is measured of a picture's face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The yaw, of the largest face.
    Yaw,
    /// The passive antispoof score, of the largest face.
    Antispoof,
    /// The embedding, of the most central face.
    Embedding,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Yaw => "pose",
            Self::Antispoof => "pad",
            Self::Embedding => "embeddings",
        }
    }

    fn options(self) -> AnalyzeOptions {
        let (depth, selection) = match self {
            Self::Yaw => (Depth::Pose, Selection::Largest),
            Self::Antispoof => (Depth::Antispoof, Selection::Largest),
            Self::Embedding => (Depth::Embedding, Selection::MostCentral),
        };
        AnalyzeOptions::default().with_depth(depth).with_selection(selection)
    }
}

/// The face of a picture, as far as it was measured.
#[derive(Clone, Default)]
pub(super) struct Reading {
    /// Positive towards the right edge, in degrees.
    pub(super) yaw: Option<f32>,
    /// The passive score.
    pub(super) real: Option<f32>,
    pub(super) embedding: Option<Embedding>,
    /// What the view would weigh in a track's vote, where it was embedded.
    pub(super) weight: Option<f32>,
}

/// Measures every picture in `paths`; `None` where no face was found.
pub(super) fn read(
    loaded: &Loaded,
    what: What,
    paths: &[PathBuf],
    args: &CommonArgs,
) -> Result<(Vec<Option<Reading>>, Cache)> {
    let cache = Cache::open(args.cache_dir.as_deref(), what, loaded, args.fresh)?;
    let bar = progress(paths.len(), "pictures");
    let shared = Mutex::new(cache);
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, Option<Reading>)>> {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(place) else { return Ok(done) };
            let measured = measure(loaded, what, path, &shared).inspect_err(|_| {
                // Nobody needs to start another.
                next.store(paths.len(), Ordering::Relaxed);
            })?;
            done.push((place, measured));
            bar.inc(1);
        }
    };
    let results: Vec<Result<_>> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..loaded.engine.description().threads.min(paths.len().max(1))).map(|_| scope.spawn(work)).collect();
        let lost = || Error::Internal { reason: "a thread that measured pictures was lost".into() };
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(lost()))).collect()
    });
    bar.finish_and_clear();
    let mut readings = vec![None; paths.len()];
    for result in results {
        for (place, reading) in result? {
            readings[place] = reading;
        }
    }
    Ok((readings, shared.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

fn measure(loaded: &Loaded, what: What, path: &Path, cache: &Mutex<Cache>) -> Result<Option<Reading>> {
    let fault = |reason: String| {
        let next = "repair it or take it out, and run the same command again: what was measured so far is kept";
        bad("picture", format!("{}: {reason}; {next}", path.display()))
    };
    let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let key = hash_of(&bytes).to_string();
    if let Some(known) = cache.lock().unwrap_or_else(PoisonError::into_inner).known.get(&key) {
        return Ok(known.clone());
    }
    let frame = decode(&bytes, &DecodeLimits::default()).map_err(|error| fault(error.to_string()))?;
    let face = loaded.engine.analyze(&frame, &what.options())?.faces.into_iter().next();
    if what == What::Antispoof
        && let Some(faceattend_core::antispoof::PassivePad::Unavailable { reason }) =
            face.as_ref().map(|f| &f.antispoof)
    {
        let reason = format!("{reason}; or give its files with --antispoof");
        return Err(Error::State { what: "there is no passive check to evaluate", reason });
    }
    let reading = face.map(|face| Reading {
        yaw: face.pose.map(|pose| pose.yaw.0),
        real: face.antispoof.real(),
        weight: (what == What::Embedding).then(|| view_weight(&face)),
        embedding: if what == What::Embedding { face.embedding } else { None },
    });
    // A face of which nothing can be measured is as good as none.
    let reading = reading.filter(|r| match what {
        What::Yaw => r.yaw.is_some(),
        What::Antispoof => r.real.is_some(),
        What::Embedding => r.embedding.is_some(),
    });
    cache.lock().unwrap_or_else(PoisonError::into_inner).keep(&key, reading.as_ref())?;
    Ok(reading)
}

/// Shows at a terminal how many of so many things are measured, and how long the rest takes.
pub(super) fn progress(count: usize, things: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count as u64);
    let template = format!("measuring {{bar:30}} {{pos}} of {{len}} {things}, {{per_sec}}, {{eta}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

/// A line of the cache: the hash of a picture and what was measured of it. Never the picture, never its name.
#[derive(Serialize, Deserialize)]
struct Line {
    picture: String,
    face: Option<Face>,
}

#[derive(Serialize, Deserialize)]
struct Face {
    #[serde(skip_serializing_if = "Option::is_none")]
    yaw: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    real: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f32>,
}

/// What was measured with one set of models: a line a picture, appended as it comes, readable by its owner only.
///
/// Of poses and antispoof it holds scores. For comparisons it has to hold embeddings, which are biometric data: that
/// file is deleted when the run has ended well.
pub(super) struct Cache {
    path: PathBuf,
    file: File,
    known: HashMap<String, Option<Reading>>,
    what: What,
}

impl Cache {
    fn open(folder: Option<&Path>, what: What, loaded: &Loaded, fresh: bool) -> Result<Self> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => default_folder()?,
        };
        let fault = |path: &Path, action| {
            let path = path.to_owned();
            move |source| Error::Io { action, path, source }
        };
        private_folder(&folder).map_err(fault(&folder, "create"))?;
        let path = folder.join(format!("{}-{}.jsonl", what.word(), loaded.fingerprint));
        let mut file = own_file::open_or_create(&path, Readers::Owner).map_err(fault(&path, "write"))?;
        if fresh {
            file.set_len(0).map_err(fault(&path, "write"))?;
        }
        let model = &loaded.engine.embedder().model;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(fault(&path, "read"))?;
        // A line that was cut off when a run was killed is measured again.
        let parsed = |line: &[u8]| serde_json::from_slice::<Line>(line).ok().and_then(|line| line.reading(model));
        let known: HashMap<_, _> = text.split(|byte| *byte == b'\n').filter_map(parsed).collect();
        if text.last().is_some_and(|last| *last != b'\n') {
            // The next line must not join the one that was cut off.
            file.write_all(b"\n").map_err(fault(&path, "write"))?;
        }
        Ok(Self { path, file, known, what })
    }

    fn keep(&mut self, picture: &str, reading: Option<&Reading>) -> Result<()> {
        let face = reading.map(|r| Face {
            yaw: r.yaw,
            real: r.real,
            embedding: r.embedding.as_ref().map(|e| BASE64.encode(e.to_bytes())),
            weight: r.weight,
        });
        let fault = |source| Error::Io { action: "write", path: self.path.clone(), source };
        let mut line = serde_json::to_vec(&Line { picture: picture.to_owned(), face }).map_err(|e| fault(e.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(fault)?;
        self.known.insert(picture.to_owned(), reading.cloned());
        Ok(())
    }

    /// Where it is.
    #[cfg(test)]
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes embeddings that are no longer needed.
    pub(super) fn finish(self, keep_embeddings: bool) -> Result<()> {
        if self.what != What::Embedding || keep_embeddings {
            return Ok(());
        }
        std::fs::remove_file(&self.path).map_err(|source| Error::Io { action: "delete", path: self.path, source })
    }
}

impl Line {
    fn reading(self, model: &ModelId) -> Option<(String, Option<Reading>)> {
        let Some(face) = self.face else { return Some((self.picture, None)) };
        let embedding = match face.embedding {
            // An earlier version kept no weight: measured again.
            Some(text) => {
                face.weight?;
                Some(Embedding::from_bytes(model.clone(), &BASE64.decode(text).ok()?).ok()?)
            }
            None => None,
        };
        Some((self.picture, Some(Reading { yaw: face.yaw, real: face.real, embedding, weight: face.weight })))
    }
}

/// Makes the folder, readable by its owner only; one that is there already is left as it is.
fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn default_folder() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("XDG_CACHE_HOME")
        .filter(|dir| dir.is_absolute())
        .or_else(|| from("HOME").map(|home| home.join(".cache")))
        .or_else(|| from("LOCALAPPDATA"))
        .map(|dir| dir.join("faceattend").join("eval"))
        .ok_or_else(|| bad("cache folder", "there is no home: use --cache-dir"))
}
