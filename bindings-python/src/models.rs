//! Model packs: what there is, fetching them, checking them.

use std::path::PathBuf;

use faceattend_core::models::download::{Downloader, LicenseConsent};
use faceattend_core::models::manifest::{Manifest, Pack};
use faceattend_core::models::store::{FileState, ModelStore};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::guard::{attached, detached};

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
#[pyo3(signature = (name, *, accept_license=false, folder=None, progress=None))]
pub(crate) fn pull_pack(
    py: Python<'_>,
    name: &str,
    accept_license: bool,
    folder: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<PathBuf>> {
    let consent = if accept_license { LicenseConsent::Accepted } else { LicenseConsent::NotGiven };
    let mut raised = None;
    let paths = detached(py, || {
        let store = ModelStore::locate(folder.as_deref())?;
        let pack = Manifest::embedded()?.pack(name)?;
        Downloader::from_env()?.pull(&store, pack, consent, &mut |at| {
            if let (Some(progress), None) = (&progress, &raised) {
                raised = Python::attach(|py| progress.call1(py, (at.file, at.done, at.total)).err());
            }
        })
    })?;
    // What is fetched is kept, and the callback's own exception is told.
    raised.map_or(Ok(paths), Err)
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
