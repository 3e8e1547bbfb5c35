//! The kiosks, and what the people before them do.

use jiff::ToSpan as _;

use super::super::super::limits;
use super::super::super::*;
use super::{kind, mark, now, race};
use crate::error::ErrorKind;
use crate::gate::GatePolicy;
use crate::kiosk::{CODE_LIFETIME, PairingCode};
use crate::types::StudentId;

fn new(name: &str) -> (NewKiosk, SecretHash) {
    let code = PairingCode::random();
    let settings = KioskSettings::named(name);
    let new = NewKiosk { settings, pin: None, code: code.open_at(now()), by: "Ms Rao".into(), at: now() };
    (new, code.hash())
}

fn token(text: &str) -> SecretHash {
    SecretHash::new(text)
}

pub(crate) fn a_kiosk_comes_back_as_it_was_written(store: &dyn Store) {
    let settings = KioskSettings {
        name: "Tür 1".into(),
        location: Some("Gate".into()),
        gate: Some(GatePolicy::Ask),
        tone: true,
        speech: true,
    };
    let asked = NewKiosk { settings: settings.clone(), pin: Some(token("S3CRET")), ..new("").0 };
    let kiosk = store.create_kiosk(&asked).unwrap();
    assert_eq!((&kiosk.settings, &kiosk.pin), (&settings, &asked.pin));
    assert_eq!(kiosk.code_until, Some(now() + CODE_LIFETIME));
    assert_eq!((kiosk.paired_at, kiosk.last_seen_at), (None, None));
    assert_eq!((kiosk.created_by.as_str(), kiosk.created_at, kiosk.changed_at), ("Ms Rao", now(), now()));
    assert_eq!(store.kiosk(kiosk.id).unwrap(), Some(kiosk.clone()));
    assert_eq!(store.kiosks().unwrap(), [kiosk]);
    assert!(!format!("{:?} {asked:?}", store.kiosks().unwrap()).contains("S3CRET"));
    assert_eq!(store.kiosk(99).unwrap(), None);
}

pub(crate) fn a_code_pairs_one_tablet_within_its_time(store: &dyn Store) {
    let (asked, code) = new("Gate");
    let kiosk = store.create_kiosk(&asked).unwrap();
    let other = PairingCode::random().hash();
    let until = now() + CODE_LIFETIME;
    assert_eq!(store.pair_kiosk(&other, &token("t0"), now()).unwrap(), None, "a wrong code");
    assert_eq!(store.pair_kiosk(&code, &token("t0"), until).unwrap(), None, "its time is over");
    let paired = store.pair_kiosk(&code, &token("t1"), until - 1.second()).unwrap().expect("the last second");
    assert_eq!((paired.id, paired.code_until), (kiosk.id, None));
    assert_eq!((paired.paired_at, paired.last_seen_at), (Some(until - 1.second()), Some(until - 1.second())));
    assert_eq!(store.pair_kiosk(&code, &token("t2"), now()).unwrap(), None, "it is used up");
    assert_eq!(store.kiosk_of_token(&token("t1")).unwrap(), Some(paired));
    assert_eq!(store.kiosk_of_token(&token("t2")).unwrap(), None);

    // Another tablet for the same gate: the old one goes on until the new one is there.
    let next = PairingCode::random();
    store.open_kiosk_code(kiosk.id, &next.open_at(until)).unwrap();
    assert!(store.kiosk_of_token(&token("t1")).unwrap().is_some());
    let again = store.pair_kiosk(&next.hash(), &token("t3"), until + 1.minute()).unwrap().unwrap();
    assert_eq!((again.id, store.kiosk_of_token(&token("t1")).unwrap()), (kiosk.id, None));

    store.note_kiosk_seen(kiosk.id, until + 2.minutes()).unwrap();
    assert_eq!(store.kiosk(kiosk.id).unwrap().unwrap().last_seen_at, Some(until + 2.minutes()));
    store.note_kiosk_seen(99, now()).unwrap();
    assert_eq!(kind(store.open_kiosk_code(99, &next.open_at(now()))), ErrorKind::NotFound);
}

