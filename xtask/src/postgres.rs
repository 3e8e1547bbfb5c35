//! A PostgreSQL of the tests' own: made before them, gone after them, touching no other on the machine.

use std::env;
use std::fs::{self, File};
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;
use crate::workspace::output;

/// The variable by which tests are told of a database in which they may make schemas.
pub(crate) const VARIABLE: &str = "FACEATTEND_TEST_POSTGRES";
/// Where Debian keeps its versions, none of them on the path.
const DEBIAN: &str = "/usr/lib/postgresql";
/// How long a fresh one may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Its superuser.
const USER: &str = "faceattend";

/// The folder of PostgreSQL's programs: the newest that Debian installed, else where the path has `initdb`.
pub(crate) fn programs() -> Option<PathBuf> {
    let has_all =
        |folder: &PathBuf| ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file());
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
    });
    let newest = versions.filter(|(_, folder)| has_all(folder)).max_by_key(|(version, _)| *version);
    newest.map(|(_, folder)| folder).or_else(|| env::split_paths(&env::var_os("PATH")?).find(has_all))
}

/// Runs tests with a PostgreSQL: the one that [`VARIABLE`] names, else one of their own, else none, and says which
/// behind what `run` tells. Set-up installs it; where it cannot, the tests that need one say that they are left out.
///
/// # Errors
/// What `run` answers.
pub(crate) fn told_to(tests: &mut Command, run: impl FnOnce(&mut Command) -> Result<String>) -> Result<String> {
    if env::var_os(VARIABLE).is_some() {
        return run(tests).map(|said| format!("{said}; on the PostgreSQL of {VARIABLE}"));
    }
    match Postgres::start() {
        Ok(database) => {
            run(tests.env(VARIABLE, database.url())).map(|said| format!("{said}; with {}", database.version()))
        }
        Err(problem) => run(tests).map(|said| format!("{said}; without PostgreSQL: {problem}")),
    }
}

/// A PostgreSQL that listens on this machine alone, until this is dropped.
pub(crate) struct Postgres {
    process: Child,
    folder: PathBuf,
    url: String,
    version: String,
}

impl Postgres {
    /// Makes and starts one, in a fresh folder, with a password that nobody else knows.
    ///
    /// # Errors
    /// When PostgreSQL is not there or does not start.
    pub(crate) fn start() -> Result<Self> {
        let programs = programs().ok_or("PostgreSQL is not there: `apt-get install postgresql`")?;
        // The names of sockets are short, and so the folder's must be.
        let folder = env::temp_dir().join(format!("faceattend-pg-{}", std::process::id()));
        let mut made = Unfinished(Some(folder.clone()));
        let io = |e: std::io::Error| format!("cannot write in {}: {e}", folder.display());
        fs::create_dir(&folder).map_err(io)?;
        let password = random_word()?;
        let password_file = folder.join("password");
        fs::write(&password_file, &password).map_err(io)?;
        let owner = Owner::of(&folder)?;

        let data = folder.join("data");
        let mut init = owner.command(&programs.join("initdb"));
        init.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--username", USER]);
        init.arg("--pwfile").arg(&password_file).arg("--pgdata").arg(&data);
        output(&mut init)?;

        let port = free_port()?;
        let log = folder.join("log");
        let complaints = File::create(&log).map_err(io)?;
        let mut server = owner.command(&programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(&folder);
        server.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        // Every test has connections of its own; and what is gone after the tests need not reach the disk.
        server.args(["-c", "max_connections=400", "-c", "fsync=off"]);
        server.stdin(Stdio::null()).stdout(complaints.try_clone().map_err(io)?).stderr(complaints);
        let process = server.spawn().map_err(|e| format!("cannot start PostgreSQL: {e}"))?;
        made.0 = None;
        let mut started = Self {
            process,
            folder: folder.clone(),
            url: format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres"),
            version: output(Command::new(programs.join("postgres")).arg("--version"))?.trim().replace("postgres ", ""),
        };
        started.wait_until_ready(&programs, port, &log)?;
        Ok(started)
    }

    /// How the tests reach it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it calls itself.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    fn wait_until_ready(&mut self, programs: &Path, port: u16, log: &Path) -> Result<()> {
        let since = Instant::now();
        loop {
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
            if ask.status().is_ok_and(|status| status.success()) {
                return Ok(());
            }
            let ended = self.process.try_wait().map_err(|e| format!("cannot wait for PostgreSQL: {e}"))?;
            if ended.is_some() || since.elapsed() > PATIENCE {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("PostgreSQL did not start: {}", said.trim()));
            }
            sleep(Duration::from_millis(50));
        }
    }
}

/// Also when the tests failed. Should this program be killed, the system tells the database to end.
impl Drop for Postgres {
    fn drop(&mut self) {
        let told = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let since = Instant::now();
        while told.is_ok() && since.elapsed() < PATIENCE && matches!(self.process.try_wait(), Ok(None)) {
            sleep(Duration::from_millis(20));
        }
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A folder to be removed unless it came to something.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Who runs the database: PostgreSQL refuses to be run by root.
enum Owner {
    Me,
    Another(&'static str, String),
}

impl Owner {
    /// The user to run it as, to whom `folder` is given.
    fn of(folder: &Path) -> Result<Self> {
        if output(Command::new("id").arg("-u"))?.trim() != "0" {
            return Ok(Self::Me);
        }
        let there = |user: &&str| Command::new("id").arg(user).output().is_ok_and(|id| id.status.success());
        let user = ["postgres", "nobody"].into_iter().find(there).ok_or("there is no user `postgres` or `nobody`")?;
        output(Command::new("chown").args(["-R", user]).arg(folder))?;
        Ok(Self::Another(user, output(Command::new("id").args(["-g", user]))?.trim().to_owned()))
    }

    /// `program` run as this user, and told to end when this one ends, in whatever way.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        if let Self::Another(user, group) = self {
            command.args(["--reuid", user, "--regid", group, "--clear-groups"]);
        }
        command.args(["--pdeathsig", "INT", "--"]).arg(program).current_dir("/");
        command
    }
}

fn free_port() -> Result<u16> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|e| format!("no port is free: {e}"))
}

fn random_word() -> Result<String> {
    let mut bytes = [0_u8; 16];
    let read = File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes));
    read.map_err(|e| format!("cannot read /dev/urandom: {e}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_reached_with_its_password_and_leaves_nothing() {
        let Some(programs) = programs() else {
            eprintln!("skipped: PostgreSQL is not installed");
            return;
        };
        let database = Postgres::start().unwrap();
        let ask = |url: &str| Command::new(programs.join("psql")).args([url, "-Atc", "SELECT 7"]).output().unwrap();
        assert_eq!(ask(database.url()).stdout, b"7\n");
        let wrong = database.url().replacen(":", ":x", 2).replacen("postgres:x", "postgres:", 1);
        assert!(!ask(&wrong).status.success(), "another password is refused");
        let folder = database.folder.clone();
        let url = database.url().to_owned();
        drop(database);
        assert!(!folder.exists());
        assert!(!ask(&url).status.success());
    }
}
