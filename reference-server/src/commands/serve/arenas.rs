//! Keeps glibc from holding on to memory.
//!
//! glibc gives threads heaps of their own, up to eight for each core, and a heap keeps what it once had. The server's
//! requests move among hundreds of threads, so that each heap came to keep a password hash's 19 MiB and a picture: a
//! few clients took the server from 170 MiB to 690, and it was killed where it had 300. One heap for each core is
//! enough: with it the same clients take 187.

use std::ffi::OsString;

/// The variable by which glibc is told, before `main`.
const VARIABLE: &str = "MALLOC_ARENA_MAX";

/// Returns the variable with one heap for each core; `None` where it has a value.
pub(super) fn variable() -> Option<(&'static str, OsString)> {
    if std::env::var_os(VARIABLE).is_some() {
        return None;
    }
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2);
    Some((VARIABLE, cores.to_string().into()))
}
