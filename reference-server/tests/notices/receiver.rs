//! A receiver of webhooks that answers as the test says, and checks the signatures as a receiver should.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// The secret that the tests' channels have.
pub(crate) const SECRET: &str = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZw==";

/// What arrived: the id and the body of a request whose signature is right.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) body: Value,
    /// What the receiver answered; 0 for nothing.
    pub(crate) answered: u16,
}

pub(crate) struct Receiver {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    /// Answers 200 once the answers in `first` have been given; a 0 ends the connection without one.
    pub(crate) fn start(first: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(first.iter().copied().collect::<VecDeque<_>>()));
        let (heard, given) = (Arc::clone(&received), Arc::clone(&answers));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (heard, given) = (Arc::clone(&heard), Arc::clone(&given));
                std::thread::spawn(move || answer(stream.unwrap(), &heard, &given));
            }
        });
        Self { port, received, answers }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?token=S3CRET", self.port)
    }

    /// Gives these answers next.
    pub(crate) fn answer_next(&self, answers: &[u16]) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// Everything that arrived so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until so many have been answered with success.
    #[track_caller]
    pub(crate) fn until_taken(&self, number: usize) -> Vec<Received> {
        let began = Instant::now();
        loop {
            let taken: Vec<_> = self.received().into_iter().filter(|one| one.answered == 200).collect();
            if taken.len() >= number {
                return taken;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{number} were expected: {:?}", self.received());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn answer(stream: TcpStream, heard: &Mutex<Vec<Received>>, given: &Mutex<VecDeque<u16>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match reader.read_line(&mut head) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        let field = |name: &str| {
            let is_it = |line: &&str| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
            head.lines().find(is_it).map_or("", |line| line.split_once(':').unwrap().1.trim()).to_owned()
        };
        let mut body = vec![0; field("content-length").parse().unwrap()];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let (id, time, signature) = (field("webhook-id"), field("webhook-timestamp"), field("webhook-signature"));
        let key = BASE64_STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{time}.").as_bytes());
        mac.update(&body);
        assert_eq!(signature, format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())));
        let age = jiff::Timestamp::now().as_second() - time.parse::<i64>().unwrap();
        assert!((0..60).contains(&age), "{age}");
        let answered = given.lock().unwrap().pop_front().unwrap_or(200);
        heard.lock().unwrap().push(Received { id, body: serde_json::from_slice(&body).unwrap(), answered });
        if answered == 0 {
            return;
        }
        let extra = if (300..400).contains(&answered) { "Location: http://127.0.0.1:1/\r\n" } else { "" };
        let text = format!("HTTP/1.1 {answered} Said\r\n{extra}Content-Length: 5\r\n\r\nheard");
        if stream.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}
