//! The server's OpenAPI document put to the test: schemathesis asks every endpoint for what the document promises, with
//! good and bad values of its own making.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::build::Built;
use crate::setup::Cameras;
use crate::workspace::{command, root, succeed};
use crate::{Result, python};

/// How many values a field is tried with. The figures of schemathesis' own quick start; more find nothing new here.
const EXAMPLES: &str = "30";
/// No answer may be a failure of the server, have a status that is not in the document, or another shape.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// One endpoint can shut the tester out: it changes accounts, the tester's own among them.
const NOT_ASKED: &str = "auth/users/\\{username\\}|auth/logout";
/// How long the server may take to start.
const START: Duration = Duration::from_secs(30);

/// Builds, and runs [`check`].
///
/// # Errors
/// When the code does not compile, or an answer is not as the document says.
pub(crate) fn run() -> Result<()> {
    crate::test::build(Cameras::With)?;
    check(&Built::for_tests()?).map(|told| println!("{told}"))
}

/// Runs schemathesis over the whole document of the server with the tests' engine.
///
/// # Errors
/// When an answer is not as the document says.
pub(crate) fn check(built: &Built) -> Result<String> {
    let python = python::environment(".cache/schema-python", &["reference-server/tests/python/requirements.txt"])?;
    // The tool writes a folder of its own into the one that it is started in.
    let folder = root().join("target/schema");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let server = Server::start(&built.marker_server(), &folder.join("schema.db"))?;
    let token = server.token(&python)?;
    let tool = python.with_file_name("schemathesis");
    let mut run = command(tool);
    run.arg("run")
        .arg(format!("{}/openapi.json", server.base))
        .args(["--header", &format!("Authorization: Bearer {token}")]);
    run.args(["--checks", CHECKS, "--max-examples", EXAMPLES, "--exclude-path-regex", NOT_ASKED]).current_dir(&folder);
    succeed(&mut run)?;
    Ok("no failure, no status that is not in the document".to_owned())
}

/// A server that runs until this is dropped.
struct Server {
    process: Child,
    base: String,
}

impl Server {
    fn start(program: &Path, database: &Path) -> Result<Self> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.map_err(|e| format!("no port is free: {e}"))?.port();
        let process = command(program)
            .args(["--port", &port.to_string(), "--database"])
            .arg(database)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("cannot start {}: {e}", program.display()))?;
        let server = Self { process, base: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if began.elapsed() > START {
                return Err("the server of the tests did not start".to_owned());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// A token of the documented admin of an empty database.
    fn token(&self, python: &Path) -> Result<String> {
        const LOG_IN: &str = "import json, sys, urllib.request as r; \
            q = r.Request(sys.argv[1], b'{\"username\": \"admin\", \"password\": \"admin123\"}', \
            {'Content-Type': 'application/json'}); print(json.load(r.urlopen(q))['access_token'])";
        let url = format!("{}/api/v1/auth/login", self.base);
        let printed = crate::workspace::output(command(python).args(["-c", LOG_IN, &url]))?;
        Ok(printed.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
