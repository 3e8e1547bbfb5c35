//! The Django admin and the reference server, side by side on one database.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::build::{self, Part, Profile};
use crate::demo::http::Client;
use crate::workspace::{command, root, succeed};
use crate::{Result, python, setup};

/// How long either server may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);
/// The password of both accounts; both servers listen on this machine only.
const PASSWORD: &str = "admin123";

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// The port of the Django admin.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// The port of the reference server.
    #[arg(long, default_value_t = 8001)]
    server_port: u16,
    /// The folder of the database [default: examples/django-admin/data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Enrol somebody, play a recording, ask both servers for the attendance, and stop.
    #[arg(long)]
    check: bool,
}

/// Builds and starts both, and stays until they are stopped.
///
/// # Errors
/// When one does not build or start; with `--check`, when the two do not agree.
pub(super) fn run(options: &Options) -> Result<()> {
    setup::run(&options.setup)?;
    println!("Building the server and the Python module (about 6 minutes the first time) ...");
    let built = build::parts(&[Part::Server, Part::PythonModule], Profile::Release, options.setup.cameras())?;
    let (python, program) = (python::module(&built)?, built.server());
    let project = root().join("examples/django-admin");
    let data = options.data.clone().unwrap_or_else(|| project.join("data"));
    std::fs::create_dir_all(&data).map_err(|e| format!("cannot make {}: {e}", data.display()))?;
    let data = data.canonicalize().map_err(|e| format!("cannot find {}: {e}", data.display()))?;
    for (port, option) in [(options.port, "--port"), (options.server_port, "--server-port")] {
        if listens(port) {
            return Err(format!("another program listens on port {port}; choose another with {option}"));
        }
    }

    // The server first: it makes the tables, and Django takes them over.
    let mut server = Running::start(
        "the reference server",
        command(&program)
            .args(["serve", "--host", "127.0.0.1", "--port", &options.server_port.to_string(), "--data-dir"])
            .arg(&data),
    )?;
    server.wait_for(options.server_port)?;
    let manage = |arguments: &[&str]| {
        let mut manage = command(&python);
        manage.current_dir(&project).env("FACEATTEND_DATA_DIR", &data).arg("manage.py").args(arguments);
        manage
    };
    succeed(&mut manage(&["migrate", "--verbosity", "0"]))?;
    // It fails where the account is there already, which is all the same.
    let _ = manage(&["createsuperuser", "--noinput", "--username", "admin", "--email", "admin@localhost"])
        .env("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let address = format!("127.0.0.1:{}", options.port);
    let mut django = Running::start("Django", &mut manage(&["runserver", "--noreload", &address]))?;
    django.wait_for(options.port)?;

    if options.check {
        return check(options, &manage);
    }
    println!(
        "\nDjango admin:     http://localhost:{}/admin/ (admin / {PASSWORD})\n\
         Reference server: http://localhost:{}/ui/ (admin / {PASSWORD})\n\
         Database:         {}\n\n\
         Attendance from a clip, in another terminal:\n  cd {} && FACEATTEND_DATA_DIR={} {} manage.py \
         faceattend_run_cameras --source ../media/class.avi --location 'Room 1'\n\nCtrl-C stops both.\n",
        options.port,
        options.server_port,
        data.join("face_attendance.db").display(),
        project.display(),
        data.display(),
        python.display(),
    );
    loop {
        if let Some(ended) = server.ended()?.or(django.ended()?) {
            return Err(ended);
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Somebody enrolled and seen through Django is attendance at the reference server.
fn check(options: &Options, manage: &dyn Fn(&[&str]) -> Command) -> Result<()> {
    let pictures = ["center", "left", "right"].map(|view| media(&format!("collins/{view}.jpg")));
    let mut enrol = manage(&["faceattend_enroll", "EXAMPLE-1", "--name", "Eileen Collins"]);
    succeed(enrol.args(&pictures))?;
    succeed(manage(&["faceattend_run_cameras", "--location", "Room 1", "--source"]).arg(media("class.avi")))?;

    let mut client = Client::new(&format!("127.0.0.1:{}", options.server_port));
    let answer = client.post("/api/v1/auth/login", &json!({ "username": "admin", "password": PASSWORD }))?;
    client.log_in_with(answer["access_token"].as_str().ok_or("the server gave no token")?);
    let page = client.get("/api/v1/attendance/?limit=100")?;
    let rows = page["items"].as_array().cloned().unwrap_or_default();
    let seen = rows.iter().filter(|row| row["student_roll_number"] == "EXAMPLE-1").count();
    if seen != 1 {
        return Err(format!("{seen} attendances of the enrolled student are at the server, 1 was expected: {page}"));
    }
    println!("Enrolled through Django, seen in the recording, marked once, and read by the reference server.");
    Ok(())
}

fn media(file: &str) -> PathBuf {
    Path::new("../media").join(file)
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// A process that is stopped when this is dropped.
struct Running {
    what: &'static str,
    process: Child,
}

impl Running {
    fn start(what: &'static str, command: &mut Command) -> Result<Self> {
        let process = command.stdin(Stdio::null()).spawn().map_err(|e| format!("cannot start {what}: {e}"))?;
        Ok(Self { what, process })
    }

    fn wait_for(&mut self, port: u16) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(ended) = self.ended()? {
                return Err(ended);
            }
            if listens(port) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(format!("{} does not listen on port {port}", self.what))
    }

    /// That it has ended, in words.
    fn ended(&mut self) -> Result<Option<String>> {
        let status = self.process.try_wait().map_err(|e| format!("cannot wait for {}: {e}", self.what))?;
        Ok(status.map(|status| format!("{} ended ({status})", self.what)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(5);
        while asked.as_ref().is_ok_and(std::process::ExitStatus::success) && Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
