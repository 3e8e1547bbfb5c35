//! Files that take the place of others all together, also when the process or the machine dies in the middle.
//!
//! What comes is written beside what goes. Then one file, the plan, says which names change: from the moment it is on
//! the disk, whoever finds it finishes the work, and before that moment nothing has changed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::own_file::{self, Readers};

/// One name that changes.
///
/// ```
/// use faceattend_core::backup::{Change, Swap};
///
/// let folder = tempfile::tempdir().unwrap();
/// let at = |name: &str| folder.path().join(name);
/// std::fs::write(at("key"), "old").unwrap();
/// std::fs::write(at("key.new"), "new").unwrap();
/// let change = Change { target: at("key"), comes: Some(at("key.new")), kept: at("key.before") };
/// let kept = Swap::begin(&at("plan"), "a restore", vec![change])?.finish()?;
/// assert_eq!(std::fs::read_to_string(at("key")).unwrap(), "new");
/// assert_eq!((std::fs::read_to_string(at("key.before")).unwrap(), kept), ("old".into(), vec![at("key.before")]));
/// assert!(Swap::unfinished(&at("plan"))?.is_none());
/// # Ok::<_, faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The file that is replaced.
    pub target: PathBuf,
    /// What comes into its place, in the same folder; `None` where nothing does.
    pub comes: Option<PathBuf>,
    /// The name under which the old file stays.
    pub kept: PathBuf,
}

/// A change of several files that has begun.
///
/// ```
/// use faceattend_core::backup::Swap;
///
/// let folder = tempfile::tempdir().unwrap();
/// // Who begins to work with the files looks first whether a change of them was cut off.
/// if let Some(swap) = Swap::unfinished(&folder.path().join("plan"))? {
///     swap.finish()?;
/// }
/// # Ok::<_, faceattend_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Swap {
    plan: PathBuf,
    contents: Plan,
}

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    faceattend: String,
    format: u32,
    id: String,
    changes: Vec<Change>,
}

const KIND: &str = "restore";
const FORMAT: u32 = 1;

impl Swap {
    /// Writes the plan: from now on the changes will be made. `id` is told to whoever finds it.
    ///
    /// # Errors
    /// [`Error::State`] when there is a plan already; [`Error::Io`].
    pub fn begin(plan: &Path, id: &str, changes: Vec<Change>) -> Result<Self> {
        if plan.exists() {
            let reason = format!("{} tells of one that was cut off: finish it first", plan.display());
            return Err(Error::State { what: "restore", reason });
        }
        let contents = Plan { faceattend: KIND.into(), format: FORMAT, id: id.to_owned(), changes };
        let text = serde_json::to_vec_pretty(&contents).map_err(|error| Error::InvalidInput {
            what: "path",
            reason: format!("{error}: a file of the database is named in no UTF-8"),
        })?;
        for change in &contents.changes {
            if let Some(comes) = &change.comes {
                let synced = File::open(comes).and_then(|file| file.sync_all());
                synced.map_err(|source| Error::Io { action: "write", path: comes.clone(), source })?;
                sync_folder(comes);
            }
        }
        let part = own_file::beside(plan, ".part");
        // A leftover of a process that died.
        let _ = std::fs::remove_file(&part);
        let write = || -> io::Result<()> {
            let mut file = own_file::create_new(&part, Readers::Owner)?;
            io::Write::write_all(&mut file, &text)?;
            file.sync_all()?;
            std::fs::rename(&part, plan)
        };
        write().map_err(|source| Error::Io { action: "write", path: plan.to_owned(), source })?;
        sync_folder(plan);
        Ok(Self { plan: plan.to_owned(), contents })
    }

    /// Returns what a process that died has left to do.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::State`] for a plan that cannot be read.
    pub fn unfinished(plan: &Path) -> Result<Option<Self>> {
        let text = match std::fs::read(plan) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Io { action: "read", path: plan.to_owned(), source }),
        };
        let contents = serde_json::from_slice(&text).ok();
        let contents = contents.filter(|plan: &Plan| plan.faceattend == KIND && plan.format == FORMAT);
        match contents {
            Some(contents) => Ok(Some(Self { plan: plan.to_owned(), contents })),
            None => {
                let reason = format!("{} is no plan of this version: use the one that made it", plan.display());
                Err(Error::State { what: "restore", reason })
            }
        }
    }

    /// Returns what the plan was begun with.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.contents.id
    }

    /// Makes what is left of the changes, and takes the plan away. Returns the names of the old files.
    ///
    /// # Errors
    /// [`Error::Io`]: the plan stays, and this can be tried again.
    pub fn finish(self) -> Result<Vec<PathBuf>> {
        self.finish_in_steps(&mut || Ok(()))
    }

    /// As [`finish`](Self::finish), with a call before each change of a name.
    pub(super) fn finish_in_steps(mut self, step: &mut dyn FnMut() -> io::Result<()>) -> Result<Vec<PathBuf>> {
        let mut rename = |from: &Path, to: &Path| -> Result<()> {
            step().and_then(|()| std::fs::rename(from, to)).map_err(|source| Error::Io {
                action: "rename",
                path: from.to_owned(),
                source,
            })?;
            sync_folder(to);
            Ok(())
        };
        for change in &mut self.contents.changes {
            let is_to_do = change.comes.as_ref().is_none_or(|comes| comes.exists());
            if is_to_do && change.target.exists() {
                // One that came into the place meanwhile is kept too.
                while change.kept.exists() {
                    change.kept = own_file::beside(&change.kept, "-more");
                }
                rename(&change.target, &change.kept)?;
            }
            if let Some(comes) = change.comes.as_ref().filter(|comes| comes.exists()) {
                rename(comes, &change.target)?;
            }
        }
        self.take_plan_away(step)?;
        let kept = self.contents.changes.into_iter().map(|change| change.kept);
        Ok(kept.filter(|kept| kept.exists()).collect())
    }

    /// Takes away what would have come, and the plan.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn give_up(self) -> Result<()> {
        for comes in self.contents.changes.iter().filter_map(|change| change.comes.as_ref()) {
            match std::fs::remove_file(comes) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::Io { action: "delete", path: comes.clone(), source: error });
                }
                _ => {}
            }
        }
        self.take_plan_away(&mut || Ok(()))
    }

    fn take_plan_away(&self, step: &mut dyn FnMut() -> io::Result<()>) -> Result<()> {
        step().and_then(|()| std::fs::remove_file(&self.plan)).map_err(|source| Error::Io {
            action: "delete",
            path: self.plan.clone(),
            source,
        })?;
        sync_folder(&self.plan);
        Ok(())
    }
}

/// The name of a file is on the disk once its folder is. Where that cannot be asked for, it is the system's business.
pub(super) fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
