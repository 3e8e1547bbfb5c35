//! Connections: how the URL is read, the pool, and what happens when the database was away.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::Severity;
use postgres::{Client, Config, IsolationLevel, Transaction};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::StoreTrouble;
use super::{Fault, Outcome, without_values};
use crate::error::{Error, Result};

/// Connections of one server: as many as its blocking threads use at a time. Ten servers take a PostgreSQL's default
/// hundred.
const CONNECTIONS: u32 = 8;
/// How long a call waits for a connection, and a connection for the database.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long what was sent may stay unacknowledged before the network counts as broken.
const SILENCE: Duration = Duration::from_secs(10);
/// The most time that a statement may take, or wait for somebody's lock: far beyond any of ours.
const STATEMENT: Duration = Duration::from_secs(30);

/// A connection, and whether it is good for another call.
pub(super) struct Connection {
    client: Client,
    is_broken: bool,
}

/// How connections are made.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Connector {
    /// A connection apart from the pool, prepared for its use.
    pub(super) fn connect(&self, doing: &str, prepare: impl FnOnce(&mut Client) -> Outcome<()>) -> Result<Client> {
        outside_of_async(|| {
            let connected = self.config.connect(self.tls.clone()).map_err(Fault::Sql).and_then(|mut client| {
                prepare(&mut client)?;
                Ok(client)
            });
            connected.map_err(|fault| fault.while_doing(doing))
        })
    }
}

impl r2d2::ManageConnection for Connector {
    type Connection = Connection;
    type Error = postgres::Error;

    fn connect(&self) -> std::result::Result<Connection, postgres::Error> {
        Ok(Connection { client: self.config.connect(self.tls.clone())?, is_broken: false })
    }

    fn is_valid(&self, connection: &mut Connection) -> std::result::Result<(), postgres::Error> {
        connection.client.simple_query("").map(drop)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.is_broken || connection.client.is_closed()
    }
}

pub(super) struct Pool(Option<r2d2::Pool<Connector>>, Connector);

// A client says goodbye on an executor of its own, which panics where another one is running.
impl Drop for Pool {
    fn drop(&mut self) {
        let pool = self.0.take();
        // A thread that cannot be started leaves the goodbye to the operating system.
        if let Ok(thread) = std::thread::Builder::new().name("database-close".into()).spawn(move || drop(pool)) {
            let _ = thread.join();
        }
    }
}

impl Pool {
    /// The pool for the database at `url`, with a first connection to it.
    pub(super) fn open(url: &str) -> Result<Self> {
        let (config, authorities) = read(url)?;
        let connector = Connector { config, tls: tls(authorities.as_deref())? };
        // The pool would try again until its patience ends, also where nothing but the password is wrong.
        let first = outside_of_async(|| {
            let first = r2d2::ManageConnection::connect(&connector).map_err(unreachable)?;
            drop(first);
            Ok(())
        });
        first?;
        let pool = r2d2::Pool::builder()
            .max_size(CONNECTIONS)
            .min_idle(Some(0))
            // One that died is noticed when a transaction begins on it, at no cost to the others.
            .test_on_check_out(false)
            .connection_timeout(PATIENCE)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(connector.clone());
        Ok(Self(Some(pool), connector))
    }

    /// How its connections are made.
    pub(super) fn connector(&self) -> Connector {
        self.1.clone()
    }

