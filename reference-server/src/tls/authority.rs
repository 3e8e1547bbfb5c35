//! The server's own authority, which vouches for the server's certificate.
//!
//! A telephone that trusts the authority once goes on to trust the server, whatever its addresses become: only the
//! certificate is renewed then. The authority may vouch for addresses and for this machine's names, and for nothing
//! else on the internet (name constraints, RFC 5280, 4.2.1.10), so that its key is worth little to a thief.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Once;

use faceattend_core::own_file::{self, Readers};
use faceattend_core::{Error, Result};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::name::GeneralName;

use super::certificate::{Facts, Shown, bad, day, pair};
use super::names::Names;

/// The files in the data folder, but for their endings.
const AUTHORITY: &str = "tls-authority";
const SERVER: &str = "tls-server";
const WHAT: &str = "--tls self-signed";

/// How long the authority lasts, in days: ten years, longer than the tablets.
const AUTHORITY_DAYS: i64 = 3652;
/// How long a certificate lasts, in days. iOS takes none of more than 825 days from an authority of the user.
const CERTIFICATE_DAYS: i64 = 365;
/// How long before its end a certificate is renewed, in days.
const RENEWED_BEFORE: i64 = 30;
/// Clocks of telephones may be behind by this much.
const CLOCKS_BEHIND: SignedDuration = SignedDuration::from_hours(24);

/// What makes the certificates.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) facts: Facts,
    /// The names in DNS that it may vouch for, with all below them.
    permitted: BTreeSet<String>,
}

/// The certificate in use, who vouches for it, and what has changed.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) shown: Shown,
    pub(crate) authority: Authority,
    pub(crate) news: Option<String>,
}

/// Returns the files of the server called `name` in `folder`: certificate and key.
pub(crate) fn files_of(folder: &Path, name: Option<&str>) -> (PathBuf, PathBuf) {
    let clean = |name: &str| name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
    let base = name.map_or_else(|| SERVER.to_owned(), |name| format!("{SERVER}-{}", clean(name)));
    (folder.join(format!("{base}.crt")), folder.join(format!("{base}.key")))
}

/// Returns the files of the authority in `folder`: certificate and key.
pub(crate) fn files_of_authority(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join(format!("{AUTHORITY}.crt")), folder.join(format!("{AUTHORITY}.key")))
}

/// Returns the certificate that is kept in `folder` for the server called `name`, made or renewed where it must be:
/// for `wanted` names and addresses, and for long enough after `now`.
///
/// # Errors
/// [`Error::Io`] when the files cannot be read or written; [`Error::InvalidInput`] when the authority's are damaged.
pub(crate) fn keep(folder: &Path, name: Option<&str>, wanted: &Names, now: Timestamp) -> Result<Kept> {
    let (authority, key, mut news) = Authority::open_or_make(folder, wanted, now)?;
    let (certificate_file, key_file) = files_of(folder, name);
    let wanted = authority.may_vouch_for(wanted);
    let there = pair(&certificate_file, &key_file).ok();
    let why = match &there {
        None => Some(format!("made a certificate for {wanted}")),
        Some(shown) if shown.key.cert.get(1) != Some(&authority.der) => {
            Some(format!("made a certificate by the new authority for {wanted}"))
        }
        Some(shown) if shown.facts.ends < in_days(now, RENEWED_BEFORE) => Some(format!(
            "renewed the certificate, which was to end on {}; the authority is the same",
            day(shown.facts.ends)
        )),
        Some(shown) => {
            let new = wanted.without(&shown.facts.names);
            let said = format!("renewed the certificate, which now holds {new} too; the authority is the same");
            (!new.is_empty()).then_some(said)
        }
    };
    let shown = match (there, why) {
        (Some(shown), None) => shown,
        (_, why) => {
            let shown = authority.issue(&key, &wanted, (&certificate_file, &key_file), now)?;
            news = news.or(why);
            shown
        }
    };
    Ok(Kept { shown, authority, news })
}

/// Returns what is kept in `folder`, changing nothing: the authority's facts and those of the server's certificate.
pub(crate) fn look(folder: &Path, name: Option<&str>) -> Option<(Facts, Facts)> {
    let (certificate, key) = files_of(folder, name);
    let authority = read(&files_of_authority(folder).0).ok()??;
    Some((Facts::of(&authority)?, pair(&certificate, &key).ok()?.facts))
}

