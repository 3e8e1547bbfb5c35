//! `faceattend doctor`: whether the server would start and run well with these settings, and what to do where not.
//!
//! It takes the settings of `serve` from the same places, and changes nothing: no database is made or migrated, no
//! secret is made, and a server that runs meanwhile works on.

mod access;
mod backups;
mod cameras;
mod certificate;
mod data;
mod duplicates;
mod machine;
mod notices;

use std::io::Write;

use clap::Args;
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::serve::ServeArgs;
use crate::commands::serve::args::Encryption;

/// Checks everything that `serve` needs.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Prints the findings as JSON
    #[arg(long)]
    json: bool,
    /// A camera to try, in the form that `/detection/start` takes. May be given several times
    #[arg(long, value_name = "CAMERA")]
    camera: Vec<String>,
}

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    /// It works, but not for everything or not for long.
    Warning,
    /// The server does not start, or does not do its work.
    Problem,
}

/// What was found about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    subject: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do or to run; none where all is well.
    advice: Option<String>,
    /// Whom or what it concerns, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<String>,
}

impl Finding {
    fn ok(subject: &'static str, found: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Ok, found: found.into(), advice: None, details: Vec::new() }
    }

    fn warning(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self { subject, verdict: Verdict::Warning, found: found.into(), advice, details: Vec::new() }
    }

    fn problem(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Problem, ..Self::warning(subject, found, advice) }
    }
}

/// Looks at everything and writes a line for each to standard output.
///
/// # Errors
/// [`Error::State`] when there is a problem, so that the exit status says it; warnings are none.
pub fn run(args: &DoctorArgs) -> Result<()> {
    let findings = look(args);
    let text = if args.json { as_json(&findings) } else { as_lines(&findings) };
    // Whoever closed standard output asks for the exit status.
    let _ = writeln!(std::io::stdout(), "{text}");
    let problems = findings.iter().filter(|finding| finding.verdict == Verdict::Problem).count();
    match problems {
        0 => Ok(()),
        1 => Err(Error::State { what: "this machine", reason: "there is one problem".into() }),
        several => Err(Error::State { what: "this machine", reason: format!("there are {several} problems") }),
    }
}

fn look(args: &DoctorArgs) -> Vec<Finding> {
    let serve = &args.serve;
    let (mut findings, embedder) = machine::models(serve);
    findings.extend(machine::packs(serve.models_dir.as_deref()));
    findings.push(machine::opencv());
    findings.extend(machine::cameras(&args.camera));
    let (about_data, latest) = data::look(serve, embedder.as_ref().map(|embedder| &embedder.model));
    findings.extend(about_data);
    findings.extend(backups::look(serve, jiff::Timestamp::now()));
    findings.extend(embedder.and_then(|embedder| duplicates::look(serve, &embedder)));
    findings.extend(machine::clock(serve.time_zone.as_deref(), latest));
    findings.push(machine::open_files(serve.max_connections));
    let encryption = serve.tls.encryption();
    let is_encrypted = !matches!(encryption, Ok(Encryption::Off));
    findings.extend(certificate::look(serve, encryption, Timestamp::now()));
    findings.push(access::address(serve.host, serve.port, is_encrypted));
    findings
}

fn as_lines(findings: &[Finding]) -> String {
    let mut lines = Vec::new();
    for finding in findings {
        let word = match finding.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "PROBLEM",
        };
        lines.push(format!("{word:<8} {:<14} {}", finding.subject, finding.found));
        if let Some(advice) = &finding.advice {
            lines.push(format!("{:<24}-> {advice}", ""));
        }
        lines.extend(finding.details.iter().map(|detail| format!("{:<27}{detail}", "")));
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    lines.push(format!("{} problems, {} warnings", count(Verdict::Problem), count(Verdict::Warning)));
    lines.join("\n")
}

fn as_json(findings: &[Finding]) -> String {
    let worst = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
    serde_json::json!({ "verdict": worst, "checks": findings }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides_and_every_advice_stands_under_its_line() {
        let findings =
            [Finding::ok("a", "fine"), Finding::warning("b", "so so", "run x"), Finding::problem("c", "bad", "run y")];
        let json: serde_json::Value = serde_json::from_str(&as_json(&findings)).unwrap();
        assert_eq!(json["verdict"], "problem");
        assert_eq!(json["checks"][1]["advice"], "run x");
        assert_eq!(json["checks"][0]["advice"], serde_json::Value::Null);
        let lines = as_lines(&findings);
        let all: Vec<&str> = lines.lines().collect();
        assert!(all[0].starts_with("ok ") && all[3].starts_with("PROBLEM"), "{lines}");
        assert!(all[2].trim() == "-> run x" && all[5] == "1 problems, 1 warnings", "{lines}");
        let json: serde_json::Value = serde_json::from_str(&as_json(&findings[..1])).unwrap();
        assert_eq!(json["verdict"], "ok");
    }
}
