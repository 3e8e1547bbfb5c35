//! Until when the server's certificate is valid.

use faceattend_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::commands::data_dir::default_data_dir;
use crate::commands::serve::args::{Encryption, ServeArgs};
use crate::tls::{authority, certificate};

const SUBJECT: &str = "certificate";
/// Authorities that renew by themselves do so a month before the end: three weeks before it, something is wrong.
const SOON: SignedDuration = SignedDuration::from_hours(21 * 24);
/// A year for going to every telephone.
const SOON_FOR_AUTHORITY: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Looks at the certificate that a server with these settings shows. Changes nothing.
pub(super) fn look(args: &ServeArgs, encryption: Result<Encryption<'_>>, now: Timestamp) -> Option<Finding> {
    match encryption {
        Ok(Encryption::Off) => None,
        Ok(Encryption::Own) => Some(own(args, now)),
        Ok(Encryption::Given { certificate, key, .. }) => Some(match certificate::given(certificate, key, now) {
            Ok(shown) => given(&shown.facts, now),
            Err(error) => refused(&error),
        }),
        Err(error) => Some(refused(&error)),
    }
}

fn refused(error: &Error) -> Finding {
    Finding::problem(SUBJECT, error.to_string(), "the server does not start without it")
}

fn given(facts: &certificate::Facts, now: Timestamp) -> Finding {
    let found = format!("for {} until {}", facts.names, certificate::day(facts.ends));
    if facts.ends.duration_since(now) < SOON {
        let renew = "renew it and write it into the same files: a running server reads them again by itself";
        return Finding::warning(SUBJECT, found, renew);
    }
    Finding::ok(SUBJECT, found)
}

fn own(args: &ServeArgs, now: Timestamp) -> Finding {
    let dir = args.data_dir.clone().map_or_else(default_data_dir, Ok);
    let Some((authority, certificate)) = dir.ok().and_then(|dir| authority::look(&dir, args.server_name.as_deref()))
    else {
        return Finding::ok(SUBJECT, "the server makes one when it starts");
    };
    let found = format!(
        "for {} until {}, renewed by itself; its authority until {}",
        certificate.names,
        certificate::day(certificate.ends),
        certificate::day(authority.ends)
    );
    if authority.ends.duration_since(now) < SOON_FOR_AUTHORITY {
        let advice = "plan a day on which every device comes to trust another: it is made a month before the end, or \
                      when you remove the files tls-authority.* and start again";
        return Finding::warning(SUBJECT, found, advice);
    }
    Finding::ok(SUBJECT, found)
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::super::Verdict;
    use super::*;
    use crate::tls::Tls;

    fn looked(arguments: &[&str], now: Timestamp) -> Option<Finding> {
        let matches =
            ServeArgs::augment_args(Command::new("doctor")).get_matches_from([&["doctor"], arguments].concat());
        let args = ServeArgs::from_arg_matches(&matches).unwrap();
        let encryption = args.tls.encryption();
        look(&args, encryption, now)
    }

    #[test]
    fn it_is_said_when_a_certificate_ends_and_in_time() {
        let (folder, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
        let dir = folder.path().to_str().unwrap();
        assert_eq!(looked(&["--data-dir", dir], now), None);
        let own = ["--data-dir", dir, "--tls", "self-signed"];
        assert!(looked(&own, now).unwrap().found.contains("when it starts"));
        Tls::own(folder.path().to_owned(), None, Vec::new(), [127, 0, 0, 1].into()).unwrap();
        let found = looked(&own, now).unwrap();
        assert!(found.verdict == Verdict::Ok && found.found.contains("localhost"), "{found:?}");
        let in_years = now + SignedDuration::from_hours(24 * 365 * 9 + 24 * 20);
        assert_eq!(looked(&own, in_years).unwrap().verdict, Verdict::Warning, "the authority ends");

        let at = |name: &str| format!("{dir}/tls-server.{name}");
        let (certificate, key) = (at("crt"), at("key"));
        let given = ["--tls-cert", &certificate, "--tls-key", &key];
        assert_eq!(looked(&given, now).unwrap().verdict, Verdict::Ok);
        let soon = looked(&given, now + SignedDuration::from_hours(24 * 350)).unwrap();
        assert!(soon.verdict == Verdict::Warning && soon.advice.unwrap().contains("renew"));
        let ended = looked(&given, now + SignedDuration::from_hours(24 * 400)).unwrap();
        assert!(ended.verdict == Verdict::Problem && ended.found.contains("tls-server.crt"), "{ended:?}");
        assert_eq!(looked(&given[..2], now).unwrap().verdict, Verdict::Problem, "its key is missing");
    }
}
