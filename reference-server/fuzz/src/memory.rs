//! A limit on the memory that one input takes, and what is said of a panic.

use std::alloc::System;
use std::panic::{catch_unwind, set_hook};
use std::process::abort;
use std::sync::{Mutex, Once, PoisonError};

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What the last panic said.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Runs the check of a target in a program of libFuzzer: ends it when the check panics. A panic that the code catches
/// itself is its own affair, though libFuzzer's crate would end the program in its hook.
pub fn run(check: fn(&[u8]), data: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        set_hook(Box::new(|panic| {
            // What is said takes memory too. The limit is one that can be lifted.
            let _ = ALLOCATOR.set_limit(usize::MAX);
            *SAID.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
        }));
    });
    if catch_unwind(|| check(data)).is_err() {
        say(&SAID.lock().unwrap_or_else(PoisonError::into_inner));
        abort();
    }
}

#[expect(clippy::print_stderr, reason = "libFuzzer speaks on the same stream")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// Runs `work`, which may take `bytes` more than what is in use now: beyond that an allocation fails, which ends the
/// program. What C and C++ allocate is not counted; libFuzzer's `-rss_limit_mb` covers it.
pub(crate) fn within<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    // The tests of this crate run side by side and allocate for each other: the limit is for the programs.
    if cfg!(test) {
        return work();
    }
    let before = ALLOCATOR.allocated();
    // A limit below what is in use is refused, which the sum cannot be.
    let limited = ALLOCATOR.set_limit(before.saturating_add(bytes));
    assert!(limited.is_ok(), "the limit could not be set");
    let done = work();
    let lifted = ALLOCATOR.set_limit(usize::MAX);
    assert!(lifted.is_ok(), "the limit could not be lifted");
    done
}
