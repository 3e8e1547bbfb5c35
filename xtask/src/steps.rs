//! Several things to be done one after another, with the time each took and a table at the end.

use std::time::{Duration, Instant};

use crate::Result;

/// The steps done so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

struct Step {
    name: String,
    took: Duration,
    outcome: Result<String>,
}

impl Steps {
    /// Does one step: prints its name, runs it, keeps what it said or what went wrong.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<String>) {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = step();
        if let Err(problem) = &outcome {
            println!("failed: {problem}");
        }
        self.done.push(Step { name: name.to_owned(), took: started.elapsed(), outcome });
    }

    /// Prints the table.
    ///
    /// # Errors
    /// When a step failed.
    pub(crate) fn finish(self) -> Result<()> {
        let width = self.done.iter().map(|step| step.name.len()).max().unwrap_or(0);
        println!("\n== Summary");
        for Step { name, took, outcome } in &self.done {
            let (verdict, said) = match outcome {
                Ok(said) => ("ok", said.as_str()),
                Err(problem) => ("FAILED", problem.lines().next().unwrap_or_default()),
            };
            println!("{verdict:6}  {name:width$}  {:7.1} s  {said}", took.as_secs_f32());
        }
        let failed: Vec<_> = self.done.iter().filter(|step| step.outcome.is_err()).map(|step| &*step.name).collect();
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
    }
}
