//! Notices to people and systems.

use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};

use super::super::super::*;
use super::{at, kind, mark, now, race};
use crate::error::ErrorKind;
use crate::types::StudentId;

const LEASE: Duration = Duration::from_secs(60);
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZg==";

fn hook() -> NewAlertChannel {
    NewAlertChannel {
        name: "School".into(),
        settings: AlertChannelSettings::Webhook { url: "https://school.example/hook?x=1".into() },
        secret: Some(SECRET.into()),
        paused: false,
        by: "Ms Rao".into(),
        at: now(),
    }
}

fn mail(window_minutes: u16) -> NewAlertChannel {
    let settings = AlertChannelSettings::Email {
        host: "mail.school.example".into(),
        port: 587,
        security: MailSecurity::StartTls,
        user: Some("office".into()),
        from: "School <office@school.example>".into(),
        window_minutes,
    };
    NewAlertChannel { name: "Letters".into(), settings, secret: Some("geheim".into()), ..hook() }
}

fn rule(event: AlertEvent, channel: i64) -> NewAlertRule {
    NewAlertRule {
        name: format!("On {}", event.as_str()),
        event,
        settings: AlertRuleSettings {
            groups: None,
            channels: vec![channel],
            addresses: vec![],
            guardians: false,
            language: "en".into(),
            at: (event == AlertEvent::Absent).then(|| jiff::civil::time(9, 0, 0, 0)),
            after_minutes: (event == AlertEvent::CameraDown).then_some(5),
        },
        paused: false,
        by: "Ms Rao".into(),
        at: now(),
    }
}

/// A rule that sends letters to an address.
fn letters(event: AlertEvent, channel: i64) -> NewAlertRule {
    let mut new = rule(event, channel);
    new.settings.addresses = vec!["head@school.example".into()];
    new
}

fn student(store: &dyn Store, name: &str, roll: &str) -> StudentId {
    store.create_student(name, roll, now()).unwrap().id
}

fn rows(store: &dyn Store) -> Vec<OutboxRow> {
    let mut rows = store.outbox(OutboxFilter::default(), Page::ALL).unwrap().items;
    rows.reverse();
    rows
}

fn events(store: &dyn Store) -> Vec<&'static str> {
    rows(store).iter().map(|row| row.message.event.as_str()).collect()
}

fn states(store: &dyn Store) -> Vec<&'static str> {
    rows(store).iter().map(|row| row.state.as_str()).collect()
}

fn take(store: &dyn Store, channel: i64, now: Timestamp) -> Option<Letter> {
    store.take_letter(channel, "a", LEASE, now).unwrap()
}

pub(crate) fn a_mark_and_what_it_tells_are_one(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &hook()).unwrap().id;
    for event in [AlertEvent::Marked, AlertEvent::Late] {
        store.keep_alert_rule(None, &rule(event, channel)).unwrap();
    }
    let asha = student(store, "Asha", "R1");
    let new = mark(asha, "2026-03-02T08:15:30.25Z");
    let record = store.mark_attendance(&new).unwrap().record().clone();
    let [row] = &rows(store)[..] else { panic!("{:?}", rows(store)) };
    assert_eq!((row.message.event, row.message.happened_at, row.student), (AlertEvent::Marked, new.at, Some(asha)));
    let facts = &row.message.facts;
    assert_eq!((facts.rule.as_str(), facts.student_name.as_deref()), ("On marked", Some("Asha")));
    assert_eq!((facts.attendance_id, facts.period.as_deref()), (Some(record.id), Some("day")));
    assert_eq!((facts.day, facts.camera_location.as_deref()), (Some(new.day.date), Some("Gate 1")));
    // A mark that was there tells nothing, and neither does one that fails.
    store.mark_attendance(&new).unwrap();
    assert_eq!(kind(store.mark_attendance(&mark(StudentId(999), "2026-03-02T08:00:00Z"))), ErrorKind::NotFound);
    assert_eq!(rows(store).len(), 1);
    let late = NewAttendance { status: AttendanceStatus::Late, ..mark(asha, "2026-03-03T08:15:30.25Z") };
    store.mark_attendance(&late).unwrap();
    assert_eq!(events(store), ["marked", "marked", "late"]);
    // A rule that is paused hears nothing.
    let id = store.alert_rules().unwrap()[0].id;
    store.keep_alert_rule(Some(id), &NewAlertRule { paused: true, ..rule(AlertEvent::Marked, channel) }).unwrap();
    store.mark_attendance(&mark(asha, "2026-03-04T08:15:30.25Z")).unwrap();
    assert_eq!(rows(store).len(), 3);
}