    /// Runs `work` in a transaction. A connection that died since it was last used is replaced before anything is done.
    pub(super) fn run<T>(
        &self,
        doing: &str,
        reads: bool,
        work: impl FnOnce(&mut Transaction<'_>) -> Outcome<T>,
    ) -> Result<T> {
        outside_of_async(|| self.try_run(doing, reads, work))
    }

    fn try_run<T>(&self, doing: &str, reads: bool, work: impl FnOnce(&mut Transaction<'_>) -> Outcome<T>) -> Result<T> {
        let away = |cause| StoreTrouble::Away.while_doing(doing, cause);
        let Some(pool) = &self.0 else { return Err(away("the pool is closed".into())) };
        // After a restart of the database every pooled connection may be dead.
        for _ in 0..=CONNECTIONS {
            let mut connection = pool.get().map_err(|error| away(error.into()))?;
            let Connection { client, is_broken } = &mut *connection;
            let isolation = if reads { IsolationLevel::RepeatableRead } else { IsolationLevel::ReadCommitted };
            let begun = client.build_transaction().isolation_level(isolation).read_only(reads).start();
            let mut transaction = match begun {
                Ok(transaction) => transaction,
                Err(error) if is_lost(&error) => {
                    // Nothing has been done on it. The pool drops it as it comes back.
                    *is_broken = true;
                    continue;
                }
                Err(error) => return Err(Fault::Sql(error).while_doing(doing)),
            };
            let done = work(&mut transaction).and_then(|value| {
                transaction.commit()?;
                Ok(value)
            });
            return done.map_err(|fault| {
                let error = fault.while_doing(doing);
                // A server that no longer writes has become a standby: the next connection may find the other one.
                *is_broken = matches!(StoreTrouble::of(&error), Some(StoreTrouble::Lost | StoreTrouble::ReadOnly));
                error
            });
        }
        Err(away("every connection was lost".into()))
    }
}

/// Whether the connection is gone: the network, or the database ended it.
pub(super) fn is_lost(error: &postgres::Error) -> bool {
    match error.as_db_error() {
        // The plain word for it is in the database's language.
        Some(database) => matches!(database.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
        None => {
            let source = std::error::Error::source(error);
            error.is_closed() || source.is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        }
    }
}

/// Runs `call`, which blocks on the client's own executor: that panics where another one is running.
fn outside_of_async<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
        if said.is_some_and(|said| said.contains("from within a runtime")) {
            let reason = "the PostgreSQL store was called in asynchronous code: call it from a thread that may block";
            return Err(Error::Internal { reason: reason.into() });
        }
        resume_unwind(panic)
    })
}

/// The first connection failed: what the database or the network says, and what to do about certificates.
fn unreachable(error: postgres::Error) -> Error {
    let said = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
    let mut reason = format!("cannot connect to the database: {said}");
    if let Some(advice) = advice_on_tls(&error) {
        reason.push_str("; ");
        reason.push_str(advice);
    }
    Error::Store { reason, source: Some(without_values(error)) }
}

/// Returns what to do where the two do not come to speak over TLS; `None` where something else is wrong.
fn advice_on_tls(error: &postgres::Error) -> Option<&'static str> {
    use rustls::CertificateError as Wrong;
    let source = std::error::Error::source(error)?;
    let refused = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    if let Some(rustls::Error::InvalidCertificate(wrong)) = refused.and_then(|cause| cause.downcast_ref()) {
        return Some(match wrong {
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                "its certificate holds another name than the URL: write the host as the certificate does, or let the \
                 database have a certificate for this name"
            }
            Wrong::Expired | Wrong::ExpiredContext { .. } => {
                "its certificate has ended: renew it on the database's machine"
            }
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                "its certificate is not valid yet: is the clock of this machine right?"
            }
            _ => {
                "give the PEM file of the authority that signed its certificate with `sslrootcert=FILE` in the URL, or \
                 `sslmode=disable` where the network is yours alone"
            }
        });
    }
    error.to_string().contains("TLS").then_some(
        "turn TLS on in the database (`ssl = on` and a certificate, in postgresql.conf), or write `sslmode=disable` in \
         the URL where the network is yours alone",
    )
}

