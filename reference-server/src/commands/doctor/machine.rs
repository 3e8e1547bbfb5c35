//! What the machine has: libraries, models, cameras, a clock.

use std::path::Path;
use std::time::Instant;

use faceattend_core::attendance::AttendancePolicy;
use faceattend_core::camera::{self, CameraSource, OpenOptions, devices};
use faceattend_core::engine::{AnalyzeOptions, Embedder, EngineDescription, PassiveCheck};
use faceattend_core::frame::{ChannelOrder, Frame};
use faceattend_core::models::loaded_runtime;
use faceattend_core::models::manifest::Manifest;
use faceattend_core::models::store::{FileState, ModelStore};
use faceattend_core::{ErrorKind, Result};
use jiff::Timestamp;

use super::Finding;
use crate::commands::serve::ServeArgs;
use crate::passive;

/// The engine of the settings, which is built and run once, and what makes its embeddings. What is said of the
/// passive check comes first: it is what most installations lack.
pub(super) fn models(args: &ServeArgs) -> (Vec<Finding>, Option<Embedder>) {
    let engine = match args.engine().build() {
        Ok(engine) => engine,
        Err(error) => {
            let subject = if error.kind() == ErrorKind::Runtime { "ONNX Runtime" } else { "models" };
            let problem = Finding::problem(subject, error.to_string(), "do what the line above says, and ask again");
            return (vec![problem], None);
        }
    };
    let description = engine.description();
    let mut findings = vec![passive_check(description, args.models_dir.as_deref())];
    let library = loaded_runtime().map_or_else(|| "loaded".to_owned(), |path| path.display().to_string());
    findings.push(Finding::ok("ONNX Runtime", library));
    let run = || -> Result<f64> {
        let frame = Frame::new(vec![127_u8; 640 * 480 * 3], 640, 480, ChannelOrder::Rgb)?;
        // The first one also makes room.
        engine.analyze(&frame, &AnalyzeOptions::default())?;
        let started = Instant::now();
        engine.analyze(&frame, &AnalyzeOptions::default())?;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    };
    findings.push(match run() {
        Ok(milliseconds) => Finding::ok(
            "models",
            format!(
                "detector {}, embedder {}, {} at once; a picture of 640 x 480 without a face took {milliseconds:.0} ms",
                description.detector, description.embedder, description.threads
            ),
        ),
        Err(error) => Finding::problem("models", error.to_string(), "check the files: `faceattend models verify`"),
    });
    (findings, Some(engine.embedder().clone()))
}

fn passive_check(description: &EngineDescription, models_dir: Option<&Path>) -> Finding {
    let subject = "antispoof";
    match description.passive_check {
        PassiveCheck::Runs => Finding::ok(subject, description.antispoof.as_str()),
        PassiveCheck::Off => {
            Finding::warning(subject, "the passive check is switched off", "liveness rests on the movements alone")
        }
        PassiveCheck::NotInstalled => Finding::warning(
            subject,
            "no passive check of pictures: liveness rests on the movements alone, which a recording of a head that \
             turns passes",
            format!(
                "`{}`, or the button that admins see on the pages; without internet, fetch the two files elsewhere \
                 and run \
                 `faceattend models add FILE`",
                passive::command(models_dir)
            ),
        ),
    }
}

/// Packs whose files are not what they should be.
pub(super) fn packs(folder: Option<&Path>) -> Vec<Finding> {
    let subject = "model packs";
    let advice = "`faceattend models verify` tells more";
    let look = || -> Result<Vec<Finding>> {
        let store = ModelStore::locate(folder)?;
        let mut here = Vec::new();
        let mut findings = Vec::new();
        for pack in Manifest::embedded()?.packs() {
            let mut states = Vec::new();
            for file in pack.files.iter().filter(|file| file.unavailable.is_none()) {
                states.push((store.state(pack, file)?, file));
            }
            let missing = |state: &FileState| matches!(state, FileState::Missing);
            if states.iter().all(|(state, _)| missing(state)) {
                continue;
            }
            let broken: Vec<&str> = states
                .iter()
                .filter(|(state, _)| missing(state) || matches!(state, FileState::Damaged { .. }))
                .map(|(_, file)| file.name.as_str())
                .collect();
            if broken.is_empty() {
                here.push(pack.name.as_str());
                continue;
            }
            let found = format!("{}: damaged or missing: {}", pack.name, broken.join(", "));
            findings.push(Finding::problem(subject, found, format!("`faceattend models pull {}`", pack.name)));
        }
        let list = if here.is_empty() { "none but the built-in one".to_owned() } else { here.join(", ") };
        findings.insert(0, Finding::ok(subject, format!("{list}, in {}", store.folder().display())));
        Ok(findings)
    };
    look().unwrap_or_else(|error| vec![Finding::problem(subject, error.to_string(), advice)])
}

