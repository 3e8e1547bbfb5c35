//! A PostgreSQL that is spoken to over TLS: its certificate is checked, with the name in it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use faceattend_core::store::{StoreLocation, TemplateKeys};

use crate::client::{SOON, skipped};
use crate::renewed::Authority;

/// Where Debian keeps its versions.
const DEBIAN: &str = "/usr/lib/postgresql";
const PASSWORD: &str = "of the tests";

fn programs() -> Option<PathBuf> {
    let folders = fs::read_dir(DEBIAN).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file()).max()
}

/// A PostgreSQL of the tests' own; dropping it ends it.
struct Database {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Database {
    /// Starts one; `None`, with a message, where the programs are missing. With `tls` it shows a certificate of the
    /// authority for these names.
    fn start(tls: Option<(&Authority, &[&str])>) -> Option<Self> {
        let Some(programs) = programs() else {
            skipped(&format!("PostgreSQL is not installed below {DEBIAN}"));
            return None;
        };
        let folder = tempfile::Builder::new().prefix("faceattend-pg-tls").tempdir().unwrap().keep();
        fs::write(folder.join("password"), PASSWORD).unwrap();
        if let Some((authority, names)) = tls {
            authority.vouch(names, &folder);
        }
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
        if is_root {
            assert!(Command::new("chown").args(["-R", "postgres"]).arg(&folder).status().unwrap().success());
        }
        let run = |program: &str| {
            let program = programs.join(program);
            if !is_root {
                return Command::new(program);
            }
            // It refuses to be run by root.
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--pdeathsig", "INT", "--"]);
            command.arg(program).current_dir("/");
            command
        };
        let mut init = run("initdb");
        init.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--username=tests"]);
        init.arg("--pwfile").arg(folder.join("password")).arg("--pgdata").arg(folder.join("data"));
        let made = init.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut server = run("postgres");
        server.arg("-D").arg(folder.join("data")).arg("-k").arg(&folder);
        server.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        if tls.is_some() {
            let file = |name: &str, file: &str| format!("{name}={}", folder.join(file).display());
            server.args(["-c", "ssl=on", "-c", &file("ssl_cert_file", "server.crt")]);
            server.args(["-c", &file("ssl_key_file", "server.key")]);
        }
        let child = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let database = Self { child, folder, port };
        let since = Instant::now();
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(since.elapsed() < SOON, "PostgreSQL did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(database)
    }

    /// Opens the store at `host` with this query, again while the database starts.
    fn open(&self, host: &str, query: &str) -> Result<(), String> {
        let password = PASSWORD.replace(' ', "%20");
        let url = format!("postgres://tests:{password}@{host}:{}/postgres{query}", self.port);
        let since = Instant::now();
        loop {
            let opened = StoreLocation::parse(&url).unwrap().open(TemplateKeys::none());
            match opened {
                Ok(store) => return store.check().map_err(|error| error.to_string()),
                Err(error) if error.to_string().contains("starting up") && since.elapsed() < SOON => {}
                Err(error) => return Err(error.to_string()),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The query of a URL that names the authority.
fn trusting(authority: &Path, mode: &str) -> String {
    format!("?sslmode={mode}&sslrootcert={}", authority.display().to_string().replace('/', "%2F").replace(' ', "%20"))
}

#[test]
fn a_database_is_spoken_to_under_the_name_in_its_certificate_alone() {
    let (authority, other) = (Authority::new("tests"), Authority::new("somebody else"));
    let Some(database) = Database::start(Some((&authority, &["localhost"]))) else { return };
    let folder = tempfile::Builder::new().prefix("with space ").tempdir().unwrap();
    let file = |name: &str, authority: &Authority| {
        let file = folder.path().join(name);
        fs::write(&file, &authority.pem).unwrap();
        file
    };
    let (own, others) = (file("own.pem", &authority), file("others.pem", &other));
    for mode in ["verify-full", "verify-ca", "require"] {
        assert_eq!(database.open("localhost", &trusting(&own, mode)), Ok(()), "{mode}");
        // The same machine under a name that the certificate does not hold.
        let refused = database.open("127.0.0.1", &trusting(&own, mode)).unwrap_err();
        assert!(refused.contains("127.0.0.1") && refused.contains("another name"), "{mode}: {refused}");
        let refused = database.open("localhost", &trusting(&others, mode)).unwrap_err();
        assert!(refused.contains("sslrootcert"), "{mode}: {refused}");
    }
    // The authorities of the public internet do not vouch for it.
    let refused = database.open("localhost", "?sslmode=verify-full").unwrap_err();
    assert!(refused.contains("sslrootcert") && !refused.contains(PASSWORD), "{refused}");
    let refused = database.open("localhost", &trusting(&folder.path().join("nowhere.pem"), "verify-full")).unwrap_err();
    assert!(refused.contains("nowhere.pem"), "{refused}");
    // Several authorities in one file, as a change of them needs.
    let both = folder.path().join("both.pem");
    fs::write(&both, format!("{}{}", other.pem, authority.pem)).unwrap();
    assert_eq!(database.open("localhost", &trusting(&both, "verify-full")), Ok(()));
}

#[test]
fn a_database_without_tls_is_refused_where_it_is_asked_for() {
    let authority = Authority::new("tests");
    let Some(database) = Database::start(None) else { return };
    let file = database.folder.join("authority.pem");
    fs::write(&file, &authority.pem).unwrap();
    for query in ["?sslmode=require".to_owned(), trusting(&file, "verify-full")] {
        let refused = database.open("localhost", &query).unwrap_err();
        assert!(refused.contains("does not support TLS") && refused.contains("ssl = on"), "{query}: {refused}");
    }
    // What stays on the machine needs none.
    assert_eq!(database.open("localhost", ""), Ok(()));
}
