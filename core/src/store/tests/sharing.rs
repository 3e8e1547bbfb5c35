//! What several servers need of one database: each test takes two stores that were opened on the same empty one.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::super::*;
use super::EnrolUnchecked as _;
use super::contract::{at, completed, embedding, enrolment, mark};
use crate::embedding::Embedding;
use crate::types::StudentId;

/// Makes a `#[test]` of every test of sharing, each on two stores of its own from `$open`, which returns them and what
/// keeps them alive.
macro_rules! sharing_contract {
    ($open:expr) => {
        sharing_contract!(@ $open; of_enrolments_by_two_stores_each_sees_those_before_it,
            a_change_of_templates_is_heard_by_everybody, what_is_rolled_back_is_never_heard_of,
            an_erasure_and_the_next_enrolment_are_heard_after_announcements,
            a_mark_is_heard_by_the_others_only_and_once);
    };
    (@ $open:expr; $($name:ident),+) => {
        $(#[test] fn $name() {
            let Some(((one, two), _alive)) = $crate::store::tests::contract::Given::given($open) else { return };
            $crate::store::tests::sharing::$name(&one, &two);
        })+
    };
}
pub(super) use sharing_contract;

pub(super) fn now() -> Timestamp {
    at("2026-03-02T08:15:30.25Z")
}

/// Everything heard until `enough` holds, or for five seconds.
pub(super) fn hear(follower: &mut dyn Follower, enough: impl Fn(&[Notice]) -> bool) -> Vec<Notice> {
    let until = Instant::now() + Duration::from_secs(5);
    let mut heard = Vec::new();
    while !enough(&heard) && Instant::now() < until {
        heard.extend(follower.next(Duration::from_millis(100)));
    }
    heard
}

/// Everything heard up to a change that `store` makes now, which is the last.
pub(super) fn heard_before_the_end(follower: &mut dyn Follower, store: &dyn Store) -> Vec<Notice> {
    let roll_number = uuid::Uuid::new_v4().to_string();
    let student = store.create_student("the end", &roll_number, now()).unwrap().id;
    store.replace_templates(student, &[embedding(9.0)], now()).unwrap();
    let end = Notice::Templates(student);
    let mut heard = hear(follower, |heard| heard.contains(&end));
    assert!(heard.contains(&end), "{heard:?}");
    // Every row of the change tells.
    while let last @ [_, ..] = &follower.next(Duration::from_millis(50))[..] {
        heard.extend_from_slice(last);
    }
    // Whoever follows another store of the database has heard the end that was made for others as well.
    let is_an_end = |id| store.student(id).unwrap().is_some_and(|student| student.name == "the end");
    heard.retain(|notice| !matches!(notice, Notice::Templates(id) if is_an_end(*id)));
    heard
}

pub(super) fn of_enrolments_by_two_stores_each_sees_those_before_it(one: &dyn Store, two: &dyn Store) {
    super::contract::race_for_one_face(&[one, two]);
}

pub(super) fn a_change_of_templates_is_heard_by_everybody(one: &dyn Store, two: &dyn Store) {
    let mut followers = [one.follow().unwrap(), two.follow().unwrap()];
    let student = one.register_student(completed(one, None), "A", "R1", &enrolment(1.0), now()).unwrap().id;
    let told = Notice::Templates(student);
    for follower in &mut followers {
        assert!(hear(&mut **follower, |heard| heard.contains(&told)).contains(&told));
        follower.next(Duration::from_millis(50));
    }
    type Change = fn(&dyn Store, StudentId);
    let changes: [Change; 3] = [
        |store, id| drop(store.replace_templates(id, &[embedding(3.0)], now()).unwrap()),
        |store, id| drop(store.erase_student(id, MarksOfErased::Anonymise, now()).unwrap()),
        |store, id| drop(store.erase_student(id, MarksOfErased::Delete, now()).unwrap()),
    ];
    for change in changes {
        change(one, student);
        for follower in &mut followers {
            let heard = hear(&mut **follower, |heard| heard.contains(&told));
            assert!(heard.contains(&told), "{heard:?}");
            while !follower.next(Duration::from_millis(50)).is_empty() {}
        }
    }
}

pub(super) fn what_is_rolled_back_is_never_heard_of(one: &dyn Store, two: &dyn Store) {
    let mut follower = two.follow().unwrap();
    one.register_student(completed(one, None), "A", "R1", &enrolment(1.0), now()).unwrap();
    // Refused after the student has been written.
    let mixed = Enrolment {
        templates: vec![embedding(1.0), Embedding::from_raw(crate::types::ModelId::new("other"), &[1.0, 2.0]).unwrap()],
        liveness_score: 0.9,
    };
    assert!(one.register_student(completed(one, None), "B", "R2", &mixed, now()).is_err());
    let heard = heard_before_the_end(&mut *follower, one);
    let students: std::collections::BTreeSet<_> =
        heard.iter().filter_map(|n| if let Notice::Templates(id) = n { Some(*id) } else { None }).collect();
    assert_eq!(students.len(), 1, "{heard:?}");
    assert!(!heard.contains(&Notice::Missed));
}

/// Whoever misses the erasure goes on recognizing the erased person, and under the next student's name.
pub(super) fn an_erasure_and_the_next_enrolment_are_heard_after_announcements(one: &dyn Store, two: &dyn Store) {
    let erased = one.register_student(completed(one, None), "A", "R1", &enrolment(1.0), now()).unwrap().id;
    let mut follower = two.follow().unwrap();
    if let Some(cluster) = one.cluster() {
        for _ in 0..10 {
            cluster.announce("A is at the gate").unwrap();
        }
    }
    heard_before_the_end(&mut *follower, one);
    let tells_of = |heard: &[Notice], student| {
        heard.iter().any(|notice| matches!(notice, Notice::Missed) || *notice == Notice::Templates(student))
    };
    one.erase_student(erased, MarksOfErased::Delete, now()).unwrap();
    let heard = hear(&mut *follower, |heard| tells_of(heard, erased));
    assert!(tells_of(&heard, erased), "{heard:?}");
    while !follower.next(Duration::from_millis(50)).is_empty() {}
    let next = one.register_student(completed(one, None), "B", "R2", &enrolment(3.0), now()).unwrap().id;
    let heard = hear(&mut *follower, |heard| tells_of(heard, next));
    assert!(tells_of(&heard, next), "{heard:?}");
}

pub(super) fn a_mark_is_heard_by_the_others_only_and_once(one: &dyn Store, two: &dyn Store) {
    let student = one.create_student("A", "R1", now()).unwrap().id;
    let [mut own, mut other] = [one.follow().unwrap(), two.follow().unwrap()];
    let first = one.mark_attendance(&mark(student, "2026-03-02T08:00:00Z")).unwrap();
    two.mark_attendance(&mark(student, "2026-03-02T09:00:00Z")).unwrap();
    one.mark_attendance(&mark(student, "2026-03-02T10:00:00Z")).unwrap();
    assert_eq!(heard_before_the_end(&mut *other, one), [Notice::Marked(first.record().id)]);
    assert_eq!(heard_before_the_end(&mut *own, two), []);
    let correction = Correction::new(CorrectedStatus::Late, "admin", "bus");
    one.correct_attendance(first.record().id, &correction, now()).unwrap();
    assert_eq!(heard_before_the_end(&mut *other, one), [Notice::AttendanceChanged]);
    one.delete_attendance(first.record().id).unwrap();
    assert_eq!(heard_before_the_end(&mut *other, one), [Notice::AttendanceChanged]);
}
