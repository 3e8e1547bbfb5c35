//! Moments, as Python has them.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFloat, PyInt, PyString};

use crate::error::invalid_input;

/// The moment of a `datetime`, or of a number of seconds since 1970. A `datetime` without a time zone is local time, as
/// Python itself takes it.
pub(crate) fn moment(value: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let py = value.py();
    // A conversion that fails costs an exception, of which a roster would have one for each of its marks.
    let of_datetime = || value.call_method0(intern!(py, "timestamp")).and_then(|seconds| seconds.extract());
    let is_number = value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>();
    let seconds: PyResult<f64> = match is_number {
        true => value.extract(),
        false => of_datetime().or_else(|_| value.extract()),
    };
    let seconds = seconds.map_err(|_| invalid_input(py, "time", "expected a datetime, or seconds since 1970"))?;
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

/// Python's class `date`.
fn date_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static DATE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = DATE.get_or_try_init(py, || py.import("datetime")?.getattr("date").map(Bound::unbind))?;
    Ok(class.bind(py))
}

/// The day as a `date`.
pub(crate) fn date(py: Python<'_>, day: Date) -> PyResult<Bound<'_, PyAny>> {
    date_class(py)?.call1((day.year(), day.month(), day.day()))
}

/// The day of a `date`, or of a text such as `2026-03-02`.
pub(crate) fn day(value: &Bound<'_, PyAny>) -> PyResult<Date> {
    let py = value.py();
    let wrong = || invalid_input(py, "date", "expected a date, or a text such as 2026-03-02");
    if let Ok(text) = value.cast::<PyString>() {
        // A text with a time is refused as a `datetime` is.
        let text: String = text.extract()?;
        return text.parse().ok().filter(|_| text.len() == "2026-03-02".len()).ok_or_else(wrong);
    }
    // A `datetime` is a `date` for Python. Which day it belongs to depends on the site.
    if !value.get_type().is(date_class(py)?) && value.hasattr(intern!(py, "hour"))? {
        let reason = "a datetime is no day: AttendancePolicy.day says which one it belongs to";
        return Err(invalid_input(py, "date", reason));
    }
    let part = |name| value.getattr(name).and_then(|part| part.extract::<i16>()).map_err(|_| wrong());
    let (year, month, day) = (part(intern!(py, "year"))?, part(intern!(py, "month"))?, part(intern!(py, "day"))?);
    let narrow = |number: i16| i8::try_from(number).map_err(|_| wrong());
    Date::new(year, narrow(month)?, narrow(day)?).map_err(|_| wrong())
}

/// The time of a `time`, or of a text such as `07:30`.
pub(crate) fn clock(value: &Bound<'_, PyAny>) -> PyResult<Time> {
    let wrong = || invalid_input(value.py(), "time", "expected a time, or a text such as 07:30");
    let text = match value.extract::<String>() {
        Ok(text) => text,
        // What `str` would write of a time, without its time zone: it is one of the site's clocks.
        Err(_) => {
            let naive = value.call_method1("strftime", ("%H:%M:%S",)).map_err(|_| wrong())?;
            naive.extract().map_err(|_| wrong())?
        }
    };
    text.parse().map_err(|_| wrong())
}

/// The time of the site's clocks as a `time`.
pub(crate) fn time(py: Python<'_>, time: Time) -> PyResult<Bound<'_, PyAny>> {
    py.import("datetime")?.getattr("time")?.call1((time.hour(), time.minute(), time.second()))
}

/// A day as an argument.
pub(crate) struct Day(pub(crate) Date);

impl Day {
    pub(crate) fn date(self) -> Date {
        self.0
    }
}

impl<'py> FromPyObject<'_, 'py> for Day {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        day(&value).map(Self)
    }
}

/// A moment as an argument.
pub(crate) struct When(Timestamp);

impl When {
    pub(crate) fn or_now(given: Option<Self>) -> Timestamp {
        given.map_or_else(Timestamp::now, |when| when.0)
    }
}

impl<'py> FromPyObject<'_, 'py> for When {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        moment(&value).map(Self)
    }
}