pub(crate) fn an_event_is_told_once_however_often_it_is_written(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &hook()).unwrap().id;
    store.keep_alert_rule(None, &rule(AlertEvent::Marked, channel)).unwrap();
    let asha = student(store, "Asha", "R1");
    let journal = JournalId::random();
    store.begin_journal(journal, now()).unwrap();
    let sighting = Deferred::Sighting { mark: mark(asha, "2026-03-02T08:00:00Z"), checks_out: false };
    for _ in 0..2 {
        store.write_deferred(journal, &[(1, sighting.clone())], now()).unwrap();
    }
    race(6, |_| store.mark_attendance(&mark(asha, "2026-03-03T08:00:00Z")).unwrap());
    assert_eq!(events(store), ["marked", "marked"]);
}

pub(crate) fn a_channel_keeps_its_secret_for_itself_and_for_its_place(store: &dyn Store) {
    let kept = store.keep_alert_channel(None, &mail(5)).unwrap();
    assert_eq!(kept.secret, AlertSecret::Known("geheim".into()));
    assert!(!format!("{kept:?} {:?}", mail(5)).contains("geheim"));
    assert_eq!(store.alert_channels().unwrap(), std::slice::from_ref(&kept));
    assert_eq!(
        kind(store.keep_alert_channel(None, &NewAlertChannel { name: "LETTERS".into(), ..hook() })),
        ErrorKind::Conflict
    );
    // It is not typed again for another name or window, and it is for another server.
    let same = NewAlertChannel { name: "Post".into(), secret: None, ..mail(0) };
    let changed = store.keep_alert_channel(Some(kept.id), &same).unwrap();
    assert_eq!((changed.name.as_str(), &changed.secret), ("Post", &kept.secret));
    let AlertChannelSettings::Email { port, security, user, from, .. } = mail(5).settings else { unreachable!() };
    let elsewhere = |host: &str, security| {
        let settings = AlertChannelSettings::Email {
            host: host.into(),
            port,
            security,
            user: user.clone(),
            from: from.clone(),
            window_minutes: 5,
        };
        NewAlertChannel { settings, secret: None, ..mail(5) }
    };
    assert_eq!(
        kind(store.keep_alert_channel(Some(kept.id), &elsewhere("evil.example", security))),
        ErrorKind::InvalidInput
    );
    let plain = elsewhere("mail.school.example", MailSecurity::Plain);
    assert_eq!(kind(store.keep_alert_channel(Some(kept.id), &plain)), ErrorKind::InvalidInput);
    assert_eq!(store.alert_channels().unwrap()[0].secret, kept.secret, "what is refused changes nothing");
    assert_eq!(kind(store.keep_alert_channel(Some(999), &hook())), ErrorKind::NotFound);
    for url in ["ftp://x/y", "https://", "https://me:pw@host/", "https://host/ x", "school.example"] {
        let new = NewAlertChannel { settings: AlertChannelSettings::Webhook { url: url.into() }, ..hook() };
        assert_eq!(kind(store.keep_alert_channel(None, &new)), ErrorKind::InvalidInput, "{url}");
    }
    for secret in [None, Some("short")] {
        let new = NewAlertChannel { secret: secret.map(ToOwned::to_owned), ..hook() };
        assert_eq!(kind(store.keep_alert_channel(None, &new)), ErrorKind::InvalidInput, "{secret:?}");
    }
    let forms = store.alert_secret_forms().unwrap();
    assert_eq!(forms.plain + forms.sealed.values().sum::<u64>(), 1);
}

