//! The user and the password of an address, as HTTP asks for them: Digest (RFC 7616, and RFC 2069 of old cameras) where
//! the camera offers it, Basic (RFC 7617) otherwise. A password is never sent before the camera has asked.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::Md5;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Who asks, and how the camera wants to be told.
pub(super) struct Login {
    user: String,
    password: String,
    scheme: Option<Scheme>,
}

enum Scheme {
    Basic,
    Digest(Challenge),
}

/// What a camera wants to be answered.
struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// As the camera wrote it.
    algorithm_name: Option<String>,
    /// Whether the answer counts its questions (`qop`), which old cameras do not know.
    is_counted: bool,
    count: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Hash {
    Md5,
    Sha256,
}

#[derive(Clone, Copy)]
struct Algorithm {
    hash: Hash,
    of_session: bool,
}

impl Login {
    /// Reads `user:password@`; `None` where nobody is named.
    pub(super) fn of(login: &str) -> Option<Self> {
        let login = login.strip_suffix('@').unwrap_or(login);
        if login.is_empty() {
            return None;
        }
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Some(Self { user: plain(user), password: plain(password), scheme: None })
    }

    /// Takes the fields `WWW-Authenticate` of an answer that asks for a login; `false` when there is nothing new to
    /// try: the login was sent already, and the camera did not say that only its nonce had passed.
    pub(super) fn take(&mut self, fields: &[&str]) -> bool {
        let (mut digest, mut basic, mut is_stale) = (None, fields.is_empty(), false);
        for (scheme, parameters) in fields.iter().flat_map(|field| challenges(field)) {
            if scheme.eq_ignore_ascii_case("basic") {
                basic = true;
            } else if scheme.eq_ignore_ascii_case("digest") && digest.is_none() {
                is_stale = value(&parameters, "stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
                digest = Challenge::of(&parameters);
            }
        }
        let was_tried = self.scheme.is_some();
        self.scheme = digest.map(Scheme::Digest).or(if basic { Some(Scheme::Basic) } else { None });
        self.scheme.is_some() && (!was_tried || is_stale)
    }

    /// Returns the field `Authorization` of the next question; `None` before the camera has asked for one.
    pub(super) fn field(&mut self, method: &str, path: &str) -> Option<String> {
        match self.scheme.as_mut()? {
            Scheme::Basic => {
                Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password))))
            }
            Scheme::Digest(challenge) => {
                let nonce = Uuid::new_v4().simple().to_string();
                Some(challenge.answer(&self.user, &self.password, method, path, &nonce))
            }
        }
    }
}

