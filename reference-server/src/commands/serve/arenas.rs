//! Keeps glibc from holding on to memory.
//!
//! glibc gives threads heaps of their own, up to eight for each core, and a heap keeps what it once had. The server's
//! requests move among hundreds of threads, so that each heap came to keep a password hash's 19 MiB and a picture: a
//! few clients took the server from 170 MiB to 690, and it was killed where it had 300. One heap for each core is
//! enough. And what is larger than 4 MiB goes back to the system when it is freed: glibc does so at first, and no
//! longer once it has freed such a block. The clients that took 254 to 262 MiB with one heap for each core take 125.

use std::ffi::OsString;

/// The variable by which glibc is told of the number of heaps, before `main`.
const HEAPS: &str = "MALLOC_ARENA_MAX";
/// The variable by which it is told from how many bytes on a block is the system's.
const LARGE: &str = "MALLOC_MMAP_THRESHOLD_";
/// 4 MiB: the pixels of a 720p picture are less, a password's hash and a telephone's photograph are more.
const LARGE_FROM: usize = 4 << 20;

/// Returns the variable with one heap for each core; `None` where it has a value.
pub(super) fn heaps() -> Option<(&'static str, OsString)> {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2);
    unless_given(HEAPS, cores)
}

/// Returns the variable that gives large blocks back; `None` where it has a value.
pub(super) fn large_blocks() -> Option<(&'static str, OsString)> {
    unless_given(LARGE, LARGE_FROM)
}

fn unless_given(name: &'static str, value: usize) -> Option<(&'static str, OsString)> {
    std::env::var_os(name).is_none().then(|| (name, value.to_string().into()))
}