/// The URL as the client takes it, and the file of authorities that `sslrootcert` names, which the client does not
/// know.
fn read(url: &str) -> Result<(Config, Option<String>)> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut authorities = None;
    let mut others = Vec::new();
    let mut says_mode = false;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("sslrootcert", file)) => {
                authorities = Some(percent_encoding::percent_decode_str(file).decode_utf8_lossy().into_owned());
            }
            // Certificates are always checked, with the name in them.
            Some(("sslmode", "verify-full" | "verify-ca")) => {
                says_mode = true;
                others.push("sslmode=require");
            }
            Some((key, _)) => {
                says_mode |= key == "sslmode";
                others.push(part);
            }
            None => others.push(part),
        }
    }
    let rest = if others.is_empty() { address.to_owned() } else { format!("{address}?{}", others.join("&")) };
    // What the parser says of a bad URL may quote it, and the password with it.
    let mut config = Config::from_str(&rest).map_err(|_| {
        let reason = "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, its parts percent-encoded";
        Error::invalid_input("database URL", reason)
    })?;
    // What does not leave the machine needs no certificate. What does is encrypted: the client's own default goes on in
    // plain text when the other end, or somebody between, says that it cannot encrypt.
    if !says_mode {
        let stays_here = authorities.is_none() && config.get_hosts().iter().all(is_this_machine);
        config.ssl_mode(if stays_here { SslMode::Disable } else { SslMode::Require });
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if config.get_application_name().is_none() {
        config.application_name("faceattend");
    }
    let given = config.get_options().map(|given| format!("{given} ")).unwrap_or_default();
    let ours = format!(
        "-c timezone=UTC -c client_min_messages=warning -c synchronous_commit=on -c statement_timeout={0} \
         -c idle_in_transaction_session_timeout={0}",
        STATEMENT.as_millis(),
    );
    config.options(&format!("{given}{ours}"));
    Ok((config, authorities))
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn tls(authorities: Option<&str>) -> Result<MakeRustlsConnect> {
    let mut roots = rustls::RootCertStore::empty();
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let bad = |reason: String| Error::InvalidInput { what: "sslrootcert", reason: format!("{file}: {reason}") };
            let certificates = CertificateDer::pem_file_iter(Path::new(file)).map_err(|e| bad(e.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|e| bad(e.to_string()))?;
                roots.add(certificate).map_err(|e| bad(e.to_string()))?;
            }
            if roots.is_empty() {
                return Err(bad("no certificate in it".into()));
            }
        }
    }
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Internal { reason: format!("no TLS: {error}") })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_url_is_refused_without_being_quoted() {
        for bad in
            ["postgres://me:geheim@host:port/db", "postgres://me:geheim@host/db?sslmode=perhaps", "mysql://geheim"]
        {
            let error = Pool::open(bad).err().unwrap_or_else(|| panic!("{bad} was taken"));
            assert!(!format!("{error} {error:?}").contains("geheim"), "{error:?}");
        }
    }

    #[test]
    fn our_settings_join_those_of_the_url() {
        let url = "postgres://me@host/db?options=-c%20search_path%3Dtest&sslrootcert=/etc/my%20ca.pem&sslmode=require";
        let (config, authorities) = read(url).unwrap();
        assert_eq!(authorities.as_deref(), Some("/etc/my ca.pem"));
        let options = config.get_options().unwrap();
        assert!(options.starts_with("-c search_path=test -c timezone=UTC"), "{options}");
        assert_eq!(config.get_connect_timeout(), Some(&PATIENCE));
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_and_checked() {
        let mode = |url: &str| read(url).unwrap().0.get_ssl_mode();
        assert_eq!(mode("postgres://me@db.school/x?sslmode=verify-full"), SslMode::Require);
        assert_eq!(mode("postgres://me@db.school/x"), SslMode::Require);
        assert_eq!(mode("postgres://me@localhost,db.school/x"), SslMode::Require);
        assert_eq!(mode("postgres://me@localhost,127.0.0.1/x"), SslMode::Disable);
        assert_eq!(mode("postgres:///x?host=/run/postgresql"), SslMode::Disable);
        assert_eq!(mode("postgres://me@localhost/x?sslmode=require"), SslMode::Require);
    }

    #[test]
    fn a_file_of_authorities_that_is_none_is_named() {
        let error = tls(Some("/no/such.pem")).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("/no/such.pem"), "{error}");
    }
}
