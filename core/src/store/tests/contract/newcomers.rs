//! A list with many new students is written together: it comes out as when each change is made by itself.

use jiff::civil::{Date, date};

use super::rosters::{changed, new_group};
use super::*;

const FIRST: Date = date(2026, 9, 1);
/// The number of no student.
const NOBODY: u64 = 1000;

/// splitmix64: the same lists everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn day(&mut self) -> Date {
        FIRST.checked_add(i64::try_from(self.below(6)).unwrap().days()).unwrap()
    }
}

/// Changes of some new students and of what they join, in the order in which a list or somebody by hand makes them.
/// `whose` is in every name, so that the same changes are made twice in one database.
fn list(dice: &mut Dice, whose: &str, with_mistakes: bool) -> Vec<RosterChange> {
    let number = |number: u64| format!("{whose}{number}");
    let mut changes = vec![RosterChange::Group { name: format!("{whose} new"), kind: GroupKind::Class }];
    for student in 0..24 {
        let of = StudentRef::RollNumber(number(student));
        let name = format!("Student {student}");
        changes.push(RosterChange::Student { roll_number: number(student), name });
        for _ in 0..dice.below(4) {
            let group = ["new", "there", "THERE", "other"][usize::try_from(dice.below(4)).unwrap()];
            let group = GroupRef::Name(format!("{whose} {group}"));
            let (from_day, student) = (dice.day(), of.clone());
            let until_day = (dice.below(3) == 0).then(|| from_day.checked_add(2.days()).unwrap());
            changes.push(match dice.below(10) {
                0 => RosterChange::FirstDay { student, day: from_day },
                1 => RosterChange::Withdraw { student, from_day: from_day.checked_add(30.days()).unwrap() },
                2 => RosterChange::Readmit { student, from_day },
                _ => RosterChange::Join { student, group, from_day, until_day },
            });
        }
        match dice.below(12) {
            0 => changes.push(RosterChange::Student { roll_number: number(student), name: "Renamed".into() }),
            1 => changes.push(RosterChange::Student { roll_number: format!(" {} ", number(0)), name: "Again".into() }),
            _ => {}
        }
        if with_mistakes && dice.below(6) == 0 {
            let (student, group) = (of, GroupRef::Name(format!("{whose} gone")));
            changes.push(match dice.below(4) {
                0 => RosterChange::Student { roll_number: number(NOBODY), name: "  ".into() },
                1 => RosterChange::Join { student, group, from_day: FIRST, until_day: None },
                2 => RosterChange::Join { student, group, from_day: FIRST, until_day: Some(FIRST) },
                _ => RosterChange::FirstDay { student: StudentRef::RollNumber(number(NOBODY)), day: FIRST },
            });
        }
    }
    changes
}

/// The result of every change, by its place.
type Told = Vec<Result<RosterChanged, String>>;

fn told(outcome: RosterOutcome, changes: usize, whose: &str) -> (Told, bool) {
    match outcome {
        RosterOutcome::Done(done) => (done.into_iter().map(Ok).collect(), true),
        RosterOutcome::Refused(refused) => {
            let mut told = vec![Ok(RosterChanged::Unchanged); changes];
            refused.into_iter().for_each(|(at, error)| told[at] = Err(error.to_string().replace(whose, "")));
            (told, false)
        }
    }
}

/// Everything that is stored of these students, without the keys.
fn stored(store: &dyn Store, whose: &str) -> Vec<String> {
    let groups = store.groups(FIRST).unwrap();
    let name_of = |id| groups.iter().find(|size| size.group.id == id).unwrap().group.name.replace(whose, "");
    let mut told = Vec::new();
    let of_whose = store.students(Some(whose), Page::ALL).unwrap().items;
    for student in of_whose.into_iter().filter(|student| student.name != "Once there") {
        let number = student.roll_number.replace(whose, "");
        told.push(format!("{number:?} {} {} {:?}", student.name, student.created_at, student.updated_at));
        let filter = MembershipFilter { student: Some(student.id), ..MembershipFilter::default() };
        let members = store.memberships(&filter).unwrap();
        told.extend(
            members
                .iter()
                .map(|its| format!("{number} in {} {} {:?}", name_of(its.group), its.from_day, its.until_day)),
        );
        let away = store.withdrawals(Some(student.id)).unwrap();
        told.extend(
            away.iter().map(|its| format!("{number} away {} {:?} {} {}", its.from_day, its.until_day, its.by, its.at)),
        );
    }
    told.sort();
    told
}

/// Makes a group that takes no members: one that had a member is archived.
fn archive(store: &dyn Store, name: &str, whose: &str) {
    let gone = new_group(store, name);
    let student = store.create_student("Once there", &format!("{whose}once"), now()).unwrap().id;
    let (student, group) = (StudentRef::Id(student), GroupRef::Id(gone));
    let join = RosterChange::Join { student, group, from_day: date(2020, 1, 1), until_day: None };
    changed(store, &[join]);
    assert_eq!(store.remove_group(gone, FIRST, now()).unwrap(), RemovedGroup::Archived);
}

pub(crate) fn new_students_of_a_list_come_out_as_one_by_one(store: &dyn Store) {
    let mut refusals = 0;
    for case in 0..12u64 {
        let (together, single) = (format!("T{case}-"), format!("S{case}-"));
        for whose in [&together, &single] {
            for group in ["there", "other"] {
                new_group(store, &format!("{whose} {group}"));
            }
            archive(store, &format!("{whose} gone"), whose);
        }
        let changes = list(&mut Dice(case), &together, case % 2 == 1);
        let outcome = store.change_roster(&changes, RosterRun::Apply, "Ms Rao", now()).unwrap();
        let (all, is_done) = told(outcome, changes.len(), &together);
        let one_by_one = list(&mut Dice(case), &single, case % 2 == 1);
        assert_eq!(one_by_one.len(), changes.len());
        for (at, (change, together)) in one_by_one.iter().zip(&all).enumerate() {
            let outcome = store.change_roster(std::slice::from_ref(change), RosterRun::Apply, "Ms Rao", now()).unwrap();
            let (one, _) = told(outcome, 1, &single);
            // What a refused list would have done is not told.
            if is_done || one[0].is_err() || together.is_err() {
                assert_eq!(&one[0], together, "case {case}, change {at}: {change:?}");
            }
        }
        if is_done {
            assert_eq!(stored(store, &together), stored(store, &single), "case {case}");
            assert!(stored(store, &together).len() > 24);
        } else {
            assert_eq!(stored(store, &together), Vec::<String>::new(), "a refused list leaves nothing");
            refusals += 1;
        }
    }
    assert!((1..12).contains(&refusals), "{refusals} lists were refused");
}
