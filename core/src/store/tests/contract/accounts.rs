//! The part of the contract about accounts, logins, the audit log and privacy; `contract!` names its tests.

use jiff::{Timestamp, ToSpan as _};

use super::super::super::*;
use super::super::EnrolUnchecked as _;
use super::kind;
use super::{at, completion, enrolment, pending};
use crate::error::ErrorKind;
use crate::types::StudentId;

fn now() -> Timestamp {
    at("2026-03-02T08:15:30.25Z")
}

fn user(store: &dyn Store, name: &str, role: &str) {
    let new = NewAdmin { username: name.into(), hashed_password: "$argon2$a".into(), role: role.into() };
    store.create_admin(&new, now()).unwrap();
}

fn login(store: &dyn Store, id: &str, name: &str) {
    let login = NewLogin {
        id: id.into(),
        username: name.into(),
        refresh_hash: "one".into(),
        created_at: now(),
        expires_at: now() + 1.hour(),
    };
    assert!(store.begin_login(&login, "$argon2$a").unwrap());
}

fn holder(store: &dyn Store, name: &str, login: Option<&str>, at: Timestamp) -> Option<String> {
    store.login_holder(name, login, at).unwrap().map(|user| user.username)
}

/// A student with a face from a session, and a mark.
fn enrolled(store: &dyn Store) -> (StudentId, crate::types::SessionId) {
    let session = pending(store, None);
    store.update_session(session, 0, &completion()).unwrap();
    let student = store.register_student(session, "Asha", "R1", &enrolment(1.0), now()).unwrap();
    let day = DayWindow {
        date: "2026-03-02".parse().unwrap(),
        starts_at: at("2026-03-02T00:00:00Z"),
        ends_at: at("2026-03-03T00:00:00Z"),
    };
    let mark = NewAttendance {
        student: student.id,
        at: now(),
        day,
        period: String::new(),
        status: AttendanceStatus::Present,
        confidence_score: Some(0.9),
        camera_location: None,
    };
    store.mark_attendance(&mark).unwrap();
    (student.id, session)
}

pub(crate) fn a_login_holds_until_it_ends(store: &dyn Store) {
    user(store, "admin", "admin");
    user(store, "bob", "viewer");
    login(store, "a", "admin");
    login(store, "b", "admin");
    login(store, "c", "admin");
    assert_eq!(holder(store, "admin", Some("a"), now()), Some("admin".into()));
    assert_eq!(holder(store, "admin", None, now()), Some("admin".into()), "a token of the existing service");
    assert_eq!(holder(store, "bob", Some("a"), now()), None, "the login is another's");
    assert_eq!(holder(store, "nobody", None, now()), None);
    assert_eq!(holder(store, "admin", Some("nope"), now()), None);
    assert_eq!(holder(store, "admin", Some("a"), now() + 1.hour()), None, "expired");
    store.end_login("a", now()).unwrap();
    assert_eq!(holder(store, "admin", Some("a"), now()), None);
    assert_eq!(holder(store, "admin", Some("b"), now()), Some("admin".into()), "the other login stays");
    assert_eq!(store.end_logins_of("admin", now()).unwrap(), 2);
    assert_eq!(holder(store, "admin", Some("b"), now()), None);
    let stranger = NewLogin {
        id: "x".into(),
        username: "nobody".into(),
        refresh_hash: "h".into(),
        created_at: now(),
        expires_at: now(),
    };
    assert_eq!(store.begin_login(&stranger, "$argon2$a").unwrap_err().kind(), ErrorKind::NotFound);
}

