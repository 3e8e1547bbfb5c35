//! One question to a camera and the answer to it, read as loosely as small servers write: line ends without `\r`, names
//! of fields in any case, a status line of another protocol's name.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::time::Instant;

use super::super::address::Address;
use super::body::Body;
use super::connection::{Connection, why_unreachable};
use super::login::Login;

/// The longest head of an answer.
const MOST_HEAD: u64 = 64 << 10;
/// How many times a question is asked again with a login: once, and once more when a nonce has passed.
const MOST_LOGINS: usize = 2;
/// How many bytes tell what an answer of no known type holds.
const SNIFFED: usize = 16;
/// How many bytes are read at once.
const AT_ONCE: usize = 1 << 16;

/// An answer whose body is being read.
pub(super) struct Answer {
    status: u16,
    fields: Vec<(String, String)>,
    body: Body,
    /// For the bytes of one read.
    read: Vec<u8>,
}

/// What the body of an answer holds.
pub(super) enum Contents {
    /// JPEGs, as far as can be told.
    Pictures,
    /// Video that this module does not read: HLS, MP4, MPEG-TS.
    OtherVideo,
    /// Neither; what it is, in words.
    NoVideo(String),
}

/// The types that hold no video. Everything else that is not known is looked at.
const NO_VIDEO: [&str; 7] =
    ["text/html", "application/xhtml+xml", "application/json", "text/json", "text/xml", "application/xml", "text/css"];

impl Answer {
    /// Asks for the address until `until`, with the login when the camera wants one.
    ///
    /// # Errors
    /// Why there is no answer, or what its status says, in words.
    pub(super) fn of(address: &Address<'_>, mut login: Option<&mut Login>, until: Instant) -> Result<Self, String> {
        let (mut logins, resource) = (0, address.resource());
        loop {
            let authorization = login.as_mut().and_then(|login| login.field("GET", &resource));
            let answer = Self::to_one_question(address, authorization.as_deref(), until)?;
            if answer.status == 401 && logins < MOST_LOGINS {
                logins += 1;
                let asked: Vec<&str> = answer.all("www-authenticate").collect();
                if login.as_mut().is_some_and(|login| login.take(&asked)) {
                    continue;
                }
            }
            return match answer.status {
                200..=399 => Ok(answer),
                401 if login.is_some() => Err("it refuses the user name or the password (401)".to_owned()),
                401 => Err("it asks for a user name and a password (401)".to_owned()),
                403 => Err("it forbids access to this path (403)".to_owned()),
                404 | 410 => Err(format!("there is nothing at this path ({})", answer.status)),
                other => Err(format!("it answers with an error ({other})")),
            };
        }
    }

