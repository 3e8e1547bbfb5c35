//! Two records of one person: who may merge them, and what is told of them before.

use super::*;
use crate::attendance::Marking;
use crate::store::MergedFace;

const ADMIN: Actor<'static> = Actor::named("head-office").replacing_unlike_faces(true);

fn register(registry: &Registry, person: usize, roll: &str) -> StudentId {
    let session = completed(registry, person, None).session.id();
    registry.register(session, roll, roll, OPERATOR, now()).unwrap().into_enrolled().unwrap().student.id
}

#[test]
fn an_operator_merges_records_of_one_face_and_not_of_two() {
    let (registry, _folder) = alone(DuplicatePolicy::Warn);
    let [first, again, other] = [(0, "R1"), (0, "R1-copy"), (1, "R2")].map(|(p, roll)| register(&registry, p, roll));
    let bare = registry.store.create_student("Bare", "R3", now()).unwrap().id;
    for unlike in [other, bare] {
        let merge = Merge::into(first, unlike);
        assert_eq!(registry.merge(merge, OPERATOR, now()).unwrap(), MergeOutcome::Unlike);
        assert!(registry.store.student(unlike).unwrap().is_some());
    }
    let MergeOutcome::Merged(merged) = registry.merge(Merge::into(first, again), OPERATOR, now()).unwrap() else {
        panic!("one face");
    };
    assert_eq!((merged.student.id, merged.erasure.student.id, merged.took_face), (first, again, false));
    // Who may replace a face by an unlike one may merge unlike records.
    let merge = Merge::into(first, other).with_face(MergedFace::Other);
    let MergeOutcome::Merged(merged) = registry.merge(merge, ADMIN, now()).unwrap() else { panic!("an admin") };
    assert!(merged.took_face);
    assert_eq!(registry.merge(Merge::into(first, again), ADMIN, now()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(registry.merge(Merge::into(first, first), ADMIN, now()).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn gallery_and_marker_follow_a_merge() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(&folder.path().join("a.db"));
    let marker = Arc::new(Marker::new(Arc::clone(&store), AttendancePolicy::in_time_zone("UTC").unwrap()));
    let gallery = gallery();
    let registry = Registry::new(Arc::clone(&store))
        .with_gallery(Arc::clone(&gallery), DuplicatePolicy::Warn)
        .with_marker(Arc::clone(&marker));
    let [kept, other] = [register(&registry, 0, "R1"), register(&registry, 1, "R2")];
    let mark = |student| marker.mark(student, Similarity::new(0.9), None, now());
    let row = mark(other).unwrap().record().id;
    registry.merge(Merge::into(kept, other).with_face(MergedFace::Other), ADMIN, now()).unwrap();
    assert!(!gallery.contains(other) && gallery.contains(kept));
    let face = view(1, Position::Center).embedding.unwrap();
    assert_eq!(gallery.search(&face, 1).unwrap()[0].student, kept, "the face that was chosen");
    // The mark that came with the other record stands.
    assert!(matches!(mark(kept).unwrap(), Marking::AlreadyMarked(record) if record.id == row));
    assert_eq!(mark(other).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn people_who_look_alike_are_told_until_they_are_merged() {
    let (registry, _folder) = alone(DuplicatePolicy::Allow);
    assert_eq!(registry.look_alikes().as_deref(), Some(&[][..]));
    let [first, other, again] = [(0, "R1"), (1, "R2"), (0, "R1-copy")].map(|(p, roll)| register(&registry, p, roll));
    let pairs = registry.look_alikes().unwrap();
    let told: Vec<_> = pairs.iter().map(|pair| (pair.earlier, pair.later)).collect();
    assert_eq!(told, [(first, again)]);
    assert!(pairs[0].similarity.value() > 0.99);
    let seen =
        |person| registry.faces.as_ref().unwrap().gallery.search(&view(person, Position::Center).embedding.unwrap(), 1);
    assert_eq!(seen(1).unwrap()[0].student, other);
    registry.merge(Merge::into(first, again), OPERATOR, now()).unwrap();
    assert_eq!(registry.look_alikes().as_deref(), Some(&[][..]));
    assert!(Registry::new(Arc::clone(&registry.store)).look_alikes().is_none(), "no gallery, nobody to compare");
}
