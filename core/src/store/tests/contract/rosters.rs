//! Groups, memberships, timetables, the calendar and excuses.

use jiff::civil::{Date, Time};

use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn new_group(store: &dyn Store, name: &str) -> i64 {
    let new = NewGroup { name: name.into(), kind: GroupKind::Class, by: "Ms Rao".into(), at: now() };
    store.create_group(&new).unwrap().id
}

fn join(student: StudentId, group: i64, from: &str) -> RosterChange {
    let (student, group) = (StudentRef::Id(student), GroupRef::Id(group));
    RosterChange::Join { student, group, from_day: day(from), until_day: None }
}

pub(super) fn changed(store: &dyn Store, changes: &[RosterChange]) -> Vec<RosterChanged> {
    match store.change_roster(changes, RosterRun::Apply, "Ms Rao", now()).unwrap() {
        RosterOutcome::Done(done) => done,
        refused @ RosterOutcome::Refused(_) => panic!("{refused:?}"),
    }
}

fn refused(store: &dyn Store, changes: &[RosterChange]) -> Vec<(usize, ErrorKind)> {
    match store.change_roster(changes, RosterRun::Apply, "Ms Rao", now()).unwrap() {
        RosterOutcome::Refused(refused) => refused.iter().map(|(at, error)| (*at, error.kind())).collect(),
        done @ RosterOutcome::Done(_) => panic!("{done:?}"),
    }
}

fn spans(store: &dyn Store, student: StudentId) -> Vec<(i64, String, Option<String>)> {
    let filter = MembershipFilter { student: Some(student), ..MembershipFilter::default() };
    let found = store.memberships(&filter).unwrap();
    found.iter().map(|own| (own.group, own.from_day.to_string(), own.until_day.map(|day| day.to_string()))).collect()
}

fn span(group: i64, from: &str, until: Option<&str>) -> (i64, String, Option<String>) {
    (group, from.into(), until.map(Into::into))
}

pub(crate) fn a_groups_name_is_one_without_letter_case(store: &dyn Store) {
    let five = new_group(store, " 5A ");
    assert_eq!(store.group(five).unwrap().unwrap().name, "5A");
    let new = |name: &str| NewGroup { name: name.into(), kind: GroupKind::Shift, by: "x".into(), at: now() };
    for (name, expected) in
        [("5a", ErrorKind::Conflict), (" ", ErrorKind::InvalidInput), ("a\u{7}", ErrorKind::InvalidInput)]
    {
        assert_eq!(kind(store.create_group(&new(name))), expected, "{name}");
    }
    assert_eq!(
        kind(store.create_group(&new(&"x".repeat(crate::store::limits::GROUP_NAME + 1)))),
        ErrorKind::InvalidInput
    );
    let before_christ = "-000001-01-01T00:00:00Z".parse().unwrap();
    let early = NewGroup { at: before_christ, ..new("Early") };
    assert_eq!(kind(store.create_group(&early)), ErrorKind::InvalidInput, "a time that could not be read back");
    let shift = store.create_group(&new("Night")).unwrap();
    let taken = GroupChange { name: Some("5A".into()), kind: None };
    assert_eq!(kind(store.change_group(shift.id, &taken)), ErrorKind::Conflict);
    let change = GroupChange { name: Some("night".into()), kind: Some(GroupKind::Department) };
    let renamed = store.change_group(shift.id, &change).unwrap();
    assert_eq!((renamed.name.as_str(), renamed.kind), ("night", GroupKind::Department));
    assert_eq!(kind(store.change_group(999, &change)), ErrorKind::NotFound);
    let names: Vec<_> = store.groups(day("2026-03-02")).unwrap().into_iter().map(|size| size.group.name).collect();
    assert_eq!(names, ["5A", "night"]);
}

