//! The callers: every kind of token that somebody may come with.

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

use crate::common::{Answer, DATABASE, SECRET, Service};
use crate::table::Least;

pub(crate) const PASSWORD: &str = "correct horse";
/// The name of a viewer, whose account others try to change.
pub(crate) const VIEWER: &str = "victor";
/// What a caller without credentials is told, and one whose credentials are not valid.
pub(crate) const NO_CREDENTIALS: &str = "Not authenticated";
pub(crate) const NOT_VALID: &str = "Could not validate credentials";

/// Somebody who asks.
pub(crate) struct Caller {
    pub(crate) name: &'static str,
    /// The value of the header `Authorization`.
    pub(crate) authorization: Option<String>,
    pub(crate) standing: Standing,
}

/// What the caller must be taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// 401 with this text.
    Refused(&'static str),
    /// An account with this role.
    Account(Least),
}

impl Caller {
    fn with_token(name: &'static str, token: &str, standing: Standing) -> Self {
        Self { name, authorization: Some(format!("Bearer {token}")), standing }
    }

    /// Returns the token, if the caller has one.
    pub(crate) fn token(&self) -> &str {
        self.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
    }
}

/// Asks without a network, as `caller`.
pub(crate) async fn ask(service: &Service, caller: &Caller, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "site.test:8001");
    if let Some(value) = &caller.authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    service.raw(request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap()).await
}

/// Logs in; the answer of the login.
pub(crate) async fn log_in(service: &Service, name: &str, password: &str) -> Value {
    let tokens = service.post("/api/v1/auth/login", &json!({ "username": name, "password": password })).await;
    assert_eq!(tokens.status, 200, "{name}: {}", tokens.text);
    tokens.json()
}

