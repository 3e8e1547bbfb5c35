//! Passwords of cameras encrypted in a SQLite file: what the file shows, conversion there and back, and what happens
//! without the key.

use rusqlite::Connection;

use super::super::*;
use super::contract::at;
use super::files_hold;

const ADDRESS: &str = "rtsp://user:S3CRET@host/1";

fn new(address: &str) -> NewKeptCamera {
    NewKeptCamera {
        group: CameraGroup::Usual,
        only_at: None,
        settings: CameraSettings::at(address),
        reach: CameraReach::Permitted,
        paused: false,
        by: "admin".into(),
        at: at("2026-03-02T08:00:00Z"),
    }
}

fn addresses(store: &dyn Store) -> Vec<Option<String>> {
    store.kept_cameras().unwrap().iter().map(|camera| camera.address.known().map(str::to_owned)).collect()
}

#[test]
fn the_file_holds_no_password_of_a_camera_and_reads_like_a_plain_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let keys = TemplateKeys::new(vec![TemplateKey::generate()]);
    let store = SqliteStore::open_with_keys(&path, keys.clone()).unwrap();
    let gate = store.keep_camera(&new(ADDRESS)).unwrap();
    store.keep_started_camera(&new("http://host/s?token=S3CRET")).unwrap();
    let settings = Some((CameraSettings::at("rtsp://user:S3CRET@host/2"), None, CameraReach::Permitted));
    let change = KeptCameraChange { settings, paused: None, by: "a".into(), at: at("2026-03-02T09:00:00Z") };
    store.change_kept_camera(gate.id, &change).unwrap();
    assert!(!files_hold(folder.path(), b"S3CRET"));
    let forms = store.camera_password_forms().unwrap();
    assert_eq!((forms.plain, forms.sealed.values().sum::<u64>(), forms.broken), (0, 2, 0));
    let again = SqliteStore::open_with_keys(&path, keys).unwrap();
    let expected = ["http://host/s?token=S3CRET", "rtsp://user:S3CRET@host/2"].map(|text| Some(text.to_owned()));
    assert_eq!(addresses(&again), expected);
}

#[test]
fn passwords_are_sealed_with_a_key_that_comes_later_and_with_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).unwrap();
    store.keep_camera(&new(ADDRESS)).unwrap();
    store.keep_camera(&new("0")).unwrap();
    assert!(files_hold(folder.path(), b"S3CRET"), "without a key it is as it was given");
    drop(store);
    let mut keys = TemplateKeys::new(vec![TemplateKey::generate()]);
    let all = [Some("0".to_owned()), Some(ADDRESS.to_owned())];
    for turn in 0..2 {
        let store = SqliteStore::open_with_keys(&path, keys.clone()).unwrap();
        assert_eq!(addresses(&store), all, "it is read before it is sealed anew");
        let done = store.reseal_templates(&mut |_| {}).unwrap();
        assert_eq!((done.changed, done.unchanged), (1, 0), "turn {turn}");
        assert_eq!(store.reseal_templates(&mut |_| {}).unwrap().unchanged, 1);
        assert_eq!(addresses(&store), all);
        let sealed = store.camera_password_forms().unwrap().sealed;
        assert_eq!(sealed.keys().copied().collect::<Vec<_>>(), [keys.sealing_key().unwrap()]);
        drop(store);
        assert!(!files_hold(folder.path(), b"S3CRET"));
        keys = keys.with_first(TemplateKey::generate());
    }
}

#[test]
fn without_the_key_the_camera_is_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let keys = TemplateKeys::new(vec![TemplateKey::generate()]);
    let store = SqliteStore::open_with_keys(&path, keys.clone()).unwrap();
    store.keep_camera(&NewKeptCamera { settings: named("Gate", ADDRESS), ..new("") }).unwrap();
    store.keep_camera(&new("0")).unwrap();
    drop(store);
    let other = TemplateKeys::new(vec![TemplateKey::generate()]);
    for without in [TemplateKeys::none(), other] {
        let store = SqliteStore::open_with_keys(&path, without).unwrap();
        assert_eq!(addresses(&store), [Some("0".to_owned()), None]);
        let KeptAddress::Locked(reason) = &store.kept_cameras().unwrap()[1].address else { panic!("it is read") };
        let id = keys.sealing_key().unwrap().to_string();
        assert!(reason.contains("\"Gate\"") && reason.contains(&id), "{reason}");
        assert!(store.reseal_templates(&mut |_| {}).unwrap_err().to_string().contains("\"Gate\""));
        // Paused, renamed or removed it may be all the same, and its password stays.
        store.pause_cameras(CameraGroup::Usual, None, "a", at("2026-03-02T09:00:00Z")).unwrap();
    }
    let store = SqliteStore::open_with_keys(&path, keys).unwrap();
    assert_eq!(addresses(&store)[1].as_deref(), Some(ADDRESS));
}

#[test]
fn the_file_holds_no_secret_of_a_channel_and_no_copy_of_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let channel = |name: &str| NewAlertChannel {
        name: name.into(),
        settings: AlertChannelSettings::Webhook { url: "https://school.example/hook".into() },
        secret: Some("S3CRET S3CRET S3CRET".into()),
        paused: false,
        by: "admin".into(),
        at: at("2026-03-02T08:00:00Z"),
    };
    let store = SqliteStore::open(&path).unwrap();
    store.keep_alert_channel(None, &channel("Before the key")).unwrap();
    assert!(files_hold(folder.path(), b"S3CRET"), "without a key it is as it was given");
    drop(store);
    let mut keys = TemplateKeys::new(vec![TemplateKey::generate()]);
    for turn in 0..2 {
        let store = SqliteStore::open_with_keys(&path, keys.clone()).unwrap();
        store.keep_alert_channel(None, &channel(&format!("Channel {turn}"))).unwrap();
        assert_eq!(store.reseal_templates(&mut |_| {}).unwrap().damaged, [""; 0]);
        let known = AlertSecret::Known("S3CRET S3CRET S3CRET".into());
        assert!(store.alert_channels().unwrap().iter().all(|channel| channel.secret == known));
        let mut copy = Vec::new();
        store.export(&mut copy, &mut |_| {}).unwrap();
        assert!(!String::from_utf8(copy).unwrap().contains("S3CRET"), "turn {turn}");
        assert!(!files_hold(folder.path(), b"S3CRET"), "turn {turn}");
        drop(store);
        keys = keys.with_first(TemplateKey::generate());
    }
    let store = SqliteStore::open(&path).unwrap();
    let channels = store.alert_channels().unwrap();
    assert!(matches!(&channels[0].secret, AlertSecret::Locked(reason) if reason.contains(&channels[0].name)));
}

fn named(name: &str, address: &str) -> CameraSettings {
    CameraSettings { name: Some(name.into()), ..CameraSettings::at(address) }
}

#[test]
fn a_password_in_another_cameras_place_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let keys = TemplateKeys::new(vec![TemplateKey::generate()]);
    let store = SqliteStore::open_with_keys(&path, keys).unwrap();
    store.keep_camera(&new(ADDRESS)).unwrap();
    store.keep_camera(&new("rtsp://user:OTHER@host/2")).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE cameras SET secret = (SELECT secret FROM cameras WHERE id = 1)")
        .unwrap();
    assert_eq!(addresses(&store), [Some(ADDRESS.to_owned()), None]);
    assert_eq!(store.reseal_templates(&mut |_| {}).unwrap().damaged, [""; 0], "it has the form of this key");
}