pub(super) fn opencv() -> Finding {
    let subject = "OpenCV";
    match camera::OpenCvCapture::library() {
        Ok((version, true)) => Finding::ok(subject, version),
        Ok((version, false)) => Finding::warning(
            subject,
            format!("{version}, made without FFmpeg: it reads no stream and no file"),
            "install the distribution's OpenCV, which has it",
        ),
        Err(error) => Finding::warning(
            subject,
            error.to_string(),
            "not needed for what browsers send, motion-JPEG over HTTP, folders of pictures and MJPEG AVI files",
        ),
    }
}

/// The cameras that are plugged in, and those that are asked for, of which a picture is taken.
pub(super) fn cameras(asked: &[String]) -> Vec<Finding> {
    let subject = "cameras";
    let mut findings = Vec::new();
    let plugged = devices();
    if plugged.is_empty() {
        findings.push(Finding::ok(subject, "none is plugged in; streams are tried with --camera URL"));
    }
    for device in plugged {
        let found = format!("{} ({})", device.path.display(), device.name);
        // To open it starts nothing and takes it from nobody: that begins with asking for pictures.
        findings.push(match std::fs::OpenOptions::new().read(true).write(true).open(&device.path) {
            Ok(_) => Finding::ok(subject, found),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Finding::problem(
                subject,
                format!("{found} may not be opened by this user"),
                "let the server's user into the group that owns it, mostly: `usermod -aG video USER`",
            ),
            Err(error) => Finding::warning(subject, format!("{found}: {error}"), "unplug it and plug it in again"),
        });
    }
    findings.extend(asked.iter().map(|text| tried(subject, text)));
    findings
}

fn tried(subject: &'static str, text: &str) -> Finding {
    let advice = "check address, password and network, or end the program that holds it";
    let source = match CameraSource::parse(text) {
        Ok(source) => source,
        Err(error) => return Finding::problem(subject, error.to_string(), "see `--camera` in the documents"),
    };
    let started = Instant::now();
    let picture = camera::open(&source, &OpenOptions::default()).and_then(|mut opened| opened.next_frame());
    match picture {
        Ok(Some(frame)) => {
            let seconds = started.elapsed().as_secs_f64();
            let size = format!("{} x {}", frame.width(), frame.height());
            Finding::ok(subject, format!("{source}: a picture of {size} after {seconds:.1} s"))
        }
        Ok(None) => Finding::problem(subject, format!("{source} gives no picture"), advice),
        Err(error) => Finding::problem(subject, error.to_string(), advice),
    }
}

/// No clock was right before this was written.
const WRITTEN: &str = "2026-01-01T00:00:00Z";
/// A clock may be this far behind the latest mark: another server's may be ahead.
const BEHIND: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// The clock, against the latest attendance, and the time zone in which days begin.
pub(super) fn clock(zone: Option<&str>, latest: Option<Timestamp>) -> Vec<Finding> {
    vec![time(Timestamp::now(), latest), time_zone(zone)]
}

fn time(now: Timestamp, latest: Option<Timestamp>) -> Finding {
    let advice = "set the clock: `timedatectl set-ntp true`; marks of a wrong day cannot be told from right ones";
    if WRITTEN.parse().is_ok_and(|written: Timestamp| now < written) {
        return Finding::problem("clock", format!("it says {now}, which is long ago"), advice);
    }
    if let Some(latest) = latest.filter(|latest| latest.duration_since(now) > BEHIND) {
        return Finding::problem("clock", format!("it says {now}, and somebody was marked at {latest}"), advice);
    }
    // What systemd leaves where its client has set the clock; other clients leave nothing.
    let systemd = Path::new("/run/systemd/timesync");
    if systemd.exists() && !systemd.join("synchronized").exists() {
        return Finding::warning("clock", format!("{now}, not yet set by the network"), advice);
    }
    Finding::ok("clock", now.to_string())
}

