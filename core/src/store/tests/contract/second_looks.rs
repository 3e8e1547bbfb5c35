//! The second-look list.

use jiff::ToSpan as _;

use super::super::super::limits;
use super::super::super::*;
use super::{at, kind, mark, now, race};
use crate::error::ErrorKind;
use crate::types::StudentId;

fn look(student: StudentId, when: &str) -> NewSecondLook {
    NewSecondLook {
        sighting: mark(student, when),
        verdict: SecondLookVerdict::Undecided,
        reasons: vec!["few_views".into(), "passive_low".into()],
    }
}

fn added(store: &dyn Store, new: &NewSecondLook) -> SecondLook {
    match store.add_second_look(new).unwrap() {
        SecondLooking::Added(look) => look,
        other => panic!("it is not new: {other:?}"),
    }
}

fn decision(answer: SecondLookAnswer) -> SecondLookDecision {
    SecondLookDecision::new(answer, "Ms Rao", now() + 3.hours())
}

fn all(store: &dyn Store) -> Vec<SecondLook> {
    store.second_looks(&SecondLookFilter::default(), Page::ALL).unwrap().items
}

fn marks(store: &dyn Store) -> Vec<AttendanceRecord> {
    store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items
}

pub(crate) fn a_sighting_is_on_the_second_look_list_once(store: &dyn Store) {
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    let new = look(student, "2026-03-02T08:15:30.25Z");
    let first = added(store, &new);
    assert_eq!((first.student_name.as_str(), first.student_roll_number.as_str()), ("Asha", "R1"));
    assert_eq!((&first.sighting, first.verdict, &first.reasons), (&new.sighting, new.verdict, &new.reasons));
    assert_eq!((first.state, &first.decided_by, first.decided_at), (SecondLookState::Open, &None, None));
    let later = look(student, "2026-03-02T09:00:00Z");
    assert_eq!(store.add_second_look(&later).unwrap(), SecondLooking::AlreadyOpen(first.clone()));
    // Signs of a photograph do not stand in the way of somebody who was only seen too shortly.
    let spoof = NewSecondLook { verdict: SecondLookVerdict::Spoof, reasons: vec![], ..later.clone() };
    assert_eq!(added(store, &spoof).reasons, [""; 0]);
    let bare = NewAttendance { confidence_score: None, camera_location: None, ..later.sighting.clone() };
    let lesson = NewAttendance { period: "lesson 2".into(), status: AttendanceStatus::Late, ..bare };
    let lesson = added(store, &NewSecondLook { sighting: lesson, ..later });
    assert_eq!((lesson.sighting.status, lesson.sighting.camera_location), (AttendanceStatus::Late, None));
    added(store, &look(student, "2026-03-03T08:00:00Z"));
    assert_eq!(store.open_second_looks().unwrap(), 4);
    assert_eq!(store.second_look(first.id).unwrap(), Some(first));
    assert_eq!(kind(store.add_second_look(&look(StudentId(999), "2026-03-02T08:00:00Z"))), ErrorKind::NotFound);

    let marked = store.mark_attendance(&mark(student, "2026-03-04T08:00:00Z")).unwrap().record().clone();
    let seen_again = store.add_second_look(&look(student, "2026-03-04T08:00:09Z")).unwrap();
    assert_eq!(seen_again, SecondLooking::AlreadyMarked(marked));
    assert_eq!(store.open_second_looks().unwrap(), 4);
}

pub(crate) fn a_confirmed_sighting_is_a_mark_of_its_own_time(store: &dyn Store) {
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    let late = NewAttendance { status: AttendanceStatus::Late, ..mark(student, "2026-03-02T08:15:30.25Z") };
    let new = NewSecondLook { sighting: late.clone(), ..look(student, "2026-03-02T08:15:30.25Z") };
    let open = added(store, &new);
    let spoof = NewSecondLook { verdict: SecondLookVerdict::Spoof, ..new };
    let other = added(store, &spoof);
    let decided = store.decide_second_look(open.id, &decision(SecondLookAnswer::Confirm)).unwrap();
    let Some(Marking::Marked(row)) = decided.marking else { panic!("{decided:?}") };
    assert_eq!((row.student, row.timestamp, row.status.as_str()), (student, late.at, "Late"));
    assert_eq!((row.local_day, row.confidence_score), (Some(late.day.date), late.confidence_score));
    assert_eq!(row.camera_location, late.camera_location);
    assert_eq!(marks(store), [row]);
    assert!(matches!(store.mark_attendance(&late).unwrap(), Marking::AlreadyMarked(_)), "the period is the sighting's");
    let closed = decided.look;
    assert_eq!((closed.state, closed.decided_by.as_deref()), (SecondLookState::Confirmed, Some("Ms Rao")));
    assert_eq!(closed.decided_at, Some(now() + 3.hours()));
    assert_eq!(store.second_look(open.id).unwrap(), Some(closed));
    // The other entry of the same day and period needs no decision any more.
    let other = store.second_look(other.id).unwrap().unwrap();
    assert_eq!((other.state, other.decided_by, other.decided_at), (SecondLookState::Settled, None, Some(late.at)));
}

