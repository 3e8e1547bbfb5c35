//! PostgreSQL servers of a test's own, which it may stop, restart and promote.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where Debian keeps PostgreSQL's programs.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A PostgreSQL in a folder. Dropping it stops the server.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN).ok()?;
    let mut found: Vec<PathBuf> = versions.flatten().map(|version| version.path().join("bin")).collect();
    found.retain(|folder| folder.join("pg_basebackup").is_file());
    found.sort();
    found.pop()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Cluster {
    /// Makes and starts a primary; `None`, with a word about it, where PostgreSQL is not installed.
    pub(crate) fn primary() -> Option<Self> {
        let Some(cluster) = Self::new() else {
            eprintln!("skipped: PostgreSQL is not installed");
            return None;
        };
        let data = cluster.data();
        cluster.program(
            "initdb",
            &["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-U", "faceattend", "-D", &data],
        );
        cluster.start();
        Some(cluster)
    }

    /// Makes and starts a standby of `primary`, which then waits for it with every commit.
    pub(crate) fn standby(primary: &Self) -> Self {
        let cluster = Self::new().unwrap();
        let (data, port) = (cluster.data(), primary.port.to_string());
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", "faceattend", "-D", &data, "-R", "-c", "fast"];
        cluster.program("pg_basebackup", &from);
        cluster.start();
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'; SELECT pg_reload_conf()");
        let began = Instant::now();
        while primary.number("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 0 {
            assert!(began.elapsed() < Duration::from_secs(30), "the standby does not follow");
            std::thread::sleep(Duration::from_millis(50));
        }
        cluster
    }

    fn new() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        let cluster = Self { programs, folder, port: free_port() };
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(cluster.folder.path()).status().unwrap().success());
        }
        Some(cluster)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_str().unwrap().to_owned()
    }

    pub(crate) fn start(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c max_connections=100 -c hot_standby=on",
            self.port,
            self.folder.path().display()
        );
        let log = self.folder.path().join("log");
        self.program("pg_ctl", &["-w", "-s", "-D", &self.data(), "-l", log.to_str().unwrap(), "-o", &options, "start"]);
    }

    /// Stops it as a crash does: nothing is written down, and every connection is cut.
    pub(crate) fn crash(&self) {
        self.program("pg_ctl", &["-w", "-s", "-D", &self.data(), "-m", "immediate", "stop"]);
    }

    pub(crate) fn promote(&self) {
        self.execute("ALTER SYSTEM RESET synchronous_standby_names");
        self.program("pg_ctl", &["-w", "-s", "-D", &self.data(), "promote"]);
    }

    pub(crate) fn execute(&self, statements: &str) {
        for statement in statements.split("; ") {
            self.client().batch_execute(statement).unwrap();
        }
    }

    pub(crate) fn number(&self, query: &str) -> i64 {
        self.client().query_one(query, &[]).unwrap().get(0)
    }

    fn client(&self) -> postgres::Client {
        let url = format!("postgres://faceattend@127.0.0.1:{}/postgres", self.port);
        postgres::Client::connect(&url, postgres::NoTls).unwrap()
    }

    /// Runs one of PostgreSQL's programs, which refuse to be run by root.
    fn program(&self, name: &str, arguments: &[&str]) {
        let program = self.programs.join(name);
        let mut command = if is_root() { setpriv(&program) } else { Command::new(&program) };
        let done = command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).status();
        assert!(done.unwrap().success(), "{name} {arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let program = self.programs.join("pg_ctl");
        let mut command = if is_root() { setpriv(&program) } else { Command::new(&program) };
        let stop = ["-w", "-s", "-D", &self.data(), "-m", "immediate", "stop"];
        let _ = command.args(stop).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

fn setpriv(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}
