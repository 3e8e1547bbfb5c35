//! Shows addresses of cameras and databases without what could be a password. Whoever writes an address into a log, an
//! answer or an error asks here, also for a text that is no address: a mistyped one holds the same password.
//!
//! What is not known to be harmless goes. An address that loses more than its password is a smaller harm than a
//! password in a log.

/// Whether a user without a password is shown. In the address of a camera it may be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoneUser {
    /// As in the address of a database.
    Shown,
    /// As in the address of a camera.
    Hidden,
}

/// What stands for what is not shown.
const HIDDEN: &str = "***";

/// Parameters whose values are no secrets: those with which cameras choose a stream and its form, and those of
/// PostgreSQL's connections. `x` and `y` are places in a picture.
const HARMLESS: [&str; 58] = [
    "action",
    "application_name",
    "audio",
    "bitrate",
    "buffer",
    "cam",
    "camera",
    "ch",
    "channel",
    "channelid",
    "clock",
    "codec",
    "color",
    "compression",
    "connect_timeout",
    "count",
    "date",
    "dbname",
    "delay",
    "encoding",
    "format",
    "fps",
    "framerate",
    "gop",
    "h",
    "height",
    "host",
    "id",
    "index",
    "input",
    "interval",
    "keepalives",
    "lens",
    "live",
    "media",
    "mirror",
    "mode",
    "number",
    "port",
    "profile",
    "proto",
    "quality",
    "rate",
    "res",
    "resolution",
    "rotation",
    "size",
    "source",
    "sslmode",
    "stream",
    "subtype",
    "timeout",
    "transport",
    "unicast",
    "videocodec",
    "width",
    "x",
    "y",
];

/// Returns `text` without what could be a password: everything before its last `@`, but for the user of a well-formed
/// address, and the value of every parameter that is not known to be harmless. What it returns is returned unchanged.
pub(crate) fn redacted(text: &str, lone_user: LoneUser) -> String {
    let (scheme, rest) = match text.find("://") {
        Some(at) if is_scheme(&text[..at]) => text.split_at(at + 3),
        _ => ("", text),
    };
    let is_url = !scheme.is_empty();
    let Some((login, at, place)) = split_login(rest, is_url) else {
        return format!("{scheme}{}", without_parameters(&without_odd_port(rest, is_url), is_url));
    };
    // The sign may stand in the value of a parameter, whose end is then taken for the place.
    if login.contains('=') {
        return format!("{scheme}{HIDDEN}{at}{HIDDEN}");
    }
    let login = match login.split_once(':') {
        Some((user, _)) if is_url && is_word(user) => format!("{user}:{HIDDEN}"),
        None if is_url && lone_user == LoneUser::Shown && is_word(login) => login.to_owned(),
        _ => HIDDEN.to_owned(),
    };
    format!("{scheme}{login}{at}{}", without_parameters(place, is_url))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// Whether `text` is made of what names and numbers are made of.
fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Splits at the last `@`, or where there is none at an encoded one: a password may hold a sign that should have been
/// encoded, and one that is encoded too often hides the `@` itself.
fn split_login(rest: &str, is_url: bool) -> Option<(&str, &str, &str)> {
    let literal = rest.rfind('@').map(|at| (at, 1));
    let path_end = rest.find('?').unwrap_or(rest.len());
    let (at, length) = literal.or_else(|| rest[..path_end].rfind("%40").map(|at| (at, 3)))?;
    let (login, rest) = rest.split_at(at);
    // The path of a file may hold the sign. No login begins with a slash, and few are without a colon.
    let is_path = !is_url && login.starts_with('/') && !login.contains(':');
    (!is_path).then(|| (login, &rest[..length], &rest[length..]))
}

/// Hides what stands where the port of an address does and is none: the password of an address that lacks its host.
fn without_odd_port(rest: &str, is_url: bool) -> String {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.split_once(':') {
        Some((host, port))
            if is_url
                && !(authority.starts_with('[') && authority.contains(']'))
                && !port.bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("{host}:{HIDDEN}{path}")
        }
        _ => rest.to_owned(),
    }
}

/// Hides the values of parameters. Some cameras take `?user=a&pwd=b`, some take it as a part of the path.
fn without_parameters(rest: &str, is_url: bool) -> String {
    const ENDS: [char; 5] = ['/', '?', '&', ';', '#'];
    let mut shown = String::with_capacity(rest.len());
    let mut in_query = false;
    // A secret may hold the signs that end other values, and what follows them looks like a parameter.
    let mut in_secret = false;
    for part in rest.split_inclusive(ENDS) {
        let (body, end) = part.split_at(part.trim_end_matches(ENDS).len());
        if body.is_empty() {
            // Two signs in a row begin no parameter, and end no secret.
        } else if in_secret {
            shown.push_str(HIDDEN);
        } else if in_query || is_url && body.contains('=') {
            let harmless = is_harmless(body);
            in_secret = !harmless;
            shown.push_str(&if harmless { body.to_owned() } else { without_value(body) });
        } else {
            shown.push_str(body);
        }
        shown.push_str(end);
        in_query |= end.contains(['?', '#']);
        in_secret = match end {
            "&" | "?" => false,
            // It begins another part of a path, and stands in the value of any parameter.
            "/" => in_query,
            _ => in_secret,
        };
    }
    shown
}