pub(crate) fn a_group_with_a_history_is_archived_and_another_one_removed(store: &dyn Store) {
    let [old, new] = ["Old", "New"].map(|name| new_group(store, name));
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    changed(store, &[join(student, old, "2026-01-01"), join(student, new, "2026-04-01")]);
    let today = day("2026-03-02");
    let sizes = |on| store.groups(day(on)).unwrap().iter().map(|size| size.members).collect::<Vec<_>>();
    assert_eq!((sizes("2026-03-02"), sizes("2026-04-01"), sizes("2025-12-31")), (vec![0, 1], vec![1, 1], vec![0, 0]));
    assert_eq!(store.remove_group(new, today, now()).unwrap(), RemovedGroup::Removed);
    assert_eq!(store.remove_group(old, today, now()).unwrap(), RemovedGroup::Archived);
    assert_eq!(spans(store, student), [span(old, "2026-01-01", Some("2026-03-02"))]);
    assert_eq!(kind(store.remove_group(new, today, now())), ErrorKind::NotFound);
    assert_eq!(store.group(old).unwrap().unwrap().archived_at, Some(now()));
    assert_eq!(refused(store, &[join(student, old, "2026-03-02")]), [(0, ErrorKind::State)]);
    assert_eq!(store.restore_group(old).unwrap().archived_at, None);
    changed(store, &[join(student, old, "2026-03-02")]);
    assert_eq!(spans(store, student), [span(old, "2026-01-01", None)], "it goes on where it ended");
}

pub(crate) fn memberships_begin_and_end_on_their_days(store: &dyn Store) {
    let [a, b] = ["A", "B"].map(|name| new_group(store, name));
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    let leave = |until: &str| RosterChange::Leave {
        student: StudentRef::RollNumber(" R1".into()),
        group: GroupRef::Name("a".into()),
        until_day: day(until),
    };
    use RosterChanged::{Changed, Created, Unchanged};
    let joins = [join(student, a, "2026-03-02"), join(student, a, "2026-03-05"), join(student, b, "2026-03-02")];
    assert_eq!(changed(store, &joins), [Created, Unchanged, Created]);
    assert_eq!(changed(store, &[join(student, a, "2026-02-02")]), [Changed]);
    assert_eq!(changed(store, &[leave("2026-04-01"), leave("2026-04-01")]), [Changed, Unchanged]);
    let (of_a, of_b) = (span(a, "2026-02-02", Some("2026-04-01")), span(b, "2026-03-02", None));
    assert_eq!(spans(store, student), [of_a.clone(), of_b.clone()]);
    // Again, later; and one that has not begun is gone.
    changed(store, &[join(student, a, "2026-05-01")]);
    assert_eq!(spans(store, student), [of_a.clone(), of_b.clone(), span(a, "2026-05-01", None)]);
    changed(store, &[leave("2026-05-01")]);
    assert_eq!(spans(store, student), [of_a, of_b]);
    let on = MembershipFilter { group: Some(a), on: Some(day("2026-04-01")), ..MembershipFilter::default() };
    assert_eq!(store.memberships(&on).unwrap(), []);
    let on = MembershipFilter { on: Some(day("2026-03-31")), ..on };
    let membership = store.memberships(&on).unwrap()[0].id;
    let redate =
        |from: &str, until: &str| RosterChange::Redate { membership, from_day: day(from), until_day: Some(day(until)) };
    assert_eq!(refused(store, &[redate("2026-03-02", "2026-03-02")]), [(0, ErrorKind::InvalidInput)]);
    assert_eq!(changed(store, &[redate("2026-03-03", "2026-03-04")]), [Changed]);
    assert!(spans(store, student).contains(&span(a, "2026-03-03", Some("2026-03-04"))));
}