fn access(tokens: &Value) -> String {
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn account(service: &Service, name: &str, role: Least) -> Value {
    let body = json!({ "username": name, "password": PASSWORD, "role": role.word() });
    let made = service.post("/api/v1/auth/users", &body).await;
    assert_eq!(made.status, 200, "{name}: {}", made.text);
    log_in(service, name, PASSWORD).await
}

async fn change(service: &Service, name: &str, body: &Value) {
    let changed = service.send("PUT", &format!("/api/v1/auth/users/{name}"), body).await;
    assert_eq!(changed.status, 200, "{name}: {}", changed.text);
}

/// Changes the database as another program does.
fn execute(service: &Service, statement: &str) {
    let database = rusqlite::Connection::open(service.folder.path().join(DATABASE)).unwrap();
    assert!(database.execute(statement, []).unwrap() > 0, "{statement}");
}

/// A JWT of `claims`, signed with HS256 and `key` without the server's code.
fn signed(key: &str, header: &Value, claims: &Value) -> String {
    let message = unsigned(header, claims);
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(&message);
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Every kind of caller, accounts with their roles last. The service is asked as its documented admin.
pub(crate) async fn callers(service: &Service) -> Vec<Caller> {
    let mut callers = forgers(&service.token);
    callers.extend(former_accounts(service).await);
    for (name, role) in [(VIEWER, Least::Viewer), ("olga", Least::Operator), ("ada", Least::Admin)] {
        let token = access(&account(service, name, role).await);
        callers.push(Caller::with_token(name, &token, Standing::Account(role)));
    }
    callers
}

/// Callers without a token of ours. `good` is a token that is valid.
fn forgers(good: &str) -> Vec<Caller> {
    let (header, claims) = (json!({ "alg": "HS256", "typ": "JWT" }), claims_of(good));
    let with = |name: &str, value: Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        changed
    };
    let mut parts = good.split('.').map(str::to_owned).collect::<Vec<_>>();
    parts[1] = URL_SAFE_NO_PAD.encode(with("sub", json!("root")).to_string());
    let none = |alg: &str| unsigned(&json!({ "alg": alg, "typ": "JWT" }), &claims);
    let refused = [
        ("garbage", "garbage".to_owned()),
        ("garbage in three parts", "a.b.c".to_owned()),
        ("an expired token", signed(SECRET, &header, &with("exp", json!(1_700_000_000)))),
        ("a token signed with another key", signed("a secret of somebody else", &header, &claims)),
        ("a token signed with an empty key", signed("", &header, &claims)),
        ("a token with changed claims", parts.join(".")),
        ("a token without a signature", format!("{}.", good.rsplit_once('.').unwrap().0)),
        ("alg none", format!("{}.", none("none"))),
        ("alg None", format!("{}.", none("None"))),
        ("alg none with a signature", format!("{}.{}", none("none"), good.rsplit_once('.').unwrap().1)),
        ("another algorithm's name", signed(SECRET, &json!({ "alg": "HS512", "typ": "JWT" }), &claims)),
        ("a token of a login that never was", signed(SECRET, &header, &with("sid", json!("0".repeat(64))))),
        ("the login of another user", signed(SECRET, &header, &with("sub", json!(VIEWER)))),
        ("a token that is valid later", signed(SECRET, &header, &with("nbf", json!(4_102_444_800_u64)))),
    ];
    let refused = refused.map(|(name, token)| Caller::with_token(name, &token, Standing::Refused(NOT_VALID)));
    let strangers = [
        ("nobody", None),
        ("an empty token", Some("Bearer ".to_owned())),
        ("a token without its scheme", Some(good.to_owned())),
        ("another scheme", Some(format!("Basic {good}"))),
    ];
    let strangers = strangers.map(|(name, authorization)| Caller {
        name,
        authorization,
        standing: Standing::Refused(NO_CREDENTIALS),
    });
    strangers.into_iter().chain(refused).collect()
}

/// Callers whose token was good once.
async fn former_accounts(service: &Service) -> Vec<Caller> {
    let refused = |name, token: &Value| Caller::with_token(name, token.as_str().unwrap(), Standing::Refused(NOT_VALID));
    let admin = async |name: &str| account(service, name, Least::Admin).await;
    let mut callers = Vec::new();
    let refreshed = admin("refreshed").await;
    callers.push(refused("a refresh token", &refreshed["refresh_token"]));

    let gone = admin("gone").await;
    execute(service, "DELETE FROM admin_users WHERE username = 'gone'");
    callers.push(refused("an admin whose account was deleted", &gone["access_token"]));
    let again = admin("again").await;
    execute(service, "DELETE FROM admin_users WHERE username = 'again'");
    admin("again").await;
    callers.push(refused("a deleted admin whose name was given again", &again["access_token"]));

    let renewed = admin("renewed").await;
    change(service, "renewed", &json!({ "password": "battery staple" })).await;
    callers.push(refused("an admin whose password changed", &renewed["access_token"]));
    let disabled = admin("disabled").await;
    change(service, "disabled", &json!({ "is_active": false })).await;
    callers.push(refused("an admin who was disabled", &disabled["access_token"]));
    let back = admin("back").await;
    change(service, "back", &json!({ "is_active": false })).await;
    change(service, "back", &json!({ "is_active": true })).await;
    callers.push(refused("an admin who was disabled for a while", &back["access_token"]));

    let left = admin("left").await;
    let caller = refused("an admin who logged out", &left["access_token"]);
    assert_eq!(ask(service, &caller, "POST", "/api/v1/auth/logout", None).await.status, 200);
    callers.push(caller);
    let replayed = admin("replayed").await;
    let renew = json!({ "refresh_token": replayed["refresh_token"] });
    for status in [200, 401] {
        assert_eq!(service.post("/api/v1/auth/refresh", &renew).await.status, status);
    }
    callers.push(refused("a login whose refresh token was used twice", &replayed["access_token"]));

    for (name, role) in [("an admin who is an operator now", Least::Operator), ("one who is a viewer", Least::Viewer)] {
        let lowered = admin(name).await;
        let path = format!("/api/v1/auth/users/{}", name.replace(' ', "%20"));
        let changed = service.send("PUT", &path, &json!({ "role": role.word() })).await;
        assert_eq!(changed.status, 200, "{name}: {}", changed.text);
        callers.push(Caller::with_token(name, &access(&lowered), Standing::Account(role)));
    }
    let odd = admin("odd").await;
    execute(service, "UPDATE admin_users SET role = 'superuser' WHERE username = 'odd'");
    let name = "an account with a role that nobody knows";
    callers.push(Caller::with_token(name, &access(&odd), Standing::Account(Least::Viewer)));
    callers
}
