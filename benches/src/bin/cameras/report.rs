//! The table.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::sides::Figures;

#[derive(Serialize, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    /// The most cameras of which each was analyzed often enough.
    pub(crate) carried: BTreeMap<&'static str, usize>,
}

/// One measurement.
#[derive(Serialize)]
pub(crate) struct Row {
    side: &'static str,
    cameras: usize,
    /// Pictures analyzed in a second, of a camera on average and of the one with the fewest.
    mean: f64,
    pub(crate) least: f64,
    dropped: u64,
    /// Seconds of a processor in each second: of the side, and of the RTSP server beside it.
    cpu: f64,
    serving: f64,
}

impl Row {
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    pub(crate) fn new(side: &'static str, cameras: usize, figures: &Figures, serving: f64) -> Self {
        let Figures { rates, dropped, cpu } = figures;
        let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
        let least = rates.iter().copied().reduce(f64::min).unwrap_or(0.0);
        Self { side, cameras, mean, least, dropped: *dropped, cpu: *cpu, serving }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, cameras, mean, least, dropped, cpu, serving } = self;
        #[expect(clippy::cast_precision_loss, reason = "hundreds")]
        let of_a_camera = cpu * 60.0 / *cameras as f64;
        write!(
            f,
            "| {side} | {cameras} | {mean:.2} | {least:.2} | {dropped} | {cpu:.2} | {of_a_camera:.1} | {serving:.2} |"
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| side | cameras | a second each | the least | dropped | CPU s a second | CPU s a camera-minute | RTSP |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        for (side, cameras) in &self.carried {
            writeln!(f, "{side}: {cameras} cameras, each analyzed five times a second")?;
        }
        Ok(())
    }
}
