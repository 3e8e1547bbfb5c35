//! No row's id is ever given to another row.
//!
//! SQLite gives a new row the id after the largest that is there: when the newest row is deleted, the next one is given
//! its id, and whatever still names the old row (a track, a receipt, a correction, a follower of the notices) names
//! another from then on. `AUTOINCREMENT` would end that, but it cannot be added to a table that is there, and the
//! tables are the existing service's. So three triggers on each table stand for it, whoever writes to the file:
//!
//! - a deletion of the row with the largest id is noted in `ids_given`;
//! - before an insert, where the largest id that is there is smaller than the one noted, a row with the noted id is
//!   held in the table, so that SQLite counts on from it;
//! - after the insert that row is gone again. Nobody sees it: it comes and goes within one statement.
//!
//! The held row is made only where the insert will succeed: an `INSERT OR IGNORE` that is ignored would leave it
//! behind. An id that is given explicitly is taken as it is, so that a back-up can be put back.
//!
//! PostgreSQL's sequences never go back by themselves; only an import could set them back. A copy of a database
//! (`Portable`) carries rows and not what was noted: in a new database the ids of rows that were gone
//! before, and that no correction names, are free again.

/// The statements that make the triggers of `$table`: the columns of a held row, their values, and when a new row is
/// sure to go in. `$first` comes before the row is held.
macro_rules! ids_given_once {
    ($table:literal, $columns:literal, $values:literal, $goes_in:literal) => {
        ids_given_once!($table, $columns, $values, $goes_in, "")
    };
    ($table:literal, $columns:literal, $values:literal, $goes_in:literal, $first:literal) => {
        concat!(
            "INSERT OR IGNORE INTO ids_given (of_table) VALUES ('",
            $table,
            "');
CREATE TRIGGER IF NOT EXISTS tr_",
            $table,
            "_id_gone AFTER DELETE ON ",
            $table,
            " WHEN OLD.id > COALESCE((SELECT max(id) FROM ",
            $table,
            "), 0) BEGIN
    UPDATE ids_given SET highest = OLD.id WHERE of_table = '",
            $table,
            "' AND highest < OLD.id;
END;
CREATE TRIGGER IF NOT EXISTS tr_",
            $table,
            "_id_held BEFORE INSERT ON ",
            $table,
            " WHEN (SELECT highest FROM ids_given WHERE of_table = '",
            $table,
            "') > COALESCE((SELECT max(id) FROM ",
            $table,
            "), 0) AND NOT EXISTS (SELECT 1 FROM ids_given WHERE of_table = '",
            $table,
            "' AND NEW.id IN (highest, highest + 1)) AND NOT EXISTS (SELECT 1 FROM ",
            $table,
            " WHERE id = NEW.id) AND ",
            $goes_in,
            " BEGIN
    ",
            $first,
            "INSERT INTO ",
            $table,
            " (id, ",
            $columns,
            ") SELECT highest, ",
            $values,
            " FROM ids_given WHERE of_table = '",
            $table,
            "';
    UPDATE ids_given SET held = 1 WHERE of_table = '",
            $table,
            "';
END;
CREATE TRIGGER IF NOT EXISTS tr_",
            $table,
            "_id_made AFTER INSERT ON ",
            $table,
            " WHEN EXISTS (SELECT 1 FROM ids_given WHERE of_table = '",
            $table,
            "' AND held AND highest <> NEW.id) BEGIN
    DELETE FROM ",
            $table,
            " WHERE id = (SELECT highest FROM ids_given WHERE of_table = '",
            $table,
            "');
    UPDATE ids_given SET held = 0 WHERE of_table = '",
            $table,
            "';
END;
"
        )
    };
}

/// The largest id of a table's deleted rows, and whether a row with it is held for an insert.
pub(super) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS ids_given (
    of_table VARCHAR(50) NOT NULL PRIMARY KEY,
    highest INTEGER NOT NULL DEFAULT 0,
    held BOOLEAN NOT NULL DEFAULT 0
);
";

pub(super) const OF_NOTICES: &str = ids_given_once!("notices", "body", "''", "NEW.body IS NOT NULL");

/// A correction outlives its row: no other row may be given the id that it names.
macro_rules! beyond_corrections {
    () => {
        "UPDATE ids_given SET
    highest = max(highest, COALESCE((SELECT max(attendance_id) FROM attendance_corrections), 0))
    WHERE of_table = 'attendance_log';
"
    };
}

/// For after an import, which may bring corrections of rows that it does not bring.
#[cfg(feature = "sqlite")]
pub(super) const BEYOND_CORRECTIONS: &str = beyond_corrections!();

// Enrolments ask which templates were written since a mark, which is an id.
pub(super) const OF_TEMPLATES: &str = ids_given_once!(
    "student_templates",
    "student_id, model_id, embedding, created_at",
    "NEW.student_id, NEW.model_id, NEW.embedding, NEW.created_at",
    "NEW.student_id IS NOT NULL AND NEW.model_id IS NOT NULL AND NEW.embedding IS NOT NULL
    AND NEW.created_at IS NOT NULL"
);

// What is left of students that are gone tells the ids that they had. A row that others refer to could not be taken out
// again, so an id after theirs is held.
pub(super) const OF_ROWS: &str = concat!(
    ids_given_once!(
        "students",
        "name, roll_number",
        "NEW.name, hex(randomblob(16))",
        "NEW.name IS NOT NULL AND NEW.roll_number IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM students WHERE roll_number = NEW.roll_number)",
        "UPDATE ids_given SET highest = highest + 1 WHERE of_table = 'students' AND (
        EXISTS (SELECT 1 FROM attendance_log WHERE student_id = highest)
        OR EXISTS (SELECT 1 FROM student_templates WHERE student_id = highest)
        OR EXISTS (SELECT 1 FROM liveness_detection_sessions WHERE student_id = highest));
    "
    ),
    ids_given_once!(
        "liveness_detection_sessions",
        "session_id, expires_at",
        "hex(randomblob(16)), NEW.expires_at",
        "NEW.session_id IS NOT NULL AND NEW.expires_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM liveness_detection_sessions WHERE session_id = NEW.session_id)"
    ),
    ids_given_once!(
        "attendance_log",
        "student_id, timestamp, status",
        "NEW.student_id, NEW.timestamp, NEW.status",
        "NEW.student_id IS NOT NULL AND NEW.timestamp IS NOT NULL AND NEW.status IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM attendance_log
        WHERE student_id = NEW.student_id AND local_day = NEW.local_day AND period = NEW.period)"
    ),
    ids_given_once!(
        "attendance_corrections",
        "attendance_id, status, status_before, corrected_by, reason, created_at",
        "NEW.attendance_id, NEW.status, NEW.status_before, NEW.corrected_by, NEW.reason, NEW.created_at",
        "NEW.attendance_id IS NOT NULL AND NEW.status IS NOT NULL AND NEW.status_before IS NOT NULL
    AND NEW.corrected_by IS NOT NULL AND NEW.reason IS NOT NULL AND NEW.created_at IS NOT NULL"
    ),
    ids_given_once!(
        "audit_log",
        "timestamp, actor, action",
        "NEW.timestamp, NEW.actor, NEW.action",
        "NEW.timestamp IS NOT NULL AND NEW.actor IS NOT NULL AND NEW.action IS NOT NULL"
    ),
    beyond_corrections!(),
    "UPDATE ids_given SET highest = max(highest, COALESCE((SELECT max(student_id) FROM attendance_log), 0),
    COALESCE((SELECT max(student_id) FROM student_templates), 0)) WHERE of_table = 'students';
"
);
