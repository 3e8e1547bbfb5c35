//! Whoever asks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceattend_core::geometry::Rect;
use serde::Serialize;
use serde_json::{Value, json};

use crate::Outcome;
use crate::service::Service;

/// How much the boxes of one face must overlap (IoU) with the detector at the same size, and at another: at 320 an
/// edge lies elsewhere by a few pixels of the input, four times as many of the frame. And how far similarities may be
/// apart.
pub(crate) const SAME_SIZE: f32 = 0.95;
pub(crate) const OTHER_SIZE: f32 = 0.8;
const SIMILARITY: f64 = 0.03;

/// A request, ready to be sent.
pub(crate) struct Picture {
    pub(crate) name: String,
    pub(crate) jpeg: Vec<u8>,
    body: String,
}

impl Picture {
    pub(crate) fn new((name, jpeg): (String, Vec<u8>)) -> Self {
        let body = json!({ "image_data": STANDARD.encode(&jpeg) }).to_string();
        Self { name, jpeg, body }
    }
}

/// Sends a picture; the status, whether the answer says when to come again, and the answer.
fn ask(agent: &ureq::Agent, service: &Service, picture: &Picture) -> Outcome<(u16, bool, String)> {
    let mut request =
        agent.post(format!("{}/api/v1/face/recognize", service.address)).header("Content-Type", "application/json");
    if let Some(token) = &service.token {
        request = request.header("Authorization", token);
    }
    let mut answer = request.send(&picture.body)?;
    let later = answer.headers().contains_key("Retry-After");
    Ok((answer.status().as_u16(), later, answer.body_mut().read_to_string()?))
}

/// Whether all services find the same people in the same places; how many faces those were.
pub(crate) fn agree(peer: &Service, ours: &[(&Service, f32)], pictures: &[Picture]) -> Outcome<usize> {
    let agent = Service::agent();
    let matches = |service: &Service, picture: &Picture| -> Outcome<Vec<Value>> {
        let (status, _, text) = ask(&agent, service, picture)?;
        let answer: Value = serde_json::from_str(&text).map_err(|_| format!("status {status}: {text}"))?;
        Ok(answer["data"]["matches"].as_array().ok_or(text)?.clone())
    };
    let mut faces = 0;
    for picture in pictures {
        let theirs = matches(peer, picture)?;
        faces += theirs.len();
        for (service, overlap) in ours {
            let found = matches(service, picture)?;
            if found.len() != theirs.len() || found.iter().zip(&theirs).any(|(a, b)| !alike(a, b, *overlap)) {
                return Err(format!("{}: {found:?} is not {theirs:?}", picture.name).into());
            }
        }
    }
    if faces < pictures.len() { Err("a face was not recognized".into()) } else { Ok(faces) }
}

fn alike(a: &Value, b: &Value, overlap: f32) -> bool {
    let confidence = |match_: &Value| match_["confidence"].as_f64().unwrap_or(f64::NAN);
    a["student_name"] == b["student_name"]
        && bounds(a).iou(&bounds(b)) >= overlap
        && (confidence(a) - confidence(b)).abs() <= SIMILARITY
}

#[expect(clippy::cast_possible_truncation, reason = "pixels")]
fn bounds(found: &Value) -> Rect {
    let [x1, y1, x2, y2] = [0, 1, 2, 3].map(|at| found["bbox"][at].as_f64().unwrap_or(f64::NAN) as f32);
    Rect::new(x1, y1, x2, y2)
}

/// What a service did with so many requests in flight.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    /// In milliseconds, rising.
    pub(crate) latencies: Vec<f64>,
}

impl Load {
    /// Keeps `in_flight` requests at the service for so long. Any answer but 200 is an error.
    pub(crate) fn run(service: &Service, pictures: &[Picture], in_flight: usize, lasts: Duration) -> Outcome<Self> {
        // Connections, threads and buffers are made before the clock runs.
        Self::once(service, pictures, in_flight, Duration::from_millis(500))?;
        Self::once(service, pictures, in_flight, lasts)
    }

