//! Keeps cameras from sending the server elsewhere: FFmpeg follows the redirections of HTTP unless it is told not to.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The variable from which OpenCV takes the options of FFmpeg, `name;value|name;value`. There is no other way to set
/// one.
const VARIABLE: &str = "OPENCV_FFMPEG_CAPTURE_OPTIONS";
/// What OpenCV sets where the variable is missing.
const USUAL: &str = "rtsp_flags;prefer_tcp";
const OPTION: &str = "max_redirects";

/// Begins the process again with the option in its environment, unless it is there. An environment cannot be changed
/// safely in a process that may have threads; the new program has the same number, arguments and files. Where that
/// fails the server goes on: what is bound to the hosts of operators is asked for redirections before it is opened.
pub(super) fn follow_none() {
    let Some(options) = with_option(std::env::var_os(VARIABLE).as_deref()) else { return };
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    command.env(VARIABLE, options);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let error = command.args(arguments).exec();
    tracing::warn!("the redirections of HTTP cameras are followed: the server could not begin again: {error}");
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