    fn to_one_question(address: &Address<'_>, authorization: Option<&str>, until: Instant) -> Result<Self, String> {
        let failed = |error: io::Error| why_unreachable(&error).to_owned();
        let mut connection = Connection::to(address, until)?;
        let mut question = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: faceattend/{}\r\nAccept: */*\r\nConnection: close\r\n",
            address.resource(),
            address.place(),
            env!("CARGO_PKG_VERSION"),
        );
        if let Some(authorization) = authorization {
            question += &format!("Authorization: {authorization}\r\n");
        }
        question += "\r\n";
        connection.write_all(question.as_bytes()).and_then(|()| connection.flush()).map_err(failed)?;
        let mut from = BufReader::with_capacity(AT_ONCE, connection);
        loop {
            let (status, fields) = head(&mut from)?;
            // `100 Continue` and the like come before the answer.
            if !(100..200).contains(&status) {
                let has_parts = is_multipart(&fields);
                let body = Body::new(from, all(&fields, "transfer-encoding").next(), length(&fields, has_parts));
                return Ok(Self { status, fields, body, read: vec![0; AT_ONCE] });
            }
        }
    }

    fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        all(&self.fields, name)
    }

    /// Returns where a redirection leads.
    pub(super) fn redirection(&self) -> Option<&str> {
        (300..400).contains(&self.status).then(|| self.all("location").next().unwrap_or_default())
    }

    /// Returns the type of the contents in lower case, without parameters; empty without one.
    fn kind(&self) -> String {
        kind(&self.fields)
    }

    /// Returns what stands between the parts of the body, where the answer says it.
    pub(super) fn boundary(&self) -> Option<&str> {
        let kind = self.all("content-type").next()?;
        let at = kind.to_ascii_lowercase().find("boundary")?;
        let value = kind.get(at + "boundary".len()..)?.trim_start().strip_prefix('=')?.trim_start();
        Some(match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => value.split(';').next().unwrap_or_default().trim_end(),
        })
    }

    /// Finds out what the body holds, by its type, and where that says too little by its first bytes.
    ///
    /// # Errors
    /// Why nothing comes, in words.
    pub(super) fn contents(&mut self, until: Instant) -> Result<Contents, String> {
        let kind = self.kind();
        if is_multipart(&self.fields) || kind == "image/jpeg" || kind == "image/jpg" {
            return Ok(Contents::Pictures);
        }
        let shown = if kind.is_empty() { "something of no type".to_owned() } else { kind.clone() };
        if NO_VIDEO.contains(&kind.as_str()) {
            return Ok(Contents::NoVideo(shown));
        }
        let mut sniffed = Vec::new();
        while sniffed.len() < SNIFFED {
            let more = self.read(until)?;
            if more.is_empty() {
                break;
            }
            sniffed.extend_from_slice(more);
        }
        self.body.give_back(&sniffed);
        let start = sniffed.trim_ascii_start();
        if start.is_empty() {
            return Ok(Contents::NoVideo("nothing".to_owned()));
        }
        if start.starts_with(&[0xFF, 0xD8]) || start.starts_with(b"--") || start.starts_with(b"Content-") {
            return Ok(Contents::Pictures);
        }
        if start.starts_with(b"#EXTM3U") {
            return Ok(Contents::OtherVideo);
        }
        let is_text = start.starts_with(b"<") || start.starts_with(b"{") || kind.starts_with("text/");
        let is_picture = kind.starts_with("image/");
        Ok(if is_text || is_picture { Contents::NoVideo(shown) } else { Contents::OtherVideo })
    }

    /// Reads more of the body; empty at its end.
    ///
    /// # Errors
    /// Why nothing comes, in words.
    pub(super) fn read(&mut self, until: Instant) -> Result<&[u8], String> {
        match self.body.read(&mut self.read, until) {
            Ok(read) => Ok(&self.read[..read]),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err("it gave no frame in time".to_owned()),
            Err(error) => Err(why_unreachable(&error).to_owned()),
        }
    }

    /// Returns whether nothing more is to be read. A length that ends within a picture is wrong.
    pub(super) fn is_over(&self, is_between_pictures: bool) -> bool {
        self.body.is_over(is_between_pictures)
    }

    /// Returns whether the answer, of which this many pictures were read, is one picture, to be asked for again.
    pub(super) fn is_one_picture(&self, pictures: u64) -> bool {
        pictures > 0 && !is_multipart(&self.fields) && (pictures == 1 || self.body.length().is_some())
    }
}

fn all<'f>(fields: &'f [(String, String)], name: &'f str) -> impl Iterator<Item = &'f str> {
    fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn kind(fields: &[(String, String)]) -> String {
    let kind = all(fields, "content-type").next().unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_multipart(fields: &[(String, String)]) -> bool {
    kind(fields).starts_with("multipart/")
}

/// Returns the length that the answer promises. Cameras promise anything for a stream of parts.
fn length(fields: &[(String, String)], has_parts: bool) -> Option<u64> {
    if has_parts { None } else { all(fields, "content-length").next()?.parse().ok() }
}

/// Reads the status and the fields, whose names are given in lower case.
fn head(from: &mut BufReader<Connection>) -> Result<(u16, Vec<(String, String)>), String> {
    let mut lines = from.take(MOST_HEAD);
    let mut next = || -> Result<String, String> {
        let mut line = Vec::new();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) => Err("it closes the connection without an answer".to_owned()),
            Ok(_) if line.last() != Some(&b'\n') => Err("its answer is not one of HTTP".to_owned()),
            Ok(_) => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            Err(error) => Err(why_unreachable(&error).to_owned()),
        }
    };
    let status = next()?;
    // `HTTP/1.1 200 OK`, and `ICY 200 OK` of some servers.
    let number = status.split_ascii_whitespace().nth(1).and_then(|number| number.parse::<u16>().ok());
    let number = number.filter(|number| (100..600).contains(number));
    let number = number.ok_or_else(|| "its answer is not one of HTTP".to_owned())?;
    let mut fields: Vec<(String, String)> = Vec::new();
    loop {
        let line = next()?;
        if line.is_empty() {
            return Ok((number, fields));
        }
        match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
            // A field that goes on in the next line.
            (true, Some((_, value)), _) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (_, _, Some((name, value))) => fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned())),
            _ => {}
        }
    }
}
