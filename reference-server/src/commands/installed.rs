//! The service that a package has installed on this machine: where its settings are, and as whom its commands run.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
#[cfg(unix)]
use faceattend_core::Error;
use faceattend_core::Result;

/// Where the packages put the settings of the service. Only root and the service's group may read them.
const SETTINGS: &str = "/etc/faceattend/config.toml";

/// Returns the settings of this machine's service, where one is installed and this user may read them. Whoever may not
/// runs a server of their own, with other settings.
#[must_use]
pub fn settings() -> Option<PathBuf> {
    std::fs::File::open(SETTINGS).is_ok().then(|| SETTINGS.into())
}

/// Returns the folder in which the command may write: that of the data, else that of the models; none when it has
/// neither.
#[must_use]
pub fn folder_of(matches: &ArgMatches) -> Option<PathBuf> {
    let (mut matches, mut data) = (matches, None);
    loop {
        let named = |id: &str| matches.try_get_one::<PathBuf>(id).ok().flatten().cloned();
        data = named("data_dir").or_else(|| named("models_dir")).or(data);
        match matches.subcommand() {
            Some((_, inner)) => matches = inner,
            None => return data,
        }
    }
}

/// Goes on as the user to whom `folder` belongs, or what is to hold it, when root has called: the service could not use
/// files that root makes there. It executes this program again and returns where that is not needed.
///
/// # Errors
/// [`Error::Io`] when the program cannot be executed again.
#[cfg(unix)]
pub fn go_on_as_owner_of(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::CommandExt as _;

    let Some((home, owner)) = folder.ancestors().find_map(|it| Some((it, std::fs::metadata(it).ok()?))) else {
        return Ok(());
    };
    if !rustix::process::geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    let failed = |source| Error::Io { action: "run", path: "the program as the service's user".into(), source };
    let program = std::env::current_exe().map_err(failed)?;
    let mut again = std::process::Command::new(program);
    // What is in root's home is out of reach.
    again.args(std::env::args_os().skip(1)).uid(owner.uid()).gid(owner.gid()).env("HOME", home);
    // It returns only when it fails.
    Err(failed(again.exec()))
}

/// Does nothing: the packages that have a service are for Unix.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn go_on_as_owner_of(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;
    use crate::commands::admin::AdminArgs;
    use crate::commands::models::ModelsArgs;

    #[test]
    fn the_folder_is_found_however_deep_the_command_is() {
        let program = || {
            let admin = AdminArgs::augment_args(Command::new("admin"));
            Command::new("faceattend").subcommand(admin).subcommand(ModelsArgs::augment_args(Command::new("models")))
        };
        let data = |words: &str| folder_of(&program().get_matches_from(words.split(' ')));
        assert_eq!(data("faceattend admin --data-dir /srv list"), Some("/srv".into()));
        assert_eq!(data("faceattend admin list --data-dir /srv"), Some("/srv".into()));
        if std::env::var_os("FACEATTEND_DATA_DIR").is_none() {
            assert_eq!(data("faceattend admin list"), None);
        }
        assert_eq!(data("faceattend models list"), None);
        assert_eq!(data("faceattend models list --models-dir /srv/models"), Some("/srv/models".into()));
    }
}
