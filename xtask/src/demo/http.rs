//! As much of HTTP as it takes to use the server as any client would: one request a connection, JSON in and out.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::Result;

/// How long any answer may take: the first frame of a session opens the models.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client of one server.
pub(crate) struct Client {
    /// Host and port.
    address: String,
    token: Option<String>,
}

impl Client {
    /// A client of the server at `address`, host and port.
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), token: None }
    }

    /// Sends `token` with every request from now on.
    pub(crate) fn log_in_with(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// The answer to a GET.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        self.request("GET", path, None)
    }

    /// The answer to a POST of `body`.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.request("POST", path, Some(body))
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let failed = |what: String| format!("{method} {path}: {what}");
        let io = |e: std::io::Error| failed(e.to_string());
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.address).map_err(io)?;
        stream.set_read_timeout(Some(TIMEOUT)).and_then(|()| stream.set_write_timeout(Some(TIMEOUT))).map_err(io)?;
        let authorization =
            self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nConnection: close\r\n{authorization}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).map_err(io)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(io)?;
        let (status, body) = parse(&answer).map_err(|problem| failed(problem.to_owned()))?;
        let json: Value = serde_json::from_slice(body).map_err(|e| failed(format!("status {status}, no JSON: {e}")))?;
        if (200..300).contains(&status) {
            Ok(json)
        } else {
            Err(failed(format!("status {status}: {}", json["detail"])))
        }
    }
}

/// The status and the body of an answer that ended with its connection.
fn parse(answer: &[u8]) -> std::result::Result<(u16, &[u8]), &'static str> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the answer has no end of its head")?;
    let head = std::str::from_utf8(&answer[..end]).map_err(|_| "the answer's head is no text")?;
    let body = &answer[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") && value.trim().parse() != Ok(body.len()) {
            return Err("the answer was cut off");
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("the answer comes in pieces, which this client does not read");
        }
    }
    Ok((status.ok_or("the answer has no status")?, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_off_is_not_taken_for_a_whole_one() {
        let whole = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(whole), Ok((404, &b"{}"[..])));
        assert!(parse(&whole[..whole.len() - 1]).is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n").is_err());
    }
}
