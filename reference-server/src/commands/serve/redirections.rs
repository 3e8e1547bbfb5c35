//! Keeps cameras from sending the server elsewhere: FFmpeg follows the redirections of HTTP unless it is told not to.
//! Without the option the server works too: what is bound to the hosts of operators is asked for redirections before it
//! is opened.

use std::ffi::{OsStr, OsString};

/// The variable from which OpenCV takes the options of FFmpeg, `name;value|name;value`. There is no other way to set
/// one.
const VARIABLE: &str = "OPENCV_FFMPEG_CAPTURE_OPTIONS";
/// What OpenCV sets where the variable is missing.
const USUAL: &str = "rtsp_flags;prefer_tcp";
const OPTION: &str = "max_redirects";

/// Returns the variable with the option; `None` where it is there.
pub(super) fn variable() -> Option<(&'static str, OsString)> {
    Some((VARIABLE, with_option(std::env::var_os(VARIABLE).as_deref())?))
}

/// The options with ours; `None` where they say something about redirections already.
fn with_option(options: Option<&OsStr>) -> Option<OsString> {
    let options = options.unwrap_or(OsStr::new(USUAL));
    if options.to_string_lossy().split('|').any(|option| option.split(';').next() == Some(OPTION)) {
        return None;
    }
    let mut ours = options.to_owned();
    ours.push(format!("|{OPTION};0"));
    Some(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_set_once_and_an_operators_own_stays() {
        for (given, expected) in [
            (None, Some("rtsp_flags;prefer_tcp|max_redirects;0")),
            (Some("rtsp_transport;udp"), Some("rtsp_transport;udp|max_redirects;0")),
            (Some("rtsp_transport;udp|max_redirects;0"), None),
            (Some("max_redirects;8"), None),
        ] {
            assert_eq!(with_option(given.map(OsStr::new)).as_deref(), expected.map(OsStr::new), "{given:?}");
        }
    }
}
