//! A job of several steps: says first what they are and how long each takes as a rule, does them one after another, and
//! ends with a table, and with the command that repeats what failed.

use std::time::{Duration, Instant};

use crate::Result;

/// One step of a job.
pub(crate) struct Step<'a> {
    /// The word by which it is asked for alone.
    pub(crate) name: &'static str,
    /// What it does, for the person at the terminal.
    pub(crate) title: &'static str,
    /// How long it takes on two cores as a rule, in seconds, on a machine that has done it before.
    pub(crate) usual: u32,
    /// Does it; returns what there is to say about it.
    pub(crate) work: Box<dyn FnOnce() -> Result<String> + 'a>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(
        name: &'static str,
        title: &'static str,
        usual: u32,
        work: impl FnOnce() -> Result<String> + 'a,
    ) -> Self {
        Self { name, title, usual, work: Box::new(work) }
    }
}

struct Done {
    name: &'static str,
    title: &'static str,
    took: Duration,
    outcome: Result<String>,
}

/// Prints the names of `steps`, their usual time and what they do.
pub(crate) fn list(steps: &[Step<'_>]) {
    let width = steps.iter().map(|step| step.name.len()).max().unwrap_or(0);
    for Step { name, title, usual, .. } in steps {
        println!("  {name:width$}  {:>6}  {title}", minutes(*usual));
    }
}

/// Does `steps` one after another. A step whose failure makes the rest pointless comes alone, before this is called.
/// `repeat` is the command that does the step of a name alone.
///
/// # Errors
/// When a step failed: its name, and how to do it alone.
pub(crate) fn run(steps: Vec<Step<'_>>, repeat: impl Fn(&str) -> String) -> Result<()> {
    let count = steps.len();
    if count > 1 {
        println!("{count} steps, {} on two cores as a rule:", minutes(steps.iter().map(|step| step.usual).sum()));
        list(&steps);
    }
    let mut done = Vec::new();
    for (number, Step { name, title, usual, work }) in (1..).zip(steps) {
        println!("\n== {number} of {count}: {title} ({})", minutes(usual));
        let started = Instant::now();
        let outcome = work();
        if let Err(problem) = &outcome {
            println!("failed: {problem}");
        }
        done.push(Done { name, title, took: started.elapsed(), outcome });
    }
    summary(&done);
    let failed: Vec<_> = done.iter().filter(|step| step.outcome.is_err()).map(|step| step.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let again: String = failed.iter().map(|name| format!("\n    {}", repeat(name))).collect();
    Err(format!("failed: {}. To repeat it alone:\n{again}", failed.join(", ")))
}

fn summary(done: &[Done]) {
    let width = done.iter().map(|step| step.title.chars().count()).max().unwrap_or(0);
    println!("\n== Summary");
    for Done { title, took, outcome, .. } in done {
        let (verdict, said) = match outcome {
            Ok(said) => ("ok", said.as_str()),
            Err(problem) => ("FAILED", problem.lines().next().unwrap_or_default()),
        };
        println!("{verdict:6}  {title:width$}  {:7.1} s  {said}", took.as_secs_f32());
    }
    let total: Duration = done.iter().map(|step| step.took).sum();
    println!("{:6}  {:width$}  {:7.1} s", "", "together", total.as_secs_f32());
}

/// A time as people say it: "40 s", "6 min".
fn minutes(seconds: u32) -> String {
    if seconds < 90 { format!("{seconds} s") } else { format!("{} min", (seconds + 30) / 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_with_the_command_that_repeats_it_and_the_others_are_done() {
        let mut reached = false;
        let steps = vec![
            Step::new("first", "The first", 1, || Ok(String::new())),
            Step::new("second", "The second", 1, || Err("broken".to_owned())),
            Step::new("third", "The third", 1, || {
                reached = true;
                Ok(String::new())
            }),
        ];
        let problem = run(steps, |name| format!("cargo xtask test --only {name}")).unwrap_err();
        assert!(reached);
        assert!(problem.contains("failed: second."), "{problem}");
        assert!(problem.contains("cargo xtask test --only second"), "{problem}");
        assert!(!problem.contains("--only first"), "{problem}");
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!([4, 89, 90, 149, 600].map(minutes), ["4 s", "89 s", "2 min", "2 min", "10 min"]);
    }
}
