//! The button that fetches the passive antispoof models: its roles, its trace in the audit log, and what it does,
//! against a server on the loopback interface.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::Service;
use faceattend_core::engine::{Engine, PassiveCheck};
use faceattend_core::models::download::Downloader;
use faceattend_core::models::manifest::{Manifest, Pack};
use faceattend_core::models::store::{ModelStore, hash_of};
use faceattend_server::{PassiveNetworks, RenewableEngine};
use serde_json::{Value, json};

const PATH: &str = "/api/v1/models/antispoof";
/// Longer than any step of these tests takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves files by their names, also from the middle; `held` stops each in its middle.
struct Files {
    address: String,
    held: Arc<AtomicBool>,
    ranges: Arc<Mutex<Vec<String>>>,
}

impl Files {
    fn serving(files: Vec<(String, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (held, ranges) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (hold, seen) = (Arc::clone(&held), Arc::clone(&ranges));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (files, hold, seen) = (files.clone(), Arc::clone(&hold), Arc::clone(&seen));
                std::thread::spawn(move || answer(stream.unwrap(), &files, &hold, &seen));
            }
        });
        Self { address, held, ranges }
    }
}

fn answer(mut stream: TcpStream, files: &[(String, Vec<u8>)], held: &AtomicBool, ranges: &Mutex<Vec<String>>) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some((_, contents)) = files.iter().find(|(name, _)| request[0].contains(name.as_str())) else { return };
    let range = request.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let from: usize = range.as_ref().map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
    ranges.lock().unwrap().extend(range);
    let (status, total) = (if from > 0 { "206 Partial Content" } else { "200 OK" }, contents.len());
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Range: bytes {from}-{}/{total}\r\nContent-Length: {}\r\nConnection: \
         close\r\n\r\n",
        total - 1,
        total - from
    );
    let rest = &contents[from..];
    let (now, later) = rest.split_at(if held.load(Relaxed) { rest.len() / 2 } else { rest.len() });
    if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(now)).is_ok() {
        while held.load(Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Whoever asked may have hung up.
        let _ = stream.write_all(later);
    }
}

/// The pack with these contents in place of its own, at this server.
fn pack(files: &[(String, Vec<u8>)], server: &Files) -> Pack {
    let mut text =
        "schema = 1\n[[pack]]\nname = \"minifasnet\"\ntitle = \"t\"\nlicense = \"Apache-2.0\"\ncommercial_use = true\n\
        requires_acceptance = false\nattribution = \"a\"\n"
            .to_owned();
    for (name, contents) in files {
        text += &format!(
            "[[pack.file]]\nname = \"{name}\"\nrole = \"antispoof\"\nkind = \"minifasnet\"\nsha256 = \"{}\"\nsize = \
             {}\n\
             urls = [\"http://{}/{name}\"]\ninput = {{ name = \"x\", shape = [1] }}\noutputs = []\n\
             preprocessing = {{ channels = \"bgr\", mean = [0, 0, 0], std = [1, 1, 1] }}\n",
            hash_of(contents),
            contents.len(),
            server.address
        );
    }
    Manifest::parse(&text).unwrap().packs()[0].clone()
}

/// A service that fetches `files`, the folder that they go into, and its engine.
async fn service(files: Vec<(String, Vec<u8>)>) -> (Service, Files, tempfile::TempDir, Arc<RenewableEngine>) {
    let folder = tempfile::tempdir().unwrap();
    let server = Files::serving(files.clone());
    let engine = Arc::new(RenewableEngine::new(Engine::builder().with_models_folder(folder.path())).unwrap());
    let store = ModelStore::at(folder.path());
    let networks =
        PassiveNetworks::new(Arc::clone(&engine), pack(&files, &server), store, Downloader::from_env().unwrap(), None);
    (Service::start_with(|settings| settings.with_passive(networks)).await, server, folder, engine)
}

fn made_up() -> Vec<(String, Vec<u8>)> {
    let contents = |seed: u8| (0..300_000_u32).map(|n| seed ^ n.to_le_bytes()[0]).collect();
    let names = ["2.7_80x80_MiniFASNetV2.onnx", "4_0_0_80x80_MiniFASNetV1SE.onnx"];
    vec![(names[0].to_owned(), contents(1)), (names[1].to_owned(), contents(2))]
}