impl Authority {
    /// Opens the authority in `folder`, or makes one. Returns it with its key, and what is to be told.
    fn open_or_make(folder: &Path, wanted: &Names, now: Timestamp) -> Result<(Self, KeyPair, Option<String>)> {
        let (certificate_file, key_file) = files_of_authority(folder);
        if let Some(authority) = Self::read(&certificate_file)?
            && authority.facts.ends < in_days(now, RENEWED_BEFORE)
        {
            for file in [&certificate_file, &key_file] {
                fs::rename(file, own_file::beside(file, ".old")).map_err(io("rename", file))?;
            }
            tracing::warn!(
                "the authority that telephones trust ends on {}: another takes its place, which they must trust anew",
                day(authority.facts.ends)
            );
        }
        let key = match fs::read_to_string(&key_file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io("read", &key_file)(error)),
        };
        let text = match key {
            Some(text) => text,
            None => {
                make_once(&key_file, new_key()?.serialize_pem().as_bytes(), Readers::Owner)?;
                // A server that shares the folder may have been first.
                fs::read_to_string(&key_file).map_err(io("read", &key_file))?
            }
        };
        let damaged = |file: &Path, why: &str| {
            let what = "remove the files tls-authority.* to have another made, which telephones must trust anew";
            bad(WHAT, file, &format!("{why}: bring back the file from a backup, or {what}"))
        };
        let key = KeyPair::from_pem(&text).map_err(|_| damaged(&key_file, "there is no key in it"))?;
        let mut news = None;
        let authority = match Self::read(&certificate_file)? {
            Some(authority) => authority,
            None => {
                let made = certificate_of_authority(&key, wanted, now)?;
                make_once(&certificate_file, made.as_bytes(), Readers::AsUsual)?;
                news = Some("made an authority and a certificate".to_owned());
                Self::read(&certificate_file)?.ok_or_else(|| damaged(&certificate_file, "it is gone"))?
            }
        };
        let its_key = Certificate::from_der(&authority.der).ok().and_then(|certificate| {
            let public = certificate.tbs_certificate.subject_public_key_info.subject_public_key;
            Some(public.as_bytes()?.to_vec())
        });
        if its_key.as_deref() != Some(key.public_key_raw()) {
            return Err(damaged(&key_file, "it is not the key of tls-authority.crt"));
        }
        Ok((authority, key, news))
    }

    fn read(file: &Path) -> Result<Option<Self>> {
        let Some(der) = read(file)? else { return Ok(None) };
        let damaged = || bad(WHAT, file, "it holds no certificate: bring it back from a backup, or remove it");
        let facts = Facts::of(&der).ok_or_else(damaged)?;
        let permitted = permitted_names(&der).ok_or_else(damaged)?;
        Ok(Some(Self { der, facts, permitted }))
    }

    /// Returns the `wanted` names that the authority may vouch for, and says once which it may not.
    fn may_vouch_for(&self, wanted: &Names) -> Names {
        let is_permitted = |name: &str| {
            let below = |top: &String| name.strip_suffix(top.as_str()).is_some_and(|head| head.ends_with('.'));
            self.permitted.contains(name) || self.permitted.iter().any(below)
        };
        let (dns, others): (BTreeSet<_>, BTreeSet<_>) = wanted.dns.iter().cloned().partition(|name| is_permitted(name));
        static TOLD: Once = Once::new();
        if !others.is_empty() {
            let others: Vec<_> = others.into_iter().collect();
            TOLD.call_once(|| {
                tracing::warn!(
                    "the certificate leaves out {}: the authority was made before the machine had this name. Use an \
                     address, or remove the files tls-authority.* and start again, and let telephones trust the new \
                     authority",
                    others.join(", ")
                );
            });
        }
        Names { dns, addresses: wanted.addresses.clone() }
    }

    /// Makes a certificate for `names` and writes it, with a key where there is none.
    fn issue(&self, by: &KeyPair, names: &Names, files: (&Path, &Path), now: Timestamp) -> Result<Shown> {
        let (certificate_file, key_file) = files;
        let key = match fs::read_to_string(key_file).ok().and_then(|text| KeyPair::from_pem(&text).ok()) {
            Some(key) => key,
            None => {
                let key = new_key()?;
                replace(key_file, key.serialize_pem().as_bytes(), Readers::Owner)?;
                key
            }
        };
        let mut params = CertificateParams::default();
        params.distinguished_name = named("faceattend");
        let dns = names.dns.iter().filter_map(|name| Some(SanType::DnsName(name.as_str().try_into().ok()?)));
        params.subject_alt_names = dns.chain(names.addresses.iter().map(|ip| SanType::IpAddress(*ip))).collect();
        let ends = in_days(now, CERTIFICATE_DAYS).min(self.facts.ends);
        valid(&mut params, now - CLOCKS_BEHIND, ends);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial());
        let mut issuer = CertificateParams::default();
        issuer.distinguished_name = named(self.facts.owner.as_deref().unwrap_or_default());
        issuer.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let made = params.signed_by(&key, &Issuer::from_params(&issuer, by)).map_err(unmade)?;
        // The authority goes along: a browser then shows its fingerprint.
        let chain = format!("{}{}", made.pem(), pem_of(&self.der));
        replace(certificate_file, chain.as_bytes(), Readers::AsUsual)?;
        pair(certificate_file, key_file)
    }
}

