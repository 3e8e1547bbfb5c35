use jiff::civil::{Date, date};

use super::*;

const DAY: Date = date(2026, 8, 31);

fn listed(line: u32, roll_number: &str, name: &str, groups: &[&str]) -> RosterRow {
    let group = |name: &&str| ListedGroup { name: (*name).into(), kind: GroupKind::Class, from: None, last: None };
    RosterRow {
        line,
        roll_number: roll_number.into(),
        name: name.into(),
        groups: groups.iter().map(group).collect(),
        from: None,
        last: None,
        guardian_emails: Vec::new(),
    }
}

fn order(rows: &[RosterRow]) -> RosterOrder<'_> {
    RosterOrder { rows, unlisted: Unlisted::Keep, day: DAY, language: "en" }
}

fn import(store: &dyn Store, order: &RosterOrder<'_>) -> RosterPlan {
    match store.import_roster(order, None, "Ms Rao", now()).unwrap() {
        RosterImport::Done(plan) => plan,
        other => panic!("{other:?}"),
    }
}

/// Who is in which group on the day, by name.
fn members(store: &dyn Store, day: Date) -> Vec<(String, String)> {
    let groups = store.groups(day).unwrap();
    let filter = MembershipFilter { on: Some(day), ..MembershipFilter::default() };
    let mut named: Vec<(String, String)> = store
        .memberships(&filter)
        .unwrap()
        .iter()
        .map(|its| {
            let group = groups.iter().find(|one| one.group.id == its.group).unwrap().group.name.clone();
            (store.student(its.student).unwrap().unwrap().name, group)
        })
        .collect();
    named.sort();
    named
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, group)| ((*name).to_owned(), (*group).to_owned())).collect()
}

pub(crate) fn a_list_is_imported_and_again_changes_nothing(store: &dyn Store) {
    let mut asha = listed(2, "1", "Asha Rao", &["5A", "Choir"]);
    asha.guardian_emails = vec!["mother@home.example".into(), "Father@home.example".into()];
    let mut later = listed(4, "3", "Carla", &["5b"]);
    later.groups[0].from = Some(date(2026, 9, 14));
    later.groups[0].last = Some(date(2027, 7, 31));
    let rows = [asha, listed(3, "2", "Ben Ito", &["5B"]), later];
    let plan = import(store, &order(&rows));
    assert_eq!((plan.new.len(), plan.new_groups.len()), (3, 3));
    let first = pairs(&[("Asha Rao", "5A"), ("Asha Rao", "Choir"), ("Ben Ito", "5B")]);
    assert_eq!(members(store, DAY), first);
    assert_eq!(members(store, date(2027, 7, 31)).len(), 4);
    assert_eq!(members(store, date(2027, 8, 1)), first);
    let carla = store.students(Some("Carla"), Page::ALL).unwrap().items[0].id;
    assert_eq!(store.withdrawals(Some(carla)).unwrap()[0].until_day, Some(date(2026, 9, 14)), "not expected before");
    let asha = store.students(Some("Asha"), Page::ALL).unwrap().items[0].id;
    assert_eq!(store.guardians(asha).unwrap().len(), 2);
    for day in [DAY, date(2026, 9, 20)] {
        let again = import(store, &RosterOrder { day, ..order(&rows) });
        assert!(again.is_empty() && again.unchanged == 3, "{again:?}");
    }
}

