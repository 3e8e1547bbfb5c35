//! The passive antispoof networks of a running server: whether they run, and fetching them while the server works.
//!
//! No registry carries usable ones, so their pack is fetched from where its makers published it, once for each machine.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use faceattend_core::engine::{
    ANTISPOOF_PACK, Analysis, AnalyzeOptions, Depth, Embedder, Engine, EngineBuilder, Face, FaceEngine, PassiveCheck,
};
use faceattend_core::frame::Frame;
use faceattend_core::models::download::{Downloader, LicenseConsent, Pulled};
use faceattend_core::models::manifest::Pack;
use faceattend_core::models::store::ModelStore;
use faceattend_core::{Error, Result};
use serde::Serialize;
use utoipa::ToSchema;

/// The command that fetches the networks to where the server looks for them: the usual folder, or the one it was given.
pub(crate) fn command(models_dir: Option<&Path>) -> String {
    let place = models_dir.map(|dir| format!(" --models-dir {}", dir.display())).unwrap_or_default();
    format!("faceattend models pull {ANTISPOOF_PACK}{place}")
}

/// An engine that can be replaced, while it is used, by another with the same embedding model.
pub struct RenewableEngine {
    current: RwLock<Arc<Engine>>,
    builder: EngineBuilder,
    embedder: Embedder,
}

impl RenewableEngine {
    /// The engine that `builder` makes.
    ///
    /// # Errors
    /// Those of [`EngineBuilder::build`].
    pub fn new(builder: EngineBuilder) -> Result<Self> {
        let engine = builder.clone().build()?;
        Ok(Self { embedder: engine.embedder().clone(), current: RwLock::new(Arc::new(engine)), builder })
    }

    /// The engine as it is now.
    pub fn current(&self) -> Arc<Engine> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Builds the engine anew, with what is installed by now, and uses it from then on; what is being analyzed is
    /// finished by the old one.
    fn renew(&self) -> Result<()> {
        let engine = self.builder.clone().build()?;
        if *engine.embedder() != self.embedder {
            // The gallery holds templates of the old one.
            return Err(Error::State { what: "embedder", reason: "it has changed: restart the server".into() });
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(engine);
        Ok(())
    }
}

impl FaceEngine for RenewableEngine {
    fn analyze(&self, frame: &Frame<'_>, options: &AnalyzeOptions) -> Result<Analysis> {
        self.current().analyze(frame, options)
    }

    fn deepen(&self, frame: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> Result<()> {
        self.current().deepen(frame, faces, depth)
    }

    fn embedder(&self) -> &Embedder {
        &self.embedder
    }
}

/// Whether the networks run, and the fetching of their pack.
#[derive(Clone)]
pub struct PassiveNetworks(Arc<Networks>);

struct Networks {
    pack: Pack,
    store: ModelStore,
    downloader: Downloader,
    engine: Arc<RenewableEngine>,
    /// What does the same at a terminal.
    command: String,
    fetching: Mutex<Fetching>,
}

/// What the last wish to fetch came to.
#[derive(Debug, Clone, Default)]
enum Fetching {
    #[default]
    Idle,
    Under(Way),
    /// After so many bytes of the pack.
    Stopped(u64),
    /// Why, as the code of the error's kind; the log has all of it.
    Failed(&'static str),
}

/// A download under way, and how it is stopped.
#[derive(Debug, Clone)]
struct Way {
    /// How many bytes of the pack are here.
    done: u64,
    stop: Arc<AtomicBool>,
}

/// How it stands, as the API tells it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Standing {
    /// `running`, `off`, `missing`, `fetching`, `stopped` or `failed`; `unknown` of an engine that is not this
    /// program's.
    state: &'static str,
    pack: &'static str,
    license: String,
    command: String,
    /// Bytes of the pack that are here.
    done: u64,
    total: u64,
    /// The code of what went wrong.
    #[schema(required)]
    error: Option<&'static str>,
}

impl Standing {
    /// Of a server that does not fetch models.
    pub(crate) fn unknown() -> Self {
        let (license, command) = (String::new(), command(None));
        Self { state: "unknown", pack: ANTISPOOF_PACK, license, command, done: 0, total: 0, error: None }
    }
}

impl std::fmt::Debug for PassiveNetworks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PassiveNetworks({})", self.standing().state)
    }
}

