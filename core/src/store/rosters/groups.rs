//! Groups.

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::limits::{self, fits, has_no_control_character, is_blank};
use super::super::outbox::statements::{Cells, values};
use super::super::portable::Kind;
use super::super::text_keys::camera_key;
use super::super::{Group, GroupChange, GroupKind, GroupSize, NewGroup, RemovedGroup};
use super::database::RosterDatabase;
use crate::error::{Error, Result};

pub(in crate::store) const NO_GROUP: Error = Error::NotFound { what: "group" };
const TAKEN_GROUP: Error = Error::Conflict { what: "group with this name" };

const GROUP: &str = "g.id, g.name, g.kind, g.archived_at, g.created_at, g.created_by";
const KINDS: [Kind; 6] = [Kind::Int, Kind::Text, Kind::Text, Kind::Micros, Kind::Micros, Kind::Text];

fn group_of(row: &Cells) -> Group {
    Group {
        id: row.int(0),
        name: row.text(1),
        kind: row.text(2).parse().unwrap_or(GroupKind::Other),
        archived_at: row.maybe_time(3),
        created_at: row.time(4),
        created_by: row.text(5),
    }
}

pub(in crate::store) fn all<D: RosterDatabase>(db: &mut D) -> Result<Vec<Group>, D::Fault> {
    let rows = db.rows(&format!("SELECT {GROUP} FROM student_groups g"), &[], &KINDS)?;
    let mut groups: Vec<Group> = rows.iter().map(group_of).collect();
    groups.sort_by_cached_key(|group| (camera_key(&group.name), group.id));
    Ok(groups)
}

pub(in crate::store) fn sizes<D: RosterDatabase>(db: &mut D, on: Date) -> Result<Vec<GroupSize>, D::Fault> {
    let query = "SELECT m.group_id, count(DISTINCT m.student_id) FROM group_members m
        WHERE m.from_day <= $1 AND (m.until_day IS NULL OR m.until_day > $1) AND NOT EXISTS
            (SELECT 1 FROM withdrawals w WHERE w.student_id = m.student_id AND w.from_day <= $1
             AND (w.until_day IS NULL OR w.until_day > $1))
        GROUP BY m.group_id";
    let counted = db.rows(query, values![on], &[Kind::Int, Kind::Int])?;
    let members = |id| counted.iter().find(|row| row.int(0) == id).map_or(0, |row| row.count(1));
    Ok(all(db)?.into_iter().map(|group| GroupSize { members: members(group.id), group }).collect())
}

pub(in crate::store) fn find<D: RosterDatabase>(db: &mut D, id: i64) -> Result<Option<Group>, D::Fault> {
    let rows = db.rows(&format!("SELECT {GROUP} FROM student_groups g WHERE g.id = $1"), values![id], &KINDS)?;
    Ok(rows.first().map(group_of))
}

pub(in crate::store) fn named<D: RosterDatabase>(db: &mut D, name: &str) -> Result<Option<Group>, D::Fault> {
    let query = format!("SELECT {GROUP} FROM student_groups g WHERE g.name_key = $1");
    let rows = db.rows(&query, values![camera_key(name)], &KINDS)?;
    Ok(rows.first().map(group_of))
}

/// Checks the name of a group.
pub(in crate::store) fn name_fits(name: &str) -> Result<()> {
    if is_blank(name) {
        return Err(Error::invalid_input("name of a group", "it is blank"));
    }
    has_no_control_character("name of a group", name)?;
    fits("name of a group", name, limits::GROUP_NAME)
}

/// Checks the name of a person who changes the roster.
pub(in crate::store) fn person_fits(by: &str) -> Result<()> {
    fits("name of who changes the roster", by, limits::PERSON)
}

