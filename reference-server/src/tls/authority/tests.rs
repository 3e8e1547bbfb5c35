use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};

use super::*;

fn names(dns: &[&str], addresses: &[&str]) -> Names {
    Names {
        dns: dns.iter().map(|name| (*name).to_owned()).collect(),
        addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
    }
}

fn machine() -> Names {
    names(&["attend-pc", "attend-pc.local", "localhost"], &["127.0.0.1", "::1", "192.0.2.7"])
}

fn kept(folder: &Path, wanted: &Names, now: Timestamp) -> Kept {
    keep(folder, None, wanted, now).unwrap()
}

/// What a telephone that trusts the authority thinks of the server under `name`.
fn trusted(kept: &Kept, name: &str) -> std::result::Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(kept.authority.der.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let (leaf, others) = kept.shown.key.cert.split_first().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(leaf, others, &name, &[], UnixTime::now()).map(drop)
}

#[test]
fn who_trusts_the_authority_trusts_the_server_under_its_names_alone() {
    let folder = tempfile::tempdir().unwrap();
    let kept = kept(folder.path(), &machine(), Timestamp::now());
    for name in ["attend-pc", "attend-pc.local", "localhost", "127.0.0.1", "::1", "192.0.2.7"] {
        assert_eq!(trusted(&kept, name), Ok(()), "{name}");
    }
    for name in ["evil.example", "192.0.2.8"] {
        assert!(trusted(&kept, name).is_err(), "{name}");
    }
    assert_eq!(kept.shown.key.cert.len(), 2, "the authority goes along");
}

#[test]
fn a_new_address_renews_the_certificate_and_never_the_authority() {
    let (folder, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
    let first = kept(folder.path(), &machine(), now);
    assert!(first.news.is_some());
    let again = kept(folder.path(), &machine(), now);
    assert_eq!((again.news, &again.shown.facts), (None, &first.shown.facts), "nothing has changed");
    let mut moved = machine();
    moved.addresses.remove(&"192.0.2.7".parse().unwrap());
    assert_eq!(kept(folder.path(), &moved, now).news, None, "an address that is gone is no reason");
    moved.addresses.insert("198.51.100.9".parse().unwrap());
    let renewed = kept(folder.path(), &moved, now);
    assert!(renewed.news.as_deref().is_some_and(|news| news.contains("198.51.100.9")), "{:?}", renewed.news);
    assert_eq!(renewed.authority.facts, first.authority.facts);
    assert_ne!(renewed.shown.facts.fingerprint, first.shown.facts.fingerprint);
    assert_eq!(trusted(&renewed, "198.51.100.9"), Ok(()));
}

#[test]
fn a_certificate_is_renewed_before_it_ends_and_an_authority_replaced_by_another() {
    let (folder, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
    let first = kept(folder.path(), &machine(), now);
    let in_time = in_days(now, CERTIFICATE_DAYS - RENEWED_BEFORE + 1);
    let renewed = kept(folder.path(), &machine(), in_time);
    assert!(renewed.shown.facts.ends > first.shown.facts.ends && renewed.authority.facts == first.authority.facts);
    let at_the_end = kept(folder.path(), &machine(), in_days(now, AUTHORITY_DAYS - 1));
    assert_ne!(at_the_end.authority.facts.fingerprint, first.authority.facts.fingerprint);
    assert!(folder.path().join("tls-authority.crt.old").is_file());
}

#[test]
fn a_stolen_authority_vouches_for_no_other_name() {
    let (folder, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
    let kept = kept(folder.path(), &machine(), now);
    let (authority, key, _) = Authority::open_or_make(folder.path(), &machine(), now).unwrap();
    let stolen = tempfile::tempdir().unwrap();
    let files = files_of(stolen.path(), None);
    let shown = authority.issue(&key, &names(&["bank.example"], &[]), (&files.0, &files.1), now).unwrap();
    let forged = Kept { shown, ..kept };
    let refused = trusted(&forged, "bank.example").unwrap_err();
    assert!(matches!(refused, rustls::Error::InvalidCertificate(CertificateError::Other(_))), "{refused:?}");
}

#[test]
fn a_name_that_came_later_is_left_out() {
    let (folder, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
    kept(folder.path(), &machine(), now);
    let mut renamed = machine();
    renamed.dns.extend(["other-pc".to_owned(), "other-pc.local".to_owned(), "www.attend-pc".to_owned()]);
    let later = kept(folder.path(), &renamed, now);
    assert_eq!(trusted(&later, "other-pc.local"), Ok(()));
    assert_eq!(trusted(&later, "www.attend-pc"), Ok(()));
    assert!(!later.shown.facts.names.dns.contains("other-pc"), "{}", later.shown.facts.names);
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_keys_and_damage_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
    kept(folder.path(), &machine(), now);
    for name in ["tls-authority.key", "tls-server.key"] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
    fs::write(folder.path().join("tls-server.crt"), "damaged").unwrap();
    assert!(kept(folder.path(), &machine(), now).news.is_some(), "what can be made again is");
    fs::write(folder.path().join("tls-authority.key"), "damaged").unwrap();
    let said = keep(folder.path(), None, &machine(), now).unwrap_err().to_string();
    assert!(said.contains("tls-authority.key") && said.contains("backup"), "{said}");
}

#[test]
fn servers_that_share_a_folder_share_the_authority() {
    let (folder, now) = (tempfile::tempdir().unwrap(), Timestamp::now());
    let [one, two] = ["hall", "gate 2"].map(|name| keep(folder.path(), Some(name), &machine(), now).unwrap());
    assert_eq!(one.authority.facts, two.authority.facts);
    assert_ne!(one.shown.facts.fingerprint, two.shown.facts.fingerprint);
    assert!(folder.path().join("tls-server-gate-2.key").is_file());
    let (authority, certificate) = look(folder.path(), Some("hall")).unwrap();
    assert_eq!((&authority, &certificate), (&one.authority.facts, &one.shown.facts));
    assert_eq!(look(folder.path(), None), None);
}
