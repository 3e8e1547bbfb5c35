//! What the server counts, for `/metrics`.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::http::StatusCode;

/// The upper ends of the histogram of answer times, in seconds: Prometheus' own defaults.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    by_class: [AtomicU64; 5],
    buckets: [AtomicU64; BUCKETS.len()],
    microseconds: AtomicU64,
    answered: AtomicU64,
    pub(crate) frames: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) limited: AtomicU64,
    pub(crate) recognitions: AtomicU64,
    pub(crate) failed_logins: AtomicU64,
    pub(crate) web_sockets: AtomicU64,
}

/// What is known at the moment of asking.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gauges {
    pub(crate) students: u64,
    pub(crate) attendance: u64,
    pub(crate) second_looks_open: u64,
    pub(crate) people: usize,
    pub(crate) templates: usize,
    pub(crate) cameras: usize,
    pub(crate) active_cameras: usize,
    pub(crate) spoofs_suspected: u64,
    pub(crate) second_looks: u64,
    pub(crate) writes_waiting: u64,
    pub(crate) writes_lost: u64,
    pub(crate) notices_waiting: u64,
    pub(crate) notices_dead: u64,
    pub(crate) notices_sent: u64,
    pub(crate) notice_tries_failed: u64,
    pub(crate) notices_given_up: u64,
    /// Of back-ups that are made every day: the time of the last one in seconds since 1970, its bytes, and whether the
    /// latest try failed.
    pub(crate) backup: Option<(i64, u64, bool)>,
}

impl Figures {
    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1).min(4);
        self.by_class[class].fetch_add(1, Relaxed);
        self.answered.fetch_add(1, Relaxed);
        self.microseconds.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
        for (bucket, end) in self.buckets.iter().zip(BUCKETS) {
            if took.as_secs_f64() <= end {
                bucket.fetch_add(1, Relaxed);
            }
        }
    }

    /// The figures in Prometheus' text format, version 0.0.4.
    pub(crate) fn prometheus(&self, gauges: &Gauges) -> String {
        let mut text = String::new();
        let counters = [
            ("frames_analysed", "Pictures that went through the models.", &self.frames),
            ("frames_refused", "Pictures answered 503 because too many waited.", &self.busy),
            ("requests_limited", "Requests answered 429 because one client sent too many.", &self.limited),
            ("recognitions", "Faces that were recognized in pictures sent to the API.", &self.recognitions),
            ("failed_logins", "Logins with a wrong name or password.", &self.failed_logins),
        ];
        let counters = counters.map(|(name, help, value)| (name, help, value.load(Relaxed)));
        let of_the_gate = [
            ("spoofs_suspected", "Pictures of people that cameras suspected.", gauges.spoofs_suspected),
            ("second_looks", "Sightings that cameras put on the second-look list.", gauges.second_looks),
            ("writes_lost", "Marks and log entries that could not wait for the database.", gauges.writes_lost),
        ];
        let of_notices = [
            ("notices_sent", "Webhooks and letters that were sent.", gauges.notices_sent),
            ("notice_tries_failed", "Tries to send a webhook or a letter that failed.", gauges.notice_tries_failed),
            ("notices_given_up", "Webhooks and letters that were given up.", gauges.notices_given_up),
        ];
        for (name, help, value) in counters.into_iter().chain(of_the_gate).chain(of_notices) {
            let _ = writeln!(text, "# HELP faceattend_{name}_total {help}\n# TYPE faceattend_{name}_total counter");
            let _ = writeln!(text, "faceattend_{name}_total {value}");
        }
        #[expect(clippy::cast_precision_loss, reason = "shown, not counted with")]
        let values = [
            ("students", "Students in the database.", gauges.students as f64),
            ("attendance_rows", "Attendance rows in the database.", gauges.attendance as f64),
            ("second_looks_open", "Sightings that wait for a decision.", gauges.second_looks_open as f64),
            ("writes_waiting", "Marks and log entries that wait for the database.", gauges.writes_waiting as f64),
            ("notices_waiting", "Notices that wait to be sent.", gauges.notices_waiting as f64),
            ("notices_dead", "Notices that were given up, and that nobody has sent again.", gauges.notices_dead as f64),
            ("gallery_people", "People who can be recognized.", gauges.people as f64),
            ("gallery_templates", "Templates in the gallery.", gauges.templates as f64),
            ("cameras", "Cameras that were started.", gauges.cameras as f64),
            ("cameras_active", "Cameras that deliver.", gauges.active_cameras as f64),
            ("web_sockets", "Open WebSocket connections.", self.web_sockets.load(Relaxed) as f64),
        ];
        #[expect(clippy::cast_precision_loss, reason = "shown, not counted with")]
        let of_backups = gauges.backup.map(|(at, bytes, failed)| {
            [
                ("backup_last_timestamp_seconds", "When the last back-up was made; 0 for never.", at as f64),
                ("backup_last_bytes", "Its size.", bytes as f64),
                ("backup_failed", "1 when the latest back-up failed.", f64::from(u8::from(failed))),
            ]
        });
        for (name, help, value) in values.into_iter().chain(of_backups.into_iter().flatten()) {
            let _ = writeln!(text, "# HELP faceattend_{name} {help}\n# TYPE faceattend_{name} gauge");
            let _ = writeln!(text, "faceattend_{name} {value}");
        }
        text.push_str(
            "# HELP faceattend_requests_total Answers by class of status.\n# TYPE faceattend_requests_total counter\n",
        );
        for (class, count) in (1..).zip(&self.by_class) {
            let _ = writeln!(text, "faceattend_requests_total{{status=\"{class}xx\"}} {}", count.load(Relaxed));
        }
        text.push_str(
            "# HELP faceattend_request_seconds How long answers took.\n# TYPE faceattend_request_seconds histogram\n",
        );
        for (end, count) in BUCKETS.iter().zip(&self.buckets) {
            let _ = writeln!(text, "faceattend_request_seconds_bucket{{le=\"{end}\"}} {}", count.load(Relaxed));
        }
        let total = self.answered.load(Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "shown, not counted with")]
        let seconds = self.microseconds.load(Relaxed) as f64 / 1e6;
        let _ = writeln!(text, "faceattend_request_seconds_bucket{{le=\"+Inf\"}} {total}");
        let _ = writeln!(text, "faceattend_request_seconds_sum {seconds}\nfaceattend_request_seconds_count {total}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_end_with_everything() {
        let figures = Figures::default();
        for milliseconds in [1, 30, 20_000] {
            figures.answered(StatusCode::OK, Duration::from_millis(milliseconds));
        }
        let text = figures.prometheus(&Gauges::default());
        for line in [
            "faceattend_request_seconds_bucket{le=\"0.005\"} 1",
            "faceattend_request_seconds_bucket{le=\"0.05\"} 2",
            "faceattend_request_seconds_bucket{le=\"10\"} 2",
            "faceattend_request_seconds_bucket{le=\"+Inf\"} 3",
            "faceattend_requests_total{status=\"2xx\"} 3",
        ] {
            assert!(text.lines().any(|have| have == line), "{line}\n{text}");
        }
    }
}
