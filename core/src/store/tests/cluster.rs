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
            who_is_asked_watches_it_however_fast_the_others_are,
            a_lapsed_camera_is_taken_over_and_a_renewed_one_is_not,
            what_has_lapsed_is_held_by_nobody,
            what_a_dead_server_leaves_is_shared,
            a_server_takes_no_more_than_it_has_room_for,
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

/// A camera that somebody has watched.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    key: CameraKey,
    address: String,
    location: Option<String>,
}

fn camera(host: &str) -> Asked {
    let address = host.replacen("://", "://user:SECRET@", 1);
    let key = CameraKey { name: crate::camera::redacted(&address), only_at: None };
    Asked { key, address, location: Some("Gate".into()) }
}

fn watch(store: &dyn Store, asked: &Asked, by: &ServerId, lease: Duration) -> bool {
    let settings = CameraSettings { location: asked.location.clone(), ..CameraSettings::at(&asked.address) };
    let new = NewKeptCamera {
        group: CameraGroup::Usual,
        only_at: asked.key.only_at.clone(),
        settings,
        reach: CameraReach::Permitted,
        paused: false,
        by: "admin".into(),
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    cluster(store).keep_watched_camera(&new, by, lease).unwrap().1
}

fn report(camera: &Asked, is_over: bool) -> CameraReport {
    CameraReport { key: camera.key.clone(), is_over, text: "going well".into() }
}

/// What was claimed, and whether it is over.
fn claims(claimed: &[ClaimedCamera]) -> Vec<(Asked, bool)> {
    let asked = |camera: &KeptCamera| Asked {
        key: camera.key.clone(),
        address: camera.address.known().unwrap().to_owned(),
        location: camera.location.clone(),
    };
    claimed.iter().map(|claimed| (asked(&claimed.camera), claimed.is_over)).collect()
}

fn names(claimed: &[ClaimedCamera]) -> Vec<String> {
    claimed.iter().map(|claimed| claimed.camera.key.name.replacen("user:***@", "", 1)).collect()
}

pub(super) fn a_camera_is_held_by_one_server(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let [a, b] = ["a", "b"].map(ServerId::new);
    let gate = camera("rtsp://host/1");
    assert!(watch(stores[0], &gate, &a, LONG));
    assert!(!watch(stores[1], &gate, &b, LONG), "it runs already");
    assert!(two.claim_cameras(&b, &[], LONG, usize::MAX).unwrap().is_empty());
    assert_eq!(two.claim_cameras(&b, &[report(&gate, false)], LONG, usize::MAX).unwrap(), [], "a report is no claim");
    let held = one.claim_cameras(&a, &[report(&gate, false)], LONG, usize::MAX).unwrap();
    assert_eq!(claims(&held), [(gate.clone(), false)]);
    let listed = WatchedCamera {
        key: gate.key.clone(),
        location: Some("Gate".into()),
        server: Some("a".into()),
        report: Some("going well".into()),
    };
    assert_eq!(two.watched_cameras().unwrap(), [listed]);
    // Another password reaches whoever watches.
    let changed = Asked { address: "rtsp://user:y@host/1".into(), ..gate };
    assert!(!watch(stores[1], &changed, &b, LONG));
    assert_eq!(claims(&one.claim_cameras(&a, &[], LONG, usize::MAX).unwrap())[0].0.address, changed.address);
}

pub(super) fn who_is_asked_watches_it_however_fast_the_others_are(one: &dyn Store, two: &dyn Store) {
    let [a, b] = ["a", "b"].map(ServerId::new);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                assert_eq!(cluster(two).claim_cameras(&b, &[], LONG, usize::MAX).unwrap(), []);
            }
        });
        let held: Vec<_> = (0..20).map(|at| watch(one, &camera(&format!("rtsp://host/{at}")), &a, LONG)).collect();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(held, [true; 20]);
    });
}