impl Challenge {
    fn of(parameters: &[(String, String)]) -> Option<Self> {
        let text = |name| value(parameters, name).map(str::to_owned);
        let algorithm_name = text("algorithm");
        let algorithm = match algorithm_name.as_deref().unwrap_or("MD5").to_ascii_uppercase().as_str() {
            "MD5" => Algorithm { hash: Hash::Md5, of_session: false },
            "MD5-SESS" => Algorithm { hash: Hash::Md5, of_session: true },
            "SHA-256" => Algorithm { hash: Hash::Sha256, of_session: false },
            "SHA-256-SESS" => Algorithm { hash: Hash::Sha256, of_session: true },
            _ => return None,
        };
        let qop = value(parameters, "qop");
        let is_counted = qop.is_some_and(|qop| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
        if qop.is_some() && !is_counted {
            return None;
        }
        let (realm, nonce) = (text("realm").unwrap_or_default(), text("nonce")?);
        Some(Self { realm, nonce, opaque: text("opaque"), algorithm, algorithm_name, is_counted, count: 0 })
    }

    fn answer(&mut self, user: &str, password: &str, method: &str, path: &str, own_nonce: &str) -> String {
        self.count += 1;
        let (realm, nonce) = (&self.realm, &self.nonce);
        let hash = |text: String| match self.algorithm.hash {
            Hash::Md5 => hexadecimal(&Md5::digest(text)),
            Hash::Sha256 => hexadecimal(&Sha256::digest(text)),
        };
        let mut who = hash(format!("{user}:{realm}:{password}"));
        if self.algorithm.of_session {
            who = hash(format!("{who}:{nonce}:{own_nonce}"));
        }
        let what = hash(format!("{method}:{path}"));
        let count = format!("{:08x}", self.count);
        let proof = if self.is_counted {
            hash(format!("{who}:{nonce}:{count}:{own_nonce}:auth:{what}"))
        } else {
            hash(format!("{who}:{nonce}:{what}"))
        };
        let mut field = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{nonce}\", uri=\"{path}\", response=\"{proof}\"",
            quoted(user),
            quoted(realm)
        );
        if let Some(name) = &self.algorithm_name {
            field += &format!(", algorithm={name}");
        }
        if let Some(opaque) = &self.opaque {
            field += &format!(", opaque=\"{opaque}\"");
        }
        if self.is_counted {
            field += &format!(", qop=auth, nc={count}, cnonce=\"{own_nonce}\"");
        } else if self.algorithm.of_session {
            field += &format!(", cnonce=\"{own_nonce}\"");
        }
        field
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn value<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Takes the field apart into schemes, each with its parameters: one field may hold several challenges.
fn challenges(field: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for part in parts(field) {
        let part = part.trim();
        let name_end = part.find([' ', '\t', '=']).unwrap_or(part.len());
        let (name, rest) = (&part[..name_end], part[name_end..].trim_start());
        let parameter = match rest.strip_prefix('=') {
            Some(value) => Some((name, value)),
            None => {
                found.push((name.to_owned(), Vec::new()));
                rest.split_once('=')
            }
        };
        if let (Some((name, value)), Some((_, parameters))) = (parameter, found.last_mut()) {
            parameters.push((name.trim().to_owned(), unquoted(value.trim())));
        }
    }
    found
}

/// Splits at the commas that stand in no quotes.
fn parts(field: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut in_quotes, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in field.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' => in_quotes = !in_quotes,
            b',' if !in_quotes => {
                parts.push(&field[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&field[begin..]);
    parts
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut text = String::new();
    let mut characters = inner.strip_suffix('"').unwrap_or(inner).chars();
    while let Some(character) = characters.next() {
        text.push(if character == '\\' { characters.next().unwrap_or('\\') } else { character });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7616, section 3.9.1.
    #[test]
    fn the_answers_are_those_of_the_standard() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let field = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let mut challenge = Challenge::of(&challenges(&field)[0].1).unwrap();
            let own = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let answer = challenge.answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", own);
            assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
            assert!(answer.contains("nc=00000001") && answer.contains("qop=auth,"), "{answer}");
        }
    }

    /// The example of RFC 2617 without `qop`, as RFC 2069 computes it.
    #[test]
    fn an_old_camera_gets_the_old_answer() {
        let field = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let mut challenge = Challenge::of(&challenges(field)[0].1).unwrap();
        let answer = challenge.answer("Mufasa", "Circle Of Life", "GET", "/dir/index.html", "unused");
        assert!(answer.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{answer}");
        assert!(!answer.contains("cnonce") && !answer.contains("qop"), "{answer}");
    }

    #[test]
    fn digest_is_preferred_and_a_refused_login_is_not_sent_again() {
        let mut login = Login::of("us%20er:p%40ss@").unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("us er", "p@ss"));
        assert!(login.field("GET", "/").is_none());
        let fields = ["Basic realm=\"a, b\", Digest realm=\"c\", nonce=\"d\", qop=\"auth\""];
        assert!(login.take(&fields) && login.field("GET", "/").unwrap().starts_with("Digest "));
        assert!(!login.take(&fields));
        assert!(login.take(&["Digest realm=\"c\", nonce=\"e\", stale=TRUE"]));
        let mut other = Login::of("user:pw@").unwrap();
        assert!(other.take(&["Digest nonce=\"x\", algorithm=SHA-512-256", "Basic realm=\"cam\""]));
        assert_eq!(other.field("GET", "/").unwrap(), "Basic dXNlcjpwdw==");
        assert!(Login::of("user@").unwrap().take(&[]) && Login::of("").is_none());
    }
}