fn time_zone(zone: Option<&str>) -> Finding {
    let subject = "time zone";
    let advice = "name the site's with --time-zone, such as Asia/Kolkata: attendance is marked once a day there";
    if let Some(name) = zone {
        return match AttendancePolicy::in_time_zone(name) {
            Ok(_) => Finding::ok(subject, name),
            Err(error) => Finding::problem(subject, error.to_string(), advice),
        };
    }
    let policy = AttendancePolicy::in_system_time_zone();
    match policy.time_zone().iana_name() {
        Some(name) if !matches!(name, "UTC" | "Etc/UTC" | "Etc/Unknown") => {
            Finding::ok(subject, format!("{name}, this machine's"))
        }
        _ => Finding::warning(subject, "this machine is set to none or UTC: days begin at midnight there", advice),
    }
}

/// Files that the server has open beside its connections: the database, cameras, libraries.
const OTHERS: u64 = 200;

pub(super) fn open_files(connections: usize) -> Finding {
    let subject = "open files";
    #[cfg(unix)]
    {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let needed = connections as u64 + OTHERS;
        match limit {
            Some(limit) if limit < needed => Finding::warning(
                subject,
                format!("{limit} are allowed, and {connections} connections need {needed}"),
                format!(
                    "LimitNOFILE={needed} in the systemd unit, `ulimit -n {needed}`, or fewer with --max-connections"
                ),
            ),
            Some(limit) => Finding::ok(subject, format!("{limit} are allowed")),
            None => Finding::ok(subject, "any number is allowed"),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (connections, OTHERS);
        Finding::ok(subject, "this system has no limit to check")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_that_went_back_is_a_problem() {
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        assert_eq!(time(now, Some(later)).verdict, Verdict::Problem);
        assert_ne!(time(now, Some(now)).verdict, Verdict::Problem);
        assert_ne!(time(later, Some(now)).verdict, Verdict::Problem);
        assert_eq!(time("1970-01-01T00:01:00Z".parse().unwrap(), None).verdict, Verdict::Problem);
    }

    #[test]
    fn a_time_zone_that_is_none_is_a_problem() {
        assert_eq!(time_zone(Some("Asia/Kolkata")), Finding::ok("time zone", "Asia/Kolkata"));
        let wrong = time_zone(Some("Asia/Nowhere"));
        assert!(wrong.verdict == Verdict::Problem && wrong.advice.unwrap().contains("--time-zone"));
    }

    #[cfg(unix)]
    #[test]
    fn more_connections_than_files_are_warned_of() {
        assert_eq!(open_files(1).verdict, Verdict::Ok);
        let many = open_files(usize::MAX / 4);
        assert!(many.verdict == Verdict::Warning || many.found.contains("any number"), "{many:?}");
    }

    #[test]
    fn a_camera_that_does_not_answer_is_a_problem_and_its_password_is_nobodys_to_see() {
        let finding = tried("cameras", "rtsp://me:hunter2@127.0.0.1:1/stream");
        assert_eq!(finding.verdict, Verdict::Problem);
        assert!(!finding.found.contains("hunter2"), "{}", finding.found);
        assert_eq!(tried("cameras", "").verdict, Verdict::Problem);
        assert!(!cameras(&[]).is_empty());
    }

    #[test]
    fn a_damaged_pack_is_named_with_what_fetches_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let fine = packs(Some(folder.path()));
        assert!(fine.len() == 1 && fine[0].verdict == Verdict::Ok, "{fine:?}");
        let pack = Manifest::embedded().unwrap().pack("minifasnet").unwrap();
        std::fs::create_dir(folder.path().join("minifasnet")).unwrap();
        std::fs::write(folder.path().join("minifasnet").join(&pack.files[0].name), b"half of it").unwrap();
        let found = packs(Some(folder.path()));
        assert!(
            found.iter().any(|f| f.verdict == Verdict::Problem && f.found.contains(&pack.files[0].name)),
            "{found:?}"
        );
    }
}
