//! Model packs: what there is, fetching them, checking them.

use std::ops::ControlFlow;
use std::path::PathBuf;

use faceattend_core::models::download::Downloader;
use faceattend_core::models::manifest::{LicenseConsent, Manifest, Pack};
use faceattend_core::models::store::{FileState, ModelStore};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::gil::{attached, detached};

/// Whether every file of `pack` that can be had is there as the manifest says.
fn installed(store: &ModelStore, pack: &Pack) -> faceattend_core::Result<bool> {
    if pack.built_in {
        return Ok(true);
    }
    let mut wanted = pack.files.iter().filter(|file| file.unavailable.is_none()).peekable();
    if wanted.peek().is_none() {
        return Ok(false);
    }
    for file in wanted {
        if store.state(pack, file)? != FileState::Sound {
            return Ok(false);
        }
    }
    Ok(true)
}

#[pyfunction]
#[pyo3(signature = (folder=None))]
pub(crate) fn list_packs<'py>(py: Python<'py>, folder: Option<PathBuf>) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let packs = detached(py, || {
        let store = ModelStore::locate(folder.as_deref())?;
        let packs = Manifest::embedded()?.packs().iter();
        packs.map(|pack| Ok((pack, installed(&store, pack)?))).collect::<faceattend_core::Result<Vec<_>>>()
    })?;
    packs
        .into_iter()
        .map(|(pack, installed)| {
            let dict = PyDict::new(py);
            dict.set_item("name", &pack.name)?;
            dict.set_item("title", &pack.title)?;
            dict.set_item("license", &pack.license)?;
            dict.set_item("commercial_use", pack.commercial_use)?;
            dict.set_item("requires_acceptance", pack.requires_acceptance)?;
            dict.set_item("size", pack.size())?;
            dict.set_item("built_in", pack.built_in)?;
            dict.set_item("installed", installed)?;
            Ok(dict)
        })
        .collect()
}

#[pyfunction]
#[pyo3(signature = (name, *, accept_license=false, folder=None, progress=None, cancelled=None))]
pub(crate) fn pull_pack(
    py: Python<'_>,
    name: &str,
    accept_license: bool,
    folder: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
    cancelled: Option<Py<PyAny>>,
) -> PyResult<Vec<PathBuf>> {
    let mut raised = None;
    let pulled = detached(py, || {
        let store = ModelStore::locate(folder.as_deref())?;
        let pack = Manifest::embedded()?.pack(name)?;
        Downloader::from_env()?.pull(&store, pack, consent(accept_license), &mut |at| {
            let stop = Python::attach(|py| {
                // Ctrl-C, which Python itself would look at only when the pull is over.
                py.check_signals()?;
                if let Some(progress) = &progress {
                    progress.call1(py, (at.file, at.done, at.total))?;
                }
                cancelled.as_ref().map_or(Ok(false), |cancelled| cancelled.call0(py)?.is_truthy(py))
            });
            match stop {
                Ok(false) => ControlFlow::Continue(()),
                Ok(true) => ControlFlow::Break(()),
                Err(error) => {
                    raised = Some(error);
                    ControlFlow::Break(())
                }
            }
        })
    })?;
    raised.map_or_else(|| attached(py, || pulled.complete()), Err)
}

#[pyfunction]
#[pyo3(signature = (file, *, pack=None, accept_license=false, folder=None))]
pub(crate) fn add_file<'py>(
    py: Python<'py>,
    file: PathBuf,
    pack: Option<&str>,
    accept_license: bool,
    folder: Option<PathBuf>,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let added = detached(py, || {
        let store = ModelStore::locate(folder.as_deref())?;
        store.add(Manifest::embedded()?, &file, pack, consent(accept_license))
    })?;
    added
        .into_iter()
        .map(|added| {
            let dict = PyDict::new(py);
            dict.set_item("pack", added.pack)?;
            dict.set_item("file", added.file)?;
            dict.set_item("path", added.path)?;
            dict.set_item("missing", added.missing)?;
            Ok(dict)
        })
        .collect()
}

fn consent(accepted: bool) -> LicenseConsent {
    if accepted { LicenseConsent::Accepted } else { LicenseConsent::NotGiven }
}

#[pyfunction]
#[pyo3(signature = (name, *, folder=None))]
pub(crate) fn verify_pack(py: Python<'_>, name: &str, folder: Option<PathBuf>) -> PyResult<bool> {
    detached(py, || installed(&ModelStore::locate(folder.as_deref())?, Manifest::embedded()?.pack(name)?))
}

#[pyfunction]
pub(crate) fn models_folder(py: Python<'_>) -> PyResult<PathBuf> {
    attached(py, || Ok(ModelStore::locate(None)?.folder().to_path_buf()))
}