pub(crate) fn of_tablets_with_one_code_at_once_one_is_paired(store: &dyn Store) {
    let (asked, code) = new("Gate");
    store.create_kiosk(&asked).unwrap();
    let paired = race(4, |n| store.pair_kiosk(&code, &token(&format!("t{n}")), now()).unwrap());
    assert_eq!(paired.iter().flatten().count(), 1);
    let good = (0..4).filter(|n| store.kiosk_of_token(&token(&format!("t{n}"))).unwrap().is_some()).count();
    assert_eq!(good, 1);
}

pub(crate) fn a_revoked_kiosk_has_no_token_and_no_code(store: &dyn Store) {
    let (asked, code) = new("Gate");
    let kiosk = store.create_kiosk(&asked).unwrap();
    store.pair_kiosk(&code, &token("t"), now()).unwrap().unwrap();
    let next = PairingCode::random();
    store.open_kiosk_code(kiosk.id, &next.open_at(now())).unwrap();
    let revoked = store.revoke_kiosk(kiosk.id).unwrap();
    assert_eq!((revoked.paired_at, revoked.code_until), (None, None));
    assert_eq!(revoked.settings, asked.settings, "its settings stay");
    assert_eq!(store.kiosk_of_token(&token("t")).unwrap(), None);
    assert_eq!(store.pair_kiosk(&next.hash(), &token("u"), now()).unwrap(), None);
    assert_eq!(store.remove_kiosk(kiosk.id).unwrap(), revoked);
    assert_eq!(store.kiosks().unwrap(), []);
    for gone in [store.revoke_kiosk(kiosk.id), store.remove_kiosk(kiosk.id)] {
        assert_eq!(kind(gone), ErrorKind::NotFound);
    }
    let later = store.create_kiosk(&new("Gate").0).unwrap();
    assert!(later.id > kiosk.id, "no id is given twice");
}

pub(crate) fn a_kiosk_is_renamed_and_keeps_its_tablet(store: &dyn Store) {
    let (asked, code) = new("Gate");
    let gate = store.create_kiosk(&NewKiosk { pin: Some(token("pin")), ..asked }).unwrap();
    let door = store.create_kiosk(&new("Door").0).unwrap();
    store.pair_kiosk(&code, &token("t"), now()).unwrap().unwrap();
    let at = now() + 1.hour();
    let change = |settings: KioskSettings, pin| KioskChange { settings, pin, by: "admin".into(), at };
    let settings = KioskSettings { location: Some("North".into()), tone: true, ..KioskSettings::named("gate") };
    let changed = store.change_kiosk(gate.id, &change(settings.clone(), None)).unwrap();
    assert_eq!((&changed.settings, changed.pin.as_ref()), (&settings, Some(&token("pin"))));
    assert_eq!((changed.changed_by.as_str(), changed.changed_at, changed.created_at), ("admin", at, now()));
    assert_eq!(store.kiosk_of_token(&token("t")).unwrap().as_ref(), Some(&changed));
    assert_eq!(store.change_kiosk(gate.id, &change(settings.clone(), Some(None))).unwrap().pin, None);
    assert_eq!(kind(store.change_kiosk(door.id, &change(settings.clone(), None))), ErrorKind::Conflict);
    assert_eq!(kind(store.change_kiosk(99, &change(KioskSettings::named("x"), None))), ErrorKind::NotFound);
    let names: Vec<_> = store.kiosks().unwrap().into_iter().map(|kiosk| kiosk.settings.name).collect();
    assert_eq!(names, ["Door", "gate"]);
}

