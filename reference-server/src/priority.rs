//! The priority of the threads that analyze. Linux alone has priorities of threads.

/// By how much the priority of analysis is lower than that of everything else: it gets a third of a core that both
/// want, and all of one that nobody else wants. Both are of one process, so it is no other program's to notice.
#[cfg(target_os = "linux")]
pub(crate) const NICE: i32 = 5;

/// Lowers the priority of this thread, for good: requests that need no analysis then do not wait for it.
pub(crate) fn yield_to_requests() {
    #[cfg(target_os = "linux")]
    {
        thread_local! {
            static DONE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
        }
        if !DONE.replace(true) {
            // Where none is named, Linux means the thread, not the process. Without it everything works, less evenly.
            let _ = rustix::process::setpriority_process(None, NICE);
        }
    }
}
