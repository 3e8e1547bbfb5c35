//! Our index beside NumPy, FAISS and usearch: how long a search takes, how many of the nearest people it finds, how
//! much memory it holds, and how long it takes to build. Each is in a process of its own, with the same people and
//! probes, on one thread.

use std::fmt;
use std::path::Path;

use clap::Args;
use faceattend_benches::{Crowd, Outcome, write_values};
use serde::{Deserialize, Serialize};

use crate::peer::{Peer, Python};
use crate::plan::SEARCH_K;
use crate::report::median;

/// Which galleries are compared.
#[derive(Args)]
pub(crate) struct Options {
    /// How many people, with `--search`.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000, 1_000_000])]
    people: Vec<usize>,
    /// How many values a template has, with `--search`.
    #[arg(long, value_delimiter = ',', default_values_t = [128, 512])]
    values: Vec<usize>,
    /// The most seconds of a processor that an index may take to build; a larger one of its kind is not begun.
    #[arg(long, default_value_t = 240)]
    build_within: u64,
}

/// The largest gallery of a short run.
const QUICK: usize = 10_000;
/// Probes of a round: other views of people who are in the gallery.
const PROBES: usize = 100;
/// The same in a gallery in which each takes long.
const FEW_PROBES: usize = 20;
const LARGE: usize = 500_000;
/// The least recall of an exact search: sums of `f32` in another order may swap two people who are alike to six digits.
const EXACT: f64 = 0.995;

/// An index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Ours,
    OursThreaded,
    Numpy,
    FaissFlat,
    FaissHnsw,
    UsearchF32,
    UsearchF16,
    UsearchI8,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Ours,
        Self::OursThreaded,
        Self::Numpy,
        Self::FaissFlat,
        Self::FaissHnsw,
        Self::UsearchF32,
        Self::UsearchF16,
        Self::UsearchI8,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OursThreaded => "ours, every core",
            Self::Numpy => "NumPy",
            Self::FaissFlat => "FAISS flat",
            Self::FaissHnsw => "FAISS HNSW",
            Self::UsearchF32 => "usearch HNSW f32",
            Self::UsearchF16 => "usearch HNSW f16",
            Self::UsearchI8 => "usearch HNSW i8",
        }
    }

    fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::OursThreaded)
    }
}

/// What an index is asked.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "task")]
pub(crate) enum Request {
    /// To be built. One that takes longer than so many seconds stops, and says how many people it has.
    Build { kind: Kind, dimension: usize, people: usize, at_most_secs: u64 },
    /// Who is nearest to each probe.
    Search { k: usize },
}

/// The file of the probes, beside that of the people.
pub(crate) fn probes_file(dimension: usize, people: usize) -> String {
    format!("probes-{dimension}-{people}.f32")
}

/// All rows.
#[derive(Serialize)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    values: usize,
    people: usize,
    index: &'static str,
    /// The median of the rounds' medians, and the best round's; none for an index that was not built.
    ms: Option<(f64, f64)>,
    /// Of the five nearest people, how many are among the five that it found.
    recall: Option<f64>,
    /// How often the nearest person is the first that it found.
    first: Option<f64>,
    mib: Option<f64>,
    build_secs: Option<f64>,
    /// How many people it had when the time to build was over.
    given_up_at: Option<usize>,
}

/// Compares the indexes.
///
/// # Errors
/// When one of them ends, or ours finds others than NumPy does.
pub(crate) fn compare(python: &Python<'_>, folder: &Path, options: &Options, quick: bool) -> Outcome<Table> {
    let mut table = Table { rows: Vec::new() };
    for &values in &options.values {
        let crowd = Crowd::new(values);
        write_values(&folder.join(format!("crowd-{values}.f32")), crowd.drawn())?;
        let mut too_slow = Vec::new();
        for &people in options.people.iter().filter(|people| !quick || **people <= QUICK) {
            let count = if people < LARGE { PROBES } else { FEW_PROBES };
            let probes: Vec<f32> = (0..count).flat_map(|i| crowd.view(i * people / count).values().to_vec()).collect();
            write_values(&folder.join(probes_file(values, people)), &probes)?;
            let comparison = Comparison { python, folder, values, people, at_most_secs: options.build_within };
            table.rows.extend(comparison.rows(&mut too_slow, if quick { 2 } else { 5 })?);
        }
    }
    Ok(table)
}

struct Comparison<'a> {
    python: &'a Python<'a>,
    folder: &'a Path,
    values: usize,
    people: usize,
    at_most_secs: u64,
}

/// An index that is built, and what it found in each round.
struct Built {
    row: Row,
    peer: Peer,
    ms: Vec<f64>,
    found: Vec<Vec<i64>>,
}