pub(super) fn a_lapsed_camera_is_taken_over_and_a_renewed_one_is_not(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let [a, b] = ["a", "b"].map(ServerId::new);
    let (renewed, lapsing) = (camera("rtsp://host/1"), camera("rtsp://host/2"));
    for camera in [&renewed, &lapsing] {
        assert!(watch(stores[0], camera, &a, SHORT));
    }
    one.claim_cameras(&a, &[report(&renewed, false)], LONG, usize::MAX).unwrap();
    sleep(SHORT * 2);
    assert_eq!(two.watched_cameras().unwrap()[1].server, None);
    assert_eq!(names(&two.claim_cameras(&b, &[], LONG, usize::MAX).unwrap()), ["rtsp://host/2"]);
    let left = one.claim_cameras(&a, &[report(&renewed, false), report(&lapsing, false)], LONG, usize::MAX).unwrap();
    assert_eq!(names(&left), ["rtsp://host/1"], "the old holder learns it");
    // The same machine, started again.
    assert!(one.claim_cameras(&ServerId::new("a"), &[], LONG, usize::MAX).unwrap().is_empty());
}

pub(super) fn what_has_lapsed_is_held_by_nobody(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let [a, b] = ["a", "b"].map(ServerId::new);
    let [gate, door, yard] = [1, 2, 3].map(|number| camera(&format!("rtsp://host/{number}")));
    for camera in [&gate, &door, &yard] {
        watch(stores[0], camera, &a, SHORT);
    }
    sleep(SHORT * 2);
    // It could not renew them in time, and takes some of them again like anybody else.
    let again = one.claim_cameras(&a, &[], LONG, usize::MAX).unwrap();
    assert_eq!(names(&again), ["rtsp://host/1", "rtsp://host/2"]);
    assert_eq!(names(&two.claim_cameras(&b, &[], LONG, usize::MAX).unwrap()), ["rtsp://host/3"]);
}

pub(super) fn what_a_dead_server_leaves_is_shared(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let [dead, b, c] = ["dead", "b", "c"].map(ServerId::new);
    for number in 0..6 {
        watch(stores[0], &camera(&format!("rtsp://host/{number}")), &dead, SHORT);
    }
    sleep(SHORT * 2);
    let shares = [(one, &b), (two, &c), (one, &b), (two, &c)]
        .map(|(store, server)| store.claim_cameras(server, &[], LONG, usize::MAX).unwrap().len());
    assert_eq!(shares, [3, 2, 4, 2], "half of what is left at every turn");
}

pub(super) fn a_server_takes_no_more_than_it_has_room_for(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let [dead, b, c] = ["dead", "b", "c"].map(ServerId::new);
    let cameras: Vec<Asked> = (0..8).map(|number| camera(&format!("rtsp://host/{number}"))).collect();
    for camera in &cameras {
        watch(stores[0], camera, &dead, SHORT);
    }
    sleep(SHORT * 2);
    let held = |store: &dyn Cluster, server, most| store.claim_cameras(server, &[], LONG, most).unwrap().len();
    assert_eq!((held(one, &b, 0), held(one, &b, 3)), (0, 3));
    assert_eq!(held(one, &b, 3), 3, "it has as many as it may, also at the next turn");
    assert_eq!(held(two, &c, 100), 3, "half of what is left");
    assert_eq!(held(one, &b, 1), 3, "what it holds is its own, also where it may take no more");
    let over = [report(&cameras[0], true)];
    assert_eq!(one.claim_cameras(&b, &over, LONG, 3).unwrap().len(), 4, "one that is over takes no room");
}

pub(super) fn a_released_camera_is_free_at_once(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let [a, b] = ["a", "b"].map(ServerId::new);
    watch(stores[0], &camera("rtsp://host/1"), &a, LONG);
    let mut follower = stores[1].follow().unwrap();
    one.release_cameras(&a).unwrap();
    assert_eq!(heard_before_the_end(&mut *follower, stores[0]), [Notice::CamerasChanged]);
    assert_eq!(two.claim_cameras(&b, &[], LONG, usize::MAX).unwrap().len(), 1);
    assert!(one.claim_cameras(&a, &[], LONG, usize::MAX).unwrap().is_empty());
}