pub(crate) fn after_a_refusal_a_later_sighting_is_listed(store: &dyn Store) {
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    let photograph = added(store, &look(student, "2026-03-02T08:00:00Z"));
    let refused = store.decide_second_look(photograph.id, &decision(SecondLookAnswer::Refuse)).unwrap();
    assert_eq!((refused.look.state, refused.marking), (SecondLookState::Refused, None));
    assert_eq!(marks(store), []);
    assert_eq!(store.open_second_looks().unwrap(), 0);
    let real = added(store, &look(student, "2026-03-02T08:10:00Z"));
    store.decide_second_look(real.id, &decision(SecondLookAnswer::Confirm)).unwrap();
    assert_eq!(marks(store)[0].timestamp, at("2026-03-02T08:10:00Z"));
}

pub(crate) fn a_second_look_is_decided_once(store: &dyn Store) {
    use SecondLookAnswer::{Confirm, Refuse};
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    assert_eq!(kind(store.decide_second_look(7, &decision(Confirm))), ErrorKind::NotFound);
    let open = added(store, &look(student, "2026-03-02T08:00:00Z"));
    let nobody = SecondLookDecision::new(Confirm, " ", now());
    assert_eq!(kind(store.decide_second_look(open.id, &nobody)), ErrorKind::InvalidInput);
    store.decide_second_look(open.id, &decision(Refuse)).unwrap();
    let before = all(store);
    for answer in [Confirm, Refuse] {
        let error = store.decide_second_look(open.id, &decision(answer)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        assert!(error.to_string().contains("refused already, by Ms Rao"), "{error}");
    }
    assert_eq!((all(store), marks(store)), (before, vec![]), "nothing has changed");
}

pub(crate) fn a_mark_settles_the_sightings_of_its_day_and_period(store: &dyn Store) {
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    let other = store.create_student("Ben", "R2", now()).unwrap().id;
    // Marks that were deleted: the next row's id is not the next number.
    for _ in 0..2 {
        let row = store.mark_attendance(&mark(student, "2026-03-02T07:00:00Z")).unwrap().record().id;
        store.delete_attendance(row).unwrap();
    }
    let sightings = [(student, "2026-03-02T08:00:00Z"), (other, "2026-03-02T08:00:00Z")];
    let [settled, of_other] = sightings.map(|(student, when)| added(store, &look(student, when)).id);
    let tomorrow = added(store, &look(student, "2026-03-03T08:00:00Z")).id;
    let lesson = NewAttendance { period: "lesson 2".into(), ..mark(student, "2026-03-02T08:00:00Z") };
    let lesson = added(store, &NewSecondLook { sighting: lesson, ..look(student, "2026-03-02T08:00:00Z") }).id;
    store.mark_attendance(&mark(student, "2026-03-02T10:00:00Z")).unwrap();
    let state = |id: i64| store.second_look(id).unwrap().unwrap().state;
    assert_eq!(state(settled), SecondLookState::Settled);
    assert_eq!(store.second_look(settled).unwrap().unwrap().decided_at, Some(at("2026-03-02T10:00:00Z")));
    for open in [of_other, tomorrow, lesson] {
        assert_eq!(state(open), SecondLookState::Open);
    }
    let error = store.decide_second_look(settled, &decision(SecondLookAnswer::Confirm)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.to_string().contains("settled"), "{error}");
    assert_eq!(marks(store).len(), 1);
}

pub(crate) fn of_decisions_at_once_one_counts(store: &dyn Store) {
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    let open = added(store, &look(student, "2026-03-02T08:00:00Z")).id;
    let counted = race(4, |n| {
        let answer = if n % 2 == 0 { SecondLookAnswer::Confirm } else { SecondLookAnswer::Refuse };
        match store.decide_second_look(open, &decision(answer)) {
            Ok(decided) => Some(decided.look.state),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::State);
                None
            }
        }
    });
    let [counted] = counted.into_iter().flatten().collect::<Vec<_>>()[..] else { panic!("not one") };
    assert_eq!(marks(store).len(), usize::from(counted == SecondLookState::Confirmed));
}

pub(crate) fn of_a_mark_and_a_sighting_at_once_none_stays_open(store: &dyn Store) {
    for n in 0..20 {
        let student = store.create_student("A", &format!("R{n}"), now()).unwrap().id;
        race(2, |thread| match thread {
            0 => drop(store.mark_attendance(&mark(student, "2026-03-02T08:00:00Z")).unwrap()),
            _ => drop(store.add_second_look(&look(student, "2026-03-02T08:00:00Z")).unwrap()),
        });
        assert_eq!(store.open_second_looks().unwrap(), 0, "turn {n}");
    }
}

