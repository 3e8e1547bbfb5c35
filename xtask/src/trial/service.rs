//! The service in a clean root. No systemd runs there, so the trials start the server as the unit tells systemd to: the
//! same program, user, groups and variables.

use std::fs;

use super::root::{Root, trials};
use crate::Result;
use crate::demo::http::Client;
use crate::demo::server::Server;

/// Where the package puts the unit.
const UNIT: &str = "/usr/lib/systemd/system/faceattend.service";

/// What a unit says about starting the service.
#[derive(Debug, PartialEq)]
struct Unit {
    program: String,
    arguments: Vec<String>,
    user: String,
    variables: Vec<(String, String)>,
    state: Option<String>,
}

impl Unit {
    fn parse(text: &str) -> Result<Self> {
        let values = |key: &str| {
            let lines = text.lines().filter_map(move |line| line.split_once('='));
            lines.filter(|(name, _)| *name == key).map(|(_, value)| value.trim()).collect::<Vec<_>>()
        };
        let one = |key: &str| values(key).first().copied().ok_or_else(|| format!("the unit has no {key}"));
        let mut words = one("ExecStart")?.split_whitespace().map(str::to_owned);
        let variables = values("Environment").into_iter().filter_map(|pair| pair.split_once('='));
        Ok(Self {
            program: words.next().ok_or("the unit starts nothing")?,
            arguments: words.collect(),
            user: one("User")?.to_owned(),
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            state: values("StateDirectory").first().map(|name| format!("/var/lib/{name}")),
        })
    }
}

/// Starts the service in `root`, on a free port, with `more` variables as an operator's drop-in would add them.
///
/// # Errors
/// When the unit is not there, or the server does not start.
pub(super) fn start(root: &Root, more: &[(&str, &str)]) -> Result<Server> {
    let path = root.path(UNIT);
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let unit = Unit::parse(&text)?;
    let (user, mut home) = (unit.user.as_str(), "/".to_owned());
    if let Some(state) = &unit.state {
        root.shell(&format!("install -d -o {user} -g {user} -m 700 {state}"))?;
    }
    if let Some(entry) = root.shell("cat /etc/passwd")?.lines().find(|line| line.starts_with(&format!("{user}:"))) {
        home = entry.split(':').nth(5).unwrap_or("/").to_owned();
    }
    let mut serve = root.command_as(Some(user), &unit.program);
    serve.args(&unit.arguments).envs(unit.variables).env("HOME", home).env("USER", user);
    serve.env("FACEATTEND_PORT", "0").envs(more.iter().copied());
    Server::started(&mut serve, trials()?.join("server.log"))
}

/// Returns a client of the server.
pub(super) fn client(server: &Server) -> Client {
    Client::new(&server.address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_started_as_its_unit_says() {
        let path = crate::workspace::root().join("reference-server/packaging/faceattend.service");
        let unit = Unit::parse(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(
            (unit.program.as_str(), unit.arguments.as_slice()),
            ("/usr/bin/faceattend", &["serve".to_owned()][..])
        );
        assert_eq!((unit.user.as_str(), unit.state.as_deref()), ("faceattend", Some("/var/lib/faceattend")));
        assert_eq!(unit.variables, [("FACEATTEND_CONFIG".to_owned(), "/etc/faceattend/config.toml".to_owned())]);
        assert!(Unit::parse("[Service]\nUser=me\n").unwrap_err().contains("ExecStart"));
    }
}
