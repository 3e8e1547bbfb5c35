//! The import of a list of everybody into an empty database.

use std::fmt;
use std::fmt::Write as _;
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use crate::Outcome;
use crate::school::School;
use crate::service::Service;

#[derive(Serialize)]
pub(crate) struct Imported {
    students: u64,
    preview_ms: f64,
    apply_ms: f64,
    again_ms: f64,
    /// Processor time of the server for `apply`; that of a database server is not in it.
    processor_ms: Option<u64>,
}

/// Shows what a list would change, imports it, and imports it again, which changes nothing.
pub(crate) fn import(service: &Service, school: &School) -> Outcome<Imported> {
    let list = list_of(school)?;
    let send = |mode: &str| -> Outcome<(f64, u64)> {
        let since = Instant::now();
        let answer: Value = serde_json::from_str(&service.send_list(mode, &list)?)?;
        let took = since.elapsed().as_secs_f64() * 1000.0;
        let problems = &answer["data"]["counts"]["problems"];
        if problems.as_u64() != Some(0) {
            return Err(format!("the list was refused: {}", answer["data"]["problems"]).into());
        }
        Ok((took, answer["data"]["counts"]["new"].as_u64().unwrap_or_default()))
    };
    let (preview_ms, students) = send("preview")?;
    let before = service.processor_ms();
    let (apply_ms, made) = send("apply")?;
    let processor_ms = before.zip(service.processor_ms()).map(|(from, to)| to - from);
    let (again_ms, more) = send("apply")?;
    if (made, more) != (u64::from(school.students), 0) {
        return Err(
            format!("{made} students were made of {}, and {more} by the same list again", school.students).into()
        );
    }
    Ok(Imported { students, preview_ms, apply_ms, again_ms, processor_ms })
}

fn list_of(school: &School) -> Outcome<String> {
    let mut list = "name,roll_number,group\n".to_owned();
    for number in 0..school.students {
        writeln!(list, "Student {number},R{number:05},Class {}", number % school.groups + 1)?;
    }
    Ok(list)
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { students, preview_ms, apply_ms, again_ms, .. } = self;
        let processor = self.processor_ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string());
        writeln!(f, "A list of {students} students: preview {preview_ms:.0} ms, import {apply_ms:.0} ms (processor")?;
        write!(f, "{processor} ms), the same list again {again_ms:.0} ms")
    }
}
