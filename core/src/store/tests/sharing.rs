//! What several servers need of one database: each test takes two stores that were opened on the same empty one.

use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::super::*;
use super::EnrolUnchecked as _;
use super::contract::{at, completed, embedding, enrolment, mark};

/// Makes a `#[test]` of every test of sharing, each on two stores of its own from `$open`, which returns them and what
/// keeps them alive.
macro_rules! sharing_contract {
    ($open:expr) => {
        sharing_contract!(@ $open; of_enrolments_by_two_stores_each_sees_those_before_it,
            a_change_of_templates_is_heard_by_everybody, what_is_rolled_back_is_never_heard_of,
            an_erasure_and_the_next_enrolment_are_heard_after_announcements,
            a_mark_is_heard_by_the_others_only_and_once, an_announcement_reaches_the_others_whole,
            a_camera_is_held_by_one_server, a_lapsed_camera_is_taken_over_and_a_renewed_one_is_not,
            what_has_lapsed_is_held_by_nobody,
            what_a_dead_server_leaves_is_shared, a_released_camera_is_free_at_once,
            a_camera_that_one_server_reaches_stays_with_it, a_recording_that_is_over_is_not_taken_over,
            a_camera_watched_no_longer_is_lost_by_its_holder, a_cameras_password_is_not_shown);
    };
    (@ $open:expr; $($name:ident),+) => {
        $(#[test] fn $name() {
            let Some(((one, two), _alive)) = $crate::store::tests::contract::Given::given($open) else { return };
            $crate::store::tests::sharing::$name(&one, &two);
        })+
    };
}
pub(super) use sharing_contract;

/// A lease that lasts for a test, and one that lapses in it.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(400);

fn now() -> Timestamp {
    at("2026-03-02T08:15:30.25Z")
}

/// Everything heard until `enough` holds, or for five seconds.
fn hear(follower: &mut dyn Follower, enough: impl Fn(&[Notice]) -> bool) -> Vec<Notice> {
    let until = Instant::now() + Duration::from_secs(5);
    let mut heard = Vec::new();
    while !enough(&heard) && Instant::now() < until {
        heard.extend(follower.next(Duration::from_millis(100)));
    }
    heard
}