async fn until(service: &Service, wanted: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let data = service.get(PATH).await.json()["data"].clone();
        if wanted(&data) {
            return data;
        }
        assert!(started.elapsed() < PATIENCE, "{data}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_is_begun_stopped_and_gone_on_with_and_the_log_names_who_did() {
    let (service, server, folder, _) = service(made_up()).await;
    let data = service.get(PATH).await.json()["data"].clone();
    assert_eq!((&data["state"], &data["total"]), (&json!("missing"), &json!(600_000)));
    assert_eq!(data["command"], "faceattend models pull minifasnet");

    server.held.store(true, Relaxed);
    let begun = service.send("POST", PATH, &json!({})).await;
    assert_eq!((begun.status.as_u16(), &begun.json()["data"]["state"]), (200, &json!("fetching")));
    until(&service, |data| data["done"] == 150_000).await;
    assert_eq!(service.send("POST", PATH, &json!({})).await.json()["data"]["state"], "fetching", "it goes on");
    assert_eq!(service.send("DELETE", PATH, &json!({})).await.status, 200);
    let stopped = until(&service, |data| data["state"] != "fetching").await;
    assert_eq!((&stopped["state"], &stopped["done"]), (&json!("stopped"), &json!(150_000)));
    let part = folder.path().join("minifasnet/2.7_80x80_MiniFASNetV2.onnx.part");
    assert_eq!(std::fs::metadata(part).unwrap().len(), 150_000);

    server.held.store(false, Relaxed);
    service.send("POST", PATH, &json!({})).await;
    // These are no models: the manifest inside the program does not know them, and nothing changes.
    let failed = until(&service, |data| data["state"] != "fetching").await;
    assert_eq!((&failed["state"], &failed["error"]), (&json!("failed"), &json!("model")));
    assert_eq!(*server.ranges.lock().unwrap(), ["150000-"]);
    assert_eq!(std::fs::read_dir(folder.path().join("minifasnet")).unwrap().count(), 2, "two files and no part");

    let audit = service.get("/api/v1/audit").await.json();
    let entries = audit["items"].as_array().or(audit["data"]["items"].as_array()).unwrap();
    let by = |action: &str| {
        let of = |entry: &&Value| entry["action"] == format!("{action} {PATH}") && entry["actor"] == "admin";
        entries.iter().filter(of).count()
    };
    assert_eq!((by("POST"), by("DELETE")), (3, 1), "{audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_admin_sees_and_presses_the_button() {
    let (mut service, server, _folder, _) = service(made_up()).await;
    let made = json!({ "username": "vera", "password": "correct horse", "role": "operator" });
    assert_eq!(service.post("/api/v1/auth/users", &made).await.status, 200);
    let login = json!({ "username": "vera", "password": "correct horse" });
    let token = service.post("/api/v1/auth/login", &login).await.json()["access_token"].clone();
    let admin = std::mem::replace(&mut service.token, token.as_str().unwrap().to_owned());
    for method in ["GET", "POST", "DELETE"] {
        service.send(method, PATH, &json!({})).await.is(403, "Not enough permissions");
    }
    service.token = admin;
    assert_eq!(service.get(PATH).await.json()["data"]["state"], "missing");
    drop(server);
}

#[tokio::test]
async fn a_server_that_fetches_nothing_says_so() {
    let service = Service::start().await;
    assert_eq!(service.get(PATH).await.json()["data"]["state"], "unknown");
    for method in ["POST", "DELETE"] {
        service.send(method, PATH, &json!({})).await.is(404, "This server does not fetch models");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_runs_as_soon_as_its_models_are_here() {
    let beside: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models/pad");
    let read = |(name, _): (String, Vec<u8>)| std::fs::read(beside.join(&name)).map(|contents| (name, contents));
    let Ok(files) = made_up().into_iter().map(read).collect::<Result<Vec<_>, _>>() else {
        println!("skipped: {} does not hold the models", beside.display());
        return;
    };
    let (service, _server, _folder, engine) = service(files).await;
    assert_eq!(engine.current().description().passive_check, PassiveCheck::NotInstalled);
    service.send("POST", PATH, &json!({})).await;
    let data = until(&service, |data| data["state"] != "fetching").await;
    assert_eq!(data["state"], "running", "{data}");
    assert_eq!(engine.current().description().passive_check, PassiveCheck::Runs);
    assert_eq!(service.send("POST", PATH, &json!({})).await.json()["data"]["state"], "running", "nothing left to do");
}
