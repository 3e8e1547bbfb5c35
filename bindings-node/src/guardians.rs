//! Addresses of the guardians of students.

use faceattend_core::store::Guardian as CoreGuardian;
use jiff::Timestamp;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use crate::error::OrThrow as _;
use crate::gallery::student;
use crate::job::{Job, job};
use crate::store::Store;

/// A guardian of a student: personal data, erased with the student.
#[napi(object)]
pub struct Guardian {
    /// The e-mail address.
    pub email: String,
    /// The language of letters, such as `de`.
    pub language: String,
}

/// A guardian who is to be kept.
#[napi(object, object_to_js = false)]
pub struct NewGuardian {
    /// The e-mail address.
    pub email: String,
    /// The language of letters, such as `de`. Default `en`.
    pub language: Option<String>,
}

#[napi]
impl Store {
    /// Resolves to the guardians of a student, in the order in which they were added.
    #[napi(ts_args_type = "studentId: number, options?: Abortable", ts_return_type = "Promise<Array<Guardian>>")]
    pub fn guardians(&self, student_id: f64) -> napi::Result<AsyncTask<Job<Vec<Guardian>>>> {
        let (student, store) = (student(student_id).or_throw()?, self.inner.clone());
        Ok(job(move || Ok(store.guardians(student)?.into_iter().map(Into::into).collect())))
    }

    /// Gives a student these guardians and no others. Who stays keeps what is to be sent. Rejects with `not_found` for
    /// an unknown student, and with `invalid_input` for what is no address and for an address that is there twice.
    #[napi(
        ts_args_type = "studentId: number, guardians: Array<NewGuardian>, options?: Abortable",
        ts_return_type = "Promise<void>"
    )]
    pub fn set_guardians(&self, student_id: f64, guardians: Vec<NewGuardian>) -> napi::Result<AsyncTask<Job<()>>> {
        let (student, store) = (student(student_id).or_throw()?, self.inner.clone());
        let guardians: Vec<CoreGuardian> = guardians.into_iter().map(Into::into).collect();
        Ok(job(move || store.set_guardians(student, &guardians, Timestamp::now())))
    }
}

impl From<CoreGuardian> for Guardian {
    fn from(guardian: CoreGuardian) -> Self {
        Self { email: guardian.email, language: guardian.language }
    }
}

impl From<NewGuardian> for CoreGuardian {
    fn from(guardian: NewGuardian) -> Self {
        Self { email: guardian.email, language: guardian.language.unwrap_or_else(|| "en".into()) }
    }
}
