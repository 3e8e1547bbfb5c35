//! Fetching packs by URL, resumable and checked. Nothing here is needed at run time.
//!
//! Bytes go to `<file>.part` beside their place and are hashed on the way; only a file whose size and hash are what the
//! manifest says is moved to its name, in one step. What an interrupted pull has fetched is kept, and the next one asks
//! for the rest. The proxy variables (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) are respected, and `SSL_CERT_FILE` names
//! the certificates to trust where a company's proxy has its own.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::http::{StatusCode, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig};

use super::manifest::{ModelFile, Pack, Sha256Hex};
use super::store::{FileState, ModelStore, hex, state_of};
use crate::error::{Error, Result};

/// How often one URL is tried before the next: each time goes on where the last one broke off.
const ATTEMPTS: u32 = 3;
/// How long a connection may take, and a server may stay silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the user has accepted the licence of the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenseConsent {
    /// The user has read and accepted it.
    Accepted,
    /// The user has not been asked, or said no.
    NotGiven,
}

/// How far one file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file.
    pub file: &'a str,
    /// How many bytes are there.
    pub done: u64,
    /// How many there will be.
    pub total: u64,
}

/// Fetches packs.
#[derive(Debug, Clone)]
pub struct Downloader {
    agent: ureq::Agent,
}

impl Downloader {
    /// A downloader that takes proxy and certificates from the environment.
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
    /// # Errors
    /// [`Error::State`] when the licence has to be accepted and is not; [`Error::Download`] when a file could not be
    /// fetched, saying why and what to do, or when there is none that can; [`Error::Io`] when one cannot be written.
    pub fn pull(
        &self,
        store: &ModelStore,
        pack: &Pack,
        consent: LicenseConsent,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Vec<PathBuf>> {
        if pack.requires_acceptance && consent != LicenseConsent::Accepted {
            return Err(Error::State {
                what: "licence not accepted",
                reason: format!(
                    "{} is under this licence: {}. Read it, then run `faceattend models pull {} --accept-license`",
                    pack.name, pack.license, pack.name
                ),
            });
        }
        let mut paths = Vec::new();
        for file in pack.files.iter().filter(|file| file.unavailable.is_none()) {
            paths.push(self.fetch(store, pack, file, progress)?);
        }
        if paths.is_empty() {
            return Err(Error::Download {
                reason: format!("pack {} has no file that can be fetched", pack.name),
                source: None,
            });
        }
        Ok(paths)
    }

    fn fetch(
        &self,
        store: &ModelStore,
        pack: &Pack,
        file: &ModelFile,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf> {
        let path = store.path(pack, file);
        let (Some(sha256), Some(size)) = (&file.sha256, file.size) else {
            let reason = format!("{} has no known checksum, so it cannot be fetched safely", file.name);
            return Err(Error::Download { reason, source: None });
        };
        if state_of(&path, file)? == FileState::Sound {
            progress(Progress { file: &file.name, done: size, total: size });
            return Ok(path);
        }
        if file.urls.is_empty() {
            let reason = format!("{} is part of the repository (models/{}) and of no server", file.name, pack.name);
            return Err(Error::Download { reason, source: None });
        }
        let mut part = PartFile::open(&path, size, sha256)?;
        let mut failures = Vec::new();
        let mut cause = None;
        for url in &file.urls {
            let mut report = |done| progress(Progress { file: &file.name, done, total: size });
            match self.fetch_from(url, &mut part, &mut report) {
                Ok(()) => return part.into_place(&path),
                Err(Failure::Local(error)) => return Err(error),
                Err(Failure::Remote(reason, error)) => {
                    failures.push(format!("{url}: {reason}"));
                    cause = error.or(cause);
                }
            }
        }
        part.discard_if_empty();
        Err(Error::Download {
            reason: format!(
                "could not fetch {}: {}. If this machine is offline, fetch that file elsewhere and put it at {}, then run \
                 `faceattend models verify`; behind a proxy, set HTTPS_PROXY. What has arrived is kept: the same command \
                 goes on from there",
                file.name,
                failures.join("; "),
                path.display()
            ),
            source: cause,
        })
    }

    /// All of the file from one URL, going on after an interruption.
    fn fetch_from(
        &self,
        url: &str,
        part: &mut PartFile<'_>,
        report: &mut dyn FnMut(u64),
    ) -> std::result::Result<(), Failure> {
        let mut last = Failure::Remote("no attempt was made".into(), None);
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(Duration::from_millis(200 << attempt));
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

    /// One request for what is still missing.
    fn attempt(
        &self,
        url: &str,
        part: &mut PartFile<'_>,
        report: &mut dyn FnMut(u64),
    ) -> std::result::Result<(), Interruption> {
        report(part.length);
        if part.length == part.size {
            return Ok(());
        }
        // Compression would make positions in the file and in the stream different things.
        let mut request = self.agent.get(url).header(header::ACCEPT_ENCODING, "identity");
        if part.length > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", part.length));
        }
        let response = request.call().map_err(|error| Interruption::Passing(unreachable_because(error)))?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if starts_at(&response, part.length) => {}
            StatusCode::OK => part.restart()?,
            // A range that the server does not know: start afresh.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                part.restart()?;
                return Err(Interruption::Passing(Failure::Remote("the server refused to resume".into(), None)));
            }
            status => {
                let failure = Failure::Remote(format!("the server answered {status}"), None);
                let passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
                return Err(if passing { Interruption::Passing(failure) } else { Interruption::Final(failure) });
            }
        }
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match body.read(&mut buffer) {
                Ok(0) if part.length == part.size => return Ok(()),
                Ok(0) => {
                    let reason = format!("the connection broke off after {} of {} bytes", part.length, part.size);
                    return Err(Interruption::Passing(Failure::Remote(reason, None)));
                }
                Ok(count) => {
                    if part.length + count as u64 > part.size {
                        let reason = format!("the server sends more than the {} bytes of the file", part.size);
                        part.restart()?;
                        return Err(Interruption::Final(Failure::Remote(reason, None)));
                    }
                    part.append(&buffer[..count])?;
                    report(part.length);
                }
                Err(error) => {
                    let reason = format!("the connection broke off after {} of {} bytes", part.length, part.size);
                    return Err(Interruption::Passing(Failure::Remote(reason, Some(Box::new(error)))));
                }
            }
        }
    }
}

