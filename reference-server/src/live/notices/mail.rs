//! Sends a letter through a mail server.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use faceattend_core::alerts::AlertReach;
use faceattend_core::store::MailSecurity;
use faceattend_core::{Error, Result};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};

use super::failure::{Failure, not_permitted};
use super::words::Written;

/// How long the mail server may take for each step until it has let the sender in.
const STEP: Duration = Duration::from_secs(8);
/// How long it may take for each step of the letter: some look for viruses before they answer.
const STEP_OF_LETTER: Duration = Duration::from_secs(50);

/// Where a mail server is asked for letters, and how.
pub(super) struct Server<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) security: MailSecurity,
    /// Name and password.
    pub(super) login: Option<(&'a str, &'a str)>,
}

/// Sends letters.
pub(super) struct Postman {
    reach: AlertReach,
    /// Authorities in place of the web's.
    authorities: Option<Vec<Certificate>>,
}

impl Postman {
    pub(super) fn new(reach: AlertReach, authorities: Option<&[u8]>) -> Result<Self> {
        let authorities = authorities.map(|pem| {
            let wrong =
                |_| Error::InvalidInput { what: "authorities of notices", reason: "no PEM certificates".into() };
            Certificate::from_pem(pem).map(|certificate| vec![certificate]).map_err(wrong)
        });
        Ok(Self { reach, authorities: authorities.transpose()? })
    }

    /// Sends a letter, and returns what the server answered.
    pub(super) fn send(&self, server: &Server<'_>, message: &Message) -> Result<String, Failure> {
        let hello = ClientId::default();
        let mut connection = self.connect(server, &hello)?;
        if let Some((user, password)) = server.login {
            let credentials = Credentials::new(user.to_owned(), password.to_owned());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&mechanisms, &credentials).map_err(|error| match error.status() {
                Some(code) => Failure::later(format!("it refuses the user name or the password ({code})")),
                None => why("the login", &error),
            })?;
        }
        let _ = connection.set_timeout(Some(STEP_OF_LETTER));
        let answer = connection.send(message.envelope(), &message.formatted()).map_err(|error| {
            // The text of an answer may hold the address.
            match error.status() {
                Some(code) if error.is_permanent() => {
                    Failure::for_good(format!("it refuses the letter or its recipient ({code})"))
                }
                Some(code) => Failure::later(format!("it does not take the letter now ({code})")),
                None => why("the letter", &error),
            }
        })?;
        let _ = connection.quit();
        Ok(answer.code().to_string())
    }

    /// Connects to the server, over TLS unless its channel says otherwise.
    fn connect(&self, server: &Server<'_>, hello: &ClientId) -> Result<SmtpConnection, Failure> {
        let places = self.places(server.host, server.port)?;
        let tls = match server.security {
            MailSecurity::Plain => None,
            MailSecurity::StartTls | MailSecurity::Tls => Some(self.tls(server.host)?),
        };
        let from_the_beginning = tls.as_ref().filter(|_| server.security == MailSecurity::Tls);
        let mut failure = Failure::later("it has no address");
        for place in places {
            let connected = SmtpConnection::connect(place, Some(STEP), hello, from_the_beginning, None);
            let connected = connected.and_then(|mut connection| {
                if let (MailSecurity::StartTls, Some(tls)) = (server.security, &tls) {
                    connection.starttls(tls, hello)?;
                }
                Ok(connection)
            });
            match connected {
                Ok(connection) => return Ok(connection),
                Err(error) => failure = why("the connection", &error),
            }
        }
        Err(failure)
    }

    /// The addresses of the host that may be connected to.
    fn places(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let found = (host, port).to_socket_addrs();
        let found: Vec<SocketAddr> =
            found.map_err(|_| Failure::later("its name is not known: is it spelled right?"))?.collect();
        let permitted: Vec<_> = found.into_iter().filter(|place| self.reach.permits(host, place.ip())).collect();
        if permitted.is_empty() { Err(Failure::later(not_permitted())) } else { Ok(permitted) }
    }

    fn tls(&self, host: &str) -> Result<TlsParameters, Failure> {
        let mut builder = TlsParameters::builder(host.to_owned());
        builder = match &self.authorities {
            None => builder.certificate_store(CertificateStore::WebpkiRoots),
            Some(own) => own.iter().fold(builder.certificate_store(CertificateStore::None), |builder, one| {
                builder.add_root_certificate(one.clone())
            }),
        };
        builder.build_rustls().map_err(|_| Failure::later("its name cannot be used with TLS"))
    }
}

/// Says why a step failed. It names neither the letter nor its recipient.
fn why(step: &str, error: &lettre::transport::smtp::Error) -> Failure {
    if let Some(code) = error.status() {
        return Failure::later(format!("it refuses {step} ({code})"));
    }
    if error.is_timeout() {
        return Failure::later(format!("it does not answer in time: {step}"));
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return Failure::later(format!("no TLS with it: {error}"));
        }
        if let Some(error) = cause.downcast_ref::<std::io::Error>() {
            if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return Failure::later(format!("no TLS with it: {error}"));
            }
            return Failure::later(match error.kind() {
                std::io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
                // What a read that has waited too long is called on Unix.
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
                    format!("it does not answer in time: {step}")
                }
                _ => format!("{step} failed: {error}"),
            });
        }
        source = cause.source();
    }
    Failure::later(format!("{step} failed: {error}"))
}

/// Makes the letter `id` from `from` to the address `to`.
pub(super) fn letter(id: &str, from: &str, to: &str, written: Written) -> Result<Message, Failure> {
    let sender: Mailbox = from.parse().map_err(|_| Failure::later("the sender of the channel is no address"))?;
    let recipient: Address = to.parse().map_err(|_| Failure::for_good("the recipient is no address"))?;
    let message_id = format!("<{id}@{}>", sender.email.domain());
    let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
    Message::builder()
        .message_id(Some(message_id))
        .from(sender)
        .to(Mailbox::new(None, recipient))
        .subject(written.subject)
        .date_now()
        // No vacation notice is to come back (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"))
        .raw_header(header("Content-Language", &written.language))
        .multipart(MultiPart::alternative_plain_html(written.plain, written.html))
        .map_err(|_| Failure::for_good("no letter can be made of it"))
}

/// Returns the address in `School <office@school.example>`.
pub(super) fn mailbox_of(from: &str) -> &str {
    let inner = from.rsplit_once('<').and_then(|(_, rest)| rest.trim_end().strip_suffix('>'));
    inner.unwrap_or(from).trim()
}
