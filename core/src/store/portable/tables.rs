//! The tables and columns that a portable file holds.

use jiff::Timestamp;
use jiff::civil::Date;

/// What a column holds, whatever the database calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    Int,
    Real,
    Bool,
    Text,
    Bytes,
    /// A time that the existing service writes in whole seconds.
    Seconds,
    /// A time to the microsecond.
    Micros,
    Date,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    Time(Timestamp),
    Date(Date),
    /// What a column of SQLite holds that is not of its kind, as it is: only a back-up keeps it.
    Odd(Odd),
}

/// A value of SQLite that is not of its column's kind.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum Odd {
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Odd {
    /// Returns the value as a column of this kind holds it, in a database that takes no other; `None` where nothing of
    /// the kind can be read in it.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn read_as(&self, kind: Kind) -> Option<Value> {
        let text = match self {
            Self::Int(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        };
        let text = text.trim();
        Some(match kind {
            Kind::Text => Value::Text(text.replace('\0', "")),
            Kind::Int => Value::Int(text.parse().ok()?),
            Kind::Real => Value::Real(text.parse().ok()?),
            _ => return None,
        })
    }
}

#[derive(Debug)]
pub(in crate::store) struct Column {
    pub(in crate::store) name: &'static str,
    pub(in crate::store) kind: Kind,
    /// Whether it has to be left to its default where the file has no value: it may not be null.
    pub(in crate::store) has_default: bool,
    /// Whether it can hold a photograph, which the replaced service kept: no back-up has one.
    pub(in crate::store) is_photo: bool,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, has_default: false, is_photo: false }
}

const fn column_or_default(name: &'static str, kind: Kind) -> Column {
    Column { has_default: true, ..column(name, kind) }
}

const fn photo(name: &'static str) -> Column {
    Column { is_photo: true, ..column(name, Kind::Text) }
}

#[derive(Debug)]
pub(in crate::store) struct Table {
    pub(in crate::store) name: &'static str,
    pub(in crate::store) columns: &'static [Column],
    /// Whether its rows are gone with their student.
    pub(super) of_a_student: bool,
}