pub(crate) fn what_tells_nobody_is_no_rule(store: &dyn Store) {
    let letters_to = store.keep_alert_channel(None, &mail(5)).unwrap().id;
    let refused = |event, change: &dyn Fn(&mut AlertRuleSettings)| {
        let mut new = letters(event, letters_to);
        change(&mut new.settings);
        kind(store.keep_alert_rule(None, &new))
    };
    type Wrong = (AlertEvent, &'static dyn Fn(&mut AlertRuleSettings));
    let wrong: [Wrong; 9] = [
        (AlertEvent::Late, &|settings| settings.channels.clear()),
        (AlertEvent::Late, &|settings| settings.addresses.clear()),
        (AlertEvent::Late, &|settings| settings.addresses = vec!["nobody".into()]),
        (AlertEvent::Late, &|settings| settings.addresses = vec!["a@b\r\nBcc: c@d".into()]),
        (AlertEvent::Late, &|settings| settings.groups = Some(vec![])),
        (AlertEvent::Late, &|settings| settings.at = Some(jiff::civil::time(9, 0, 0, 0))),
        (AlertEvent::Absent, &|settings| settings.at = None),
        (AlertEvent::CameraDown, &|settings| settings.after_minutes = Some(0)),
        (AlertEvent::CameraDown, &|settings| settings.guardians = true),
    ];
    for (event, change) in wrong {
        assert_eq!(refused(event, change), ErrorKind::InvalidInput, "{event:?}");
    }
    assert_eq!(refused(AlertEvent::Late, &|settings| settings.channels = vec![99]), ErrorKind::NotFound);
    assert_eq!(store.alert_rules().unwrap(), []);
    let kept = store.keep_alert_rule(None, &letters(AlertEvent::Absent, letters_to)).unwrap();
    assert_eq!(store.alert_rules().unwrap(), [kept]);
}

pub(crate) fn a_letter_is_taken_by_one_and_tried_again_under_its_id(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &hook()).unwrap().id;
    store.keep_alert_rule(None, &rule(AlertEvent::Marked, channel)).unwrap();
    let asha = student(store, "Asha", "R1");
    store.mark_attendance(&mark(asha, "2026-03-02T08:00:00Z")).unwrap();
    let begin = at("2026-03-02T08:00:01Z");
    assert_eq!(store.due_alert_channels(at("2026-03-02T07:59:59Z")).unwrap(), [0; 0]);
    assert_eq!(store.due_alert_channels(begin).unwrap(), [channel]);
    let first = take(store, channel, begin).unwrap();
    assert_eq!((first.tries, first.messages.len(), &first.recipient), (1, 1, &LetterRecipient::System));
    assert_eq!(first.channel.secret, AlertSecret::Known(SECRET.into()));
    assert_eq!(take(store, channel, begin), None, "it is in work");
    let again_at = begin + 10.seconds();
    let failed = FailedTry { error: "it answers 500".into(), again_at: Some(again_at) };
    store.letter_failed(&first.id, "somebody else", &failed, begin).unwrap();
    assert_eq!(rows(store)[0].last_error, None, "only its holder says what became of it");
    store.letter_failed(&first.id, "a", &failed, begin).unwrap();
    assert_eq!(take(store, channel, begin), None);
    let second = take(store, channel, again_at).unwrap();
    assert_eq!((&second.id, second.tries, &second.messages), (&first.id, 2, &first.messages));
    assert_eq!(rows(store)[0].last_error.as_deref(), Some("it answers 500"));
    store.letter_sent(&second.id, "a", again_at).unwrap();
    assert_eq!((states(store), take(store, channel, again_at + 1.hour())), (vec!["sent"], None));
    let state = store.outbox_state().unwrap();
    assert_eq!((state.waiting, state.sent, state.dead, state.waiting_since), (0, 1, 0, None));
    // A letter of a sender that has died is taken over, with its id.
    store.mark_attendance(&mark(asha, "2026-03-03T08:00:00Z")).unwrap();
    let later = at("2026-03-03T09:00:00Z");
    let third = store.take_letter(channel, "dead", Duration::ZERO, later).unwrap().unwrap();
    let taken_over = take(store, channel, later).unwrap();
    assert_eq!((&taken_over.id, taken_over.tries), (&third.id, 2));
    assert_eq!(store.retire_outbox(again_at + 1.second()).unwrap(), 1);
    assert_eq!(states(store), ["waiting"]);
}

