//! The tables, and the numbered steps that bring a database to them.
//!
//! The five tables of the existing service come first, as it makes them; the rest is ours. Every step only adds, so a
//! database that it made keeps every row and it can still work with the file:
//!
//! - its own columns keep their names, types and formats (times are naive UTC text);
//! - our columns are nullable or have a default, so a row that it inserts is valid;
//! - rows that it wrote have no `local_day`. The unique key of attendance lets them be: to SQL two nulls are not equal.
//!
//! Two triggers keep our `student_templates` true while the existing service writes to the same file, which knows
//! nothing of them: a deleted student (whose key may be given to another) takes its templates along, and an embedding
//! that it rewrites becomes a legacy one, without our templates, our model and, if it wrote only the JSON, the bytes of
//! the old face.
//!
//! | table | what we added |
//! |---|---|
//! | `students` | `model_version`: the model of `face_embedding`; null for an embedding the existing service made |
//! | `attendance_log` | `local_day`, `period`: the site's own day, unique with the student |
//! | `liveness_detection_sessions` | `state`: the session as text; `version`: counts its changes; `consumed_at`: when it enrolled |
//! | `attendance_log` | `checked_out_at`: last seen in the time in which leaving is expected |
//! | `admin_users` | `role` |
//! | `attendance_corrections` | new: who changed the status of a row, when, why, and what it was before |
//! | `second_looks` | new: sightings that wait for a person's decision, and what was decided |
//! | `student_templates` | new: the templates of a student, each with its model, in order; `origin`: `seen` for a camera's view |
//! | `liveness_seen_frames` | new: hash and yaw of the frames of recent sessions, against replay |
//! | `students` | `consent_given_at`, `consent_given_by`, `consent_notice`: who agreed to what, and when |
//! | `logins` | new: who is logged in, with the hash of the refresh token that is good now |
//! | `login_failures` | new: how often logins failed of late, by the hash of name and address |
//! | `audit_log` | new: who changed what |
//! | `notices` | new: what has changed, for other processes on the file; the newest only |
//! | `watched_cameras` | new: which of several servers watches each of the cameras; its addresses are empty |
//! | `students` | `roll_key`, `roll_twin`: what makes roll numbers one; `search_key`: what a search looks in |
//! | `write_journals` | new: how far each journal of waiting writes is written |
//! | `ids_given` | new: the largest id of the rows that are gone, so that no other row is given it |
//! | `cameras` | new: the cameras that are kept, each with its settings; `secret`: what could be a password, sealed |
//! | `kiosks` | new: the tablets at gates, each with the hashes of its code, its token and the PIN of a supervisor |
//! | `student_groups`, `group_members`, `withdrawals`, `timetables`, `calendar_entries`, `excuses` | new: see `roster` |
//! | `schema_migrations` | new: the steps taken |

mod first_step;
pub(in crate::store) mod kiosk;
pub(in crate::store) mod marks;
pub(in crate::store) mod outbox;
pub(in crate::store) mod roster;

use super::{camera_table, given_ids};
use first_step::{AFTER, COLUMNS, TABLES};

/// One numbered step. A step that has been released is never edited: the next change is the next step.
#[derive(Debug)]
pub struct Migration {
    /// Its number, one more than the step before.
    pub version: i64,
    /// What it does, for the record in `schema_migrations`.
    pub name: &'static str,
    /// Statements that do nothing when their table is there.
    pub tables: &'static str,
    /// Columns to add where they are missing: table, column, definition.
    pub columns: &'static [(&'static str, &'static str, &'static str)],
    /// Statements that need those columns: indexes and triggers.
    pub after: &'static str,
}