pub(crate) fn of_changes_of_a_roster_all_are_made_or_none(store: &dyn Store) {
    let roll = |number: &str| StudentRef::RollNumber(number.into());
    let by_name = |name: &str| GroupRef::Name(name.into());
    let student = |number: &str, name: &str| RosterChange::Student { roll_number: number.into(), name: name.into() };
    let joins = |number: &str, group: &str| RosterChange::Join {
        student: roll(number),
        group: by_name(group),
        from_day: day("2026-03-02"),
        until_day: None,
    };
    let group = RosterChange::Group { name: "5A".into(), kind: GroupKind::Class };
    let good = [group.clone(), student("R1", "Asha"), joins("R1", "5a"), group.clone(), student("R1", "Asha R")];
    let bad: Vec<_> = good.iter().cloned().chain([joins("R2", "5A"), joins("R1", "6A"), student("R3", " ")]).collect();
    use ErrorKind::{InvalidInput, NotFound};
    assert_eq!(refused(store, &bad), [(5, NotFound), (6, NotFound), (7, InvalidInput)]);
    let tried = store.change_roster(&good, RosterRun::Preview, "Ms Rao", now()).unwrap();
    use RosterChanged::{Changed, Created, Unchanged};
    let expected = [Created, Created, Created, Unchanged, Changed];
    assert!(matches!(&tried, RosterOutcome::Done(done) if *done == expected), "{tried:?}");
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 0, "nothing has changed");
    assert_eq!(store.groups(day("2026-03-02")).unwrap(), []);
    assert_eq!(changed(store, &good), expected);
    assert_eq!(changed(store, &good[..3]), [Unchanged, Changed, Unchanged], "the name of the list counts");
    assert_eq!(store.students(Some("asha"), Page::ALL).unwrap().items[0].name, "Asha");
    assert_eq!(store.groups(day("2026-03-02")).unwrap()[0].members, 1);
}

pub(crate) fn who_is_withdrawn_is_a_member_of_nothing_until_readmitted(store: &dyn Store) {
    let group = new_group(store, "A");
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    let who = || StudentRef::Id(student);
    let withdraw = |from: &str| RosterChange::Withdraw { student: who(), from_day: day(from) };
    let readmit = |from: &str| RosterChange::Readmit { student: who(), from_day: day(from) };
    use RosterChanged::{Changed, Created, Unchanged};
    changed(store, &[join(student, group, "2026-01-01")]);
    assert_eq!(changed(store, &[readmit("2026-01-01")]), [Unchanged]);
    assert_eq!(changed(store, &[withdraw("2026-03-02"), withdraw("2026-03-05")]), [Created, Unchanged]);
    assert_eq!(spans(store, student), [span(group, "2026-01-01", Some("2026-03-02"))]);
    assert_eq!(refused(store, &[join(student, group, "2026-03-10")]), [(0, ErrorKind::State)]);
    assert_eq!(changed(store, &[readmit("2026-04-01"), join(student, group, "2026-04-01")]), [Changed, Created]);
    let away = store.withdrawals(Some(student)).unwrap();
    assert_eq!((away.len(), away[0].from_day, away[0].until_day), (1, day("2026-03-02"), Some(day("2026-04-01"))));
    assert_eq!(changed(store, &[withdraw("2026-02-01"), readmit("2026-02-01")]), [Changed, Changed]);
    assert_eq!(store.withdrawals(None).unwrap(), []);
    let first = |text: &str| RosterChange::FirstDay { student: who(), day: day(text) };
    let days = [first("2026-09-01"), first("2026-09-01"), first("2026-09-02")];
    assert_eq!(changed(store, &days), [Created, Unchanged, Changed]);
    let away = store.withdrawals(None).unwrap();
    assert_eq!((away.len(), away[0].from_day, away[0].until_day), (1, Withdrawal::BEGINNING, Some(day("2026-09-02"))));
    assert_eq!(
        refused(
            store,
            &[RosterChange::Withdraw { student: StudentRef::Id(StudentId(99)), from_day: day("2026-03-02") }]
        ),
        [(0, ErrorKind::NotFound)]
    );
}

pub(super) fn timetable(scope: RosterScope, from: &str, periods: &[&str]) -> NewTimetable {
    let periods = periods.iter().map(|text| text.parse().unwrap()).collect();
    let weekdays = "mon tue wed thu fri sat".parse().unwrap();
    NewTimetable::new(scope, day(from), weekdays, periods, Time::midnight(), "Ms Rao", now()).unwrap()
}

