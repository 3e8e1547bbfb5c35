//! Work that takes longer than a millisecond, on libuv's threads.

use std::panic::{AssertUnwindSafe, catch_unwind};

use faceattend_core::{Error, Result};
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

use crate::error::to_js;

/// A call on its way: its work until it is done, and then its answer.
pub struct Job<T> {
    work: Option<Box<dyn FnOnce() -> Result<T> + Send>>,
}

/// The promise of what `work` returns. It runs on one of libuv's threads; Node waits for it before it takes an
/// environment down, so it never outlives what it uses.
pub(crate) fn job<T>(work: impl FnOnce() -> Result<T> + Send + 'static) -> AsyncTask<Job<T>>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    AsyncTask::new(Job::of(work))
}

impl<T> Job<T> {
    /// The call itself, for one who has something to add when it is answered.
    pub(crate) fn of(work: impl FnOnce() -> Result<T> + Send + 'static) -> Self {
        Self { work: Some(Box::new(work)) }
    }
}

impl<T: ToNapiValue + TypeName + Send + 'static> Task for Job<T> {
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<T> {
        let done = self.work.take().map(|work| catch_unwind(AssertUnwindSafe(work)));
        let panicked = || Err(Error::Internal { reason: "a call panicked; please report it".into() });
        // What a panic says may hold a value, so it is not passed on; the panic hook has printed where it was.
        done.and_then(std::result::Result::ok).unwrap_or_else(panicked).map_err(|error| to_js(&error))
    }

    fn resolve(&mut self, _env: Env, output: T) -> napi::Result<T> {
        Ok(output)
    }
}