pub(crate) fn a_login_whose_password_has_changed_meanwhile_does_not_begin(store: &dyn Store) {
    user(store, "admin", "admin");
    user(store, "bob", "viewer");
    login(store, "a", "bob");
    // Somebody logs in; the password was compared with the hash, and is changed before the login is written.
    store.set_admin_password("bob", "$argon2$b", now()).unwrap();
    assert_eq!(holder(store, "bob", Some("a"), now()), None, "the change ends what was there");
    let late = NewLogin {
        id: "b".into(),
        username: "bob".into(),
        refresh_hash: "h".into(),
        created_at: now(),
        expires_at: now() + 1.hour(),
    };
    assert!(!store.begin_login(&late, "$argon2$a").unwrap());
    assert_eq!(holder(store, "bob", Some("b"), now()), None);
    assert!(store.begin_login(&late, "$argon2$b").unwrap());
    // A better hash of the same password ends nothing, and does not undo a change.
    store.renew_password_hash("bob", "$argon2$a", "$argon2$lost", now()).unwrap();
    store.renew_password_hash("bob", "$argon2$b", "$argon2$c", now()).unwrap();
    assert_eq!(store.admin("bob").unwrap().unwrap().hashed_password, "$argon2$c");
    assert_eq!(holder(store, "bob", Some("b"), now()), Some("bob".into()));
    // Password and role change together or not at all: the last admin stays one, with the old password.
    let both = AdminChange {
        hashed_password: Some("$argon2$d".into()),
        role: Some("viewer".into()),
        ..AdminChange::default()
    };
    assert_eq!(kind(store.update_admin("admin", &both, now())), ErrorKind::State);
    assert_eq!(store.admin("admin").unwrap().unwrap().hashed_password, "$argon2$a");
    assert!(!format!("{both:?}").contains("argon2"));
    // Who is disabled meanwhile does not log in either.
    store.update_admin("bob", &AdminChange { is_active: Some(false), ..AdminChange::default() }, now()).unwrap();
    let later = NewLogin { id: "c".into(), ..late };
    assert!(!store.begin_login(&later, "$argon2$c").unwrap());
}

/// Logs in and changes the password at once, again and again: no login of an old password is left.
pub(crate) fn no_login_outlives_a_change_of_the_password(store: &dyn Store) {
    user(store, "admin", "admin");
    for round in 0..20 {
        let hash = store.admin("admin").unwrap().unwrap().hashed_password;
        let id = format!("login {round}");
        let new = NewLogin {
            id: id.clone(),
            username: "admin".into(),
            refresh_hash: "h".into(),
            created_at: now(),
            expires_at: now() + 1.hour(),
        };
        std::thread::scope(|scope| {
            scope.spawn(|| store.begin_login(&new, &hash).unwrap());
            scope.spawn(|| store.set_admin_password("admin", &format!("$argon2$round {round}"), now()).unwrap());
        });
        assert_eq!(holder(store, "admin", Some(&id), now()), None, "round {round}");
    }
}

pub(crate) fn failed_logins_are_counted_until_one_passes_or_they_are_old(store: &dyn Store) {
    let since = now() - 1.hour();
    assert_eq!(store.login_failures("a", since).unwrap(), None);
    for count in 1..=3 {
        let noted = store.note_login_failure("a", since, now()).unwrap();
        assert_eq!((noted.count, noted.last_at), (count, now()));
    }
    store.note_login_failure("b", since, now()).unwrap();
    assert_eq!(store.login_failures("a", since).unwrap().map(|failures| failures.count), Some(3));
    store.forget_login_failures("a").unwrap();
    assert_eq!(store.login_failures("a", since).unwrap(), None);
    assert_eq!(store.login_failures("b", since).unwrap().map(|failures| failures.last_at), Some(now()));
    // What is old counts no more, and the count begins anew.
    assert_eq!(store.login_failures("b", now() + 1.second()).unwrap(), None);
    assert_eq!(store.note_login_failure("b", now() + 1.second(), now() + 2.seconds()).unwrap().count, 1);
}

pub(crate) fn a_login_is_renewed_for_a_month_at_most(store: &dyn Store) {
    user(store, "admin", "admin");
    login(store, "a", "admin");
    let mut renewed = 0;
    for half_hour in 1..3000 {
        let at = now() + (half_hour * 30).minutes();
        if store.renew_login("a", "one", "one", at + 1.hour(), at).unwrap().is_none() {
            break;
        }
        renewed = half_hour;
    }
    assert_eq!(renewed, 30 * 48 - 1, "half hours: less than 30 days");
}

