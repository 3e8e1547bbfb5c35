//! What several servers share on one PostgreSQL database: each test takes two stores that were opened on the same empty
//! one.

use std::thread::sleep;
use std::time::Duration;

use super::super::*;
use super::sharing::{hear, heard_before_the_end};

/// Makes a `#[test]` of every test of the cluster, each on two stores of its own from `$open`, which returns them and
/// what keeps them alive.
macro_rules! cluster_contract {
    ($open:expr) => {
        cluster_contract!(@ $open; an_announcement_reaches_the_others_whole,
            a_camera_is_held_by_one_server,
            a_lapsed_camera_is_taken_over_and_a_renewed_one_is_not,
            what_has_lapsed_is_held_by_nobody,
            what_a_dead_server_leaves_is_shared,
            a_released_camera_is_free_at_once,
            a_camera_that_one_server_reaches_stays_with_it,
            a_recording_that_is_over_is_not_taken_over,
            a_camera_watched_no_longer_is_lost_by_its_holder,
            a_cameras_password_is_not_shown);
    };
    (@ $open:expr; $($name:ident),+) => {
        $(#[test] fn $name() {
            let Some(((one, two), _alive)) = $crate::store::tests::contract::Given::given($open) else { return };
            $crate::store::tests::cluster::$name(&one, &two);
        })+
    };
}
pub(super) use cluster_contract;

fn cluster(store: &dyn Store) -> &dyn Cluster {
    store.cluster().expect("several servers share this database")
}

/// A lease that lasts for a test, and one that lapses in it.
const LONG: Duration = Duration::from_secs(600);

const SHORT: Duration = Duration::from_millis(400);

pub(super) fn an_announcement_reaches_the_others_whole(one: &dyn Store, two: &dyn Store) {
    let [mut own, mut other] = [one.follow().unwrap(), two.follow().unwrap()];
    let long = r#"{"name": "O'Brien 学生 \n"}"#.repeat(1_000);
    for text in ["", "twice", "twice", long.as_str()] {
        cluster(one).announce(text).unwrap();
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
    let [one, two] = [one, two].map(cluster);
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
    let [one, two] = [one, two].map(cluster);
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
    let [one, two] = [one, two].map(cluster);
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
    let [one, two] = [one, two].map(cluster);
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
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let [a, b] = ["a", "b"].map(ServerId::new);
    one.watch_camera(&camera("rtsp://host/1"), &a, LONG).unwrap();
    let mut follower = stores[1].follow().unwrap();
    one.release_cameras(&a).unwrap();
    assert_eq!(heard_before_the_end(&mut *follower, stores[0]), [Notice::CamerasChanged]);
    assert_eq!(two.claim_cameras(&b, &[], LONG).unwrap().len(), 1);
    assert!(one.claim_cameras(&a, &[], LONG).unwrap().is_empty());
}

pub(super) fn a_camera_that_one_server_reaches_stays_with_it(one: &dyn Store, two: &dyn Store) {
    let [one, two] = [one, two].map(cluster);
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
    let [one, two] = [one, two].map(cluster);
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
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let a = ServerId::new("a");
    let (gate, door) = (camera("rtsp://host/1"), camera("rtsp://host/2"));
    one.watch_camera(&gate, &a, LONG).unwrap();
    one.watch_camera(&door, &a, LONG).unwrap();
    let mut follower = stores[0].follow().unwrap();
    assert!(two.unwatch_camera(&gate.key).unwrap());
    assert!(!two.unwatch_camera(&gate.key).unwrap());
    assert_eq!(heard_before_the_end(&mut *follower, stores[1]), [Notice::CamerasChanged]);
    assert_eq!(names(&one.claim_cameras(&a, &[report(&gate, false)], LONG).unwrap()), ["rtsp://host/2"]);
    assert_eq!(two.unwatch_all_cameras().unwrap(), 1);
    assert!(one.claim_cameras(&a, &[], LONG).unwrap().is_empty());
    assert!(one.watched_cameras().unwrap().is_empty());
}

pub(super) fn a_cameras_password_is_not_shown(one: &dyn Store, two: &dyn Store) {
    let [one, two] = [one, two].map(cluster);
    let a = ServerId::new("a");
    let gate = camera("rtsp://host/1");
    one.watch_camera(&gate, &a, LONG).unwrap();
    let shown =
        format!("{gate:?} {:?} {:?}", one.claim_cameras(&a, &[], LONG).unwrap(), two.watched_cameras().unwrap());
    assert!(shown.contains("rtsp://host/1") && !shown.contains("SECRET"), "{shown}");
}