/// Returns the authority's certificate in PEM.
fn certificate_of_authority(key: &KeyPair, names: &Names, now: Timestamp) -> Result<String> {
    let machine = hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let machine: String = machine.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(30).collect();
    // Two authorities of machines with one name are two.
    let mark: String = rand::random::<[u8; 3]>().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("faceattend on {machine} {mark}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let dns =
        names.dns.iter().map(String::as_str).chain(["local"]).map(|name| GeneralSubtree::DnsName(name.to_owned()));
    let every_address = [
        CidrSubnet::from_addr_prefix(Ipv4Addr::UNSPECIFIED.into(), 0),
        CidrSubnet::from_addr_prefix(Ipv6Addr::UNSPECIFIED.into(), 0),
    ];
    let permitted_subtrees = dns.chain(every_address.map(GeneralSubtree::IpAddress)).collect();
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    valid(&mut params, now - CLOCKS_BEHIND, in_days(now, AUTHORITY_DAYS));
    params.serial_number = Some(serial());
    Ok(params.self_signed(key).map_err(unmade)?.pem())
}

/// Returns the names in DNS that an authority's certificate permits; `None` where it cannot be read.
fn permitted_names(der: &[u8]) -> Option<BTreeSet<String>> {
    let certificate = Certificate::from_der(der).ok()?.tbs_certificate;
    let (_, constraints) = certificate.get::<x509_cert::ext::pkix::NameConstraints>().ok()??;
    let names = constraints.permitted_subtrees?.into_iter().filter_map(|subtree| match subtree.base {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        _ => None,
    });
    Some(names.collect())
}

fn new_key() -> Result<KeyPair> {
    // P-256 with SHA-256: every browser and telephone takes it.
    KeyPair::generate().map_err(unmade)
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

/// A number that no other certificate of the authority has (RFC 5280, 4.1.2.2): positive, and of at most 20 bytes.
fn serial() -> SerialNumber {
    let mut bytes = rand::random::<[u8; 16]>();
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn in_days(now: Timestamp, days: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX)
}

/// Sets from when until when a certificate is valid, by days.
fn valid(params: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    let day = |time: Timestamp| {
        let date = time.to_zoned(TimeZone::UTC).date();
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    (params.not_before, params.not_after) = (day(from), day(until));
}

pub(crate) fn pem_of(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn read(file: &Path) -> Result<Option<CertificateDer<'static>>> {
    match fs::read(file) {
        Ok(text) => CertificateDer::from_pem_slice(&text)
            .map(Some)
            .map_err(|_| bad(WHAT, file, "it holds no certificate: bring it back from a backup, or remove it")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("read", file)(error)),
    }
}

fn replace(file: &Path, contents: &[u8], readers: Readers) -> Result<()> {
    // A leftover of a server that was killed while it wrote. The files of this server are nobody else's.
    let _ = fs::remove_file(own_file::beside(file, ".part"));
    own_file::replace(file, contents, readers).map_err(io("write", file))
}

/// Writes a file that is not there yet, as a whole. One that another server wrote meanwhile stays.
fn make_once(file: &Path, contents: &[u8], readers: Readers) -> Result<()> {
    let part = own_file::beside(file, &format!(".{:08x}", rand::random::<u32>()));
    let mut made = own_file::create_new(&part, readers).map_err(io("create", &part))?;
    let linked = made.write_all(contents).and_then(|()| made.sync_all()).and_then(|()| fs::hard_link(&part, file));
    let linked = match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // A file system without hard links.
        Err(_) if !file.exists() => fs::rename(&part, file),
        linked => linked,
    };
    let _ = fs::remove_file(&part);
    linked.map_err(io("write", file))
}

fn io(action: &'static str, file: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = file.to_owned();
    move |source| Error::Io { action, path, source }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives the value")]
fn unmade(error: rcgen::Error) -> Error {
    Error::Internal { reason: format!("no certificate was made: {error}") }
}

#[cfg(test)]
mod tests;