pub(crate) fn an_old_refresh_token_ends_the_login(store: &dyn Store) {
    user(store, "admin", "admin");
    login(store, "a", "admin");
    let renew = |old, fresh, at| store.renew_login("a", old, fresh, at + 2.hours(), at).unwrap().is_some();
    assert!(renew("one", "two", now()));
    let later = now() + 90.minutes();
    assert_eq!(holder(store, "admin", Some("a"), later), Some("admin".into()), "the end has moved");
    assert!(renew("two", "three", later));
    assert!(!renew("two", "four", later), "an old one");
    assert_eq!(holder(store, "admin", Some("a"), later), None, "and the login is over");
    assert!(!renew("three", "five", later));
}

pub(crate) fn a_deactivated_user_is_logged_out(store: &dyn Store) {
    user(store, "admin", "admin");
    user(store, "bob", "viewer");
    login(store, "b", "bob");
    let change = |is_active| AdminChange { is_active: Some(is_active), ..AdminChange::default() };
    assert!(!store.update_admin("bob", &change(false), now()).unwrap().is_active);
    assert_eq!(holder(store, "bob", Some("b"), now()), None);
    assert_eq!(holder(store, "bob", None, now()), None);
    store.update_admin("bob", &change(true), now()).unwrap();
    assert_eq!(holder(store, "bob", Some("b"), now()), None, "the login stays over");
    assert_eq!(store.update_admin("nobody", &change(true), now()).unwrap_err().kind(), ErrorKind::NotFound);
}

pub(crate) fn a_login_that_was_ended_stays_ended_when_the_clock_goes_back(store: &dyn Store) {
    user(store, "bob", "viewer");
    login(store, "b", "bob");
    // The clock was wrong by a day while somebody ended the logins; by it this one had expired.
    assert_eq!(store.end_logins_of("bob", now() + 24.hours()).unwrap(), 1);
    assert_eq!(holder(store, "bob", Some("b"), now()), None);
}

pub(crate) fn a_login_that_a_wrong_clock_began_does_not_last_longer(store: &dyn Store) {
    user(store, "bob", "viewer");
    login(store, "b", "bob");
    // The clock was ahead by a day when the login began, and was corrected.
    let corrected = now() - 24.hours();
    assert_eq!(holder(store, "bob", Some("b"), corrected), None);
    assert!(store.renew_login("b", "one", "two", corrected + 1.hour(), corrected).unwrap().is_none());
    assert_eq!(holder(store, "bob", Some("b"), now() - 1.minute()), Some("bob".into()), "another server's clock");
}

pub(crate) fn the_last_active_admin_stays(store: &dyn Store) {
    user(store, "admin", "admin");
    user(store, "bob", "operator");
    let demote = AdminChange { role: Some("viewer".into()), ..AdminChange::default() };
    let off = AdminChange { is_active: Some(false), ..AdminChange::default() };
    for change in [&demote, &off] {
        assert_eq!(store.update_admin("admin", change, now()).unwrap_err().kind(), ErrorKind::State);
    }
    assert!(store.admin("admin").unwrap().unwrap().is_active, "nothing has changed");
    let promote = AdminChange { role: Some("admin".into()), ..AdminChange::default() };
    assert_eq!(store.update_admin("bob", &promote, now()).unwrap().role, "admin");
    assert_eq!(store.update_admin("admin", &demote, now()).unwrap().role, "viewer");
}

pub(crate) fn a_nul_is_found_nowhere_and_fails_nothing(store: &dyn Store) {
    assert_eq!(store.admin("a\0").unwrap(), None);
    let of_status = AttendanceFilter { status: Some("a\0".into()), ..AttendanceFilter::default() };
    assert_eq!(store.attendance(&of_status, Page::ALL).unwrap().total, 0);
    assert_eq!(store.attendance_summary(&of_status).unwrap().total, 0);
    let (at, actor, subject) = (now(), "admin".into(), Some("username a\0".into()));
    let entry = NewAuditEntry { at, actor, action: "x".into(), subject, details: None };
    store.add_audit(&entry).unwrap();
    assert_eq!(store.audit(Page::ALL).unwrap().items[0].entry.subject.as_deref(), Some("username a\u{fffd}"));
}