/// Everything heard up to an announcement of `store`, which is the last.
fn heard_before_the_end(follower: &mut dyn Follower, store: &dyn Store) -> Vec<Notice> {
    let end = Notice::Announced("the end".into());
    store.announce("the end").unwrap();
    let mut heard = hear(follower, |heard| heard.contains(&end));
    assert_eq!(heard.pop(), Some(end), "{heard:?}");
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
    for _ in 0..10 {
        one.announce("A is at the gate").unwrap();
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

pub(super) fn an_announcement_reaches_the_others_whole(one: &dyn Store, two: &dyn Store) {
    let [mut own, mut other] = [one.follow().unwrap(), two.follow().unwrap()];
    let long = r#"{"name": "O'Brien 学生 \n"}"#.repeat(1_000);
    for text in ["", "twice", "twice", long.as_str()] {
        one.announce(text).unwrap();
    }
    let expected = ["", "twice", "twice", long.as_str()].map(|text| Notice::Announced(text.into()));
    assert_eq!(hear(&mut *other, |heard| heard.len() >= 4), expected);
    assert_eq!(heard_before_the_end(&mut *own, two), []);
}

fn camera(name: &str) -> CameraRequest {
    CameraRequest {
        key: CameraKey { name: name.into(), only_at: None },
        address: format!("{name}?password=SECRET"),
        location: Some("Gate".into()),
    }
}

fn report(camera: &CameraRequest, is_over: bool) -> CameraReport {
    CameraReport { key: camera.key.clone(), is_over, text: "going well".into() }
}

fn names(claimed: &[ClaimedCamera]) -> Vec<&str> {
    claimed.iter().map(|camera| camera.request.key.name.as_str()).collect()
}

pub(super) fn a_camera_is_held_by_one_server(one: &dyn Store, two: &dyn Store) {
    let [a, b] = ["a", "b"].map(ServerId::new);
    let gate = camera("rtsp://host/1");
    assert!(one.watch_camera(&gate, &a, LONG).unwrap());
    assert!(!two.watch_camera(&gate, &b, LONG).unwrap(), "it runs already");
    assert!(two.claim_cameras(&b, &[], LONG).unwrap().is_empty());
    assert_eq!(two.claim_cameras(&b, &[report(&gate, false)], LONG).unwrap(), [], "a report is no claim");
    let held = one.claim_cameras(&a, &[report(&gate, false)], LONG).unwrap();
    assert_eq!(held, [ClaimedCamera { request: gate.clone(), is_over: false }]);
    let listed = WatchedCamera {
        key: gate.key.clone(),
        location: Some("Gate".into()),
        server: Some("a".into()),
        report: Some("going well".into()),
    };
    assert_eq!(two.watched_cameras().unwrap(), [listed]);
    // Another password reaches whoever watches.
    let changed = CameraRequest { address: "rtsp://x:y@host/1".into(), ..gate };
    assert!(!two.watch_camera(&changed, &b, LONG).unwrap());
    assert_eq!(one.claim_cameras(&a, &[], LONG).unwrap()[0].request.address, changed.address);
}

pub(super) fn a_lapsed_camera_is_taken_over_and_a_renewed_one_is_not(one: &dyn Store, two: &dyn Store) {
    let [a, b] = ["a", "b"].map(ServerId::new);
    let (renewed, lapsing) = (camera("rtsp://host/1"), camera("rtsp://host/2"));
    for camera in [&renewed, &lapsing] {
        assert!(one.watch_camera(camera, &a, SHORT).unwrap());
    }
    one.claim_cameras(&a, &[report(&renewed, false)], LONG).unwrap();
    sleep(SHORT * 2);
    assert_eq!(two.watched_cameras().unwrap()[1].server, None);
    assert_eq!(names(&two.claim_cameras(&b, &[], LONG).unwrap()), ["rtsp://host/2"]);
    let left = one.claim_cameras(&a, &[report(&renewed, false), report(&lapsing, false)], LONG).unwrap();
    assert_eq!(names(&left), ["rtsp://host/1"], "the old holder learns it");
    // The same machine, started again.
    assert!(one.claim_cameras(&ServerId::new("a"), &[], LONG).unwrap().is_empty());
}

pub(super) fn what_has_lapsed_is_held_by_nobody(one: &dyn Store, two: &dyn Store) {
    let [a, b] = ["a", "b"].map(ServerId::new);
    let [gate, door, yard] = [1, 2, 3].map(|number| camera(&format!("rtsp://host/{number}")));
    for camera in [&gate, &door, &yard] {
        one.watch_camera(camera, &a, SHORT).unwrap();
    }
    sleep(SHORT * 2);
    // It could not renew them in time, and takes some of them again like anybody else.
    let again = one.claim_cameras(&a, &[], LONG).unwrap();
    assert_eq!(names(&again), ["rtsp://host/1", "rtsp://host/2"]);
    assert_eq!(names(&two.claim_cameras(&b, &[], LONG).unwrap()), ["rtsp://host/3"]);
}

pub(super) fn what_a_dead_server_leaves_is_shared(one: &dyn Store, two: &dyn Store) {
    let [dead, b, c] = ["dead", "b", "c"].map(ServerId::new);
    for number in 0..6 {
        one.watch_camera(&camera(&format!("rtsp://host/{number}")), &dead, SHORT).unwrap();
    }
    sleep(SHORT * 2);
    let shares = [(one, &b), (two, &c), (one, &b), (two, &c)]
        .map(|(store, server)| store.claim_cameras(server, &[], LONG).unwrap().len());
    assert_eq!(shares, [3, 2, 4, 2], "half of what is left at every turn");
}

pub(super) fn a_released_camera_is_free_at_once(one: &dyn Store, two: &dyn Store) {
    let [a, b] = ["a", "b"].map(ServerId::new);
    one.watch_camera(&camera("rtsp://host/1"), &a, LONG).unwrap();
    let mut follower = two.follow().unwrap();
    one.release_cameras(&a).unwrap();
    assert_eq!(heard_before_the_end(&mut *follower, one), [Notice::CamerasChanged]);
    assert_eq!(two.claim_cameras(&b, &[], LONG).unwrap().len(), 1);
    assert!(one.claim_cameras(&a, &[], LONG).unwrap().is_empty());
}

pub(super) fn a_camera_that_one_server_reaches_stays_with_it(one: &dyn Store, two: &dyn Store) {
    let [a, b] = ["a", "b"].map(ServerId::new);
    let plugged_in = |at: &ServerId| CameraRequest {
        key: CameraKey { name: "0".into(), only_at: Some(at.name.clone()) },
        address: "0".into(),
        location: None,
    };
    assert!(one.watch_camera(&plugged_in(&a), &a, SHORT).unwrap());
    assert!(two.watch_camera(&plugged_in(&b), &b, LONG).unwrap(), "that is another camera");
    sleep(SHORT * 2);
    assert_eq!(two.claim_cameras(&b, &[], LONG).unwrap(), [ClaimedCamera { request: plugged_in(&b), is_over: false }]);
    let again = ServerId::new("a");
    assert_eq!(one.claim_cameras(&again, &[], LONG).unwrap()[0].request, plugged_in(&a), "a was started again");
    one.release_cameras(&again).unwrap();
    let left: Vec<_> = two.watched_cameras().unwrap().into_iter().map(|camera| camera.key.only_at).collect();
    assert_eq!(left, [Some("b".to_owned())]);
}

pub(super) fn a_recording_that_is_over_is_not_taken_over(one: &dyn Store, two: &dyn Store) {
    let [a, b] = ["a", "b"].map(ServerId::new);
    let clip = camera("clip.avi");
    one.watch_camera(&clip, &a, LONG).unwrap();
    assert!(one.claim_cameras(&a, &[report(&clip, true)], SHORT).unwrap()[0].is_over);
    sleep(SHORT * 2);
    assert!(two.claim_cameras(&b, &[], LONG).unwrap().is_empty());
    assert_eq!(two.watched_cameras().unwrap().len(), 1, "it is still listed");
    assert!(two.watch_camera(&clip, &b, LONG).unwrap(), "until somebody starts it again");
    assert_eq!(two.claim_cameras(&b, &[], LONG).unwrap(), [ClaimedCamera { request: clip, is_over: false }]);
}

pub(super) fn a_camera_watched_no_longer_is_lost_by_its_holder(one: &dyn Store, two: &dyn Store) {
    let a = ServerId::new("a");
    let (gate, door) = (camera("rtsp://host/1"), camera("rtsp://host/2"));
    one.watch_camera(&gate, &a, LONG).unwrap();
    one.watch_camera(&door, &a, LONG).unwrap();
    let mut follower = one.follow().unwrap();
    assert!(two.unwatch_camera(&gate.key).unwrap());
    assert!(!two.unwatch_camera(&gate.key).unwrap());
    assert_eq!(heard_before_the_end(&mut *follower, two), [Notice::CamerasChanged]);
    assert_eq!(names(&one.claim_cameras(&a, &[report(&gate, false)], LONG).unwrap()), ["rtsp://host/2"]);
    assert_eq!(two.unwatch_all_cameras().unwrap(), 1);
    assert!(one.claim_cameras(&a, &[], LONG).unwrap().is_empty());
    assert!(one.watched_cameras().unwrap().is_empty());
}

pub(super) fn a_cameras_password_is_not_shown(one: &dyn Store, two: &dyn Store) {
    let a = ServerId::new("a");
    let gate = camera("rtsp://host/1");
    one.watch_camera(&gate, &a, LONG).unwrap();
    let shown =
        format!("{gate:?} {:?} {:?}", one.claim_cameras(&a, &[], LONG).unwrap(), two.watched_cameras().unwrap());
    assert!(shown.contains("rtsp://host/1") && !shown.contains("SECRET"), "{shown}");
}