/// Whether a parameter can be shown whole.
fn is_harmless(part: &str) -> bool {
    let is_known = |name: &str| HARMLESS.iter().any(|known| known.eq_ignore_ascii_case(name));
    // Such as 640x480, 1,2 or 10:30.
    let is_plain = |value: &str| value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.,:+*".contains(&b));
    match part.split_once('=') {
        Some((name, value)) => is_known(name) && is_plain(value),
        None => is_known(part) || part.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// Hides the value of a parameter, and all of it where its name is no word.
fn without_value(part: &str) -> String {
    match part.split_once('=') {
        Some((name, "")) if is_word(name) => part.to_owned(),
        Some((name, _)) if is_word(name) => format!("{name}={HIDDEN}"),
        _ => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        redacted(text, LoneUser::Hidden)
    }

    #[test]
    fn a_password_in_a_mistyped_address_is_not_shown() {
        for (text, expected) in [
            ("rtsp:/admin:PW@host/s", "***@host/s"),
            ("rtsp:admin:PW@host/s", "***@host/s"),
            ("admin:PW@host/s", "***@host/s"),
            ("admin:P@W@host", "***@host"),
            ("//admin:PW@host/s", "***@host/s"),
            ("/admin:PW@host/s", "***@host/s"),
            ("admin:PW%40host/s", "***%40host/s"),
            ("rtsp//admin:PW@host", "***@host"),
            (" rtsp ://admin:PW@host", "***@host"),
            ("rtsp://admin:PW/host/s", "rtsp://admin:***/host/s"),
            ("rtsp://ad/min:PW@host/s", "rtsp://***@host/s"),
            ("file:///srv/a@b", "file://***@b"),
            ("http://host/a/access_key=@@S3CRET", "http://***@***"),
            ("http://host/s?pw=PW@S3CRET", "http://***@***"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn the_value_of_a_parameter_is_shown_where_its_name_is_harmless() {
        for (text, expected) in [
            ("http://host/s?pw=a&pin=1&channel=2", "http://host/s?pw=***&pin=***&channel=2"),
            ("http://host/s?CHANNEL=2;Stream=sub", "http://host/s?CHANNEL=2;Stream=sub"),
            ("http://host/s?p=a/b?c", "http://host/s?p=***/***?***"),
            ("http://host/s?pw=x/S3CRET=y", "http://host/s?pw=***/***"),
            ("http://host/s?pw=;S3CRET=&x=1", "http://host/s?pw=;***&x=1"),
            ("http://host/s?pw=a;S3CRET=b", "http://host/s?pw=***;***"),
            ("http://host/s?pw=a#h=S3CRET", "http://host/s?pw=***#***"),
            ("http://host/s?pw=a##S3CRET=b", "http://host/s?pw=***##***"),
            ("http://host/s?pw=;/S3CRET=b", "http://host/s?pw=;/***"),
            ("http://host/s?pw=a&&S3CRET=b", "http://host/s?pw=***&&S3CRET=***"),
            ("http://host/a/pw=a;S3CRET/b", "http://host/a/pw=***;***/b"),
            ("http://host/s?\u{eff2e}S3CRET=", "http://host/s?***"),
            ("http://host/s?S3CRET", "http://host/s?***"),
            ("http://host/cgi?1", "http://host/cgi?1"),
            ("http://host/s?channel=1_pw=S3CRET", "http://host/s?channel=***"),
            ("http://host/s?channel=a%26pw", "http://host/s?channel=***"),
            ("http://host/s#pw=1", "http://host/s#pw=***"),
            ("host/s?pw=S3CRET", "host/s?pw=***"),
            ("rtsp://host/user=admin&password=PW&channel=1/x", "rtsp://host/user=***&password=***&channel=1/x"),
            ("http://host/a?resolution=640x480&x=2", "http://host/a?resolution=640x480&x=2"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_holds_no_password_is_shown_as_it_is() {
        for plain in [
            "",
            "0",
            " 0",
            "/dev/video0",
            "clip.avi",
            "/srv/2026=03/cam@gate/clip.avi",
            "rtsp://host:554/stream",
            "rtsp://[fe80::1]:554/stream",
            "rtsp://[fe80::1]/stream",
            "nonsense://x",
            "webcam",
        ] {
            assert_eq!(shown(plain), plain);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_shown_unchanged(text in "[a-z:@/?#&;=%40 .*]{0,24}") {
            for lone_user in [LoneUser::Shown, LoneUser::Hidden] {
                let once = redacted(&text, lone_user);
                prop_assert_eq!(redacted(&once, lone_user), once);
            }
        }

        #[test]
        fn a_password_among_parameters_is_shown_up_to_its_end_nowhere(
            before in "[a-z:/#;=%@ .]{0,12}", after in "[a-z:/#;=%@ .]{0,12}",
        ) {
            for start in ["postgres://host/name?sslmode=require&", "http://host/s?"] {
                let text = format!("{start}password={before}S3CRET{after}&x=1");
                prop_assert!(!shown(&text).contains("S3CRET"), "{}", shown(&text));
            }
        }

        #[test]
        fn no_text_before_an_at_sign_is_shown(before in "[a-z:/?#&;=% .]{0,12}", after in "[a-z:/?#&;=% .]{0,12}") {
            let text = format!("rtsp:{before}:S3CRET{after}@host/{after}");
            prop_assert!(!shown(&text).contains("S3CRET"), "{}", shown(&text));
            let text = format!("{before}x:S3CRET{after}@host");
            prop_assert!(!shown(&text).contains("S3CRET"), "{}", shown(&text));
        }
    }
}
