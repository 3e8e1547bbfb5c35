//! Posts a notice to a system, signed as the Standard Webhooks specification says: <https://www.standardwebhooks.com>.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use faceattend_core::alerts::AlertReach;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use ureq::http::Uri;
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::failure::{Failure, not_permitted};

/// How long a receiver may take, from the look for its address to the end of its answer.
const WITHIN: Duration = Duration::from_secs(20);
/// How much of an answer is read, to be shown by a test.
const READ: u64 = 2000;
/// How a secret of the specification begins, which is base64 then.
const PREFIX: &str = "whsec_";

/// Posts webhooks.
pub(super) struct Poster {
    agent: ureq::Agent,
}

/// What a receiver answered.
pub(super) struct Answered {
    pub(super) status: u16,
    /// The beginning of its text.
    pub(super) text: String,
}

impl Poster {
    /// Posts to hosts within `reach`. Certificates must be good by `authorities`, or by the web's without any.
    pub(super) fn new(reach: AlertReach, authorities: Option<&[u8]>) -> faceattend_core::Result<Self> {
        let roots = match authorities {
            None => RootCerts::WebPki,
            Some(pem) => {
                let certificates = ureq::tls::parse_pem(pem).filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                });
                RootCerts::Specific(Arc::new(certificates.collect()))
            }
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(WITHIN))
            .proxy(None)
            .user_agent(concat!("faceattend/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        let resolver = Guarded { reach, resolver: DefaultResolver::default() };
        Ok(Self { agent: ureq::Agent::with_parts(config, DefaultConnector::default(), resolver) })
    }

    /// Posts `body` as the message `id`.
    pub(super) fn post(&self, url: &str, secret: &str, id: &str, body: &Value) -> Result<Answered, Failure> {
        let (body, timestamp) = (body.to_string(), Timestamp::now().as_second());
        let answer = self
            .agent
            .post(url)
            .header("Content-Type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature(secret, id, timestamp, &body))
            .send(body);
        let mut answer = answer.map_err(|error| why(&error))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(READ).lossy_utf8(true).read_to_string().unwrap_or_default();
        match status {
            200..=299 => Ok(Answered { status, text }),
            300..=399 => Err(Failure::later(format!(
                "it redirects ({status}), which is not followed: give the address \
                                                     that it leads to"
            ))),
            // The receiver wants no more of it.
            410 => Err(Failure::for_good("it says that it is gone (410)")),
            _ => Err(Failure::later(format!("it answers {status}"))),
        }
    }
}

/// Returns the body of a notice.
pub(super) fn body(id: &str, kind: &str, at: Timestamp, data: &impl serde::Serialize) -> Value {
    json!({ "id": id, "type": kind, "timestamp": at.to_string(), "data": data })
}

/// Returns the signature over id, time and body, in base64.
fn signature(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
    let key = secret.strip_prefix(PREFIX).and_then(|text| BASE64_STANDARD.decode(text).ok());
    let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

/// Says why there is no answer, without the address: it may hold what only admins are to see.
fn why(error: &ureq::Error) -> Failure {
    Failure::later(match error {
        ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
        ureq::Error::HostNotFound => "its name is not known: is it spelled right?".to_owned(),
        ureq::Error::Io(error) if error.kind() == ErrorKind::PermissionDenied => not_permitted(),
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
            ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => "it ended the connection".to_owned(),
            ErrorKind::InvalidData => format!("no TLS with it: {error}"),
            _ => format!("it cannot be reached: {error}"),
        },
        ureq::Error::Rustls(error) => format!("no TLS with it: {error}"),
        other => format!("it cannot be asked: {other}"),
    })
}

/// Finds addresses, and gives those alone that may be connected to.
#[derive(Debug)]
struct Guarded {
    reach: AlertReach,
    resolver: DefaultResolver,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let found = self.resolver.resolve(uri, config, timeout)?;
        let mut permitted = self.resolver.empty();
        for address in found.iter().filter(|address| self.reach.permits(host, address.ip())) {
            permitted.push(*address);
        }
        if permitted.is_empty() {
            return Err(ureq::Error::Io(Error::from(ErrorKind::PermissionDenied)));
        }
        Ok(permitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the specification's own libraries.
        let (secret, id, timestamp) =
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
        let signed = signature(secret, id, timestamp, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_of_another_form_is_taken_as_it_is() {
        assert_ne!(signature("0123456789abcdef", "a", 1, "{}"), signature("0123456789abcdeg", "a", 1, "{}"));
    }
}