pub(crate) fn what_falls_into_one_window_is_one_letter(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &mail(5)).unwrap().id;
    store.keep_alert_rule(None, &letters(AlertEvent::Marked, channel)).unwrap();
    for n in 0..30 {
        let who = student(store, &format!("Student {n}"), &format!("R{n}"));
        store.mark_attendance(&mark(who, &format!("2026-03-02T08:01:{n:02}Z"))).unwrap();
    }
    assert_eq!(take(store, channel, at("2026-03-02T08:04:59Z")), None, "the window is open");
    let letter = take(store, channel, at("2026-03-02T08:05:00Z")).unwrap();
    assert_eq!(letter.messages.len(), 30);
    assert!(letter.messages.is_sorted_by_key(|message| message.happened_at));
    assert_eq!(letter.recipient, LetterRecipient::Person("head@school.example".into()));
    // What comes while it fails is another letter.
    let again_at = Some(at("2026-03-02T08:06:00Z"));
    let failed = FailedTry { error: "away".into(), again_at };
    store.letter_failed(&letter.id, "a", &failed, at("2026-03-02T08:05:01Z")).unwrap();
    let late = student(store, "Later", "R99");
    store.mark_attendance(&mark(late, "2026-03-02T08:05:30Z")).unwrap();
    let again = take(store, channel, at("2026-03-02T08:10:00Z")).unwrap();
    assert_eq!((&again.id, again.messages.len(), again.tries), (&letter.id, 30, 2));
    store.letter_sent(&again.id, "a", at("2026-03-02T08:10:01Z")).unwrap();
    let other = take(store, channel, at("2026-03-02T08:10:00Z")).unwrap();
    assert_eq!((other.messages.len(), other.tries), (1, 1));
    assert_ne!(other.id, letter.id);
}

pub(crate) fn guardians_are_told_in_their_language_and_go_with_their_student(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &mail(0)).unwrap().id;
    let mut new = rule(AlertEvent::Marked, channel);
    new.settings.guardians = true;
    store.keep_alert_rule(None, &new).unwrap();
    let (asha, ben) = (student(store, "Asha", "R1"), student(store, "Ben", "R2"));
    let guardian = |email: &str, language: &str| Guardian { email: email.into(), language: language.into() };
    let of_asha = [guardian("Mother@home.example", "hi"), guardian("father@home.example", "en")];
    store.set_guardians(asha, &of_asha, now()).unwrap();
    assert_eq!(store.guardians(asha).unwrap(), of_asha);
    assert_eq!(format!("{:?}", of_asha[0]), "Guardian(*** in hi)");
    assert_eq!(kind(store.set_guardians(StudentId(99), &of_asha, now())), ErrorKind::NotFound);
    let twice = [guardian("a@b.example", "en"), guardian("A@b.example", "en")];
    for wrong in [&twice[..], &[guardian("nobody", "en")], &[guardian("a@b.example", "english!")]] {
        assert_eq!(kind(store.set_guardians(asha, wrong, now())), ErrorKind::InvalidInput);
    }
    for who in [asha, ben] {
        store.mark_attendance(&mark(who, "2026-03-02T08:00:00Z")).unwrap();
    }
    assert_eq!(
        rows(store).iter().map(|row| (row.student, row.to_guardian)).collect::<Vec<_>>(),
        [(Some(asha), true); 2]
    );
    assert!(!format!("{:?}", rows(store)).contains("home.example"), "no address is in the outbox");
    // One who is removed meanwhile is not told.
    store.set_guardians(asha, &of_asha[..1], now()).unwrap();
    let letter = take(store, channel, at("2026-03-02T08:00:01Z")).unwrap();
    assert_eq!(
        (letter.language.as_str(), &letter.recipient),
        ("hi", &LetterRecipient::Person(of_asha[0].email.clone()))
    );
    assert_eq!(take(store, channel, at("2026-03-02T08:00:01Z")), None);
    assert_eq!(states(store), ["waiting", "withdrawn"]);
    assert_eq!(store.outbox_of(asha).unwrap().len(), 2);
    store.erase_student(asha, MarksOfErased::Anonymise, now()).unwrap();
    assert_eq!((rows(store), store.guardians(asha).unwrap()), (vec![], vec![]));
}

