//! Moments, as Python has them.

use jiff::{SignedDuration, Timestamp};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::invalid_input;

/// The moment of a `datetime`, or of a number of seconds since 1970. A `datetime` without a time zone is local time, as
/// Python itself takes it.
pub(crate) fn moment(value: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let py = value.py();
    let seconds: f64 = match value.extract::<f64>() {
        Ok(seconds) => seconds,
        Err(_) => value
            .call_method0("timestamp")
            .and_then(|seconds| seconds.extract())
            .map_err(|_| invalid_input(py, "time", "expected a datetime, or seconds since 1970"))?,
    };
    #[expect(clippy::cast_possible_truncation, reason = "checked below")]
    let microseconds = (seconds * 1e6).round() as i64;
    if !seconds.is_finite() {
        return Err(invalid_input(py, "time", "it is not a number"));
    }
    Timestamp::from_microsecond(microseconds).map_err(|_| invalid_input(py, "time", "it lies beyond the calendar"))
}

/// `given`, or now.
pub(crate) fn moment_or_now(given: Option<&Bound<'_, PyAny>>) -> PyResult<Timestamp> {
    given.map_or_else(|| Ok(Timestamp::now()), moment)
}

/// A span of so many seconds, which is not negative.
pub(crate) fn span(py: Python<'_>, what: &'static str, seconds: f64) -> PyResult<SignedDuration> {
    let span = SignedDuration::try_from_secs_f64(seconds).ok().filter(|span| !span.is_negative());
    span.ok_or_else(|| invalid_input(py, what, format!("{seconds} is no number of seconds")))
}

/// The moment as a `datetime` in UTC.
pub(crate) fn datetime(py: Python<'_>, moment: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    static UTC: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    let (class, utc) = UTC.get_or_try_init(py, || {
        let module = py.import("datetime")?;
        let utc = module.getattr("timezone")?.getattr("utc")?;
        PyResult::Ok((module.getattr("datetime")?.unbind(), utc.unbind()))
    })?;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this age need 51 bits")]
    let seconds = moment.as_microsecond() as f64 / 1e6;
    class.bind(py).call_method1("fromtimestamp", (seconds, utc))
}

/// The day as a `date`.
pub(crate) fn date(py: Python<'_>, day: jiff::civil::Date) -> PyResult<Bound<'_, PyAny>> {
    py.import("datetime")?.getattr("date")?.call1((day.year(), day.month(), day.day()))
}
