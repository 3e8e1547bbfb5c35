//! Starts the server a second time, with what libraries read from the environment before `main` or take nowhere else.
//! An environment cannot be changed safely in a process that may have threads.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// A variable and its value.
type Variable = (&'static str, OsString);

/// Executes this program again, as the same process with the same arguments and files, unless every variable has its
/// value. Returns where that is done, not needed or not possible: the server works without.
pub(super) fn with_variables() {
    let variables: &[fn() -> Option<Variable>] = &[
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        super::arenas::heaps,
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        super::arenas::large_blocks,
        super::redirections::variable,
    ];
    let missing: Vec<_> = variables.iter().filter_map(|variable| variable()).collect();
    if missing.is_empty() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    // It returns only when it fails.
    let failed = again.args(arguments).envs(missing).exec();
    tracing::warn!("the server could not begin again, and goes on without {}: {failed}", names.join(" and "));
}