pub(in crate::store) fn create<D: RosterDatabase>(db: &mut D, new: &NewGroup) -> Result<Group, D::Fault> {
    name_fits(&new.name)?;
    person_fits(&new.by)?;
    db.hold_roster()?;
    if named(db, &new.name)?.is_some() {
        return Err(TAKEN_GROUP.into());
    }
    let there = db.rows("SELECT count(*) FROM student_groups", &[], &[Kind::Int])?;
    if there.first().is_some_and(|row| row.count(0) >= limits::GROUPS as u64) {
        let reason = format!("there are {} already: remove those that are not needed", limits::GROUPS);
        return Err(Error::invalid_input("group", reason).into());
    }
    let name = new.name.trim();
    let made = db.rows(
        "INSERT INTO student_groups (name, name_key, kind, created_at, created_by) VALUES ($1, $2, $3, $4, $5)
         RETURNING id",
        values![name, camera_key(name), new.kind.as_str(), new.at, new.by.as_str()],
        &[Kind::Int],
    )?;
    db.tell_roster()?;
    let id = made.first().map_or(0, |row| row.int(0));
    Ok(find(db, id)?.ok_or(NO_GROUP)?)
}

pub(in crate::store) fn change<D: RosterDatabase>(
    db: &mut D,
    id: i64,
    change: &GroupChange,
) -> Result<Group, D::Fault> {
    db.hold_roster()?;
    find(db, id)?.ok_or(NO_GROUP)?;
    if let Some(name) = &change.name {
        name_fits(name)?;
        if named(db, name)?.is_some_and(|other| other.id != id) {
            return Err(TAKEN_GROUP.into());
        }
        let name = name.trim();
        let rename = "UPDATE student_groups SET name = $2, name_key = $3 WHERE id = $1";
        db.run(rename, values![id, name, camera_key(name)])?;
    }
    if let Some(kind) = change.kind {
        db.run("UPDATE student_groups SET kind = $2 WHERE id = $1", values![id, kind.as_str()])?;
    }
    db.tell_roster()?;
    Ok(find(db, id)?.ok_or(NO_GROUP)?)
}

pub(in crate::store) fn remove<D: RosterDatabase>(
    db: &mut D,
    id: i64,
    today: Date,
    now: Timestamp,
) -> Result<RemovedGroup, D::Fault> {
    db.hold_roster()?;
    find(db, id)?.ok_or(NO_GROUP)?;
    // A membership that has not begun is no history.
    db.run("DELETE FROM group_members WHERE group_id = $1 AND from_day >= $2", values![id, today])?;
    let members = db.rows("SELECT count(*) FROM group_members WHERE group_id = $1", values![id], &[Kind::Int])?;
    db.tell_roster()?;
    if members.first().is_none_or(|row| row.count(0) == 0) {
        for table in ["timetables", "calendar_entries"] {
            db.run(&format!("DELETE FROM {table} WHERE group_id = $1"), values![id])?;
        }
        db.run("DELETE FROM student_groups WHERE id = $1", values![id])?;
        return Ok(RemovedGroup::Removed);
    }
    db.run(
        "UPDATE group_members SET until_day = $2 WHERE group_id = $1 AND (until_day IS NULL OR until_day > $2)",
        values![id, today],
    )?;
    db.run("UPDATE student_groups SET archived_at = $2 WHERE id = $1 AND archived_at IS NULL", values![id, now])?;
    Ok(RemovedGroup::Archived)
}

pub(in crate::store) fn restore<D: RosterDatabase>(db: &mut D, id: i64) -> Result<Group, D::Fault> {
    db.hold_roster()?;
    db.run("UPDATE student_groups SET archived_at = NULL WHERE id = $1", values![id])?;
    db.tell_roster()?;
    Ok(find(db, id)?.ok_or(NO_GROUP)?)
}

/// Checks that the group is there and takes members and timetables.
pub(in crate::store) fn must_be_at_work<D: RosterDatabase>(db: &mut D, id: i64) -> Result<Group, D::Fault> {
    let group = find(db, id)?.ok_or(NO_GROUP)?;
    if group.archived_at.is_some() {
        let reason = format!("{} is archived: take it out of the archive first", group.name);
        return Err(Error::State { what: "group", reason }.into());
    }
    Ok(group)
}
