//! The endpoints, a module a group. Each is declared in a constant beside its handler and registered here.

mod accounts;
mod attendance;
mod auth;
mod backups;
mod calendar;
mod cameras;
pub(crate) mod detection;
pub(crate) mod devices;
mod duplicates;
mod excuses;
mod export;
mod face;
mod first_run;
mod frames;
mod groups;
mod kiosk;
mod kiosks;
mod laptop;
mod liveness;
mod members;
mod notices;
mod passive;
mod person;
mod photographs;
mod preview;
mod privacy;
mod register;
mod register_file;
mod root;
mod roster_export;
mod roster_import;
mod second_looks;
mod service;
mod statuses;
mod student_roster;
mod students;
mod templates;
mod timetables;
mod today;
mod trends;
mod unknown_faces;
mod views;

use self::liveness::{complete, frame, session};
use self::notices::{channels, guardians, letters, rules};
use crate::router::Routes;

/// Every endpoint, in the order in which the original registers them: the first that matches answers.
pub(crate) fn table() -> Routes {
    Routes::default()
        .add(root::ROOT, root::root)
        .add(root::HEALTH, root::health)
        .add(service::READY, service::ready)
        .add(service::METRICS, service::metrics)
        .add(service::PING, service::ping)
        .add(service::MODELS, service::models)
        .add(devices::DEVICES, devices::devices)
        .add(passive::STANDING, passive::standing)
        .add(passive::FETCH, passive::fetch)
        .add(passive::STOP, passive::stop)
        .add(backups::STATE, backups::state)
        .add(root::STATUS, root::status)
        .add(auth::LOGIN, auth::login)
        .add(auth::REFRESH, auth::refresh)
        .add(auth::ME, auth::me)
        .add(auth::LOGOUT, auth::logout)
        .add(accounts::LIST, accounts::list)
        .add(accounts::CREATE, accounts::create)
        .add(accounts::UPDATE, accounts::update)
        .add(accounts::AUDIT, accounts::audit)
        .add(students::CREATE, students::create)
        .add(students::LIST, students::list)
        // Before the student whose id is in the path.
        .add(duplicates::LOOK_ALIKES, duplicates::look_alikes)
        .add(roster_export::EXPORT, roster_export::export)
        .add(students::GET, students::get)
        .add(students::UPDATE, students::update)
        .add(roster_import::IMPORT, roster_import::import_list)
        .add(photographs::ENROL, photographs::enrol)
        .add(members::OF_STUDENT, members::of_student)
        .add(members::WITHDRAW, members::withdraw)
        .add(members::READMIT, members::readmit)
        .add(groups::LIST, groups::list)
        .add(groups::CREATE, groups::create)
        .add(groups::UPDATE, groups::update)
        .add(groups::REMOVE, groups::remove)
        .add(groups::RESTORE, groups::restore)
        .add(members::LIST, members::list)
        .add(members::JOIN, members::join)
        .add(members::LEAVE, members::leave)
        .add(members::REDATE, members::redate)
        .add(timetables::LIST, timetables::list)
        .add(timetables::SET, timetables::set)
        .add(timetables::REMOVE, timetables::remove)
        .add(calendar::LIST, calendar::list)
        .add(calendar::ADD, calendar::add)
        .add(calendar::REMOVE, calendar::remove)
        .add(excuses::LIST, excuses::list)
        .add(excuses::ADD, excuses::add)
        .add(excuses::WITHDRAW, excuses::withdraw)
        .add(privacy::ERASE, privacy::erase)
        .add(privacy::EXPORT, privacy::export)
        .add(duplicates::MERGE, duplicates::merge)
        .add(templates::LIST, templates::list)
        .add(templates::FORGET_SEEN, templates::forget_seen)
        .add(privacy::CONSENT, privacy::consent)
        .add(privacy::GIVE, privacy::give)
        .add(privacy::WITHDRAW, privacy::withdraw)
        .add(guardians::LIST, guardians::list)
        .add(guardians::SET, guardians::set)
        .add(attendance::LIST, attendance::list)
        .add(attendance::MARK, attendance::mark)
        .add(export::EXPORT, export::export)
        // Before the row whose id is in the path.
        .add(today::TODAY, today::today)
        .add(register::REGISTER, register::register)
        .add(person::PERSON, person::person)
        .add(trends::TRENDS, trends::trends)
        .add(statuses::LIST, statuses::list)
        .add(second_looks::LIST, second_looks::list)
        .add(second_looks::CONFIRM, second_looks::confirm)
        .add(second_looks::REFUSE, second_looks::refuse)
        .add(attendance::GET, attendance::get)
        .add(attendance::SUMMARY, attendance::summary)
        .add(attendance::DELETE, attendance::delete)
        .add(session::CREATE, session::create)
        .add(frame::DETECT, frame::detect)
        .add(frame::FRAMES, frame::detect)
        .add(complete::COMPLETE, complete::complete)
        .add(session::VERIFY, session::verify)
        .add(liveness::register::REGISTER, liveness::register::register)
        .add(session::GET, session::get)
        .add(session::RECEIPT_KEY, session::receipt_key)
        .add(detection::START, detection::start)
        .add(detection::STOP, detection::stop)
        .add(detection::STOP_ALL, detection::stop_all)
        .add(detection::STATUS, detection::status)
        .add(detection::LOGS, detection::logs)
        .add(unknown_faces::LIST, unknown_faces::list)
        .add(unknown_faces::ENROL, unknown_faces::enrol)
        .add(unknown_faces::DISMISS, unknown_faces::dismiss)
        .add(cameras::LIST, cameras::list)
        .add(cameras::CREATE, cameras::create)
        // Before the camera whose id is in the path.
        .add(cameras::TEST, cameras::test)
        .add(cameras::UPDATE, cameras::update)
        .add(cameras::REMOVE, cameras::remove)
        .add(cameras::PAUSE, cameras::pause)
        .add(cameras::RESUME, cameras::resume)
        .add(kiosks::LIST, kiosks::list)
        .add(kiosks::CREATE, kiosks::create)
        .add(kiosks::UPDATE, kiosks::update)
        .add(kiosks::REMOVE, kiosks::remove)
        .add(kiosks::CODE, kiosks::code)
        .add(kiosks::REVOKE, kiosks::revoke)
        .add(kiosk::PAIR, kiosk::pair)
        .add(kiosk::ME, kiosk::me)
        .add(kiosk::FRAME, kiosk::frame)
        .add(kiosk::NOT_ME, kiosk::not_me)
        .add(kiosk::FALLBACK, kiosk::fallback)
        .add(letters::LIST, letters::list)
        .add(letters::STATE, letters::state)
        .add(letters::RESEND, letters::resend)
        .add(channels::LIST, channels::list)
        .add(channels::CREATE, channels::create)
        .add(channels::UPDATE, channels::update)
        .add(channels::REMOVE, channels::remove)
        .add(channels::TEST, channels::test)
        .add(rules::LIST, rules::list)
        .add(rules::CREATE, rules::create)
        .add(rules::UPDATE, rules::update)
        .add(rules::REMOVE, rules::remove)
        .add(first_run::FIRST_RUN, first_run::first_run)
        .add(laptop::START, laptop::start)
        .add(laptop::STOP, laptop::stop)
        .add(laptop::INFO, laptop::info)
        .add(laptop::SWITCH, laptop::switch)
        .add(laptop::STATUS, laptop::status)
        .add(frames::FRAME, frames::frame)
        .add(frames::PROCESS_FRAME, frames::process_frame)
        .add(preview::STREAM, preview::stream)
        .add(face::DETECT, face::detect)
        .add(face::RECOGNIZE, face::recognize)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::request::kinds::Place;
    use crate::router::described::Described;
    use crate::router::endpoint::Access;

    #[test]
    fn every_endpoint_says_what_its_handler_does() {
        for listed in table().take_endpoints() {
            let (endpoint, mut described) = (listed.endpoint, Described::default());
            (listed.describe)(&mut described);
            let name = format!("{} {}", endpoint.method, endpoint.path);
            assert_eq!(endpoint.access.least().is_some(), described.authed, "{name}: credentials");
            assert_eq!(endpoint.access == Access::Kiosk, described.paired, "{name}: the token of a kiosk");
            assert!(!described.answers.is_empty(), "{name}: answers");
            let in_path = |part: &'static str| part.strip_prefix('{')?.strip_suffix('}');
            let named: BTreeSet<&str> = endpoint.path.split('/').filter_map(in_path).collect();
            let fields = described.fields.parameters.iter().filter(|field| field.place == Place::Path);
            assert_eq!(fields.map(|field| field.name).collect::<BTreeSet<_>>(), named, "{name}: path");
        }
    }

    #[test]
    fn summaries_begin_with_a_verb_in_the_third_person() {
        for listed in table().take_endpoints() {
            let summary = listed.endpoint.summary;
            let verb = summary.split(' ').next().unwrap();
            assert!(verb.ends_with('s') && verb.starts_with(char::is_uppercase), "{summary}");
            assert!(!summary.ends_with('.'), "{summary}");
        }
    }

    #[test]
    fn no_two_answers_share_the_name_of_a_schema() {
        let mut known = BTreeMap::new();
        for listed in table().take_endpoints() {
            let mut described = Described::default();
            (listed.describe)(&mut described);
            for (name, schema) in described.schemas {
                let schema = serde_json::to_value(schema).unwrap();
                let before = known.entry(name.clone()).or_insert_with(|| schema.clone());
                assert_eq!(*before, schema, "two schemas are called {name}");
            }
        }
    }
}
