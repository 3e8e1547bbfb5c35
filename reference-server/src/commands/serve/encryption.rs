//! TLS of a running server: opens the certificate, keeps it fresh, and says at the start how devices come to trust it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use faceattend_core::Result;

use super::args::{Encryption, ServeArgs};
use crate::settings::AllowedHosts;
use crate::tls::certificate::day;
use crate::tls::{Tls, qr};

/// How often it is looked whether the certificate's files or the machine's addresses have changed.
const LOOKED_EVERY: Duration = Duration::from_secs(10);

/// Returns the TLS that the settings ask for; `None` for plain HTTP.
///
/// # Errors
/// [`Error::InvalidInput`](faceattend_core::Error::InvalidInput), which says which file and what to do.
pub(super) fn open(args: &ServeArgs, dir: &Path, hosts: &AllowedHosts) -> Result<Option<Arc<Tls>>> {
    let tls = match args.tls.encryption()? {
        Encryption::Off => return Ok(None),
        Encryption::Own => Tls::own(dir.to_owned(), args.server_name.clone(), hosts.names().to_vec(), args.host)?,
        Encryption::Given { certificate, key, hsts_days } => {
            Tls::given(certificate.to_owned(), key.to_owned(), hsts_days)?
        }
    };
    Ok(Some(Arc::new(tls)))
}

/// Looks now and then, and for the operator's files on SIGHUP at once, whether there is another certificate to show.
pub(super) async fn keep_fresh(tls: Arc<Tls>) {
    let mut told = Told::new(tls.is_given());
    // What was said of a trouble is not said again until it is another.
    let mut last = None;
    loop {
        let asked = told.wait(LOOKED_EVERY).await;
        let looked = Arc::clone(&tls);
        let Ok(found) = tokio::task::spawn_blocking(move || looked.look_again()).await else { continue };
        match found {
            Ok(Some(news)) => tracing::info!("TLS: {news}"),
            Ok(None) if asked => tracing::info!("TLS: the certificate is the same"),
            Ok(None) => {}
            Err(error) => {
                let said = error.to_string();
                if asked || last.as_ref() != Some(&said) {
                    tracing::error!("TLS: the certificate in use stays: {said}");
                }
                last = Some(said);
                continue;
            }
        }
        last = None;
    }
}

/// SIGHUP, by which service managers ask for files to be read again. A server without such files ends by it, as with the
/// terminal that somebody tries it in.
struct Told {
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

impl Told {
    fn new(is_heeded: bool) -> Self {
        #[cfg(not(unix))]
        let _ = is_heeded;
        Self {
            #[cfg(unix)]
            hangup: is_heeded
                .then(|| tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok())
                .flatten(),
        }
    }

    /// Waits for the signal, or for this time. Returns whether it was the signal.
    async fn wait(&mut self, time: Duration) -> bool {
        #[cfg(unix)]
        if let Some(hangup) = &mut self.hangup {
            return tokio::time::timeout(time, hangup.recv()).await.is_ok();
        }
        tokio::time::sleep(time).await;
        false
    }
}

/// Returns what an operator at the console needs to know: until when the certificate is valid, and how devices come to
/// trust it. `pages` is the address for them; none where only this machine reaches the server.
pub(super) fn lines(tls: &Tls, pages: Option<&str>, is_console: bool) -> Vec<String> {
    let standing = tls.standing();
    let certificate = standing.certificate();
    let mut lines = vec![format!("TLS certificate for {} until {}", certificate.names, day(certificate.ends))];
    let Some(authority) = standing.authority() else { return lines };
    lines.push(format!(
        "Made by this server's own authority, \"{}\", which devices must trust once. Its fingerprint (SHA-256):",
        authority.facts.owner.as_deref().unwrap_or_default()
    ));
    lines.push(format!("  {}", authority.facts.fingerprint));
    let Some(pages) = pages else {
        lines.push("Only this machine reaches the server: --host 0.0.0.0 lets others in".into());
        return lines;
    };
    lines.push(format!("On a telephone or tablet, open {pages} and follow the page Devices"));
    if is_console && let Some(code) = qr::for_console(pages) {
        lines.push(code);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_shows_the_fingerprint_and_the_address_to_scan() {
        let folder = tempfile::tempdir().unwrap();
        let tls = Tls::own(folder.path().to_owned(), None, Vec::new(), [127, 0, 0, 1].into()).unwrap();
        let fingerprint = tls.standing().authority().unwrap().facts.fingerprint.clone();
        let shown = lines(&tls, Some("https://192.0.2.7:8001/ui/"), true).join("\n");
        assert!(shown.contains(&fingerprint) && shown.contains("https://192.0.2.7:8001/ui/"), "{shown}");
        assert!(shown.contains('\u{2580}'), "no picture to scan:\n{shown}");
        let logged = lines(&tls, Some("https://192.0.2.7:8001/ui/"), false).join("\n");
        assert!(logged.contains(&fingerprint) && !logged.contains('\u{2580}'), "{logged}");
        assert!(lines(&tls, None, true).join("\n").contains("--host"));
    }
}