pub(crate) fn who_is_absent_is_told_once_a_day(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &hook()).unwrap().id;
    let rule = store.keep_alert_rule(None, &rule(AlertEvent::Absent, channel)).unwrap().id;
    let (asha, ben) = (student(store, "Asha", "R1"), student(store, "Ben", "R2"));
    store.mark_attendance(&mark(ben, "2026-03-02T08:59:00Z")).unwrap();
    let facts = |who: StudentId, name: &str| AlertFacts {
        student_id: Some(who.0),
        student_name: Some(name.into()),
        ..AlertFacts::default()
    };
    let absent = [facts(asha, "Asha"), facts(ben, "Ben")];
    let (day, now) = ("2026-03-02".parse().unwrap(), at("2026-03-02T09:00:00Z"));
    assert!(!store.absences_are_written(rule, day).unwrap());
    let written = race(4, |_| store.write_absences(rule, day, &absent, now).unwrap());
    assert_eq!(written.iter().flatten().collect::<Vec<_>>(), [&1], "{written:?}");
    assert!(store.absences_are_written(rule, day).unwrap());
    let [row] = &rows(store)[..] else { panic!("{:?}", rows(store)) };
    assert_eq!((row.student, row.message.event, row.message.facts.day), (Some(asha), AlertEvent::Absent, Some(day)));
    let tomorrow = "2026-03-03".parse().unwrap();
    assert_eq!(store.write_absences(rule, tomorrow, &absent, now + 24.hours()).unwrap(), Some(2));
}

pub(crate) fn who_comes_after_all_is_not_told_to_be_absent(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &mail(5)).unwrap().id;
    let rule = store.keep_alert_rule(None, &letters(AlertEvent::Absent, channel)).unwrap().id;
    let (asha, ben) = (student(store, "Asha", "R1"), student(store, "Ben", "R2"));
    let absent = [asha, ben].map(|who| AlertFacts { student_id: Some(who.0), ..AlertFacts::default() });
    let day = "2026-03-02".parse().unwrap();
    store.write_absences(rule, day, &absent, at("2026-03-02T09:00:00Z")).unwrap();
    store.mark_attendance(&mark(asha, "2026-03-02T09:03:00Z")).unwrap();
    let letter = take(store, channel, at("2026-03-02T09:05:00Z")).unwrap();
    assert_eq!(letter.messages.iter().map(|message| message.facts.student_id).collect::<Vec<_>>(), [Some(ben.0)]);
    // Once it is on its way it is not taken back.
    store.mark_attendance(&mark(ben, "2026-03-02T09:06:00Z")).unwrap();
    assert_eq!(states(store), ["withdrawn", "waiting"]);
}

pub(crate) fn a_camera_that_is_down_is_told_once_until_it_is_up(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &hook()).unwrap().id;
    store.keep_alert_rule(None, &rule(AlertEvent::CameraDown, channel)).unwrap();
    let down = |now| store.camera_is_down(7, "Main gate", Some("Gate"), now).unwrap();
    let begin = now();
    for minute in [0, 1, 4] {
        down(begin + minute.minutes());
    }
    assert_eq!((rows(store), store.cameras_down().unwrap()), (vec![], vec![7]));
    for minute in [5, 6, 60] {
        down(begin + minute.minutes());
    }
    let [row] = &rows(store)[..] else { panic!("{:?}", rows(store)) };
    let facts = &row.message.facts;
    assert_eq!((facts.camera_id, facts.camera.as_deref(), row.student), (Some(7), Some("Main gate"), None));
    assert_eq!(row.message.happened_at.duration_since(begin).as_millis(), 0);
    store.camera_is_up(7).unwrap();
    down(begin + 2.hours());
    assert_eq!(rows(store).len(), 1, "it waits anew");
    down(begin + 3.hours());
    assert_eq!(events(store), ["camera_down", "camera_down"]);
}