pub(super) fn a_camera_that_one_server_reaches_stays_with_it(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let [a, b] = ["a", "b"].map(ServerId::new);
    let plugged_in = |at: &ServerId| Asked {
        key: CameraKey { name: "0".into(), only_at: Some(at.name.clone()) },
        address: "0".into(),
        location: None,
    };
    assert!(watch(stores[0], &plugged_in(&a), &a, SHORT));
    assert!(watch(stores[1], &plugged_in(&b), &b, LONG), "that is another camera");
    sleep(SHORT * 2);
    assert_eq!(claims(&two.claim_cameras(&b, &[], LONG, usize::MAX).unwrap()), [(plugged_in(&b), false)]);
    let again = ServerId::new("a");
    let again_held = claims(&one.claim_cameras(&again, &[], LONG, usize::MAX).unwrap());
    assert_eq!(again_held[0].0, plugged_in(&a), "a was started again");
    one.release_cameras(&again).unwrap();
    let left: Vec<_> = two.watched_cameras().unwrap().into_iter().map(|camera| camera.key.only_at).collect();
    assert_eq!(left, [Some("b".to_owned())]);
    // It is kept, and watched again whenever its server is started.
    assert_eq!(stores[0].kept_cameras().unwrap().len(), 2);
    let later = ServerId::new("a");
    assert_eq!(claims(&one.claim_cameras(&later, &[], LONG, usize::MAX).unwrap()), [(plugged_in(&a), false)]);
}

pub(super) fn a_recording_that_is_over_is_not_taken_over(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let [a, b] = ["a", "b"].map(ServerId::new);
    let clip = camera("clip.avi");
    watch(stores[0], &clip, &a, LONG);
    assert!(one.claim_cameras(&a, &[report(&clip, true)], SHORT, usize::MAX).unwrap()[0].is_over);
    sleep(SHORT * 2);
    assert!(two.claim_cameras(&b, &[], LONG, usize::MAX).unwrap().is_empty());
    assert_eq!(two.watched_cameras().unwrap().len(), 1, "it is still listed");
    assert!(watch(stores[1], &clip, &b, LONG), "until somebody starts it again");
    assert_eq!(claims(&two.claim_cameras(&b, &[], LONG, usize::MAX).unwrap()), [(clip, false)]);
}

pub(super) fn a_camera_watched_no_longer_is_lost_by_its_holder(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let one = cluster(stores[0]);
    let a = ServerId::new("a");
    let (gate, door) = (camera("rtsp://host/1"), camera("rtsp://host/2"));
    watch(stores[0], &gate, &a, LONG);
    watch(stores[0], &door, &a, LONG);
    let mut follower = stores[0].follow().unwrap();
    let pause = |key| stores[1].pause_cameras(CameraGroup::Usual, key, "admin", jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(pause(Some(&gate.key)), 1);
    assert_eq!(pause(Some(&gate.key)), 0);
    assert_eq!(heard_before_the_end(&mut *follower, stores[1]), [Notice::CamerasChanged]);
    assert_eq!(names(&one.claim_cameras(&a, &[report(&gate, false)], LONG, usize::MAX).unwrap()), ["rtsp://host/2"]);
    assert_eq!(pause(None), 1);
    assert!(one.claim_cameras(&a, &[], LONG, usize::MAX).unwrap().is_empty());
    assert!(one.watched_cameras().unwrap().is_empty());
}

pub(super) fn a_cameras_password_is_not_shown(one: &dyn Store, two: &dyn Store) {
    let stores = [one, two];
    let [one, two] = stores.map(cluster);
    let a = ServerId::new("a");
    let gate = camera("rtsp://host/1");
    watch(stores[0], &gate, &a, LONG);
    let shown = format!(
        "{:?} {:?} {:?}",
        CameraSettings::at(&gate.address),
        one.claim_cameras(&a, &[], LONG, usize::MAX).unwrap(),
        two.watched_cameras().unwrap()
    );
    assert!(shown.contains("rtsp://user:***@host/1") && !shown.contains("SECRET"), "{shown}");
}