/// Every step, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "the existing service's tables, templates, site-local days, session versions",
        tables: TABLES,
        columns: COLUMNS,
        after: AFTER,
    },
    Migration {
        version: 2,
        name: "frames of recent liveness sessions, by their hashes",
        tables: SEEN_FRAMES,
        columns: &[],
        after: "CREATE INDEX IF NOT EXISTS ix_liveness_seen_frames_yaw ON liveness_seen_frames (yaw);",
    },
    Migration {
        version: 3,
        name: "logins, audit log, consent",
        tables: ACCOUNT_TABLES,
        columns: CONSENT_COLUMNS,
        after: "CREATE INDEX IF NOT EXISTS ix_logins_username ON logins (username);",
    },
    Migration {
        version: 4,
        name: "check-outs and corrections of attendance",
        tables: CORRECTION_TABLES,
        columns: &[("attendance_log", "checked_out_at", "DATETIME")],
        after: CORRECTION_INDEXES,
    },
    Migration {
        version: 5,
        name: "several servers: notices, watched cameras",
        tables: SHARING_TABLES,
        columns: &[],
        after: NOTICE_TRIGGERS,
    },
    Migration {
        version: 6,
        name: "views of cameras beside the registered templates",
        tables: "",
        columns: &[("student_templates", "origin", "VARCHAR(20)")],
        after: "",
    },
    Migration {
        version: 7,
        name: "no id of a notice is given twice",
        tables: given_ids::TABLE,
        columns: &[],
        after: given_ids::OF_NOTICES,
    },
    Migration {
        version: 8,
        name: "no id of a student, session, mark, correction or audit entry is given twice",
        tables: "",
        columns: &[],
        after: given_ids::OF_ROWS,
    },
    Migration {
        version: 9,
        name: "no id of a template is given twice",
        tables: "",
        columns: &[],
        after: given_ids::OF_TEMPLATES,
    },
    Migration {
        version: 10,
        name: "failed logins, by the hash of whose they are; corrections go with their mark",
        tables: FAILURE_TABLE,
        columns: &[],
        after: CORRECTIONS_GO,
    },
    Migration {
        version: 11,
        name: "the second-look list",
        tables: SECOND_LOOK_TABLE,
        columns: &[],
        after: MARKS_SETTLE_LOOKS,
    },
    Migration {
        version: 12,
        name: "journals of waiting writes; keys of roll numbers and of the search; times that are spelled otherwise",
        tables: JOURNAL_TABLE,
        columns: KEY_COLUMNS,
        after: KEYS_AND_ODD_TIMES,
    },
    Migration { version: 13, name: "the cameras that are kept", tables: camera_table::TABLE, columns: &[], after: "" },
    Migration { version: 14, name: roster::NAME, tables: roster::SQLITE, columns: &[], after: roster::SQLITE_AFTER },
    Migration { version: 15, name: outbox::NAME, tables: outbox::SQLITE, columns: &[], after: outbox::SQLITE_AFTER },
    Migration { version: 16, name: kiosk::NAME, tables: kiosk::SQLITE, columns: &[], after: kiosk::SQLITE_AFTER },
    Migration { version: 17, name: marks::NAME, tables: "", columns: &[], after: marks::SQLITE_AFTER },
];

// How far each journal of waiting writes is written: a record of it goes in once, whatever happens in between.
const JOURNAL_TABLE: &str = "
CREATE TABLE IF NOT EXISTS write_journals (
    journal VARCHAR(36) NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    begun_at DATETIME NOT NULL
);
";

const KEY_COLUMNS: &[(&str, &str, &str)] = &[
    ("students", "roll_key", "TEXT"),
    ("students", "roll_twin", "INTEGER NOT NULL DEFAULT 0"),
    ("students", "search_key", "TEXT"),
];

/// That a time is not spelled as the existing service spells it, in SQLite: it is written anew before it is read,
/// because text order would not be time order.
macro_rules! odd_time {
    ($time:literal) => {
        concat!(
            "(typeof(",
            $time,
            ") <> 'text' OR ",
            $time,
            " NOT GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]*' OR substr(",
            $time,
            ", 20) GLOB '*[^.0-9]*')"
        )
    };
}

/// The same of any column.
#[cfg(feature = "sqlite")]
pub(super) fn odd(column: &str) -> String {
    odd_time!("$").replace('$', column)
}

/// That the time of an attendance row `a` is such a one. What is left of them when a database is open cannot be read.
#[cfg(feature = "sqlite")]
pub(super) const ODD_TIME_OF_A: &str = odd_time!("a.timestamp");