pub(crate) fn a_suspected_photograph_is_told_and_a_doubt_is_not(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &hook()).unwrap().id;
    store.keep_alert_rule(None, &rule(AlertEvent::SpoofSuspected, channel)).unwrap();
    store.keep_alert_rule(None, &rule(AlertEvent::Marked, channel)).unwrap();
    let asha = student(store, "Asha", "R1");
    let sighting = mark(asha, "2026-03-02T08:00:00Z");
    let doubt = NewSecondLook { sighting, verdict: SecondLookVerdict::Undecided, reasons: vec![] };
    let spoof = NewSecondLook { verdict: SecondLookVerdict::Spoof, ..doubt.clone() };
    for new in [&doubt, &spoof, &spoof] {
        store.add_second_look(new).unwrap();
    }
    let [row] = &rows(store)[..] else { panic!("{:?}", rows(store)) };
    let look = row.message.facts.second_look_id.unwrap();
    assert_eq!((row.message.event, row.student), (AlertEvent::SpoofSuspected, Some(asha)));
    // A person says that it was her: that is a mark, and tells so.
    let confirm = SecondLookDecision::new(SecondLookAnswer::Confirm, "Ms Rao", now());
    store.decide_second_look(look, &confirm).unwrap();
    assert_eq!(events(store), ["spoof_suspected", "marked"]);
}

pub(crate) fn a_check_out_is_told_once(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &hook()).unwrap().id;
    store.keep_alert_rule(None, &rule(AlertEvent::Left, channel)).unwrap();
    let asha = student(store, "Asha", "R1");
    let row = store.mark_attendance(&mark(asha, "2026-03-02T08:00:00Z")).unwrap().record().id;
    for time in ["2026-03-02T15:00:00Z", "2026-03-02T15:01:00Z"] {
        store.check_out(row, at(time)).unwrap();
    }
    let journal = JournalId::random();
    store.begin_journal(journal, now()).unwrap();
    let sighting = Deferred::Sighting { mark: mark(asha, "2026-03-02T15:02:00Z"), checks_out: true };
    store.write_deferred(journal, &[(1, sighting)], now()).unwrap();
    let [told] = &rows(store)[..] else { panic!("{:?}", rows(store)) };
    assert_eq!((told.message.event, told.message.happened_at), (AlertEvent::Left, at("2026-03-02T15:00:00Z")));
}

pub(crate) fn what_was_given_up_is_sent_again_when_somebody_asks(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &hook()).unwrap().id;
    store.keep_alert_rule(None, &rule(AlertEvent::Marked, channel)).unwrap();
    store.mark_attendance(&mark(student(store, "Asha", "R1"), "2026-03-02T08:00:00Z")).unwrap();
    let begin = at("2026-03-02T08:00:01Z");
    let letter = take(store, channel, begin).unwrap();
    assert_eq!(kind(store.resend_letter(&letter.id, begin)), ErrorKind::State);
    assert_eq!(kind(store.resend_letter("none", begin)), ErrorKind::NotFound);
    let dead = FailedTry { error: "x".repeat(5000), again_at: None };
    store.letter_failed(&letter.id, "a", &dead, begin).unwrap();
    assert_eq!((states(store), take(store, channel, begin + 48.hours())), (vec!["dead"], None));
    assert_eq!(store.outbox_state().unwrap().dead, 1);
    assert_eq!(rows(store)[0].last_error.as_deref().map(str::len), Some(limits::ALERT_ERROR));
    assert_eq!(store.retire_outbox(begin + 48.hours()).unwrap(), 0, "somebody has to decide");
    assert_eq!(store.resend_letter(&letter.id, begin + 1.hour()).unwrap(), 1);
    let again = take(store, channel, begin + 1.hour()).unwrap();
    assert_eq!((&again.id, again.tries), (&letter.id, 1));
}