pub(crate) fn second_looks_are_filtered_and_newest_first(store: &dyn Store) {
    let [a, b] = ["R1", "R2"].map(|roll| store.create_student("A", roll, now()).unwrap().id);
    let ids: Vec<i64> = [
        (a, "2026-03-01T08:00:00Z"),
        (b, "2026-03-03T08:00:00Z"),
        (a, "2026-03-02T23:59:59.999999Z"),
        (b, "2026-03-02T07:00:00Z"),
    ]
    .map(|(student, when)| added(store, &look(student, when)).id)
    .into();
    store.decide_second_look(ids[1], &decision(SecondLookAnswer::Refuse)).unwrap();
    let listed = |filter: SecondLookFilter, page| {
        let listed = store.second_looks(&filter, page).unwrap();
        (listed.items.iter().map(|look| look.id).collect::<Vec<_>>(), listed.total)
    };
    let every = SecondLookFilter::default();
    assert_eq!(listed(every, Page::ALL), (vec![ids[1], ids[2], ids[3], ids[0]], 4));
    assert_eq!(listed(every, Page { skip: 1, limit: 2 }), (vec![ids[2], ids[3]], 4));
    assert_eq!(listed(SecondLookFilter::open(), Page::ALL), (vec![ids[2], ids[3], ids[0]], 3));
    let day = Some("2026-03-02".parse().unwrap());
    assert_eq!(listed(SecondLookFilter { day, ..every }, Page::ALL).0, [ids[2], ids[3]]);
    let of_b = SecondLookFilter { student: Some(b), day, ..SecondLookFilter::open() };
    assert_eq!(listed(of_b, Page::ALL), (vec![ids[3]], 1));
    let refused = SecondLookFilter { state: Some(SecondLookState::Refused), ..every };
    assert_eq!(listed(refused, Page::ALL).0, [ids[1]]);
    assert_eq!(store.open_second_looks().unwrap(), 3);
    assert_eq!(store.second_look(ids[3] + 1).unwrap(), None);
}

pub(crate) fn second_looks_go_with_their_student_and_with_time(store: &dyn Store) {
    let mut last = 0;
    for marks in [MarksOfErased::Delete, MarksOfErased::Anonymise] {
        let [gone, stays] =
            ["gone", "stays"].map(|roll| store.create_student("A", &format!("{roll} {marks:?}"), now()).unwrap().id);
        let [of_gone, kept] = [gone, stays].map(|student| added(store, &look(student, "2026-03-02T08:00:00Z")).id);
        assert!(of_gone > last && kept > of_gone, "no id is given twice: a decision names it");
        last = kept;
        assert_eq!(store.erase_student(gone, marks, now()).unwrap().second_looks, 1);
        assert_eq!(all(store).iter().map(|look| look.id).collect::<Vec<_>>(), [kept]);
        let early = Retention { attendance_before: Some(at("2026-03-02T08:00:00Z")), ..Retention::default() };
        assert_eq!(store.retire(&early).unwrap().second_looks, 0, "nothing is older than this moment");
        let late = Retention { attendance_before: Some(at("2026-03-02T08:00:01Z")), ..Retention::default() };
        let retired = store.retire(&late).unwrap();
        assert_eq!((retired.second_looks, retired.total()), (1, 1));
        assert_eq!(all(store), []);
    }
}

pub(crate) fn a_second_look_with_a_text_that_does_not_fit_is_refused(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap().id;
    let good = look(student, "2026-03-02T08:00:00Z");
    let with = |reasons: &[&str]| NewSecondLook {
        reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        ..good.clone()
    };
    let longest = "x".repeat(limits::SECOND_LOOK_REASON);
    let too_long = format!("{longest}x");
    let many = vec!["flat"; limits::SECOND_LOOK_REASONS];
    let too_many = [&many[..], &["flat"]].concat();
    let place = Some("x".repeat(limits::CAMERA_LOCATION + 1));
    let sighting = NewAttendance { camera_location: place, ..good.sighting.clone() };
    let mut bad: Vec<_> =
        [&[too_long.as_str()][..], &too_many, &["two words"], &[""], &["Flat"], &["tür"]].map(with).into();
    bad.push(NewSecondLook { sighting, ..good.clone() });
    for bad in bad {
        assert_eq!(kind(store.add_second_look(&bad)), ErrorKind::InvalidInput, "{bad:?}");
    }
    assert_eq!(all(store), []);
    let mut most = many;
    most[0] = &longest;
    let kept = added(store, &with(&most));
    assert_eq!(kept.reasons, most);
    let by = "x".repeat(limits::PERSON + 1);
    let decision = SecondLookDecision::new(SecondLookAnswer::Confirm, by, now());
    assert_eq!(kind(store.decide_second_look(kept.id, &decision)), ErrorKind::InvalidInput);
}
