//! Fetches packs by URL, resumable and checked. Nothing here is needed at run time.
//!
//! The bytes go to `<file>.part` beside their place and are hashed on the way. A file whose size and hash are those of
//! the manifest is moved to its name in one step. An interrupted pull keeps what it has, and the next one asks for the
//! rest. The proxy variables (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) are respected, and `SSL_CERT_FILE` names the
//! certificates to trust behind a company's proxy.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::StatusCode;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

pub use super::manifest::LicenseConsent;
use super::manifest::{ModelFile, Pack};
use super::part_file::PartFile;
use super::request::{Event, PATIENCE, Request};
use super::store::{FileState, ModelStore, state_of};
use crate::error::{Error, Result};

/// How often one URL is tried before the next: each time goes on where the last one broke off.
const ATTEMPTS: u32 = 3;
/// How long nothing may arrive before the caller is asked again whether to go on.
const TICK: Duration = Duration::from_millis(100);

/// How far one file is.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use faceattend_core::models::download::Progress;
///
/// /// Gives up a download of more than 100 MB.
/// fn patient(progress: Progress<'_>) -> ControlFlow<()> {
///     if progress.total > 100_000_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
/// }
/// # let _ = patient;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The file.
    pub file: &'a str,
    /// How many bytes are there.
    pub done: u64,
    /// How many there will be.
    pub total: u64,
}

/// What came of a pull that did not fail.
///
/// ```
/// use faceattend_core::models::download::Pulled;
///
/// fn told(pulled: &Pulled) -> String {
///     match pulled {
///         Pulled::Complete(files) => format!("{} files", files.len()),
///         Pulled::Stopped(stopped) => format!("stopped at {} of {} bytes", stopped.done, stopped.total),
///     }
/// }
/// # let _ = told;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Pulled {
    /// Every file that can be fetched is here: their paths.
    Complete(Vec<PathBuf>),
    /// The caller stopped it.
    Stopped(Stopped),
}

impl Pulled {
    /// Returns the paths of the files.
    ///
    /// # Errors
    /// [`Error::Download`] when the pull was stopped, saying how far it came.
    pub fn complete(self) -> Result<Vec<PathBuf>> {
        match self {
            Self::Complete(paths) => Ok(paths),
            Self::Stopped(stopped) => Err(Error::Download { reason: stopped.to_string(), source: None }),
        }
    }
}

/// Where a pull was stopped. What has arrived is kept.
///
/// ```
/// use faceattend_core::models::download::Stopped;
///
/// fn told(stopped: &Stopped) -> String {
///     format!("{}: {} of {} bytes arrived", stopped.file, stopped.done, stopped.total)
/// }
/// # let _ = told;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The file that was being fetched.
    pub file: String,
    /// How many bytes of it are kept.
    pub done: u64,
    /// How many bytes it has.
    pub total: u64,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, done, total } = self;
        write!(f, "stopped after {done} of {total} bytes of {file}, which are kept: the next pull goes on from there")
    }
}

/// Asked as bytes arrive, and ten times a second while none do, how to go on: [`ControlFlow::Break`] stops the pull.
pub type Watch<'a> = dyn FnMut(Progress<'_>) -> ControlFlow<()> + 'a;

/// Fetches packs.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use faceattend_core::models::download::{Downloader, LicenseConsent};
/// use faceattend_core::models::manifest::Manifest;
/// use faceattend_core::models::store::ModelStore;
///
/// fn fetch(name: &str) -> faceattend_core::Result<()> {
///     let (store, pack) = (ModelStore::locate(None)?, Manifest::embedded()?.pack(name)?);
///     let mut watch = |progress: faceattend_core::models::download::Progress<'_>| {
///         println!("{}: {} of {} bytes", progress.file, progress.done, progress.total);
///         ControlFlow::Continue(())
///     };
///     Downloader::from_env()?.pull(&store, pack, LicenseConsent::NotGiven, &mut watch)?.complete()?;
///     Ok(())
/// }
/// # let _ = fetch;
/// ```
#[derive(Debug, Clone)]
pub struct Downloader {
    agent: ureq::Agent,
}

impl Downloader {
    /// Creates a downloader that takes proxy and certificates from the environment.
    ///
    /// # Errors
    /// [`Error::Download`] when `SSL_CERT_FILE` is set and holds no certificates.
    pub fn from_env() -> Result<Self> {
        let mut config = base_config();
        if let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|value| !value.is_empty()) {
            let roots = RootCerts::Specific(Arc::new(certificates(Path::new(&path))?));
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(Self { agent: config.build().into() })
    }

