//! Pulls from a server on the loopback interface that misbehaves in the ways servers do.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::super::manifest::Manifest;
use super::super::store::hash_of;
use super::*;
use crate::error::ErrorKind;

/// What the server says to one request: the raw bytes of an HTTP answer.
type Answer = Vec<u8>;

/// A server that gives one prepared answer for each connection, and keeps the requests.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn answering(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let thread = std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let request: Vec<_> = lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                seen.lock().unwrap().push(request.join("\n").to_lowercase());
                // The client may hang up first, as it does on an answer that is too long.
                let _ = stream.write_all(&answer);
            }
        });
        Self { address, requests, thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://{}/model.onnx", self.address)
    }

    /// Returns the requests, once every prepared answer has been given.
    fn requests(mut self) -> Vec<String> {
        self.thread.take().unwrap().join().unwrap();
        self.requests.lock().unwrap().clone()
    }
}

fn answer(status: &str, headers: &str, length: usize, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn whole(body: &[u8]) -> Answer {
    answer("200 OK", "", body.len(), body)
}

fn rest(body: &[u8], from: usize) -> Answer {
    let range = format!("Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
    answer("206 Partial Content", &range, body.len() - from, &body[from..])
}

/// Longer than a buffer, and different everywhere.
fn model() -> Vec<u8> {
    (0..200_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn manifest(urls: &[String], contents: &[u8], requires_acceptance: bool) -> Manifest {
    Manifest::parse(&format!(
        r#"
        schema = 1
        [[pack]]
        name = "p"
        title = "t"
        license = "a licence"
        commercial_use = true
        requires_acceptance = {requires_acceptance}
        attribution = "a"
        [[pack.file]]
        name = "m.onnx"
        role = "detector"
        kind = "scrfd"
        sha256 = "{}"
        size = {}
        urls = {urls:?}
        input = {{ name = "x", shape = [1] }}
        outputs = []
        preprocessing = {{ channels = "rgb", mean = [0, 0, 0], std = [1, 1, 1] }}
        "#,
        hash_of(contents),
        contents.len()
    ))
    .unwrap()
}

/// A folder to pull into, and what came of it.
struct Pull {
    folder: tempfile::TempDir,
    progress: Vec<u64>,
    result: Result<Vec<PathBuf>>,
}

impl Pull {
    fn of(urls: &[String]) -> Self {
        Self::with_part(urls, None)
    }

    /// With `part` left over from an earlier pull.
    fn with_part(urls: &[String], part: Option<&[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some(part) = part {
            std::fs::create_dir(folder.path().join("p")).unwrap();
            std::fs::write(folder.path().join("p/m.onnx.part"), part).unwrap();
        }
        Self::into(folder, &manifest(urls, &model(), false), LicenseConsent::NotGiven)
    }

    fn into(folder: tempfile::TempDir, manifest: &Manifest, consent: LicenseConsent) -> Self {
        Self::until(folder, manifest, consent, &mut |_| ControlFlow::Continue(()))
    }

    /// Returns the same, as long as `stop` lets it go on.
    fn until(folder: tempfile::TempDir, manifest: &Manifest, consent: LicenseConsent, stop: &mut Watch<'_>) -> Self {
        // No proxy of the machine that runs the tests.
        let downloader = Downloader { agent: base_config().proxy(None).build().into() };
        let mut progress = Vec::new();
        let result = downloader.pull(&ModelStore::at(folder.path()), &manifest.packs()[0], consent, &mut |report| {
            assert_eq!(report.file, "m.onnx");
            progress.push(report.done);
            stop(report)
        });
        Self { folder, progress, result: result.and_then(Pulled::complete) }
    }

    fn file(&self) -> Option<Vec<u8>> {
        std::fs::read(self.folder.path().join("p/m.onnx")).ok()
    }

    fn part(&self) -> Option<Vec<u8>> {
        std::fs::read(self.folder.path().join("p/m.onnx.part")).ok()
    }

    fn error(&self) -> String {
        self.result.as_ref().unwrap_err().to_string()
    }
}

#[test]
fn a_file_arrives_whole_and_progress_is_told() {
    let server = Server::answering(vec![whole(&model())]);
    let pull = Pull::of(&[server.url()]);
    assert_eq!(pull.result.as_ref().unwrap(), &[pull.folder.path().join("p").join("m.onnx")]);
    assert_eq!(pull.file().unwrap(), model());
    assert_eq!(pull.part(), None);
    assert_eq!(pull.progress.first(), Some(&0));
    assert_eq!(pull.progress.last(), Some(&800_000));
    assert!(pull.progress.is_sorted());
    assert!(!server.requests()[0].contains("range:"));
}

#[test]
fn an_earlier_pull_is_resumed() {
    let server = Server::answering(vec![rest(&model(), 300_000)]);
    let pull = Pull::with_part(&[server.url()], Some(&model()[..300_000]));
    assert_eq!(pull.file().unwrap(), model());
    assert!(server.requests()[0].contains("range: bytes=300000-"));
}

#[test]
fn a_server_that_cannot_resume_sends_all_of_it() {
    let server = Server::answering(vec![whole(&model())]);
    let pull = Pull::with_part(&[server.url()], Some(&model()[..300_000]));
    assert_eq!(pull.file().unwrap(), model());
}

#[test]
fn a_server_that_refuses_the_range_is_asked_afresh() {
    for refusal in [answer("416 Range Not Satisfiable", "", 0, b""), rest(&model(), 5)] {
        let server = Server::answering(vec![refusal, whole(&model())]);
        let pull = Pull::with_part(&[server.url()], Some(&model()[..300_000]));
        assert_eq!(pull.file().unwrap(), model());
        assert!(!server.requests()[1].contains("range:"));
    }
}

#[test]
fn a_broken_connection_is_resumed_at_once() {
    let model = model();
    let server = Server::answering(vec![answer("200 OK", "", model.len(), &model[..100_000]), rest(&model, 100_000)]);
    let pull = Pull::of(&[server.url()]);
    assert_eq!(pull.file().unwrap(), model);
    assert!(server.requests()[1].contains("range: bytes=100000-"));
}

#[test]
fn what_arrived_before_giving_up_is_kept() {
    let model = model();
    let empty = |from: usize| {
        let range = format!("Content-Range: bytes {from}-{}/{}\r\n", model.len() - 1, model.len());
        answer("206 Partial Content", &range, model.len() - from, b"")
    };
    let server =
        Server::answering(vec![answer("200 OK", "", model.len(), &model[..100_000]), empty(100_000), empty(100_000)]);
    let pull = Pull::of(&[server.url()]);
    assert!(pull.error().contains("broke off after 100000 of 800000 bytes"), "{}", pull.error());
    assert_eq!(pull.file(), None);
    assert_eq!(pull.part().unwrap(), &model[..100_000]);
}

#[test]
fn wrong_contents_are_refused_and_not_kept() {
    let mut wrong = model();
    wrong[7] ^= 1;
    let server = Server::answering(vec![whole(&wrong)]);
    let pull = Pull::of(&[server.url()]);
    assert_eq!(pull.result.as_ref().unwrap_err().kind(), ErrorKind::Download);
    assert!(pull.error().contains(hash_of(&model()).as_str()), "{}", pull.error());
    assert!(pull.error().contains(hash_of(&wrong).as_str()), "{}", pull.error());
    assert_eq!(pull.file(), None);
    assert_eq!(pull.part(), None);
}

#[test]
fn a_leftover_of_another_file_does_not_spoil_the_pull() {
    let server = Server::answering(vec![rest(&model(), 1_000), whole(&model())]);
    let pull = Pull::with_part(&[server.url()], Some(&[7; 1_000]));
    assert_eq!(pull.file().unwrap(), model());
}

#[test]
fn an_answer_longer_than_the_file_is_refused() {
    let longer = [model(), vec![0]].concat();
    let server = Server::answering(vec![whole(&longer)]);
    let pull = Pull::of(&[server.url()]);
    assert!(pull.error().contains("more than the 800000 bytes"), "{}", pull.error());
    assert_eq!(pull.file(), None);
}

#[test]
fn the_second_place_is_tried_when_the_first_has_nothing() {
    let nothing = Server::answering(vec![answer("404 Not Found", "", 0, b"")]);
    let server = Server::answering(vec![whole(&model())]);
    let pull = Pull::of(&[nothing.url(), server.url()]);
    assert_eq!(pull.file().unwrap(), model());
}

#[test]
fn a_machine_without_internet_is_told_so() {
    // A port that was free a moment ago.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let pull = Pull::of(&[format!("http://{closed}/model.onnx")]);
    for part in ["connection refused", "offline", "m.onnx", "HTTPS_PROXY", "faceattend models verify"] {
        assert!(pull.error().contains(part), "{part}: {}", pull.error());
    }
}

#[test]
fn a_licence_that_was_not_accepted_stops_the_pull_before_any_request() {
    let manifest = manifest(&["http://127.0.0.1:9/never".into()], &model(), true);
    let pull = Pull::into(tempfile::tempdir().unwrap(), &manifest, LicenseConsent::NotGiven);
    assert_eq!(pull.result.as_ref().unwrap_err().kind(), ErrorKind::State);
    assert!(pull.error().contains("a licence") && pull.error().contains("--accept-license"), "{}", pull.error());
    assert_eq!(pull.part(), None);
}

#[test]
fn an_accepted_licence_lets_the_pull_through() {
    let server = Server::answering(vec![whole(&model())]);
    let manifest = manifest(&[server.url()], &model(), true);
    let pull = Pull::into(tempfile::tempdir().unwrap(), &manifest, LicenseConsent::Accepted);
    assert_eq!(pull.file().unwrap(), model());
}

#[test]
fn a_sound_file_is_not_fetched_again_and_a_damaged_one_is() {
    let server = Server::answering(vec![whole(&model()), whole(&model())]);
    let manifest = manifest(&[server.url()], &model(), false);
    let pull = Pull::into(tempfile::tempdir().unwrap(), &manifest, LicenseConsent::NotGiven);
    let pull = Pull::into(pull.folder, &manifest, LicenseConsent::NotGiven);
    assert_eq!(pull.progress, [800_000]);
    std::fs::write(pull.folder.path().join("p/m.onnx"), b"damaged").unwrap();
    let pull = Pull::into(pull.folder, &manifest, LicenseConsent::NotGiven);
    assert_eq!(pull.file().unwrap(), model());
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn two_pulls_of_one_file_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("p")).unwrap();
    let busy = File::create(folder.path().join("p/m.onnx.part")).unwrap();
    busy.lock().unwrap();
    let manifest = manifest(&["http://127.0.0.1:9/never".into()], &model(), false);
    let pull = Pull::into(folder, &manifest, LicenseConsent::NotGiven);
    assert!(pull.error().contains("another pull"), "{}", pull.error());
}

/// A server that gives one answer's beginning and then stays silent until it is dropped.
struct Silent {
    address: String,
    over: Arc<AtomicBool>,
}

impl Silent {
    fn after(beginning: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(&beginning).unwrap();
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { address, over }
    }

    fn url(&self) -> String {
        format!("http://{}/model.onnx", self.address)
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_pull_that_is_stopped_keeps_what_has_arrived_and_the_next_one_goes_on() {
    let model = model();
    let manifest_of = |url: String| manifest(&[url], &model, false);
    let server = Server::answering(vec![whole(&model)]);
    let stop = &mut |report: Progress<'_>| {
        if report.done >= 200_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let folder = tempfile::tempdir().unwrap();
    let pull = Pull::until(folder, &manifest_of(server.url()), LicenseConsent::NotGiven, stop);
    assert!(pull.error().contains("kept"), "{}", pull.error());
    let part = pull.part().unwrap();
    assert!((200_000..400_000).contains(&part.len()), "{}", part.len());
    assert!(model.starts_with(&part));
    assert_eq!(pull.file(), None);

    let server = Server::answering(vec![rest(&model, part.len())]);
    let pull = Pull::into(pull.folder, &manifest_of(server.url()), LicenseConsent::NotGiven);
    assert_eq!(pull.file().unwrap(), model);
    assert!(server.requests()[0].contains(&format!("range: bytes={}-", part.len())));
}

#[test]
fn a_pull_is_stopped_at_once_while_a_server_stays_silent_and_can_be_begun_again() {
    let model = model();
    let nothing: Answer = Vec::new();
    let half = answer("200 OK", "", model.len(), &model[..100_000]);
    for (beginning, kept) in [(nothing, None), (half, Some(100_000))] {
        let silent = Silent::after(beginning);
        let started = Instant::now();
        let stop = &mut |report: Progress<'_>| {
            let arrived = kept.is_none_or(|kept| report.done == kept);
            let waited = started.elapsed() > Duration::from_millis(300);
            if arrived && waited { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let folder = tempfile::tempdir().unwrap();
        let pull = Pull::until(folder, &manifest(&[silent.url()], &model, false), LicenseConsent::NotGiven, stop);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert!(pull.error().contains("stopped"), "{}", pull.error());
        assert_eq!(pull.part().map(|part| part.len() as u64), kept);
        // The silent request may still be waiting: it holds nothing that the next pull needs.
        let from = usize::try_from(kept.unwrap_or_default()).unwrap();
        let server = Server::answering(vec![if from > 0 { rest(&model, from) } else { whole(&model) }]);
        let manifest = manifest(&[server.url()], &model, false);
        assert_eq!(Pull::into(pull.folder, &manifest, LicenseConsent::NotGiven).file().unwrap(), model);
    }
}

#[test]
fn a_pull_is_stopped_between_two_attempts() {
    let server = Server::answering(vec![answer("503 Service Unavailable", "", 0, b"")]);
    let manifest = manifest(&[server.url()], &model(), false);
    let mut asked = 0;
    let stop = &mut |_: Progress<'_>| {
        asked += 1;
        if asked > 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let pull = Pull::until(tempfile::tempdir().unwrap(), &manifest, LicenseConsent::NotGiven, stop);
    assert!(pull.error().contains("stopped after 0 of 800000"), "{}", pull.error());
    assert_eq!(pull.part(), None, "nothing is left where nothing arrived");
    assert_eq!(server.requests().len(), 1);
}