    fn once(service: &Service, pictures: &[Picture], in_flight: usize, lasts: Duration) -> Outcome<Self> {
        let agent = Service::agent();
        let began = Instant::now();
        let client = |first: usize| -> Result<Vec<f64>, String> {
            let mut latencies = Vec::new();
            for picture in pictures.iter().cycle().skip(first) {
                let sent = Instant::now();
                let (status, _, text) = ask(&agent, service, picture).map_err(|e| e.to_string())?;
                if status != 200 {
                    return Err(format!("status {status} with {in_flight} in flight: {text}"));
                }
                latencies.push(sent.elapsed().as_secs_f64() * 1e3);
                if began.elapsed() >= lasts {
                    break;
                }
            }
            Ok(latencies)
        };
        let mut latencies = Vec::new();
        std::thread::scope(|scope| -> Outcome<()> {
            let clients: Vec<_> = (0..in_flight).map(|first| scope.spawn(move || client(first))).collect();
            for client in clients {
                latencies.extend(client.join().map_err(|_| "a client panicked")??);
            }
            Ok(())
        })?;
        latencies.sort_by(f64::total_cmp);
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        let per_second = latencies.len() as f64 / began.elapsed().as_secs_f64();
        Ok(Self { per_second, latencies })
    }

    pub(crate) fn percentile(&self, part: f64) -> f64 {
        percentile(&self.latencies, part)
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let at = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(at.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
}

/// What a service does when far more is asked of it than it can do.
#[derive(Serialize)]
pub(crate) struct Overload {
    pub(crate) in_flight: usize,
    pub(crate) answered: usize,
    /// With 503 and when to come again.
    pub(crate) refused: usize,
    /// In milliseconds, from the first health check to the last.
    pub(crate) health_p50: f64,
    pub(crate) health_worst: f64,
}

/// Asks far too much, and meanwhile, twenty times a second, whether the service is well. Whoever is refused asks again
/// after a tenth of a second, which is sooner than it was told.
pub(crate) fn overload(
    service: &Service,
    pictures: &[Picture],
    in_flight: usize,
    lasts: Duration,
) -> Outcome<Overload> {
    let (agent, over) = (Service::agent(), AtomicBool::new(false));
    let client = |first: usize| -> Result<(usize, usize), String> {
        let (mut answered, mut refused) = (0, 0);
        for picture in pictures.iter().cycle().skip(first) {
            match ask(&agent, service, picture).map_err(|e| e.to_string())? {
                (200, _, _) => answered += 1,
                (503, true, _) => {
                    refused += 1;
                    std::thread::sleep(Duration::from_millis(100));
                }
                (status, _, text) => return Err(format!("status {status} under overload: {text}")),
            }
            if over.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok((answered, refused))
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..in_flight).map(|first| scope.spawn(move || client(first))).collect();
        let (began, mut health) = (Instant::now(), Vec::new());
        let checker = Service::agent();
        let mut broken = None;
        while began.elapsed() < lasts && broken.is_none() {
            let sent = Instant::now();
            match checker.get(format!("{}/health", service.address)).call() {
                Ok(answer) if answer.status() == 200 => health.push(sent.elapsed().as_secs_f64() * 1e3),
                Ok(answer) => broken = Some(format!("the health check was answered with {}", answer.status())),
                Err(error) => broken = Some(format!("the health check failed: {error}")),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        over.store(true, Ordering::Relaxed);
        let (mut answered, mut refused) = (0, 0);
        for client in clients {
            let (done, not) = client.join().map_err(|_| "a client panicked")??;
            (answered, refused) = (answered + done, refused + not);
        }
        if let Some(problem) = broken {
            return Err(problem.into());
        }
        health.sort_by(f64::total_cmp);
        let (health_p50, health_worst) = (percentile(&health, 0.5), percentile(&health, 1.0));
        Ok(Overload { in_flight, answered, refused, health_p50, health_worst })
    })
}
