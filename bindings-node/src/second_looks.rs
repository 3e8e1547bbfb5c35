//! Sightings of people who were not believed to be alive: the second-look list.

use faceattend_core::store::{
    Listed, SecondLook as CoreLook, SecondLookAnswer as CoreAnswer, SecondLookDecision, SecondLookFilter,
    SecondLookState as CoreState, SecondLookVerdict as CoreVerdict, SecondLooking as CoreLooking,
};
use faceattend_core::types::Similarity;
use jiff::Timestamp;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use crate::attendance::{AttendanceBook, AttendanceRecord, Marking, similarity_of};
use crate::error::OrThrow as _;
use crate::gallery::student;
use crate::job::{Job, job};
use crate::store::{Store, page};
use crate::time::{self, Date};

/// What a camera thought: it saw too little to tell, or signs of a photograph or a replay.
#[napi(string_enum = "lowercase")]
pub enum SecondLookVerdict {
    Undecided,
    Spoof,
}

/// What has become of a sighting: it waits for a decision, a person confirmed or refused it, or it was settled, because
/// the student was marked otherwise.
#[napi(string_enum = "lowercase")]
pub enum SecondLookState {
    Open,
    Confirmed,
    Refused,
    Settled,
}

/// What a person says of a sighting: the student was there, or it was not the student.
#[napi(string_enum = "lowercase")]
pub enum SecondLookAnswer {
    Confirm,
    Refuse,
}

/// A sighting of somebody whom a camera recognized and did not believe to be alive. There is no picture of it.
#[napi(object, use_nullable = true)]
pub struct SecondLook {
    /// The key. It is never given to another sighting.
    pub id: i64,
    pub student_id: i64,
    pub student_name: String,
    pub student_roll_number: String,
    /// When the student was seen: the time of the mark that a confirmation makes.
    pub timestamp: Date,
    /// The site's day as `YYYY-MM-DD`.
    pub day: String,
    /// The part of the day that is marked once.
    pub period: String,
    /// `Present` or `Late`: the status of the mark that a confirmation makes.
    pub status: String,
    /// The similarity of the match, in [0, 1].
    pub confidence_score: Option<f64>,
    /// The camera's place.
    pub camera_location: Option<String>,
    pub verdict: SecondLookVerdict,
    /// Why, as stable codes such as `few_views`.
    pub reasons: Vec<String>,
    pub state: SecondLookState,
    /// Who decided; `null` until then.
    pub decided_by: Option<String>,
    /// When it was decided; `null` until then.
    pub decided_at: Option<Date>,
}

/// Which sightings to list. What is left out does not narrow the selection.
#[napi(object, object_to_js = false)]
pub struct SecondLookQuery {
    /// Those in this state: `open` for those that wait for a decision.
    pub state: Option<SecondLookState>,
    /// Those of this student.
    pub student_id: Option<f64>,
    /// How many to skip. Default 0.
    pub skip: Option<f64>,
    /// How many to return at most. Default 100.
    pub limit: Option<f64>,
}

/// A slice of the second-look list, newest first.
#[napi(object)]
pub struct SecondLookList {
    pub items: Vec<SecondLook>,
    /// How many there are without the slicing.
    pub total: i64,
}

/// How sure, where and when somebody was seen.
#[napi(object, object_to_js = false)]
pub struct SecondLookOptions {
    /// How similar the seen face was, in [0, 1]. Default 1.
    pub similarity: Option<f64>,
    /// When. Default: now.
    pub at: Option<Date>,
    /// The camera's place.
    pub camera_location: Option<String>,
}

/// What came of a sighting for the second-look list.
#[napi(object, use_nullable = true)]
pub struct SecondLooking {
    /// Whether this call made the entry.
    pub newly_listed: bool,
    /// The entry, new or open before; `null` where the student is marked.
    pub look: Option<SecondLook>,
    /// The row that marks the student; `null` where the sighting is on the list.
    pub record: Option<AttendanceRecord>,
}

#[napi]
impl Store {
    /// Resolves to the sightings that pass the query, newest first. `AttendanceBook.secondLook` puts them there.
    #[napi(ts_args_type = "query?: SecondLookQuery & Abortable", ts_return_type = "Promise<SecondLookList>")]
    pub fn second_looks(&self, query: Option<SecondLookQuery>) -> napi::Result<AsyncTask<Job<SecondLookList>>> {
        let query = query.unwrap_or(SecondLookQuery { state: None, student_id: None, skip: None, limit: None });
        let page = page(query.skip, query.limit).or_throw()?;
        let student = query.student_id.map(student).transpose().or_throw()?;
        let filter = SecondLookFilter { state: query.state.map(Into::into), day: None, student };
        let store = self.inner.clone();
        Ok(job(move || {
            let Listed { items, total } = store.second_looks(&filter, page)?;
            Ok(SecondLookList { items: items.iter().map(Into::into).collect(), total: total.cast_signed() })
        }))
    }

    /// Resolves to the sighting with this key.
    #[napi(ts_args_type = "id: number, options?: Abortable", ts_return_type = "Promise<SecondLook | null>")]
    pub fn second_look(&self, id: f64) -> napi::Result<AsyncTask<Job<Option<SecondLook>>>> {
        let (id, store) = (student(id).or_throw()?.0, self.inner.clone());
        Ok(job(move || Ok(store.second_look(id)?.as_ref().map(Into::into))))
    }