pub(crate) fn past_days_keep_the_timetable_that_they_had(store: &dyn Store) {
    let today = day("2026-03-02");
    let site = |from: &str, periods: &[&str]| store.set_timetable(&timetable(RosterScope::Site, from, periods), today);
    let first = site("2025-09-01", &["a=08:00/08:15/12:00"]).unwrap();
    assert_eq!((first.scope, first.weekdays.to_string().as_str()), (RosterScope::Site, "mon tue wed thu fri sat"));
    assert_eq!(first.periods, ["a=08:00/08:15/12:00".parse().unwrap()]);
    assert_eq!((first.created_by.as_str(), first.created_at), ("Ms Rao", now()));
    assert_eq!(kind(site("2026-03-01", &[])), ErrorKind::State, "the day is over");
    let of_today = site("2026-03-02", &["b=08:00"]).unwrap();
    let later = site("2026-04-01", &["c=08:00"]).unwrap();
    let replaced = site("2026-03-02", &["d=08:00", "e=07:00"]).unwrap();
    assert_eq!(replaced.periods.iter().map(Period::name).collect::<Vec<_>>(), ["e", "d"], "in order");
    assert_eq!(store.timetables().unwrap(), [first, replaced.clone(), later.clone()]);
    assert_eq!(kind(store.remove_timetable(of_today.id, today)), ErrorKind::NotFound);
    assert_eq!(kind(store.remove_timetable(replaced.id, today)), ErrorKind::State);
    assert_eq!(store.remove_timetable(later.id, today).unwrap(), later);
    let group = RosterScope::Group(new_group(store, "A"));
    let own = store.set_timetable(&timetable(group, "2026-01-01", &[]), today).unwrap();
    assert_eq!((own.scope, own.periods.len()), (group, 0));
    assert_eq!(
        kind(store.set_timetable(&timetable(RosterScope::Group(99), "2026-04-01", &[]), today)),
        ErrorKind::NotFound
    );
    assert_eq!(store.timetables().unwrap().last(), Some(&own));
}

pub(super) fn holiday(scope: RosterScope, first: &str, last: &str) -> NewCalendarEntry {
    let (first_day, last_day) = (day(first), day(last));
    let (kind, name) = (CalendarKind::Holiday, "Holi".to_owned());
    NewCalendarEntry { scope, kind, first_day, last_day, name, by: "Ms Rao".into(), at: now() }
}

pub(crate) fn the_calendar_is_read_by_days(store: &dyn Store) {
    let group = RosterScope::Group(new_group(store, "A"));
    let holi = store.add_calendar_entry(&holiday(RosterScope::Site, "2026-03-03", "2026-03-04")).unwrap();
    let extra = NewCalendarEntry { kind: CalendarKind::ExtraDay, ..holiday(group, "2026-03-07", "2026-03-07") };
    let extra = store.add_calendar_entry(&extra).unwrap();
    assert_eq!((extra.scope, extra.kind, extra.name.as_str()), (group, CalendarKind::ExtraDay, "Holi"));
    let read = |first: &str, last: &str| store.calendar(day(first), day(last)).unwrap();
    assert_eq!(read("2026-03-04", "2026-03-06"), std::slice::from_ref(&holi));
    assert_eq!(read("2026-03-05", "2026-03-06"), []);
    assert_eq!(read("2026-01-01", "2026-12-31"), [holi.clone(), extra]);
    let backwards = holiday(RosterScope::Site, "2026-03-04", "2026-03-03");
    let nameless = NewCalendarEntry { name: " ".into(), ..holiday(group, "2026-03-03", "2026-03-04") };
    for bad in [&backwards, &nameless] {
        assert_eq!(kind(store.add_calendar_entry(bad)), ErrorKind::InvalidInput);
    }
    let of_nobody = holiday(RosterScope::Group(99), "2026-03-03", "2026-03-04");
    assert_eq!(kind(store.add_calendar_entry(&of_nobody)), ErrorKind::NotFound);
    assert_eq!(store.remove_calendar_entry(holi.id).unwrap(), holi);
    assert_eq!(kind(store.remove_calendar_entry(holi.id)), ErrorKind::NotFound);
}

pub(super) fn ill(student: StudentId, first: &str, last: &str) -> NewExcuse {
    let (first_day, last_day, period) = (day(first), day(last), Some("a".to_owned()));
    NewExcuse { student, first_day, last_day, period, reason: "ill".into(), by: "Ms Rao".into(), at: now() }
}