/// Why a URL did not give the file.
enum Failure {
    /// This machine's disk: no other URL would help.
    Local(Error),
    /// The way there or the server.
    Remote(String, Option<crate::error::Cause>),
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

/// What has arrived of a file, with its hash so far. Locked against a second pull.
struct PartFile<'a> {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    length: u64,
    /// Whether it begins with what an earlier pull left.
    resumed: bool,
    size: u64,
    sha256: &'a Sha256Hex,
}

impl<'a> PartFile<'a> {
    fn open(destination: &Path, size: u64, sha256: &'a Sha256Hex) -> Result<Self> {
        let mut name = destination.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::Io {
                action: "create",
                path: folder.to_path_buf(),
                source,
            })?;
        }
        let writing = |source| Error::Io { action: "write", path: path.clone(), source };
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(writing)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let reason = format!("another pull is fetching {} right now", destination.display());
                return Err(Error::Download { reason, source: None });
            }
            // A file system without locks: two pulls at once would only make the hash wrong, which is noticed.
            Err(TryLockError::Error(_)) => {}
        }
        let mut part =
            Self { path: path.clone(), file, hasher: Sha256::new(), length: 0, resumed: false, size, sha256 };
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = part.file.read(&mut buffer).map_err(writing)?;
            if count == 0 {
                break;
            }
            part.hasher.update(&buffer[..count]);
            part.length += count as u64;
        }
        if part.length > size {
            part.restart()?;
        }
        part.resumed = part.length > 0;
        Ok(part)
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::Io { action: "write", path: self.path.clone(), source }
    }

    fn restart(&mut self) -> Result<()> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)).map(drop))
            .map_err(|source| self.failed(source))?;
        self.hasher = Sha256::new();
        self.length = 0;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|source| self.failed(source))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// `None` when the contents are the right ones; else what is wrong, and the file is emptied.
    fn check(&mut self) -> Result<Option<String>> {
        let found = hex(self.hasher.clone().finalize().as_slice());
        if self.length == self.size && found == *self.sha256 {
            return Ok(None);
        }
        let reason = format!("wrong contents: expected sha256 {}, found {found}", self.sha256);
        self.restart()?;
        Ok(Some(reason))
    }

    /// A failed pull leaves nothing where nothing arrived.
    fn discard_if_empty(self) {
        if self.length == 0 {
            // An empty leftover does no harm, so neither does failing to remove it.
            let _ = std::fs::remove_file(&self.path);
        }
    }

    fn into_place(self, destination: &Path) -> Result<PathBuf> {
        // The name must not become visible before the bytes are on disk, whatever happens to the machine.
        self.file.sync_all().map_err(|source| self.failed(source))?;
        std::fs::rename(&self.path, destination).map_err(|source| Error::Io {
            action: "write",
            path: destination.to_path_buf(),
            source,
        })?;
        Ok(destination.to_path_buf())
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

/// Whether a partial answer goes on at `position`.
fn starts_at(response: &ureq::http::Response<ureq::Body>, position: u64) -> bool {
    response
        .headers()
        .get(header::CONTENT_RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("bytes "))
        .and_then(|value| value.split('-').next())
        .and_then(|value| value.trim().parse::<u64>().ok())
        == Some(position)
}

/// A failed connection in words a user can act on.
fn unreachable_because(error: ureq::Error) -> Failure {
    let reason = match &error {
        ureq::Error::HostNotFound => "the host is not known here: no internet, or no name service".into(),
        ureq::Error::ConnectionFailed => "no connection".into(),
        ureq::Error::Timeout(_) => format!("no answer within {} seconds", PATIENCE.as_secs()),
        ureq::Error::Io(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused => "connection refused".into(),
        other => other.to_string(),
    };
    Failure::Remote(reason, Some(Box::new(error)))
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;