pub(crate) fn what_waits_goes_with_its_rule_and_its_channel(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &hook()).unwrap().id;
    let first = store.keep_alert_rule(None, &rule(AlertEvent::Marked, channel)).unwrap().id;
    store.keep_alert_rule(None, &rule(AlertEvent::Marked, channel)).unwrap();
    store.mark_attendance(&mark(student(store, "Asha", "R1"), "2026-03-02T08:00:00Z")).unwrap();
    let paused = NewAlertChannel { paused: true, secret: None, ..hook() };
    store.keep_alert_channel(Some(channel), &paused).unwrap();
    let later = at("2026-03-02T09:00:00Z");
    assert_eq!((store.due_alert_channels(later).unwrap(), take(store, channel, later)), (vec![0; 0], None));
    assert_eq!((rows(store).len(), store.outbox_state().unwrap().waiting_since), (2, None));
    store.remove_alert_rule(first).unwrap();
    assert_eq!(rows(store).len(), 1);
    store.remove_alert_channel(channel).unwrap();
    assert_eq!((rows(store), store.alert_channels().unwrap()), (vec![], vec![]));
    // What names a channel that is gone tells nobody, and no new channel is taken for it.
    let next = store.keep_alert_channel(None, &hook()).unwrap().id;
    assert_ne!(next, channel);
    store.mark_attendance(&mark(student(store, "Ben", "R2"), "2026-03-02T08:00:00Z")).unwrap();
    assert_eq!(rows(store), []);
    assert_eq!(kind(store.remove_alert_rule(first)), ErrorKind::NotFound);
}

pub(crate) fn of_senders_at_once_each_letter_has_one(store: &dyn Store) {
    let hook = store.keep_alert_channel(None, &hook()).unwrap().id;
    let mail = store.keep_alert_channel(None, &mail(0)).unwrap().id;
    store.keep_alert_rule(None, &rule(AlertEvent::Marked, hook)).unwrap();
    store.keep_alert_rule(None, &letters(AlertEvent::Marked, mail)).unwrap();
    for n in 0..12 {
        let who = student(store, &format!("Student {n}"), &format!("R{n}"));
        store.mark_attendance(&mark(who, "2026-03-02T08:00:00Z")).unwrap();
    }
    let later = at("2026-03-02T09:00:00Z");
    // SQLite has one sender: its name is that of the process.
    let sender = |n: usize| if store.cluster().is_some() { format!("sender {n}") } else { "a".to_owned() };
    let taken = race(4, |n| {
        let mut mine = Vec::new();
        for channel in [hook, mail] {
            while let Some(letter) = store.take_letter(channel, &sender(n), LEASE, later).unwrap() {
                mine.push(letter);
            }
        }
        mine
    });
    let mut ids: Vec<String> = taken.iter().flatten().map(|letter| letter.id.clone()).collect();
    ids.sort();
    let number = ids.len();
    ids.dedup();
    assert_eq!((number, ids.len()), (13, 13), "twelve for the system, and one letter of twelve events");
}

pub(crate) fn a_merge_takes_guardians_and_letters_along(store: &dyn Store) {
    let channel = store.keep_alert_channel(None, &mail(5)).unwrap().id;
    let mut new = letters(AlertEvent::Marked, channel);
    new.settings.guardians = true;
    store.keep_alert_rule(None, &new).unwrap();
    let (kept, other) = (student(store, "Asha", "R1"), student(store, "Asha R.", "R2"));
    let guardian = |email: &str| Guardian { email: email.into(), language: "en".into() };
    store.set_guardians(kept, &[guardian("mother@home.example")], now()).unwrap();
    store.set_guardians(other, &[guardian("MOTHER@home.example"), guardian("aunt@home.example")], now()).unwrap();
    store.mark_attendance(&mark(other, "2026-03-02T08:00:00Z")).unwrap();
    let merge = StudentMerge { kept, other, face: MergedFace::Kept, day_of: &|_| None, admits: &mut |_| Ok(true) };
    store.merge_students(merge, "Ms Rao", now()).unwrap().unwrap();
    let emails: Vec<_> = store.guardians(kept).unwrap().into_iter().map(|guardian| guardian.email).collect();
    assert_eq!(emails, ["mother@home.example", "aunt@home.example"]);
    assert_eq!(store.outbox_of(kept).unwrap().len(), 3);
    let later = at("2026-03-02T08:05:00Z");
    let told: Vec<_> = std::iter::from_fn(|| take(store, channel, later)).map(|letter| letter.recipient).collect();
    assert_eq!(told.len(), 2, "the guardian who was there twice is told by the address that stayed, or not at all");
    assert!(told.contains(&LetterRecipient::Person("aunt@home.example".into())));
}
