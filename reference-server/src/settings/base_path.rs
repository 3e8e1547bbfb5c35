//! The path under which the server is published.

use std::fmt;
use std::str::FromStr;

/// The path under which a proxy publishes the server, such as `/attendance`; empty for the top of a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BasePath(String);

impl BasePath {
    /// Returns it without a slash at its end: it goes before the paths of the server.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path of the server that `path` leads to; `None` for a path beside it.
    pub(crate) fn within<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&self.0).filter(|rest| rest.starts_with('/') && !self.0.is_empty())
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.trim().trim_end_matches('/');
        let is_segment = |segment: &str| {
            !segment.is_empty()
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
                && !segment.bytes().all(|b| b == b'.')
        };
        if path.is_empty() || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment)) {
            return Ok(Self(path.to_owned()));
        }
        Err(format!("{text:?} is no path of letters, digits and -_.~, such as /attendance"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_with_a_slash_and_holds_plain_segments() {
        for (text, path) in [("", ""), ("/", ""), ("/face/", "/face"), (" /a/b-c_d.e~f ", "/a/b-c_d.e~f")] {
            assert_eq!(text.parse::<BasePath>().unwrap().as_str(), path, "{text}");
        }
        for text in ["face", "//face", "/a//b", "/..", "/a/./b", "/a b", "/a?b", "/\u{fc}", "//evil.example", "/a\\b"] {
            assert!(text.parse::<BasePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_lies_below_it_is_within() {
        let base: BasePath = "/face".parse().unwrap();
        assert_eq!(base.within("/face/ui/"), Some("/ui/"));
        assert_eq!(base.within("/face"), None);
        assert_eq!(base.within("/faces/ui/"), None);
        assert_eq!(base.within("/ui/"), None);
        assert_eq!(BasePath::default().within("/ui/"), None, "nothing to take away");
    }
}