pub(crate) fn an_excuse_is_withdrawn_and_stays(store: &dyn Store) {
    let [a, b] = ["R1", "R2"].map(|roll| store.create_student("A", roll, now()).unwrap().id);
    let excuse = store.add_excuse(&ill(a, "2026-03-02", "2026-03-04")).unwrap();
    let other = store.add_excuse(&NewExcuse { period: None, ..ill(b, "2026-03-01", "2026-03-01") }).unwrap();
    assert_eq!((excuse.reason.as_str(), excuse.period.as_deref(), excuse.withdrawn_at), ("ill", Some("a"), None));
    assert!(excuse.covers(day("2026-03-04"), "a") && !excuse.covers(day("2026-03-04"), "b"));
    let every = ExcuseFilter::default();
    assert_eq!(store.excuses(&every).unwrap(), [other.clone(), excuse.clone()]);
    let of = ExcuseFilter { student: Some(a), from: Some(day("2026-03-04")), to: Some(day("2026-03-09")) };
    assert_eq!(store.excuses(&of).unwrap(), std::slice::from_ref(&excuse));
    assert_eq!(store.excuses(&ExcuseFilter { from: Some(day("2026-03-05")), ..every }).unwrap(), []);
    let withdrawn = store.withdraw_excuse(excuse.id, "Mr Ito", now()).unwrap();
    assert_eq!((withdrawn.withdrawn_by.as_deref(), withdrawn.withdrawn_at), (Some("Mr Ito"), Some(now())));
    assert!(!withdrawn.covers(day("2026-03-04"), "a"));
    let error = store.withdraw_excuse(excuse.id, "Mr Ito", now()).unwrap_err();
    assert!(error.kind() == ErrorKind::State && error.to_string().contains("Mr Ito"), "{error}");
    assert_eq!(store.excuse(excuse.id).unwrap(), Some(withdrawn));
    let reasonless = NewExcuse { reason: " ".into(), ..ill(a, "2026-03-02", "2026-03-02") };
    for bad in [reasonless, ill(a, "2026-03-02", "2026-03-01")] {
        assert_eq!(kind(store.add_excuse(&bad)), ErrorKind::InvalidInput);
    }
    assert_eq!(kind(store.add_excuse(&ill(StudentId(99), "2026-03-02", "2026-03-02"))), ErrorKind::NotFound);
}

fn rows(store: &dyn Store, of: RosterOf, first: &str, last: &str) -> RosterRows {
    let (starts_at, ends_at) = (window(first).starts_at, window(last).ends_at);
    store.roster_rows(&RosterQuery { of, first_day: day(first), last_day: day(last), starts_at, ends_at }).unwrap()
}

pub(crate) fn an_excuse_goes_with_the_marks_of_its_time(store: &dyn Store) {
    let student = store.create_student("Asha", "R1", now()).unwrap().id;
    let kept = store.add_excuse(&ill(student, "2026-03-01", "2026-03-02")).unwrap();
    store.add_excuse(&ill(student, "2026-02-28", "2026-03-01")).unwrap();
    let retention = Retention { attendance_before: Some(at("2026-03-02T00:00:00Z")), ..Retention::default() };
    let retired = store.retire(&retention).unwrap();
    assert_eq!((retired.excuses, retired.total()), (1, 1));
    assert_eq!(store.excuses(&ExcuseFilter::default()).unwrap(), [kept]);
}