// A key is not computed yet where it is null: whoever writes a name without this library leaves it so. `roll_twin` is
// 0 but for students who had the key of another one before the keys came: they stay, and no new one joins them.
const KEYS_AND_ODD_TIMES: &str = concat!(
    "CREATE UNIQUE INDEX IF NOT EXISTS uq_students_roll_key ON students (roll_key, roll_twin);
CREATE INDEX IF NOT EXISTS ix_students_without_keys ON students (id) WHERE search_key IS NULL;
CREATE INDEX IF NOT EXISTS ix_attendance_log_odd_time ON attendance_log (id) WHERE ",
    odd_time!("timestamp"),
    ";
CREATE TRIGGER IF NOT EXISTS tr_students_keys_stale AFTER UPDATE OF name, roll_number ON students
WHEN NEW.name IS NOT OLD.name OR NEW.roll_number IS NOT OLD.roll_number BEGIN
    UPDATE students SET roll_key = NULL, roll_twin = 0, search_key = NULL WHERE id = NEW.id;
END;
"
);

// Since schema 13 the addresses are in `cameras`, and those here are empty.
const SHARING_TABLES: &str = "
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS watched_cameras (
    name TEXT NOT NULL,
    place VARCHAR(100) NOT NULL,
    address TEXT NOT NULL,
    location TEXT,
    is_over BOOLEAN NOT NULL,
    holder VARCHAR(64),
    server VARCHAR(100),
    held_until REAL,
    report TEXT,
    PRIMARY KEY (name, place)
);
";

// Triggers, so that a gallery also follows what the existing service writes. A thousand notices are an hour of busy
// enrolment; who was away for longer reads everything.
const NOTICE_TRIGGERS: &str = "
CREATE TRIGGER IF NOT EXISTS tr_notices_kept AFTER INSERT ON notices BEGIN
    DELETE FROM notices WHERE id <= NEW.id - 1000;
END;
CREATE TRIGGER IF NOT EXISTS tr_notice_template_added AFTER INSERT ON student_templates BEGIN
    INSERT INTO notices (body) VALUES ('templates ' || NEW.student_id);
END;
CREATE TRIGGER IF NOT EXISTS tr_notice_template_deleted AFTER DELETE ON student_templates BEGIN
    INSERT INTO notices (body) VALUES ('templates ' || OLD.student_id);
END;
CREATE TRIGGER IF NOT EXISTS tr_notice_face_changed AFTER UPDATE OF face_embedding, embedding_vector,
model_version ON students
WHEN NEW.face_embedding IS NOT OLD.face_embedding OR NEW.embedding_vector IS NOT OLD.embedding_vector
    OR NEW.model_version IS NOT OLD.model_version BEGIN
    INSERT INTO notices (body) VALUES ('templates ' || NEW.id);
END;
CREATE TRIGGER IF NOT EXISTS tr_notice_face_added AFTER INSERT ON students
WHEN NEW.face_embedding IS NOT NULL OR NEW.embedding_vector IS NOT NULL BEGIN
    INSERT INTO notices (body) VALUES ('templates ' || NEW.id);
END;
CREATE TRIGGER IF NOT EXISTS tr_notice_student_deleted AFTER DELETE ON students BEGIN
    INSERT INTO notices (body) VALUES ('templates ' || OLD.id);
END;
";

const CORRECTION_TABLES: &str = "
CREATE TABLE IF NOT EXISTS attendance_corrections (
    id INTEGER NOT NULL PRIMARY KEY,
    attendance_id INTEGER NOT NULL,
    status VARCHAR(20) NOT NULL,
    status_before VARCHAR(20) NOT NULL,
    corrected_by VARCHAR(100) NOT NULL,
    reason TEXT NOT NULL,
    created_at DATETIME NOT NULL
);
";

const CORRECTION_INDEXES: &str = "
CREATE INDEX IF NOT EXISTS ix_attendance_corrections_attendance_id ON attendance_corrections (attendance_id);
CREATE INDEX IF NOT EXISTS ix_detection_logs_timestamp ON detection_logs (timestamp);
";

/// The newest schema this build knows.
#[must_use]
pub fn newest_version() -> i64 {
    MIGRATIONS.last().map_or(0, |m| m.version)
}

// `looks` is a perceptual hash of 72 bytes: no frame can be made of it.
const SEEN_FRAMES: &str = "
CREATE TABLE IF NOT EXISTS liveness_seen_frames (
    id INTEGER NOT NULL PRIMARY KEY,
    session_id VARCHAR(100) NOT NULL,
    yaw REAL NOT NULL,
    looks BLOB NOT NULL,
    seen_at DATETIME NOT NULL
);
";

