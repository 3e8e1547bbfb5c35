//! The cameras that are kept.

use jiff::ToSpan as _;

use super::super::super::limits;
use super::super::super::*;
use super::{kind, now, race};
use crate::camera::Orientation;
use crate::error::ErrorKind;
use crate::gate::GatePolicy;

const ADDRESS: &str = "rtsp://user:S3CRET@host/1";
const SHOWN: &str = "rtsp://user:***@host/1";

fn new(name: Option<&str>, address: &str) -> NewKeptCamera {
    let settings = CameraSettings { name: name.map(str::to_owned), ..CameraSettings::at(address) };
    NewKeptCamera {
        group: CameraGroup::Usual,
        only_at: None,
        settings,
        reach: CameraReach::Permitted,
        paused: false,
        by: "Ms Rao".into(),
        at: now(),
    }
}

fn change(settings: CameraSettings) -> KeptCameraChange {
    let settings = Some((settings, None, CameraReach::Permitted));
    KeptCameraChange { settings, paused: None, by: "admin".into(), at: now() + 1.hour() }
}

fn names(store: &dyn Store) -> Vec<String> {
    store.kept_cameras().unwrap().into_iter().map(|camera| camera.name).collect()
}

pub(crate) fn a_kept_camera_comes_back_as_it_was_written(store: &dyn Store) {
    let settings = CameraSettings {
        name: Some("Tür 1".into()),
        address: ADDRESS.into(),
        location: Some("Gate".into()),
        turned: Some(Orientation::Clockwise),
        mirror: Some(false),
        gate: Some(GatePolicy::Ask),
    };
    let asked = NewKeptCamera { settings, reach: CameraReach::Anywhere, ..new(None, "") };
    let kept = store.keep_camera(&asked).unwrap();
    assert_eq!((kept.name.as_str(), kept.key.name.as_str(), &kept.key.only_at), ("Tür 1", SHOWN, &None));
    assert_eq!(kept.address.known(), Some(ADDRESS));
    assert_eq!(
        (kept.location.as_deref(), kept.turned, kept.mirror),
        (Some("Gate"), asked.settings.turned, Some(false))
    );
    assert_eq!((kept.gate, kept.reach, kept.paused), (Some(GatePolicy::Ask), CameraReach::Anywhere, false));
    assert_eq!((kept.created_by.as_str(), kept.created_at, kept.changed_at), ("Ms Rao", now(), now()));
    assert_eq!(store.kept_camera(kept.id).unwrap(), Some(kept.clone()));
    assert_eq!(store.kept_cameras().unwrap(), [kept]);
    assert!(!format!("{:?} {asked:?}", store.kept_cameras().unwrap()).contains("S3CRET"));
    assert_eq!(store.kept_camera(99).unwrap(), None);
}

pub(crate) fn a_name_or_an_address_belongs_to_one_camera(store: &dyn Store) {
    store.keep_camera(&new(Some("Gate Süd"), ADDRESS)).unwrap();
    for name in ["gate süd", "GATE  SÜD ", "Gate Su\u{308}d"] {
        assert_eq!(kind(store.keep_camera(&new(Some(name), "1"))), ErrorKind::Conflict, "{name:?}");
    }
    let other_password = new(Some("Door"), "rtsp://user:other@host/1");
    assert_eq!(kind(store.keep_camera(&other_password)), ErrorKind::Conflict);
    let door = store.keep_camera(&new(Some("Door"), "0")).unwrap();
    let renamed = CameraSettings { name: Some("gate SÜD".into()), ..CameraSettings::at("0") };
    assert_eq!(kind(store.change_kept_camera(door.id, &change(renamed))), ErrorKind::Conflict);
    assert_eq!(kind(store.change_kept_camera(door.id, &change(CameraSettings::at(ADDRESS)))), ErrorKind::Conflict);
    // Its own name in another case is nobody else's; a device of another server is another camera.
    let own = CameraSettings { name: Some("DOOR".into()), ..CameraSettings::at("0") };
    store.change_kept_camera(door.id, &change(own)).unwrap();
    store.keep_camera(&NewKeptCamera { only_at: Some("b".into()), ..new(Some("Door b"), "0") }).unwrap();
    assert_eq!(names(store), ["DOOR", "Door b", "Gate Süd"]);
}