pub(crate) fn a_roster_is_read_for_a_span_of_days(store: &dyn Store) {
    let group = new_group(store, "A");
    let [a, b] =
        [("Ben", "R1"), ("Asha", "R2")].map(|(name, roll)| store.create_student(name, roll, now()).unwrap().id);
    changed(store, &[join(a, group, "2026-03-03")]);
    store.add_excuse(&ill(a, "2026-03-03", "2026-03-03")).unwrap();
    store.add_excuse(&ill(b, "2026-03-05", "2026-03-05")).unwrap();
    store.add_calendar_entry(&holiday(RosterScope::Site, "2026-03-04", "2026-03-09")).unwrap();
    store.set_timetable(&timetable(RosterScope::Site, "2026-03-05", &[]), day("2026-03-02")).unwrap();
    let marks: Vec<i64> = [(a, "2026-03-02T08:00:00Z"), (a, "2026-03-03T08:00:00Z"), (b, "2026-03-04T23:59:00Z")]
        .map(|(student, when)| store.mark_attendance(&mark(student, when)).unwrap().record().id)
        .into();
    store.check_out(marks[1], at("2026-03-03T09:00:00Z")).unwrap();
    let all = rows(store, RosterOf::Everybody, "2026-03-03", "2026-03-04");
    assert_eq!(all.students.iter().map(|student| student.id).collect::<Vec<_>>(), [b, a], "by name");
    let mut found: Vec<_> = all.marks.iter().map(|mark| mark.id).collect();
    found.sort_unstable();
    assert_eq!(found, marks[1..]);
    let out = all.marks.iter().find(|mark| mark.id == marks[1]).unwrap();
    assert_eq!((out.day, out.period.as_deref()), (Some(day("2026-03-03")), Some("day")));
    assert_eq!((out.checked_out_at, out.is_corrected), (Some(at("2026-03-03T09:00:00Z")), false));
    assert_eq!((all.excuses.len(), all.calendar.len(), all.timetables.len(), all.memberships.len()), (1, 1, 0, 1));
    let members = rows(store, RosterOf::Group(group), "2026-03-03", "2026-03-05");
    assert_eq!(members.students.iter().map(|student| student.id).collect::<Vec<_>>(), [a]);
    assert_eq!((members.marks.len(), members.excuses.len(), members.timetables.len()), (1, 1, 1));
    assert_eq!(rows(store, RosterOf::Group(group), "2026-03-01", "2026-03-02").students, []);
    let one = rows(store, RosterOf::Student(b), "2026-03-01", "2026-03-31");
    assert_eq!((one.students.len(), one.marks.len(), one.excuses.len(), one.memberships.len()), (1, 1, 1, 0));
    let correction = Correction::new(CorrectedStatus::Absent, "x", "y");
    store.correct_attendance(marks[1], &correction, now()).unwrap();
    assert!(rows(store, RosterOf::Student(a), "2026-03-03", "2026-03-03").marks[0].is_corrected);
}

pub(crate) fn a_roster_goes_with_its_student(store: &dyn Store) {
    let group = new_group(store, "A");
    for marks in [MarksOfErased::Delete, MarksOfErased::Anonymise] {
        let student = store.create_student("Asha", &format!("{marks:?}"), now()).unwrap().id;
        changed(store, &[join(student, group, "2026-01-01")]);
        let first = RosterChange::FirstDay { student: StudentRef::Id(student), day: day("2026-01-01") };
        changed(store, &[first]);
        store.add_excuse(&ill(student, "2026-03-02", "2026-03-02")).unwrap();
        store.erase_student(student, marks, now()).unwrap();
        assert_eq!(store.memberships(&MembershipFilter::default()).unwrap(), []);
        assert_eq!(store.withdrawals(None).unwrap(), []);
        assert_eq!(store.excuses(&ExcuseFilter::default()).unwrap(), []);
        assert_eq!(rows(store, RosterOf::Everybody, "2026-03-02", "2026-03-02").students, [], "nobody is expected");
    }
}

pub(crate) fn a_merge_joins_memberships_and_keeps_excuses(store: &dyn Store) {
    let [a, b] = ["A", "B"].map(|name| new_group(store, name));
    let [kept, other] = ["R1", "R2"].map(|roll| store.create_student("Asha", roll, now()).unwrap().id);
    changed(store, &[join(kept, a, "2026-02-01"), join(other, a, "2026-01-01"), join(other, b, "2026-01-01")]);
    let who = StudentRef::Id(kept);
    changed(store, &[RosterChange::Withdraw { student: who, from_day: day("2026-06-01") }]);
    store.add_excuse(&ill(other, "2026-03-02", "2026-03-02")).unwrap();
    let mut admits = |_| Ok(true);
    let merge = StudentMerge { kept, other, face: MergedFace::Kept, day_of: &|_| None, admits: &mut admits };
    store.merge_students(merge, "Ms Rao", now()).unwrap().unwrap();
    let until = Some("2026-06-01");
    assert_eq!(spans(store, kept), [span(a, "2026-01-01", until), span(b, "2026-01-01", until)]);
    assert_eq!(store.memberships(&MembershipFilter::default()).unwrap().len(), 2);
    assert_eq!(store.excuses(&ExcuseFilter::default()).unwrap()[0].student, kept);
}