    /// Resolves to how many sightings wait for a decision.
    #[napi(ts_args_type = "options?: Abortable", ts_return_type = "Promise<number>")]
    pub fn open_second_looks(&self) -> AsyncTask<Job<i64>> {
        let store = self.inner.clone();
        job(move || store.open_second_looks().map(u64::cast_signed))
    }

    /// Decides an open sighting, once; `by` is who decides. A confirmed one marks the student at the time of the
    /// sighting, in the same transaction, and resolves to the mark; a refused one to `null`. Rejects with `state` when
    /// it is decided already or the student was marked otherwise.
    #[napi(
        ts_args_type = "id: number, answer: SecondLookAnswer, by: string, options?: Abortable",
        ts_return_type = "Promise<Marking | null>"
    )]
    pub fn decide_second_look(
        &self,
        id: f64,
        answer: SecondLookAnswer,
        by: String,
    ) -> napi::Result<AsyncTask<Job<Option<Marking>>>> {
        let (id, store) = (student(id).or_throw()?.0, self.inner.clone());
        let answer = match answer {
            SecondLookAnswer::Confirm => CoreAnswer::Confirm,
            SecondLookAnswer::Refuse => CoreAnswer::Refuse,
        };
        Ok(job(move || {
            let decision = SecondLookDecision::new(answer, by, Timestamp::now());
            Ok(store.decide_second_look(id, &decision)?.marking.map(Into::into))
        }))
    }
}

#[napi]
impl AttendanceBook {
    /// Puts a student who was seen and not believed to be alive on the second-look list, unless the student is marked
    /// in that day or on the list with this verdict. `reasons` are codes of lowercase letters, digits and underscores,
    /// such as `few_views`. `Store.decideSecondLook` decides; what the database answered is remembered for a minute.
    #[napi(
        ts_args_type = "studentId: number, verdict: SecondLookVerdict, reasons: Array<string>, \
                        options?: SecondLookOptions & Abortable",
        ts_return_type = "Promise<SecondLooking>"
    )]
    pub fn second_look(
        &self,
        student_id: f64,
        verdict: SecondLookVerdict,
        reasons: Vec<String>,
        options: Option<SecondLookOptions>,
    ) -> napi::Result<AsyncTask<Job<SecondLooking>>> {
        let student = student(student_id).or_throw()?;
        let options = options.unwrap_or(SecondLookOptions { similarity: None, at: None, camera_location: None });
        let similarity: Similarity = similarity_of(options.similarity.unwrap_or(1.0)).or_throw()?;
        let at = time::moment_or_now(options.at).or_throw()?;
        let marker = self.marker.clone();
        Ok(job(move || {
            let place = options.camera_location.as_deref();
            Ok(marker.second_look(student, similarity, place, verdict.into(), reasons, at)?.into())
        }))
    }
}

impl From<CoreLooking> for SecondLooking {
    fn from(looking: CoreLooking) -> Self {
        let newly_listed = matches!(looking, CoreLooking::Added(_));
        match &looking {
            CoreLooking::Added(look) | CoreLooking::AlreadyOpen(look) => {
                Self { newly_listed, look: Some(look.into()), record: None }
            }
            CoreLooking::AlreadyMarked(record) => Self { newly_listed, look: None, record: Some(record.into()) },
        }
    }
}

impl From<&CoreLook> for SecondLook {
    fn from(look: &CoreLook) -> Self {
        let sighting = &look.sighting;
        Self {
            id: look.id,
            student_id: sighting.student.0,
            student_name: look.student_name.clone(),
            student_roll_number: look.student_roll_number.clone(),
            timestamp: time::date(sighting.at),
            day: sighting.day.date.to_string(),
            period: sighting.period.clone(),
            status: sighting.status.as_str().to_owned(),
            confidence_score: sighting.confidence_score,
            camera_location: sighting.camera_location.clone(),
            verdict: match look.verdict {
                CoreVerdict::Undecided => SecondLookVerdict::Undecided,
                CoreVerdict::Spoof => SecondLookVerdict::Spoof,
            },
            reasons: look.reasons.clone(),
            state: match look.state {
                CoreState::Open => SecondLookState::Open,
                CoreState::Confirmed => SecondLookState::Confirmed,
                CoreState::Refused => SecondLookState::Refused,
                CoreState::Settled => SecondLookState::Settled,
            },
            decided_by: look.decided_by.clone(),
            decided_at: look.decided_at.map(time::date),
        }
    }
}

impl From<SecondLookVerdict> for CoreVerdict {
    fn from(verdict: SecondLookVerdict) -> Self {
        match verdict {
            SecondLookVerdict::Undecided => Self::Undecided,
            SecondLookVerdict::Spoof => Self::Spoof,
        }
    }
}

impl From<SecondLookState> for CoreState {
    fn from(state: SecondLookState) -> Self {
        match state {
            SecondLookState::Open => Self::Open,
            SecondLookState::Confirmed => Self::Confirmed,
            SecondLookState::Refused => Self::Refused,
            SecondLookState::Settled => Self::Settled,
        }
    }
}
