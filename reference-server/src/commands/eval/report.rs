//! What an evaluation found, on the terminal, as JSON, and as a page that needs nothing from anywhere.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use faceattend_core::evaluation::{Interval, Rate};
use faceattend_core::own_file::{self, Readers};
use faceattend_core::{Error, Result};
use serde_json::{Value, json};

use super::plot::Plot;

/// Where the report goes beside the terminal.
#[derive(Debug, Clone, Args)]
pub(in crate::commands) struct ReportArgs {
    /// Writes every figure to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes a page with tables and plots to this file; it needs no network and no script
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Rows under named columns.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Table {
    pub(in crate::commands) title: String,
    pub(in crate::commands) columns: Vec<&'static str>,
    pub(in crate::commands) rows: Vec<Vec<String>>,
}

/// What an evaluation found.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Report {
    /// The subcommand.
    pub(in crate::commands) command: &'static str,
    pub(in crate::commands) title: &'static str,
    /// What was measured with what, and on how much.
    pub(in crate::commands) facts: Vec<(&'static str, String)>,
    pub(in crate::commands) tables: Vec<Table>,
    pub(in crate::commands) plots: Vec<Plot>,
    /// How to read the figures.
    pub(in crate::commands) notes: Vec<String>,
    /// Pictures without a face.
    pub(in crate::commands) failures: Vec<String>,
    /// Every figure.
    pub(in crate::commands) figures: Value,
}

/// How many pictures without a face the terminal names; the files name all.
const NAMED: usize = 10;

impl Report {
    /// Writes the files that were asked for, and the tables to `out`.
    pub(in crate::commands) fn emit(&self, args: &ReportArgs, out: &mut dyn Write) -> Result<()> {
        if let Some(path) = &args.json {
            let text = serde_json::to_string_pretty(&self.json())
                .map_err(|e| Error::Internal { reason: format!("a report that is no JSON: {e}") })?;
            write_file(path, &text)?;
        }
        if let Some(path) = &args.html {
            write_file(path, &self.html())?;
        }
        let text = self.text();
        // Whoever closed standard output does not want to read it.
        let _ = out.write_all(text.as_bytes());
        for path in [&args.json, &args.html].into_iter().flatten() {
            let _ = writeln!(out, "written: {}", path.display());
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let facts: serde_json::Map<String, Value> =
            self.facts.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        json!({
            "schema": 1,
            "command": self.command,
            "faceattend": env!("CARGO_PKG_VERSION"),
            "facts": facts,
            "figures": self.figures,
            "failures_to_acquire": self.failures,
            "notes": self.notes,
        })
    }

    pub(in crate::commands) fn text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for (name, value) in &self.facts {
            let _ = writeln!(text, "  {name}: {value}");
        }
        for table in &self.tables {
            let _ = write!(text, "\n{}\n", table.title);
            let rows = std::iter::once(table.columns.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
            let rows: Vec<Vec<String>> = rows.chain(table.rows.iter().cloned()).collect();
            let width =
                |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
            let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
            for row in rows {
                let cells: Vec<String> = row.iter().zip(&widths).map(|(c, &w)| format!("{c:<w$}")).collect();
                let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
            }
        }
        if !self.failures.is_empty() {
            let _ = write!(text, "\nPictures in which no face was found: {}\n", self.failures.len());
            for name in self.failures.iter().take(NAMED) {
                let _ = writeln!(text, "  {name}");
            }
            if self.failures.len() > NAMED {
                let _ = writeln!(text, "  and {} more; --json and --html name them all", self.failures.len() - NAMED);
            }
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }

    pub(in crate::commands) fn html(&self) -> String {
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
             <title>{0}</title><style>{STYLE}</style></head><body><main><header><p class=\"kicker\">faceattend {1}</p>\
             <h1>{0}</h1></header><dl>",
            escaped(self.title),
            self.command
        );
        for (name, value) in &self.facts {
            let _ = write!(html, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(value));
        }
        html.push_str("</dl>");
        for table in &self.tables {
            let _ = write!(html, "<section><h2>{}</h2><div class=\"wide\"><table><thead><tr>", escaped(&table.title));
            for column in &table.columns {
                let _ = write!(html, "<th>{}</th>", escaped(column));
            }
            html.push_str("</tr></thead><tbody>");
            for row in &table.rows {
                html.push_str("<tr>");
                for cell in row {
                    let _ = write!(html, "<td>{}</td>", escaped(cell));
                }
                html.push_str("</tr>");
            }
            html.push_str("</tbody></table></div></section>");
        }
        html.push_str("<div class=\"plots\">");
        for plot in &self.plots {
            let _ = write!(
                html,
                "<figure><figcaption>{}</figcaption>{}<p class=\"legend\">",
                escaped(plot.title),
                plot.svg()
            );
            for (i, series) in plot.series.iter().enumerate() {
                let _ = write!(html, "<span><i class=\"c{}\"></i>{}</span>", i % 6, escaped(&series.name));
            }
            html.push_str("</p></figure>");
        }
        html.push_str("</div>");
        if !self.failures.is_empty() {
            let count = self.failures.len();
            let _ =
                write!(html, "<section><details><summary>Pictures in which no face was found: {count}</summary><ul>");
            for name in &self.failures {
                let _ = write!(html, "<li>{}</li>", escaped(name));
            }
            html.push_str("</ul></details></section>");
        }
        html.push_str("<section><h2>How to read this</h2><ul>");
        for note in &self.notes {
            let _ = write!(html, "<li>{}</li>", escaped(note));
        }
        html.push_str("</ul></section></main></body></html>\n");
        html
    }
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    own_file::replace(path, text.as_bytes(), Readers::AsUsual).map_err(|source| Error::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// `text` as it may stand between tags and in quotes.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A rate for a table: 0.0670, or 4.0e-5 where that is shorter to read.
pub(in crate::commands) fn number(value: f64) -> String {
    if value == 0.0 {
        "0".into()
    } else if value.abs() < 0.001 {
        format!("{value:.1e}")
    } else {
        format!("{value:.4}")
    }
}

/// An interval for a table.
pub(in crate::commands) fn range(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "-".into(), |i| format!("{} to {}", number(i.low), number(i.high)))
}

/// The columns of [`rate`].
pub(in crate::commands) const RATE_COLUMNS: [&str; 3] = ["rate", "95% interval", "count"];

/// A rate in three cells: its value, its interval, and the counts behind it.
pub(in crate::commands) fn rate(rate: Rate) -> [String; 3] {
    match rate.value() {
        Some(value) => [number(value), range(Some(rate.interval())), format!("{} of {}", rate.hits(), rate.trials())],
        None => ["-".into(), "-".into(), "0 of 0".into()],
    }
}

/// A row: a name, a rate, and what else belongs to it.
pub(in crate::commands) fn row(
    name: impl Into<String>,
    value: Rate,
    more: impl IntoIterator<Item = String>,
) -> Vec<String> {
    std::iter::once(name.into()).chain(rate(value)).chain(more).collect()
}

const STYLE: &str = include_str!("report.css");
