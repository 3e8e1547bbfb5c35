//! The table.

use std::fmt;

use serde::Serialize;

/// One thing measured in rounds on both sides.
#[derive(Serialize)]
pub(crate) struct Row {
    name: String,
    unit: &'static str,
    /// The median of each round.
    ours: Vec<f64>,
    reference: Vec<f64>,
}

impl Row {
    pub(crate) fn new(name: String, unit: &'static str) -> Self {
        Self { name, unit, ours: Vec::new(), reference: Vec::new() }
    }

    /// Adds a round; one without figures is left out.
    pub(crate) fn add(&mut self, ours: &[f64], reference: &[f64]) {
        if !ours.is_empty() && !reference.is_empty() {
            self.ours.push(median(ours));
            self.reference.push(median(reference));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ours.is_empty()
    }

    fn ratios(&self) -> Vec<f64> {
        self.ours.iter().zip(&self.reference).map(|(a, b)| a / b).collect()
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.as_slice() {
        [] => f64::NAN,
        s if s.len() % 2 == 1 => s[middle],
        s => f64::midpoint(s[middle - 1], s[middle]),
    }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// All rows.
#[derive(Default, Serialize)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        if !row.is_empty() {
            self.rows.push(row);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        writeln!(
            f,
            "\nMedians of the rounds' medians, best round in brackets; the ratio is ours over the reference's,"
        )?;
        writeln!(
            f,
            "the median of the rounds' own with its range. The reference of a GB/s row is a plain read of memory.\n"
        )?;
        writeln!(f, "{:width$}  {:>4}  {:>18}  {:>18}  ratio", "", "", "ours", "reference")?;
        for row in &self.rows {
            let best = |values: &[f64]| if row.unit == "GB/s" { most(values) } else { least(values) };
            let figure = |values: &[f64]| format!("{:.3} ({:.3})", median(values), best(values));
            let ratios = row.ratios();
            writeln!(
                f,
                "{:width$}  {:>4}  {:>18}  {:>18}  {:.2} ({:.2}-{:.2})",
                row.name,
                row.unit,
                figure(&row.ours),
                figure(&row.reference),
                median(&ratios),
                least(&ratios),
                most(&ratios),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_own() {
        let mut row = Row::new("x".into(), "ms");
        for (ours, reference) in [([1.0, 9.0, 2.0], [4.0]), ([10.0; 3], [10.0]), ([3.0; 3], [4.0])] {
            row.add(&ours, &reference);
        }
        row.add(&[], &[1.0]);
        assert_eq!(row.ratios(), [0.5, 1.0, 0.75]);
        assert_eq!(median(&row.ratios()), 0.75);
        assert_eq!(median(&[1.0, 2.0]), 1.5);
    }
}
