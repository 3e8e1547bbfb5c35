//! Clients that work at once until the server dies, and what it has promised them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::client::Client;

/// People who are enrolled from the start and marked again and again: roll number `K3` has the face 3.
pub(crate) const KNOWN: u8 = 8;
/// The face that is enrolled under new names all the time.
const NEWCOMER: u8 = 12;

/// What the server has answered with success.
#[derive(Default)]
pub(crate) struct Promised {
    /// Roll numbers of students who were created, who were enrolled, and who were erased.
    created: BTreeSet<String>,
    enrolled: BTreeSet<String>,
    deleted: BTreeSet<String>,
    /// Identities that were marked.
    pub(crate) marked: BTreeSet<u8>,
    /// Rows whose status was corrected.
    corrected: BTreeSet<i64>,
    /// Tokens of logins that go on, and of those that were ended.
    logins: Vec<String>,
    ended: Vec<String>,
    /// How many writes were acknowledged.
    pub(crate) writes: usize,
}

impl Promised {
    pub(crate) fn join(&mut self, other: Self) {
        self.created.extend(other.created);
        self.enrolled.extend(other.enrolled);
        self.deleted.extend(other.deleted);
        self.marked.extend(other.marked);
        self.corrected.extend(other.corrected);
        self.logins.extend(other.logins);
        self.ended.extend(other.ended);
        self.writes += other.writes;
    }

    /// Checks that all of it is there.
    pub(crate) fn check(&self, client: &Client, address: &str, when: &str) {
        let students = client.all("/students/");
        let rolls: BTreeMap<&str, &Value> = students.iter().map(|s| (s["roll_number"].as_str().unwrap(), s)).collect();
        assert_eq!(rolls.len(), students.len(), "{when}: a roll number twice");
        for roll in self.created.iter().chain(&self.enrolled) {
            assert!(rolls.contains_key(roll.as_str()), "{when}: {roll} is lost");
        }
        for roll in &self.enrolled {
            assert_eq!(rolls[roll.as_str()]["liveness_verified"], true, "{when}: {roll}'s face is lost");
        }
        for roll in &self.deleted {
            assert!(!rolls.contains_key(roll.as_str()), "{when}: {roll} is back");
        }
        let (mut marks, mut statuses) = (BTreeMap::<String, usize>::new(), BTreeMap::new());
        for record in client.all("/attendance/") {
            *marks.entry(record["student_roll_number"].as_str().unwrap().to_owned()).or_default() += 1;
            statuses.insert(record["id"].as_i64().unwrap(), record["status"].clone());
        }
        assert!(marks.values().all(|count| *count == 1), "{when}: marked twice: {marks:?}");
        for identity in &self.marked {
            assert!(marks.contains_key(&format!("K{identity}")), "{when}: a mark of {identity} is lost: {marks:?}");
        }
        for row in &self.corrected {
            assert_eq!(statuses.get(row), Some(&json!("Absent")), "{when}: the correction of {row} is lost");
        }
        let admitted = |token: &String| Client::at(address, token).get("/auth/me").unwrap().0;
        for token in &self.logins {
            assert_eq!(admitted(token), 200, "{when}: a login is lost");
        }
        for token in &self.ended {
            assert_eq!(admitted(token), 401, "{when}: a login that was ended goes on");
        }
    }

    /// Forgets logins that were checked: each check asks for every one.
    pub(crate) fn forget_logins(&mut self) {
        self.logins.clear();
        self.ended.clear();
    }

    /// How many people were erased.
    pub(crate) fn erased(&self) -> usize {
        self.deleted.len()
    }

    /// Says what it is.
    pub(crate) fn says(&self) -> String {
        format!(
            "{} created, {} enrolled, {} erased, {} corrected",
            self.created.len(),
            self.enrolled.len(),
            self.deleted.len(),
            self.corrected.len()
        )
    }
}

/// What a worker gets from a request that the server may refuse for a while.
enum Said {
    Done(Value),
    /// 503: nothing was promised.
    Later,
}

fn said((status, answer): (u16, Value)) -> Said {
    assert!(matches!(status, 200 | 503), "{status} {answer}");
    if status == 200 { Said::Done(answer) } else { Said::Later }
}