impl Comparison<'_> {
    /// Builds every index that is not too slow already, and asks them in turn, so that what else the machine does falls
    /// on all.
    fn rows(&self, too_slow: &mut Vec<Kind>, rounds: usize) -> Outcome<Vec<Row>> {
        let (mut built, mut given_up) = (Vec::new(), Vec::new());
        for kind in Kind::ALL {
            if too_slow.contains(&kind) {
                given_up.push(self.row(kind));
                continue;
            }
            eprintln!("{} of {} people of {} values ...", kind.name(), self.people, self.values);
            let index = self.built(kind)?;
            if index.row.given_up_at.is_some() {
                too_slow.push(kind);
                given_up.push(index.row);
                continue;
            }
            built.push(index);
        }
        for _ in 0..rounds {
            for index in &mut built {
                let answer = index.peer.ask(Request::Search { k: SEARCH_K })?;
                index.ms.push(median(&answer.ms));
                index.found = answer.found;
            }
        }
        let exact = built.iter().find(|index| index.row.index == Kind::Numpy.name()).map(|index| index.found.clone());
        let exact = exact.ok_or("there is no exact answer")?;
        let mut rows = Vec::new();
        for Built { mut row, ms, found, .. } in built {
            let (recall, first) = agreement(&found, &exact);
            if recall < EXACT && row.index.starts_with(Kind::Ours.name()) {
                return Err(format!("{} of {} people does not find who is nearest", row.index, self.people).into());
            }
            let best = ms.iter().copied().fold(f64::INFINITY, f64::min);
            (row.ms, row.recall, row.first) = (Some((median(&ms), best)), Some(recall), Some(first));
            rows.push(row);
        }
        rows.extend(given_up);
        Ok(rows)
    }

    fn built(&self, kind: Kind) -> Outcome<Built> {
        let mut peer = Peer::index((!kind.is_ours()).then_some(self.python), self.folder)?;
        let (dimension, people, at_most_secs) = (self.values, self.people, self.at_most_secs);
        let answer = peer.ask(Request::Build { kind, dimension, people, at_most_secs })?;
        #[expect(clippy::cast_precision_loss, reason = "less than 2^53 KiB")]
        let mib = answer.kib as f64 / 1024.0;
        let given_up_at = (answer.built < people).then_some(answer.built);
        let row = Row { mib: Some(mib), build_secs: Some(answer.build_secs), given_up_at, ..self.row(kind) };
        Ok(Built { row, peer, ms: Vec::new(), found: Vec::new() })
    }

    fn row(&self, kind: Kind) -> Row {
        Row {
            values: self.values,
            people: self.people,
            index: kind.name(),
            ms: None,
            recall: None,
            first: None,
            mib: None,
            build_secs: None,
            given_up_at: None,
        }
    }
}

/// Returns which part of the nearest people was found, and how often the nearest was found first.
fn agreement(found: &[Vec<i64>], exact: &[Vec<i64>]) -> (f64, f64) {
    let (mut shared, mut asked, mut first) = (0, 0, 0);
    for (found, exact) in found.iter().zip(exact) {
        shared += exact.iter().filter(|person| found.contains(person)).count();
        asked += exact.len();
        first += usize::from(found.first() == exact.first());
    }
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let part = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    (part(shared, asked), part(first, exact.len()))
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nA search is the median of the rounds' medians, the best in brackets. Recall is the part of the five"
        )?;
        writeln!(f, "nearest people that is found; first is how often the nearest comes first. Memory is what the")?;
        writeln!(f, "process holds more once the index is built; building is the time of its processors.\n")?;
        writeln!(
            f,
            "{:>6}  {:>9}  {:17}  {:>19}  {:>7}  {:>6}  {:>8}  {:>9}",
            "values", "people", "index", "ms a search", "recall", "first", "MiB", "built s"
        )?;
        for row in &self.rows {
            let figure = |value: Option<f64>, digits: usize| match value {
                Some(value) => format!("{value:.digits$}"),
                None => "-".to_owned(),
            };
            let ms = row.ms.map_or_else(|| "-".to_owned(), |(median, best)| format!("{median:.3} ({best:.3})"));
            let (recall, first) = (figure(row.recall, 3), figure(row.first, 2));
            write!(f, "{:>6}  {:>9}  {:17}  {ms:>19}  {recall:>7}  {first:>6}", row.values, row.people, row.index)?;
            match (row.given_up_at, row.build_secs) {
                (Some(at), Some(secs)) => writeln!(f, "  given up after {secs:.0} s, with {at} people")?,
                (_, None) => writeln!(f, "  not begun: a smaller one took too long")?,
                (None, secs) => writeln!(f, "  {:>8}  {:>9}", figure(row.mib, 0), figure(secs, 2))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_counts_the_nearest_wherever_they_are_and_the_first_in_its_place() {
        let exact = [vec![1, 2], vec![3, 4]];
        assert_eq!(agreement(&exact, &exact), (1.0, 1.0));
        assert_eq!(agreement(&[vec![2, 1], vec![3, 9]], &exact), (0.75, 0.5));
    }
}
