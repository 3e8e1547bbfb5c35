//! The table.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::client::{Load, Overload};

#[derive(Serialize)]
pub(crate) struct Report {
    threads: usize,
    /// Pictures a second that the models alone allow, with the detector at 640.
    pub(crate) allowed: f64,
    rows: Vec<Row>,
    pub(crate) peak_mib: BTreeMap<&'static str, Option<u64>>,
    pub(crate) overload: Option<Overload>,
}

#[derive(Serialize)]
struct Row {
    service: &'static str,
    in_flight: usize,
    requests: usize,
    per_second: f64,
    p50: f64,
    p99: f64,
}

impl Report {
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads, allowed: f64::NAN, rows: Vec::new(), peak_mib: BTreeMap::new(), overload: None }
    }

    pub(crate) fn add(&mut self, service: &'static str, in_flight: usize, load: &Load) {
        self.rows.push(Row {
            service,
            in_flight,
            requests: load.latencies.len(),
            per_second: load.per_second,
            p50: load.percentile(0.5),
            p99: load.percentile(0.99),
        });
    }

    fn peer(&self, in_flight: usize) -> Option<&Row> {
        self.rows.iter().find(|row| row.service == "peer" && row.in_flight == in_flight)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{} threads; the models alone allow {:.1} pictures a second at 640\n",
            self.threads, self.allowed
        )?;
        writeln!(
            f,
            "| service | in flight | requests | a second | of the peer | of the models | p50 ms | p99 ms | p99/p50 |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|")?;
        for row in &self.rows {
            let of_peer = self.peer(row.in_flight).map_or(f64::NAN, |peer| row.per_second / peer.per_second);
            // Another detector size is another sum of models.
            let of_models =
                if row.service == "auto" { "-".to_owned() } else { format!("{:.2}", row.per_second / self.allowed) };
            writeln!(
                f,
                "| {} | {} | {} | {:.1} | {of_peer:.2} | {of_models} | {:.1} | {:.1} | {:.2} |",
                row.service,
                row.in_flight,
                row.requests,
                row.per_second,
                row.p50,
                row.p99,
                row.p99 / row.p50,
            )?;
        }
        let peer = self.peak_mib.get("peer").copied().flatten();
        for (name, peak) in &self.peak_mib {
            if let (Some(peak), Some(peer)) = (peak, peer) {
                #[expect(clippy::cast_precision_loss, reason = "mebibytes")]
                let ratio = *peak as f64 / peer as f64;
                writeln!(f, "peak memory of {name}: {peak} MiB, {ratio:.2} of the peer's")?;
            }
        }
        if let Some(Overload { in_flight, answered, refused, health_p50, health_worst }) = &self.overload {
            writeln!(
                f,
                "{in_flight} in flight: {answered} answered, {refused} refused with 503 and Retry-After; \
                 health checks meanwhile: p50 {health_p50:.1} ms, worst {health_worst:.1} ms",
            )?;
        }
        Ok(())
    }
}