const ACCOUNT_TABLES: &str = "
CREATE TABLE IF NOT EXISTS logins (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    username VARCHAR(50) NOT NULL,
    refresh_hash VARCHAR(64) NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    ended_at DATETIME
);
CREATE TABLE IF NOT EXISTS audit_log (
    id INTEGER NOT NULL PRIMARY KEY,
    timestamp DATETIME NOT NULL,
    actor VARCHAR(50) NOT NULL,
    action VARCHAR(50) NOT NULL,
    subject TEXT,
    details TEXT
);
";

const FAILURE_TABLE: &str = "
CREATE TABLE IF NOT EXISTS login_failures (
    key VARCHAR(64) NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at DATETIME NOT NULL
);
";

// Its ids are in the addresses of decisions: none is given twice.
const SECOND_LOOK_TABLE: &str = "
CREATE TABLE IF NOT EXISTS second_looks (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    student_id INTEGER NOT NULL REFERENCES students (id) ON DELETE CASCADE,
    seen_at DATETIME NOT NULL,
    local_day DATE NOT NULL,
    day_starts_at DATETIME NOT NULL,
    day_ends_at DATETIME NOT NULL,
    period TEXT NOT NULL,
    status VARCHAR(20) NOT NULL,
    confidence_score FLOAT,
    camera_location VARCHAR(255),
    verdict VARCHAR(20) NOT NULL,
    reasons TEXT NOT NULL,
    state VARCHAR(20) NOT NULL DEFAULT 'open',
    decided_by VARCHAR(255),
    decided_at DATETIME
);
CREATE UNIQUE INDEX IF NOT EXISTS uq_second_looks_open ON second_looks (student_id, local_day, period, verdict)
    WHERE state = 'open';
CREATE INDEX IF NOT EXISTS ix_second_looks_student_id ON second_looks (student_id);
CREATE INDEX IF NOT EXISTS ix_second_looks_seen_at ON second_looks (seen_at);
";

// Triggers, so that a mark settles whoever makes it, also the existing service, whose rows name no day. The row that
// `given_ids` holds for a moment is no mark: it has the largest id of the deleted rows and is not noted as held yet.
// A program that enforces no foreign keys deletes students too.
const MARKS_SETTLE_LOOKS: &str = "
CREATE TRIGGER IF NOT EXISTS tr_attendance_log_settles_looks AFTER INSERT ON attendance_log
WHEN EXISTS (SELECT 1 FROM second_looks WHERE student_id = NEW.student_id AND state = 'open')
    AND NOT EXISTS (SELECT 1 FROM ids_given WHERE of_table = 'attendance_log' AND highest = NEW.id AND NOT held) BEGIN
    UPDATE second_looks SET state = 'settled', decided_at = NEW.timestamp
    WHERE student_id = NEW.student_id AND state = 'open' AND ((local_day = NEW.local_day AND period = NEW.period)
        OR (NEW.local_day IS NULL AND NEW.timestamp >= day_starts_at AND NEW.timestamp < day_ends_at));
END;
CREATE TRIGGER IF NOT EXISTS tr_students_looks_go AFTER DELETE ON students BEGIN
    DELETE FROM second_looks WHERE student_id = OLD.id;
END;
";

// Whoever deletes a mark: the reason of a correction may name the person.
const CORRECTIONS_GO: &str = "
CREATE INDEX IF NOT EXISTS ix_login_failures_last_at ON login_failures (last_at);
DELETE FROM attendance_corrections WHERE attendance_id NOT IN (SELECT id FROM attendance_log);
CREATE TRIGGER IF NOT EXISTS tr_attendance_log_corrections_go AFTER DELETE ON attendance_log BEGIN
    DELETE FROM attendance_corrections WHERE attendance_id = OLD.id;
END;
";

const CONSENT_COLUMNS: &[(&str, &str, &str)] = &[
    ("students", "consent_given_at", "DATETIME"),
    ("students", "consent_given_by", "VARCHAR(255)"),
    ("students", "consent_notice", "VARCHAR(255)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_from_one() {
        assert!(MIGRATIONS.iter().zip(1..).all(|(migration, expected)| migration.version == expected));
    }
}