pub(crate) fn the_name_of_an_account_is_told_from_every_other(store: &dyn Store) {
    let new = |name: &str| NewAdmin { username: name.into(), hashed_password: "x".into(), role: "viewer".into() };
    store.create_admin(&new("admin"), now()).unwrap();
    for alike in ["admin ", "\u{feff}admin", "ad\u{200b}min", "admin\u{a0}"] {
        assert_eq!(kind(store.create_admin(&new(alike), now())), ErrorKind::Conflict, "{alike:?}");
    }
    for unreadable in ["a\nb", "\0", " \u{a0}"] {
        assert_eq!(kind(store.create_admin(&new(unreadable), now())), ErrorKind::InvalidInput, "{unreadable:?}");
    }
    assert!(store.create_admin(&new("Admin"), now()).is_ok(), "case is kept apart, as by the existing service");
}

pub(crate) fn the_audit_log_is_newest_first(store: &dyn Store) {
    let entry = |n: i64| NewAuditEntry {
        at: now() + n.seconds(),
        actor: "admin".into(),
        action: "student.update".into(),
        subject: Some(format!("student {n}")),
        details: (n == 1).then(|| "name".into()),
    };
    let ids: Vec<_> = (0..3).map(|n| store.add_audit(&entry(n)).unwrap()).collect();
    let page = store.audit(Page { skip: 1, limit: 1 }).unwrap();
    assert_eq!(page.total, 3);
    assert_eq!(page.items, [AuditEntry { id: ids[1], entry: entry(1) }]);
    assert_eq!(store.audit(Page::ALL).unwrap().items[0].id, ids[2]);
    let about = store.audit_about("student_id 7").unwrap();
    assert_eq!(about, []);
    let subject = Some("student_id 7".to_owned());
    let [first, second] = [5, 6].map(|n| NewAuditEntry { subject: subject.clone(), ..entry(n) });
    store.add_audit(&first).unwrap();
    store.add_audit(&NewAuditEntry { subject: Some("student_id 70".into()), ..entry(8) }).unwrap();
    store.add_audit(&second).unwrap();
    let about = store.audit_about("student_id 7").unwrap();
    assert_eq!(about.into_iter().map(|entry| entry.entry).collect::<Vec<_>>(), [first, second]);
}

pub(crate) fn consent_comes_back_and_goes(store: &dyn Store) {
    let id = store.create_student("A", "R1", now()).unwrap().id;
    assert_eq!(store.consent(id).unwrap(), None);
    let consent = Consent { given_at: now(), given_by: "a parent".into(), notice: "2026-01".into() };
    store.set_consent(id, Some(&consent), now()).unwrap();
    assert_eq!(store.consent(id).unwrap(), Some(consent.clone()));
    store.set_consent(id, None, now()).unwrap();
    assert_eq!(store.consent(id).unwrap(), None);
    assert_eq!(store.set_consent(StudentId(99), Some(&consent), now()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.consent(StudentId(99)).unwrap(), None);
}

pub(crate) fn erasing_leaves_no_trace_of_the_face(store: &dyn Store) {
    let (id, session) = enrolled(store);
    assert_eq!(store.sessions_of(id).unwrap().len(), 1);
    let erasure = store.erase_student(id, MarksOfErased::Delete, now()).unwrap();
    assert_eq!((erasure.templates, erasure.sessions), (2, 1));
    assert_eq!((erasure.marks_deleted, erasure.marks_anonymised), (1, 0));
    assert_eq!(erasure.student.name, "Asha");
    assert_eq!(store.student(id).unwrap(), None);
    assert!(store.session(session).unwrap().is_none(), "its state holds embeddings");
    assert_eq!(store.templates_of(id).unwrap(), []);
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 0);
    assert_eq!(store.erase_student(id, MarksOfErased::Delete, now()).unwrap_err().kind(), ErrorKind::NotFound);
}