pub(crate) fn an_import_moves_renames_and_withdraws_and_history_stays(store: &dyn Store) {
    import(store, &order(&[listed(2, "1", "Asha", &["5A"]), listed(3, "2", "Ben", &["5A"])]));
    let day = date(2027, 2, 1);
    let rows = [listed(2, "1", "Asha Rao", &["5B"])];
    let later = RosterOrder { day, unlisted: Unlisted::Withdraw, ..order(&rows) };
    import(store, &later);
    assert_eq!(members(store, day), pairs(&[("Asha Rao", "5B")]));
    assert_eq!(members(store, date(2027, 1, 31)), pairs(&[("Asha Rao", "5A"), ("Ben", "5A")]));
    assert!(import(store, &later).is_empty(), "who is withdrawn is withdrawn once");
    // Who is on a list again comes back.
    let back = [listed(2, "2", "Ben", &["5A"])];
    let plan = import(store, &RosterOrder { day: date(2027, 3, 1), ..order(&back) });
    assert!(plan.changed[0].returns);
    assert_eq!(members(store, date(2027, 3, 1)), pairs(&[("Asha Rao", "5B"), ("Ben", "5A")]));
    assert_eq!(members(store, date(2027, 2, 28)), pairs(&[("Asha Rao", "5B")]));
}

pub(crate) fn an_import_is_held_to_the_plan_that_was_shown(store: &dyn Store) {
    import(store, &order(&[listed(2, "1", "Asha", &["5A"])]));
    let rows = [listed(2, "1", "Asha Rao", &["5B"]), listed(3, "2", "Ben", &["5B"])];
    let shown = store.plan_import(&order(&rows)).unwrap();
    assert_eq!(store.students(None, Page::ALL).unwrap().total, 1, "a plan changes nothing");
    store.create_student("Somebody else", "9", now()).unwrap();
    assert_eq!(store.plan_import(&order(&rows)).unwrap().fingerprint, shown.fingerprint);
    store.create_student("Ben I.", "2", now()).unwrap();
    let held = store.import_roster(&order(&rows), Some(&shown.fingerprint), "Ms Rao", now()).unwrap();
    let RosterImport::Outdated(plan) = held else { panic!("{held:?}") };
    assert_eq!((plan.new.len(), plan.changed.len()), (0, 2));
    assert_eq!(members(store, DAY), pairs(&[("Asha", "5A")]), "nothing has changed");
    let done = store.import_roster(&order(&rows), Some(&plan.fingerprint), "Ms Rao", now()).unwrap();
    assert!(matches!(done, RosterImport::Done(_)));
    assert_eq!(members(store, DAY), pairs(&[("Asha Rao", "5B"), ("Ben", "5B")]));
}

pub(crate) fn an_import_with_a_wrong_line_changes_nothing(store: &dyn Store) {
    import(store, &order(&[listed(2, "1", "Asha", &["5A"])]));
    let long = "x".repeat(crate::store::limits::STUDENT_NAME + 1);
    let rows = [listed(2, "1", "Asha Rao", &["5C"]), listed(3, "2", "Ben", &["5B"]), listed(4, "3", &long, &[])];
    let refused = store.import_roster(&order(&rows), None, "Ms Rao", now()).unwrap();
    let RosterImport::Refused(plan) = refused else { panic!("{refused:?}") };
    assert_eq!(
        plan.problems.iter().map(|its| (its.line, its.code)).collect::<Vec<_>>(),
        [(Some(4), ProblemCode::Refused)]
    );
    assert_eq!(members(store, DAY), pairs(&[("Asha", "5A")]));
    assert_eq!((store.students(None, Page::ALL).unwrap().total, store.groups(DAY).unwrap().len()), (1, 1));
}

pub(crate) fn a_list_of_5000_is_imported_in_one_go(store: &dyn Store) {
    let begun = std::time::Instant::now();
    let rows: Vec<RosterRow> = (0..5000)
        .map(|number| {
            listed(number + 2, &format!("R{number:04}"), &format!("Student {number}"), &[&format!("{}", number / 30)])
        })
        .collect();
    assert_eq!(import(store, &order(&rows)).new.len(), 5000);
    let imported = begun.elapsed();
    assert!(import(store, &order(&rows)).is_empty());
    println!("5000 students: {imported:?}, again {:?}", begun.elapsed() - imported);
    assert_eq!(store.groups(DAY).unwrap().len(), 167);
}