impl PassiveNetworks {
    /// The networks of `engine`, whose `pack` is fetched into `store`; `models_dir` is the folder that the operator
    /// named.
    #[must_use]
    pub fn new(
        engine: Arc<RenewableEngine>,
        pack: Pack,
        store: ModelStore,
        downloader: Downloader,
        models_dir: Option<&Path>,
    ) -> Self {
        let command = command(models_dir);
        Self(Arc::new(Networks { pack, store, downloader, engine, command, fetching: Mutex::default() }))
    }

    pub(crate) fn standing(&self) -> Standing {
        let networks = &*self.0;
        let (state, done, error) = match (networks.engine.current().description().passive_check, &*networks.fetching())
        {
            (PassiveCheck::Runs, _) => ("running", 0, None),
            (PassiveCheck::Off, _) => ("off", 0, None),
            (PassiveCheck::NotInstalled, Fetching::Idle) => ("missing", 0, None),
            (PassiveCheck::NotInstalled, Fetching::Under(way)) => ("fetching", way.done, None),
            (PassiveCheck::NotInstalled, Fetching::Stopped(done)) => ("stopped", *done, None),
            (PassiveCheck::NotInstalled, Fetching::Failed(code)) => ("failed", 0, Some(*code)),
        };
        Standing {
            state,
            pack: ANTISPOOF_PACK,
            license: networks.pack.license.clone(),
            command: networks.command.clone(),
            done,
            total: networks.pack.size(),
            error,
        }
    }

    /// Whether there is nothing to fetch: the check runs, or the operator wants none.
    pub(crate) fn is_settled(&self) -> bool {
        self.0.engine.current().description().passive_check != PassiveCheck::NotInstalled
    }

    /// Begins to fetch the pack, unless it is being fetched or there already.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no thread for it.
    pub(crate) fn fetch(&self) -> Result<()> {
        if self.0.engine.current().description().passive_check != PassiveCheck::NotInstalled {
            return Ok(());
        }
        let stop = Arc::new(AtomicBool::new(false));
        {
            let mut fetching = self.0.fetching();
            if matches!(*fetching, Fetching::Under(_)) {
                return Ok(());
            }
            *fetching = Fetching::Under(Way { done: 0, stop: Arc::clone(&stop) });
        }
        let networks = Arc::clone(&self.0);
        let started = std::thread::Builder::new().name("antispoof pack".into()).spawn(move || networks.run(&stop));
        if let Err(source) = started {
            *self.0.fetching() = Fetching::Failed("io");
            return Err(Error::Io { action: "start", path: "the thread of a download".into(), source });
        }
        Ok(())
    }

    /// Stops the fetching; what has arrived is kept.
    pub(crate) fn stop(&self) {
        if let Fetching::Under(way) = &*self.0.fetching() {
            way.stop.store(true, Relaxed);
        }
    }
}

impl Networks {
    fn fetching(&self) -> MutexGuard<'_, Fetching> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, stop: &AtomicBool) {
        let outcome = self.pull(stop);
        let mut fetching = self.fetching();
        *fetching = match outcome {
            Ok(Some(done)) => Fetching::Stopped(done),
            Ok(None) => {
                tracing::info!("the passive antispoof networks are installed and run");
                Fetching::Idle
            }
            Err(error) => {
                tracing::error!("the passive antispoof networks could not be installed: {error}");
                Fetching::Failed(error.kind().code())
            }
        };
    }

    /// How much is here where it was stopped; `None` once the networks run.
    fn pull(&self, stop: &AtomicBool) -> Result<Option<u64>> {
        let (mut before, mut file, mut done) = (0, String::new(), 0);
        let watched = self.downloader.pull(&self.store, &self.pack, LicenseConsent::NotGiven, &mut |progress| {
            if file != progress.file {
                // The files come one after the other.
                before = done;
                progress.file.clone_into(&mut file);
            }
            done = before + progress.done;
            if let Fetching::Under(way) = &mut *self.fetching() {
                way.done = done;
            }
            if stop.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match watched? {
            Pulled::Stopped(_) => Ok(Some(done)),
            Pulled::Complete(_) => self.engine.renew().map(|()| None),
        }
    }
}
