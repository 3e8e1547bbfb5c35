//! The web pages that may read the answers.

use std::str::FromStr;

/// The origin of a web page, such as `https://attendance.school.example`, or `*` for every origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin(Option<String>);

impl FromStr for AllowedOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let origin = text.trim().trim_end_matches('/');
        if origin == "*" {
            return Ok(Self(None));
        }
        let wrong = || format!("{origin:?} is no origin, such as https://attendance.school.example");
        let (scheme, authority) = origin.split_once("://").ok_or_else(wrong)?;
        let of_authority = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if scheme.is_empty() || authority.is_empty() || !authority.bytes().all(of_authority) {
            return Err(wrong());
        }
        Ok(Self(Some(plain(origin))))
    }
}

/// The pages whose scripts may read the answers. By default all: a script has to send a token, which no browser adds by
/// itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedOrigins(Option<Vec<String>>);

impl AllowedOrigins {
    /// Returns these origins; every origin where there is none, or `*` among them.
    #[must_use]
    pub fn new(given: Vec<AllowedOrigin>) -> Self {
        let named: Option<Vec<String>> = given.into_iter().map(|AllowedOrigin(origin)| origin).collect();
        Self(named.filter(|named| !named.is_empty()))
    }

    /// Returns whether a page of `origin`, the value of the header, may read the answers.
    pub(crate) fn hold(&self, origin: &[u8]) -> bool {
        let Some(named) = &self.0 else { return true };
        std::str::from_utf8(origin).is_ok_and(|origin| named.contains(&plain(origin)))
    }
}

/// Returns `origin` as browsers write it: in small letters, without the usual port of its scheme.
fn plain(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
        if let Some(bare) = origin.strip_suffix(port).filter(|bare| bare.starts_with(scheme)) {
            return bare.to_owned();
        }
    }
    origin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(given: &[&str]) -> AllowedOrigins {
        AllowedOrigins::new(given.iter().map(|origin| origin.parse().unwrap()).collect())
    }

    #[test]
    fn a_list_narrows_and_no_list_does_not() {
        for all in [origins(&[]), origins(&["*"]), origins(&["https://a.example", "*"]), AllowedOrigins::default()] {
            assert!(all.hold(b"https://evil.example") && all.hold(b"null"));
        }
        let some = origins(&["https://A.example:443/", "http://localhost:8000"]);
        for good in ["https://a.example", "HTTPS://a.example", "http://localhost:8000"] {
            assert!(some.hold(good.as_bytes()), "{good}");
        }
        for bad in
            ["http://a.example", "https://a.example.evil", "http://localhost", "null", "", "https://a.example:8443"]
        {
            assert!(!some.hold(bad.as_bytes()), "{bad}");
        }
        assert!(!some.hold(b"\xff"));
    }

    #[test]
    fn an_origin_has_a_scheme_and_no_path() {
        for wrong in ["", "a.example", "https://", "https://a.example/ui", "null"] {
            assert!(wrong.parse::<AllowedOrigin>().is_err(), "{wrong}");
        }
    }
}