    /// Fetches what is missing or damaged of `pack` into `store` and returns the paths of all its files. Files that
    /// cannot be fetched (see [`ModelFile::unavailable`]) are left out.
    ///
    /// `watch` is told how far each file is, at least ten times a second, and may stop the pull at any moment, also
    /// while a server stays silent. What has arrived by then is kept, and the next pull goes on from there.
    ///
    /// # Errors
    /// [`Error::State`] when the licence has to be accepted and is not; [`Error::Download`] when a file could not be
    /// fetched, saying why and what to do, or when there is none that can; [`Error::Io`] when one cannot be written.
    pub fn pull(
        &self,
        store: &ModelStore,
        pack: &Pack,
        consent: LicenseConsent,
        watch: &mut Watch<'_>,
    ) -> Result<Pulled> {
        pack.check_consent(consent, &format!("run `faceattend models pull {} --accept-license`", pack.name))?;
        let mut paths = Vec::new();
        for file in pack.files.iter().filter(|file| file.unavailable.is_none()) {
            match self.fetch(store, pack, file, watch)? {
                Fetched::Here(path) => paths.push(path),
                Fetched::Stopped(stopped) => return Ok(Pulled::Stopped(stopped)),
            }
        }
        if paths.is_empty() {
            return Err(Error::Download {
                reason: format!("pack {} has no file that can be fetched", pack.name),
                source: None,
            });
        }
        Ok(Pulled::Complete(paths))
    }

    fn fetch(&self, store: &ModelStore, pack: &Pack, file: &ModelFile, watch: &mut Watch<'_>) -> Result<Fetched> {
        let path = store.path(pack, file);
        let (Some(sha256), Some(size)) = (&file.sha256, file.size) else {
            let reason = format!("{} has no known checksum, so it cannot be fetched safely", file.name);
            return Err(Error::Download { reason, source: None });
        };
        if state_of(&path, file)? == FileState::Sound {
            let flow = watch(Progress { file: &file.name, done: size, total: size });
            return Ok(if flow.is_break() { Fetched::stopped(file, size, size) } else { Fetched::Here(path) });
        }
        if file.urls.is_empty() {
            let reason = format!("{} is part of the repository (models/{}) and of no server", file.name, pack.name);
            return Err(Error::Download { reason, source: None });
        }
        let mut part = PartFile::open(&path, size, sha256)?;
        let mut failures = Vec::new();
        let mut cause = None;
        for url in &file.urls {
            let mut report = |done| watch(Progress { file: &file.name, done, total: size });
            match self.fetch_from(url, &mut part, &mut report) {
                Ok(()) => return part.into_place(&path).map(Fetched::Here),
                Err(Failure::Local(error)) => return Err(error),
                Err(Failure::Stopped) => {
                    let done = part.length;
                    part.discard_if_empty();
                    return Ok(Fetched::stopped(file, done, size));
                }
                Err(Failure::Remote(reason, error)) => {
                    failures.push(format!("{url}: {reason}"));
                    cause = error.or(cause);
                }
            }
        }
        part.discard_if_empty();
        Err(Error::Download {
            reason: format!(
                "could not fetch {}: {}. If this machine is offline, fetch that file elsewhere and run \
                 `faceattend models add FILE` here, which checks it (or put it at {} and run `faceattend models \
                 verify`); behind a proxy, set \
                 HTTPS_PROXY. What has arrived is kept: the same command goes on from there",
                file.name,
                failures.join("; "),
                path.display()
            ),
            source: cause,
        })
    }

