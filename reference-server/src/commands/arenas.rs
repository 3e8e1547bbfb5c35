//! Keeps glibc from holding on to memory.
//!
//! glibc gives threads heaps of their own, up to eight for each core, and a heap keeps what it once had. The server's
//! requests move among hundreds of threads, so that each heap came to keep a password hash's 19 MiB and a picture: a
//! few clients took the server from 170 MiB to 690, and it was killed where it had 300. One heap for each core is
//! enough: with it the same clients take 187.

/// The variable by which glibc is told, before `main`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const VARIABLE: &str = "MALLOC_ARENA_MAX";

/// Starts this program again, as the same process, with one heap for each core, unless the variable has a value.
/// Returns where that is done, not needed or not possible: the server works without.
pub fn limit() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::os::unix::process::CommandExt as _;

        if std::env::var_os(VARIABLE).is_some() {
            return;
        }
        let Ok(program) = std::env::current_exe() else { return };
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2);
        let mut arguments = std::env::args_os();
        let mut again = std::process::Command::new(program);
        if let Some(name) = arguments.next() {
            again.arg0(name);
        }
        // It returns only when it fails.
        let failed = again.args(arguments).env(VARIABLE, cores.to_string()).exec();
        tracing::debug!("the number of heaps could not be limited: {failed}");
    }
}