pub(crate) fn what_is_no_kiosk_is_not_kept(store: &dyn Store) {
    store.create_kiosk(&new("Main gate").0).unwrap();
    for name in ["main GATE", "Main gate"] {
        assert_eq!(kind(store.create_kiosk(&new(name).0)), ErrorKind::Conflict, "{name}");
    }
    let long = "x".repeat(limits::CAMERA_NAME + 1);
    for name in ["", " ", "\u{200b}", "a\nb", "a\0", &long] {
        assert_eq!(kind(store.create_kiosk(&new(name).0)), ErrorKind::InvalidInput, "{name:?}");
    }
    let far = KioskSettings { location: Some("x".repeat(limits::CAMERA_LOCATION + 1)), ..KioskSettings::named("b") };
    assert_eq!(kind(store.create_kiosk(&NewKiosk { settings: far, ..new("b").0 })), ErrorKind::InvalidInput);
    assert_eq!(store.kiosks().unwrap().len(), 1);
    let made = race(4, |_| store.create_kiosk(&new("Door").0).is_ok());
    assert_eq!(made.into_iter().filter(|made| *made).count(), 1, "of two with one name at once, one is kept");
}

pub(crate) fn a_mark_is_taken_back_onto_the_second_look_list(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap().id;
    let other = store.create_student("B", "R2", now()).unwrap().id;
    let new = mark(student, "2026-03-02T08:00:00Z");
    let row = store.mark_attendance(&new).unwrap().record().id;
    let look = |student| NewSecondLook {
        sighting: NewAttendance { student, ..new.clone() },
        verdict: SecondLookVerdict::Undecided,
        reasons: vec!["not_me".into()],
    };
    assert_eq!(kind(store.take_back_mark(row, &look(other))), ErrorKind::NotFound, "another student's mark");
    let wrong = NewSecondLook { reasons: vec!["Not me!".into()], ..look(student) };
    assert_eq!(kind(store.take_back_mark(row, &wrong)), ErrorKind::InvalidInput);
    assert!(store.attendance_record(row).unwrap().is_some(), "nothing has changed");
    assert!(matches!(store.take_back_mark(row, &look(student)).unwrap(), SecondLooking::Added(_)));
    assert_eq!((store.attendance_record(row).unwrap(), store.open_second_looks().unwrap()), (None, 1));
    assert_eq!(kind(store.take_back_mark(row, &look(student))), ErrorKind::NotFound);

    let row = store.mark_attendance(&new).unwrap().record().id;
    let (left, later) = (now() + 6.hours(), now() + 7.hours());
    store.check_out(row, left).unwrap();
    assert_eq!(store.take_back_check_out(row, later).unwrap().checked_out_at, Some(left));
    assert_eq!(store.take_back_check_out(row, left).unwrap().checked_out_at, None);
    assert_eq!(kind(store.take_back_check_out(99, left)), ErrorKind::NotFound);
}

pub(crate) fn a_vouched_mark_keeps_who_vouched(store: &dyn Store) {
    let student = store.create_student("A", "R1", now()).unwrap().id;
    let new = mark(student, "2026-03-02T08:00:00Z");
    let Marking::Marked(row) = store.mark_vouched(&new, "PIN at kiosk Gate", "no face").unwrap() else { panic!() };
    let again = store.mark_vouched(&new, "PIN at kiosk Door", "no face").unwrap();
    assert_eq!(again, Marking::AlreadyMarked(row.clone()));
    let [kept] = &store.corrections(row.id).unwrap()[..] else { panic!("one vouched") };
    assert_eq!((kept.correction.by.as_str(), kept.status_before.as_str()), ("PIN at kiosk Gate", "Present"));
    for (roll, found) in [("r1", false), (" R1", true), ("R1", true), ("R2", false), ("", false), ("R\0", false)] {
        let student = store.student_by_roll_number(roll).unwrap();
        assert_eq!(student.is_some(), found, "{roll:?}");
    }
    assert_eq!(kind(store.mark_vouched(&mark(StudentId(99), "2026-03-02T08:00:00Z"), "x", "y")), ErrorKind::NotFound);
    let long = "x".repeat(limits::PERSON + 1);
    let next = mark(student, "2026-03-03T08:00:00Z");
    assert_eq!(kind(store.mark_vouched(&next, &long, "y")), ErrorKind::InvalidInput);
    assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 1);
}