impl Table {
    /// The names of the columns, as a list in SQL.
    #[cfg(feature = "sqlite")]
    pub(in crate::store) fn names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// Whether its keys are numbers that the database gives.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn counts_its_keys(&self) -> bool {
        self.columns.first().is_some_and(|key| key.kind == Kind::Int)
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// Every table that is copied, those first that others refer to. The key is the first column. A table of the schema is
/// here or in [`NOT_COPIED`]: a test of both databases fails otherwise.
pub(in crate::store) const TABLES: &[Table] = &[
    Table {
        name: "admin_users",
        columns: &[
            column("id", Kind::Int),
            column("username", Kind::Text),
            column("hashed_password", Kind::Text),
            column("is_active", Kind::Bool),
            column("created_at", Kind::Seconds),
            column("updated_at", Kind::Seconds),
            column_or_default("role", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "students",
        columns: &[
            column("id", Kind::Int),
            column("name", Kind::Text),
            column("roll_number", Kind::Text),
            column("roll_no", Kind::Text),
            column("face_embedding", Kind::Bytes),
            column("embedding_vector", Kind::Text),
            column("created_at", Kind::Seconds),
            column("updated_at", Kind::Seconds),
            column("liveness_verified", Kind::Bool),
            column("liveness_verification_date", Kind::Micros),
            column("liveness_confidence_score", Kind::Real),
            column("model_version", Kind::Text),
            column("consent_given_at", Kind::Micros),
            column("consent_given_by", Kind::Text),
            column("consent_notice", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "student_templates",
        columns: &[
            column("id", Kind::Int),
            column("student_id", Kind::Int),
            column("model_id", Kind::Text),
            column("embedding", Kind::Bytes),
            column("created_at", Kind::Micros),
            column("origin", Kind::Text),
        ],
        of_a_student: true,
    },
    Table {
        name: "liveness_detection_sessions",
        columns: &[
            column("id", Kind::Int),
            column("session_id", Kind::Text),
            column("student_id", Kind::Int),
            column("status", Kind::Text),
            column("created_at", Kind::Seconds),
            column("completed_at", Kind::Micros),
            column("expires_at", Kind::Micros),
            photo("center_frame_data"),
            photo("left_frame_data"),
            photo("right_frame_data"),
            column("center_embedding", Kind::Text),
            column("left_embedding", Kind::Text),
            column("right_embedding", Kind::Text),
            column("center_verified", Kind::Bool),
            column("left_verified", Kind::Bool),
            column("right_verified", Kind::Bool),
            column("liveness_score", Kind::Real),
            column("movement_verified", Kind::Bool),
            column("final_embedding", Kind::Text),
            column("error_message", Kind::Text),
            column("attempts_count", Kind::Int),
            column("state", Kind::Text),
            column_or_default("version", Kind::Int),
            column("consumed_at", Kind::Micros),
        ],
        of_a_student: false,
    },
    Table {
        name: "attendance_log",
        columns: &[
            column("id", Kind::Int),
            column("student_id", Kind::Int),
            column("timestamp", Kind::Micros),
            column("status", Kind::Text),
            column("confidence_score", Kind::Real),
            column("camera_location", Kind::Text),
            column("created_at", Kind::Seconds),
            column("local_day", Kind::Date),
            column("period", Kind::Text),
            column("checked_out_at", Kind::Micros),
        ],
        of_a_student: true,
    },
    Table {
        name: "attendance_corrections",
        columns: &[
            column("id", Kind::Int),
            column("attendance_id", Kind::Int),
            column("status", Kind::Text),
            column("status_before", Kind::Text),
            column("corrected_by", Kind::Text),
            column("reason", Kind::Text),
            column("created_at", Kind::Micros),
        ],
        of_a_student: false,
    },
    Table {
        name: "second_looks",
        columns: &[
            column("id", Kind::Int),
            column("student_id", Kind::Int),
            column("seen_at", Kind::Micros),
            column("local_day", Kind::Date),
            // Whole seconds in every time zone of today: written as bounds, which sort before a time with a fraction.
            column("day_starts_at", Kind::Seconds),
            column("day_ends_at", Kind::Seconds),
            column("period", Kind::Text),
            column("status", Kind::Text),
            column("confidence_score", Kind::Real),
            column("camera_location", Kind::Text),
            column("verdict", Kind::Text),
            column("reasons", Kind::Text),
            column("state", Kind::Text),
            column("decided_by", Kind::Text),
            column("decided_at", Kind::Micros),
        ],
        of_a_student: true,
    },
    Table {
        name: "detection_logs",
        columns: &[
            column("id", Kind::Int),
            column("timestamp", Kind::Micros),
            column("faces_detected", Kind::Int),
            column("students_recognized", Kind::Int),
            column("processing_time", Kind::Real),
            column("camera_location", Kind::Text),
            column("error_message", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "liveness_seen_frames",
        columns: &[
            column("id", Kind::Int),
            column("session_id", Kind::Text),
            column("yaw", Kind::Real),
            column("looks", Kind::Bytes),
            column("seen_at", Kind::Micros),
        ],
        of_a_student: false,
    },
    Table {
        name: "logins",
        columns: &[
            column("id", Kind::Text),
            column("username", Kind::Text),
            column("refresh_hash", Kind::Text),
            column("created_at", Kind::Micros),
            column("expires_at", Kind::Micros),
            column("ended_at", Kind::Micros),
        ],
        of_a_student: false,
    },
    Table {
        name: "audit_log",
        columns: &[
            column("id", Kind::Int),
            column("timestamp", Kind::Micros),
            column("actor", Kind::Text),
            column("action", Kind::Text),
            column("subject", Kind::Text),
            column("details", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "cameras",
        columns: &[
            column("id", Kind::Int),
            column("name", Kind::Text),
            column("name_key", Kind::Text),
            column("address", Kind::Text),
            column("secret", Kind::Text),
            column("only_at", Kind::Text),
            column("camera_group", Kind::Text),
            column("location", Kind::Text),
            column("turned", Kind::Int),
            column("mirror", Kind::Bool),
            column("gate", Kind::Text),
            column("any_place", Kind::Bool),
            column("paused", Kind::Bool),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
            column("changed_at", Kind::Micros),
            column("changed_by", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "alert_channels",
        columns: &[
            column("id", Kind::Int),
            column("name", Kind::Text),
            column("name_key", Kind::Text),
            column("settings", Kind::Text),
            column("secret", Kind::Text),
            column("paused", Kind::Bool),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
            column("changed_at", Kind::Micros),
            column("changed_by", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "alert_rules",
        columns: &[
            column("id", Kind::Int),
            column("name", Kind::Text),
            column("event", Kind::Text),
            column("settings", Kind::Text),
            column("paused", Kind::Bool),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
            column("changed_at", Kind::Micros),
            column("changed_by", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "guardians",
        columns: &[
            column("id", Kind::Int),
            column("student_id", Kind::Int),
            column("email", Kind::Text),
            column("language", Kind::Text),
            column("created_at", Kind::Micros),
        ],
        of_a_student: true,
    },
    // With what was told, so that a copy tells nothing a second time. Who holds what is between servers at work.
    Table {
        name: "outbox",
        columns: &[
            column("id", Kind::Int),
            column("message_id", Kind::Text),
            column("rule_id", Kind::Int),
            column("channel_id", Kind::Int),
            column("event", Kind::Text),
            column("event_key", Kind::Text),
            column("recipient", Kind::Text),
            column("language", Kind::Text),
            column("student_id", Kind::Int),
            column("facts", Kind::Text),
            column("happened_at", Kind::Micros),
            column("written_at", Kind::Micros),
            column("due_at", Kind::Micros),
            column("state", Kind::Text),
            column("letter", Kind::Text),
            column("tries", Kind::Int),
            column("tried_at", Kind::Micros),
            column("holder", Kind::Text),
            column("held_until", Kind::Real),
            column("last_error", Kind::Text),
            column("done_at", Kind::Micros),
        ],
        of_a_student: true,
    },
    Table {
        name: "alert_days",
        columns: &[
            column("id", Kind::Int),
            column("rule_id", Kind::Int),
            column("local_day", Kind::Date),
            column("evaluated_at", Kind::Micros),
        ],
        of_a_student: false,
    },
    // With their tokens, as logins: a tablet stays paired when its server is restored.
    Table {
        name: "kiosks",
        columns: &[
            column("id", Kind::Int),
            column("name", Kind::Text),
            column("name_key", Kind::Text),
            column("location", Kind::Text),
            column("gate", Kind::Text),
            column("tone", Kind::Bool),
            column("speech", Kind::Bool),
            column("pin_hash", Kind::Text),
            column("code_hash", Kind::Text),
            column("code_until", Kind::Micros),
            column("token_hash", Kind::Text),
            column("paired_at", Kind::Micros),
            column("last_seen_at", Kind::Micros),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
            column("changed_at", Kind::Micros),
            column("changed_by", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "student_groups",
        columns: &[
            column("id", Kind::Int),
            column("name", Kind::Text),
            column("name_key", Kind::Text),
            column("kind", Kind::Text),
            column("archived_at", Kind::Micros),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "group_members",
        columns: &[
            column("id", Kind::Int),
            column("group_id", Kind::Int),
            column("student_id", Kind::Int),
            column("from_day", Kind::Date),
            column("until_day", Kind::Date),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
        ],
        of_a_student: true,
    },
    Table {
        name: "withdrawals",
        columns: &[
            column("id", Kind::Int),
            column("student_id", Kind::Int),
            column("from_day", Kind::Date),
            column("until_day", Kind::Date),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
        ],
        of_a_student: true,
    },
    Table {
        name: "timetables",
        columns: &[
            column("id", Kind::Int),
            column("group_id", Kind::Int),
            column("valid_from", Kind::Date),
            column("weekdays", Kind::Text),
            column("periods", Kind::Text),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "calendar_entries",
        columns: &[
            column("id", Kind::Int),
            column("group_id", Kind::Int),
            column("kind", Kind::Text),
            column("first_day", Kind::Date),
            column("last_day", Kind::Date),
            column("name", Kind::Text),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
        ],
        of_a_student: false,
    },
    Table {
        name: "excuses",
        columns: &[
            column("id", Kind::Int),
            column("student_id", Kind::Int),
            column("first_day", Kind::Date),
            column("last_day", Kind::Date),
            column("period", Kind::Text),
            column("reason", Kind::Text),
            column("created_at", Kind::Micros),
            column("created_by", Kind::Text),
            column("withdrawn_at", Kind::Micros),
            column("withdrawn_by", Kind::Text),
        ],
        of_a_student: true,
    },
    // With the rows that the journals brought: what waits in one is written once, also into a copy.
    Table {
        name: "write_journals",
        columns: &[column("journal", Kind::Text), column("position", Kind::Int), column("begun_at", Kind::Micros)],
        of_a_student: false,
    },
];

/// Tables that no copy holds, and why.
#[cfg(test)]
pub(in crate::store) const NOT_COPIED: &[(&str, &str)] = &[
    ("schema_migrations", "the file names its schema, and the new database has the newest"),
    ("ids_given", "a back-up has its figures in a line of their own"),
    ("sqlite_sequence", "as ids_given"),
    ("notices", "only servers at work need them"),
    ("watched_cameras", "leases of servers at work"),
    ("cameras_down", "what servers at work see"),
    ("login_failures", "forgotten after an hour"),
];

/// Columns that no copy holds, because they are computed from others.
#[cfg(test)]
pub(in crate::store) const COMPUTED: &[(&str, &str)] =
    &[("students", "roll_key"), ("students", "roll_twin"), ("students", "search_key")];

/// Unique keys that what happens once relies on, each with the schema that brought it.
const UNIQUE_KEYS: &[(i64, &str)] = &[
    (1, "ix_admin_users_username"),
    (1, "ix_students_roll_number"),
    (1, "ix_liveness_detection_sessions_session_id"),
    (1, "uq_attendance_log_student_day_period"),
    (11, "uq_second_looks_open"),
    (12, "uq_students_roll_key"),
    (13, "uq_cameras_name_key"),
    (13, "uq_cameras_address"),
    (14, "uq_student_groups_name_key"),
    (14, "uq_timetables_valid_from"),
    (15, "uq_alert_channels_name_key"),
    (15, "uq_guardians_email"),
    (15, "uq_outbox_message_id"),
    (15, "uq_outbox_event"),
    (15, "uq_alert_days"),
    (16, "uq_kiosks_name_key"),
];

/// Returns the unique keys that a database of this schema must have: one that lost a key is in danger.
pub(in crate::store) fn unique_keys(schema: i64) -> impl Iterator<Item = &'static str> {
    UNIQUE_KEYS.iter().filter(move |(since, _)| *since <= schema).map(|(_, name)| *name)
}