/// Does the work of worker `n` until the server dies or `until` is over.
pub(crate) fn work(n: u8, client: &Client, numbers: &AtomicU64, until: &dyn Fn() -> bool) -> Promised {
    let mut promised = Promised::default();
    let mut turn = n * 2;
    while !until() {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let done = match n {
            0 => create(client, number, &mut promised),
            1 | 2 => enrol(client, number, &mut promised),
            3 => correct(client, number, &mut promised),
            4 => log_in(client, number, &mut promised),
            _ => mark(client, turn % KNOWN, &mut promised),
        };
        turn = turn.wrapping_add(1);
        if done.is_none() {
            break;
        }
    }
    promised
}

/// How many workers there are.
pub(crate) const WORKERS: u8 = 7;

/// Creates a student, and erases every third one. `None` when the server is dead.
fn create(client: &Client, number: u64, promised: &mut Promised) -> Option<()> {
    let roll = format!("C{number}");
    let Said::Done(student) = said(client.post("/students/", &json!({ "name": "Created", "roll_number": roll }))?)
    else {
        return Some(());
    };
    promised.writes += 1;
    if !number.is_multiple_of(3) {
        promised.created.insert(roll);
        return Some(());
    }
    // Until the answer comes nobody knows whether the student is gone.
    if let Said::Done(_) = said(client.delete(&format!("/students/{}", student["data"]["student_id"]))?) {
        promised.deleted.insert(roll);
        promised.writes += 1;
    }
    Some(())
}

/// Enrols somebody, and erases every second one, face and all.
fn enrol(client: &Client, number: u64, promised: &mut Promised) -> Option<()> {
    let roll = format!("E{number}");
    let Said::Done(answer) = said(client.enrol("Enrolled", &roll, NEWCOMER)?) else { return Some(()) };
    assert_eq!(answer["success"], true, "{answer}");
    promised.writes += 1;
    if number.is_multiple_of(2) {
        promised.enrolled.insert(roll);
        return Some(());
    }
    if let Said::Done(_) = said(client.delete(&format!("/students/{}", answer["data"]["student_id"]))?) {
        promised.deleted.insert(roll);
        promised.writes += 1;
    }
    Some(())
}

/// Marks somebody by hand and corrects the row.
fn correct(client: &Client, number: u64, promised: &mut Promised) -> Option<()> {
    let roll = format!("S{number}");
    let new = json!({ "name": "Corrected", "roll_number": roll });
    let Said::Done(student) = said(client.post("/students/", &new)?) else { return Some(()) };
    promised.created.insert(roll);
    promised.writes += 1;
    let path = format!("/attendance/mark?student_id={}", student["data"]["student_id"]);
    let Said::Done(mark) = said(client.post(&path, &Value::Null)?) else { return Some(()) };
    promised.writes += 1;
    let row = mark["data"]["attendance_id"].as_i64().unwrap();
    if let Said::Done(_) = said(client.post(&format!("/test/correct/{row}"), &Value::Null)?) {
        promised.corrected.insert(row);
        promised.writes += 1;
    }
    Some(())
}

/// Logs in, and out again every second time.
fn log_in(client: &Client, number: u64, promised: &mut Promised) -> Option<()> {
    let admin = json!({ "username": "admin", "password": "admin123" });
    let Said::Done(login) = said(client.post("/auth/login", &admin)?) else { return Some(()) };
    promised.writes += 1;
    let token = login["access_token"].as_str().unwrap().to_owned();
    if number.is_multiple_of(2) {
        promised.logins.push(token);
        return Some(());
    }
    if let Said::Done(_) = said(client.with_token(&token).post("/auth/logout", &Value::Null)?) {
        promised.ended.push(token);
        promised.writes += 1;
    }
    Some(())
}

/// Shows a known face to a camera.
fn mark(client: &Client, identity: u8, promised: &mut Promised) -> Option<()> {
    if let Said::Done(answer) = said(client.show(identity)?)
        && answer["data"]["attendance_logs_created"] == 1
    {
        promised.marked.insert(identity);
        promised.writes += 1;
    }
    Some(())
}

/// Ends the workers of a test that fails, which would wait for them for ever.
pub(crate) struct SetWhenDropped<'a>(pub(crate) &'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