pub(crate) fn what_is_no_camera_is_not_kept(store: &dyn Store) {
    let long = "x".repeat(limits::CAMERA_NAME + 1);
    for (name, address) in [
        (Some(""), "0"),
        (Some(" \u{200b}"), "0"),
        (Some("a\nb"), "0"),
        (Some("a\0"), "0"),
        (Some(long.as_str()), "0"),
        (Some("rtsp://user:S3CRET@host/1"), "0"),
        (Some("Gate"), ""),
        (Some("Gate"), "gopher://host/1"),
        (Some("Gate"), "rtsp:///1"),
        (Some("Gate"), "rtsp://host/\n1"),
        (None, "file:///etc/passwd"),
    ] {
        let refused = store.keep_camera(&new(name, address)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{name:?} {address:?}");
        assert!(!refused.to_string().contains("S3CRET"), "{refused}");
    }
    let at_length = NewKeptCamera { settings: CameraSettings::at("0"), ..new(None, "0") };
    let location = Some("x".repeat(limits::CAMERA_LOCATION + 1));
    let too_long = NewKeptCamera { settings: CameraSettings { location, ..at_length.settings.clone() }, ..at_length };
    assert_eq!(kind(store.keep_camera(&too_long)), ErrorKind::InvalidInput);
    assert_eq!(store.kept_cameras().unwrap(), []);
}

pub(crate) fn a_camera_that_is_started_is_kept_with_a_name_of_its_own(store: &dyn Store) {
    let at_gate = |address: &str| {
        let asked = new(None, address);
        NewKeptCamera { settings: CameraSettings { location: Some("Gate".into()), ..asked.settings }, ..asked }
    };
    let first = store.keep_started_camera(&at_gate(ADDRESS)).unwrap();
    let second = store.keep_started_camera(&at_gate("0")).unwrap();
    let third = store.keep_started_camera(&new(None, "1")).unwrap();
    assert_eq!([&*first.name, &*second.name, &*third.name], ["Gate", "Gate (2)", "1"]);
    // Started again it is the same one, also after a pause, and keeps what nobody says anew.
    let name = CameraSettings {
        name: Some("North".into()),
        location: Some("Gate".into()),
        turned: Some(Orientation::HalfTurn),
        ..CameraSettings::at(ADDRESS)
    };
    store.change_kept_camera(first.id, &change(name)).unwrap();
    assert_eq!(store.pause_cameras(CameraGroup::Usual, Some(&first.key), "admin", now()).unwrap(), 1);
    let again = store.keep_started_camera(&new(None, "rtsp://user:new@host/1")).unwrap();
    assert_eq!((again.id, again.name.as_str(), again.paused), (first.id, "North", false));
    assert_eq!(again.address.known(), Some("rtsp://user:new@host/1"));
    assert_eq!((again.location.as_deref(), again.turned), (Some("Gate"), Some(Orientation::HalfTurn)));
    let turned = CameraSettings { turned: Some(Orientation::Upright), ..CameraSettings::at("rtsp://user:new@host/1") };
    let turned = store.keep_started_camera(&NewKeptCamera { settings: turned, ..new(None, "") }).unwrap();
    assert_eq!(turned.turned, Some(Orientation::Upright));
    assert_eq!(store.kept_cameras().unwrap().len(), 3);
}

pub(crate) fn a_laptop_camera_is_another_than_the_device_with_its_number(store: &dyn Store) {
    store.keep_started_camera(&new(None, "0")).unwrap();
    let laptop = NewKeptCamera { group: CameraGroup::Laptop, ..new(None, "0") };
    let laptop = store.keep_started_camera(&laptop).unwrap();
    assert_eq!((laptop.group, laptop.name.as_str()), (CameraGroup::Laptop, "0 (2)"));
    assert_eq!(store.pause_cameras(CameraGroup::Laptop, None, "admin", now()).unwrap(), 1);
    let paused: Vec<_> = store.kept_cameras().unwrap().iter().map(|camera| (camera.group, camera.paused)).collect();
    assert_eq!(paused, [(CameraGroup::Usual, false), (CameraGroup::Laptop, true)]);
}

pub(crate) fn a_kept_camera_is_changed_paused_and_removed(store: &dyn Store) {
    let gate = store.keep_camera(&new(Some("Gate"), ADDRESS)).unwrap();
    let door = store.keep_camera(&new(Some("Door"), "0")).unwrap();
    let settings = CameraSettings { location: Some("South".into()), ..CameraSettings::at("rtsp://host/2") };
    let changed = store.change_kept_camera(gate.id, &change(settings)).unwrap();
    assert_eq!((changed.name.as_str(), changed.key.name.as_str()), ("Gate", "rtsp://host/2"), "no name is no change");
    assert_eq!((changed.created_by.as_str(), changed.changed_by.as_str()), ("Ms Rao", "admin"));
    assert_eq!((changed.created_at, changed.changed_at), (now(), now() + 1.hour()));
    let pause = KeptCameraChange { settings: None, paused: Some(true), by: "a".into(), at: now() + 2.hours() };
    assert!(store.change_kept_camera(door.id, &pause).unwrap().paused);
    assert_eq!(store.pause_cameras(CameraGroup::Usual, None, "b", now()).unwrap(), 1, "one is paused already");
    assert_eq!(kind(store.change_kept_camera(99, &pause)), ErrorKind::NotFound);
    assert_eq!(store.remove_kept_camera(gate.id).unwrap().name, "Gate");
    assert_eq!(kind(store.remove_kept_camera(gate.id)), ErrorKind::NotFound);
    assert_eq!(names(store), ["Door"]);
    let later = store.keep_camera(&new(Some("Gate"), ADDRESS)).unwrap();
    assert!(later.id > door.id && later.id != gate.id, "no id is given twice");
}

pub(crate) fn of_two_cameras_with_one_name_at_once_one_is_kept(store: &dyn Store) {
    let kept = race(4, |number| store.keep_camera(&new(Some("Gate"), &number.to_string())));
    assert_eq!(kept.iter().filter(|kept| kept.is_ok()).count(), 1);
    let started = race(4, |_| store.keep_started_camera(&new(None, ADDRESS)).unwrap().id);
    assert!(started.iter().all(|id| *id == started[0]), "{started:?}");
    assert_eq!(store.kept_cameras().unwrap().len(), 2);
}
