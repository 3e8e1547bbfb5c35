//! The cameras of a PostgreSQL database that is older than their list.

use super::super::*;
use super::postgres::empty;

#[test]
fn what_servers_shared_before_is_kept_and_its_password_is_no_longer_shared() {
    let Some((store, schema)) = empty() else { return };
    drop(store);
    schema
        .client()
        .batch_execute(
            "DROP TABLE cameras; DELETE FROM schema_migrations WHERE version >= 13;
             INSERT INTO watched_cameras (name, place, address, location, is_over) VALUES
                 ('rtsp://user:***@host/1', '', 'rtsp://user:S3CRET@host/1', 'Gate', FALSE),
                 ('0', 'b', '0', NULL, FALSE)",
        )
        .unwrap();
    let store = schema.store();
    let kept = store.kept_cameras().unwrap();
    let shown: Vec<_> = kept.iter().map(|camera| (camera.name.as_str(), camera.address.known().unwrap())).collect();
    assert_eq!(shown, [("0 at b", "0"), ("rtsp://user:***@host/1", "rtsp://user:S3CRET@host/1")]);
    assert_eq!((kept[0].key.only_at.as_deref(), kept[1].location.as_deref()), (Some("b"), Some("Gate")));
    let shared: i64 =
        schema.client().query_one("SELECT count(*) FROM watched_cameras WHERE address <> ''", &[]).unwrap().get(0);
    assert_eq!(shared, 0);
    let b = ServerId::new("b");
    let held = || store.claim_cameras(&b, &[], std::time::Duration::from_secs(600), usize::MAX).unwrap().len();
    let [.., held] = [held(), held(), held()];
    assert_eq!(held, 2, "both are watched again");
}
