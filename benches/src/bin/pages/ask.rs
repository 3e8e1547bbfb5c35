//! Asks each page, and keeps how long the answers took.

use std::fmt;
use std::time::{Duration, Instant};

use jiff::ToSpan as _;
use serde::Serialize;

use crate::Outcome;
use crate::school::School;
use crate::service::Service;

#[derive(Serialize)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    page: &'static str,
    bytes: usize,
    first_ms: f64,
    median_ms: f64,
    worst_ms: f64,
    /// Processor time of the server for an answer.
    processor_ms: Option<f64>,
}

/// Asks every page `times` times, after a first time that fills the caches of the database.
pub(crate) fn pages(service: &Service, school: &School, times: usize) -> Outcome<Report> {
    let last = school.last_day();
    let month = last.strftime("%Y-%m").to_string();
    let weeks = last.checked_sub(8.weeks())?;
    let year = last.checked_sub(1.year())?;
    let absent = format!("from={}&to={last}&status=Absent", last.checked_sub(30.days())?);
    let asked = [
        ("Today", format!("attendance/today?date={last}")),
        ("Today, one group", format!("attendance/today?date={last}&group=7")),
        ("Register, one group", format!("attendance/register?group=7&month={month}")),
        ("Register, who is in no group", format!("attendance/register?group=0&month={month}")),
        ("Register, every group, CSV", format!("attendance/register?all=true&format=csv&month={month}")),
        ("Person, three months", "attendance/person?student_id=77".to_owned()),
        ("Person, a year", format!("attendance/person?student_id=77&from={year}&to={last}")),
        ("Trends, one group, eight weeks", format!("attendance/trends?from={weeks}&to={last}&group=7")),
        ("Trends, one group, a year", format!("attendance/trends?from={year}&to={last}&group=7")),
        ("Trends, everybody, eight weeks", format!("attendance/trends?from={weeks}&to={last}")),
        ("Trends, everybody, a year", format!("attendance/trends?from={year}&to={last}")),
        ("Statuses, a day", format!("attendance/statuses?to={last}&limit=50")),
        ("Statuses, absent in 31 days", format!("attendance/statuses?{absent}&limit=50")),
        ("Students", "students/?limit=50".to_owned()),
        ("Students by name", "students/?limit=50&sort=name&skip=2000".to_owned()),
        ("Students, a search", "students/?limit=50&search=499".to_owned()),
        ("Attendance, a day", format!("attendance/?limit=50&start_date={last}&end_date={last}")),
        ("Attendance, all", "attendance/?limit=50".to_owned()),
        ("Attendance, sums of a day", format!("attendance/stats/summary?start_date={last}&end_date={last}")),
        ("Attendance, sums of all", "attendance/stats/summary".to_owned()),
        ("Groups", "groups".to_owned()),
    ];
    let rows = asked.iter().map(|(page, path)| row(service, page, path, times)).collect::<Outcome<_>>()?;
    Ok(Report { rows })
}

fn row(service: &Service, page: &'static str, path: &str, times: usize) -> Outcome<Row> {
    let ask = || -> Outcome<(Duration, usize)> {
        let since = Instant::now();
        let answer = service.get(path)?;
        Ok((since.elapsed(), answer.len()))
    };
    let (first, bytes) = ask()?;
    let before = service.processor_ms();
    let mut took = (0..times.max(1)).map(|_| Ok(ask()?.0)).collect::<Outcome<Vec<Duration>>>()?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a benchmark")]
    let processor_ms = before.zip(service.processor_ms()).map(|(from, to)| (to - from) as f64 / took.len() as f64);
    took.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let (median_ms, worst_ms) = (ms(took[took.len() / 2]), ms(took[took.len() - 1]));
    Ok(Row { page, bytes, first_ms: ms(first), median_ms, worst_ms, processor_ms })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n| page | bytes | first ms | median ms | worst ms | processor ms |\n|---|---|---|---|---|---|")?;
        for Row { page, bytes, first_ms, median_ms, worst_ms, processor_ms } in &self.rows {
            let processor = processor_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}"));
            writeln!(f, "| {page} | {bytes} | {first_ms:.1} | {median_ms:.1} | {worst_ms:.1} | {processor} |")?;
        }
        Ok(())
    }
}