/// Corrections go with the mark, whoever deletes it and whatever it is deleted with.
pub(crate) fn a_correction_does_not_outlive_its_mark(store: &dyn Store) {
    let (id, _) = enrolled(store);
    let all = || store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
    let correct = |mark: i64| {
        let correction = Correction::new(CorrectedStatus::Late, "operator", "Asha came by bus");
        store.correct_attendance(mark, &correction, now()).unwrap();
        assert_eq!(store.corrections(mark).unwrap().len(), 1);
    };
    let mark = all()[0].id;
    correct(mark);
    store.erase_student(id, MarksOfErased::Anonymise, now()).unwrap();
    assert_eq!(store.corrections(mark).unwrap()[0].correction.reason, "");
    let late = Retention { attendance_before: Some(now() + 2.hours()), ..Retention::default() };
    store.retire(&late).unwrap();
    assert_eq!(store.corrections(mark).unwrap(), []);
}

pub(crate) fn erasing_can_leave_nameless_marks(store: &dyn Store) {
    let (id, session) = enrolled(store);
    let erasure = store.erase_student(id, MarksOfErased::Anonymise, now()).unwrap();
    assert_eq!((erasure.marks_deleted, erasure.marks_anonymised, erasure.templates), (0, 1, 2));
    assert!(store.session(session).unwrap().is_none());
    assert_eq!(store.templates_of(id).unwrap(), []);
    assert_eq!(store.embedding_json(id).unwrap(), None);
    let rows = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
    assert_eq!((rows[0].student_name.as_str(), rows[0].confidence_score), ("Erased", None));
    assert_ne!(rows[0].student_roll_number, "R1");
    store.create_student("New", "R1", now()).unwrap();
}

pub(crate) fn what_is_old_is_retired(store: &dyn Store) {
    let (id, session) = enrolled(store);
    user(store, "admin", "admin");
    login(store, "a", "admin");
    let nothing = store.retire(&Retention::default()).unwrap();
    assert_eq!(nothing, Retired::default());
    let entry = NewAuditEntry { at: now(), actor: "x".into(), action: "y".into(), subject: None, details: None };
    store.add_audit(&entry).unwrap();
    let early = Retention {
        sessions_before: Some(now()),
        attendance_before: Some(now()),
        audit_before: Some(now()),
        logins_before: Some(now()),
        detection_logs_before: Some(now()),
    };
    assert_eq!(store.retire(&early).unwrap().total(), 0, "nothing is older than this moment");
    let late = now() + 2.hours();
    let all = Retention {
        sessions_before: Some(late),
        attendance_before: Some(late),
        audit_before: Some(late),
        logins_before: Some(late),
        detection_logs_before: Some(late),
    };
    let retired = store.retire(&all).unwrap();
    // The entry above, and that of the enrolment.
    assert_eq!((retired.sessions, retired.attendance, retired.audit, retired.logins), (1, 1, 2, 1));
    assert!(store.session(session).unwrap().is_none());
    assert!(!store.templates_of(id).unwrap().is_empty(), "the face stays");
}

pub(crate) fn an_admin_user_is_found_by_name(store: &dyn Store) {
    let new = NewAdmin { username: "admin".into(), hashed_password: "$argon2$a".into(), role: "admin".into() };
    let made = store.create_admin(&new, now()).unwrap();
    assert!(made.is_active);
    assert_eq!(kind(store.create_admin(&new, now())), ErrorKind::Conflict);
    store.set_admin_password("admin", "$argon2$b", now()).unwrap();
    let changed = AdminUser { hashed_password: "$argon2$b".into(), ..made };
    assert_eq!(store.admin("admin").unwrap(), Some(changed.clone()));
    assert_eq!(store.admin("Admin").unwrap(), None);
    assert_eq!(store.admins().unwrap(), [changed]);
    assert_eq!(kind(store.set_admin_password("nobody", "x", now())), ErrorKind::NotFound);
}