    /// Fetches all of the file from one URL, going on after an interruption.
    fn fetch_from(
        &self,
        url: &str,
        part: &mut PartFile<'_>,
        report: &mut Report<'_>,
    ) -> std::result::Result<(), Failure> {
        let mut last = Failure::Remote("no attempt was made".into(), None);
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                pause(Duration::from_millis(200 << attempt), part.length, report)?;
            }
            match self.attempt(url, part, report) {
                Ok(()) => match part.check()? {
                    None => return Ok(()),
                    // What lay there from an earlier pull may be what is wrong: once more from the start.
                    Some(reason) if std::mem::take(&mut part.resumed) => last = Failure::Remote(reason, None),
                    // Whatever this server would send again would be just as wrong.
                    Some(reason) => return Err(Failure::Remote(reason, None)),
                },
                Err(Interruption::Final(failure)) => return Err(failure),
                Err(Interruption::Passing(failure)) => last = failure,
            }
        }
        Err(last)
    }

    /// Sends one request for what is still missing.
    fn attempt(
        &self,
        url: &str,
        part: &mut PartFile<'_>,
        report: &mut Report<'_>,
    ) -> std::result::Result<(), Interruption> {
        go_on(report(part.length))?;
        if part.length == part.size {
            return Ok(());
        }
        let request = Request::begin(&self.agent, url, part.length)?;
        loop {
            let Some(event) = request.next(TICK) else {
                go_on(report(part.length))?;
                continue;
            };
            match event {
                Event::Answered(StatusCode::PARTIAL_CONTENT, Some(start)) if start == part.length => {}
                Event::Answered(StatusCode::OK, _) => part.restart()?,
                // A range that the server does not know: start afresh.
                Event::Answered(StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _) => {
                    part.restart()?;
                    return Err(Interruption::Passing(Failure::Remote("the server refused to resume".into(), None)));
                }
                Event::Answered(status, _) => {
                    let failure = Failure::Remote(format!("the server answered {status}"), None);
                    let passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
                    return Err(if passing { Interruption::Passing(failure) } else { Interruption::Final(failure) });
                }
                Event::Bytes(bytes) => {
                    if part.length + bytes.len() as u64 > part.size {
                        let reason = format!("the server sends more than the {} bytes of the file", part.size);
                        part.restart()?;
                        return Err(Interruption::Final(Failure::Remote(reason, None)));
                    }
                    part.append(&bytes)?;
                    go_on(report(part.length))?;
                }
                Event::Over if part.length == part.size => return Ok(()),
                Event::Over => return Err(broke_off(part, None)),
                Event::Broken(cause) => return Err(broke_off(part, Some(cause))),
                Event::Unreachable(reason, cause) => return Err(Interruption::Passing(Failure::Remote(reason, cause))),
            }
        }
    }
}

/// What came of one file.
enum Fetched {
    Here(PathBuf),
    Stopped(Stopped),
}

impl Fetched {
    fn stopped(file: &ModelFile, done: u64, total: u64) -> Self {
        Self::Stopped(Stopped { file: file.name.clone(), done, total })
    }
}

/// Told how many bytes of one file are here; says whether to go on.
type Report<'a> = dyn FnMut(u64) -> ControlFlow<()> + 'a;

/// Waits, unless the caller stops the pull meanwhile.
fn pause(time: Duration, done: u64, report: &mut Report<'_>) -> std::result::Result<(), Failure> {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::sleep(left.min(TICK));
        go_on(report(done))?;
    }
    Ok(())
}

fn go_on(flow: ControlFlow<()>) -> std::result::Result<(), Failure> {
    if flow.is_break() { Err(Failure::Stopped) } else { Ok(()) }
}

fn broke_off(part: &PartFile<'_>, cause: Option<crate::error::Cause>) -> Interruption {
    let reason = format!("the connection broke off after {} of {} bytes", part.length, part.size);
    Interruption::Passing(Failure::Remote(reason, cause))
}

/// Why a URL did not give the file.
enum Failure {
    /// This machine's disk: no other URL would help.
    Local(Error),
    /// The way there or the server.
    Remote(String, Option<crate::error::Cause>),
    /// The caller.
    Stopped,
}

/// Whether the same URL is worth another attempt.
enum Interruption {
    Passing(Failure),
    Final(Failure),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Local(error)
    }
}

impl From<Error> for Interruption {
    fn from(error: Error) -> Self {
        Self::Final(Failure::Local(error))
    }
}

impl From<Failure> for Interruption {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

fn base_config() -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .user_agent(concat!("faceattend/", env!("CARGO_PKG_VERSION")))
}

fn certificates(path: &Path) -> Result<Vec<ureq::tls::Certificate<'static>>> {
    let pem = std::fs::read(path).map_err(|source| Error::Io { action: "read", path: path.to_path_buf(), source })?;
    let found: Vec<_> = ureq::tls::parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        let reason = format!("SSL_CERT_FILE names {}, which holds no certificate", path.display());
        return Err(Error::Download { reason, source: None });
    }
    Ok(found)
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;
