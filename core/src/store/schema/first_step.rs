//! The tables of the first step: those of the existing service, and what was added to them at once.

pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS admin_users (
    id INTEGER NOT NULL PRIMARY KEY,
    username VARCHAR(50) NOT NULL,
    hashed_password VARCHAR(255) NOT NULL,
    is_active BOOLEAN,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME
);
CREATE TABLE IF NOT EXISTS students (
    id INTEGER NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    roll_number VARCHAR(50) NOT NULL,
    roll_no VARCHAR(50),
    face_embedding BLOB,
    embedding_vector TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME,
    liveness_verified BOOLEAN,
    liveness_verification_date DATETIME,
    liveness_confidence_score FLOAT
);
CREATE TABLE IF NOT EXISTS liveness_detection_sessions (
    id INTEGER NOT NULL PRIMARY KEY,
    session_id VARCHAR(100) NOT NULL,
    student_id INTEGER REFERENCES students (id) ON DELETE SET NULL,
    status VARCHAR(20),
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    completed_at DATETIME,
    expires_at DATETIME NOT NULL,
    center_frame_data TEXT,
    left_frame_data TEXT,
    right_frame_data TEXT,
    center_embedding TEXT,
    left_embedding TEXT,
    right_embedding TEXT,
    center_verified BOOLEAN,
    left_verified BOOLEAN,
    right_verified BOOLEAN,
    liveness_score FLOAT,
    movement_verified BOOLEAN,
    final_embedding TEXT,
    error_message TEXT,
    attempts_count INTEGER
);
CREATE TABLE IF NOT EXISTS attendance_log (
    id INTEGER NOT NULL PRIMARY KEY,
    student_id INTEGER NOT NULL REFERENCES students (id) ON DELETE CASCADE,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    status VARCHAR(20) NOT NULL,
    confidence_score FLOAT,
    camera_location VARCHAR(100),
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS detection_logs (
    id INTEGER NOT NULL PRIMARY KEY,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    faces_detected INTEGER,
    students_recognized INTEGER,
    processing_time FLOAT,
    camera_location VARCHAR(100),
    error_message TEXT
);
CREATE TABLE IF NOT EXISTS student_templates (
    id INTEGER NOT NULL PRIMARY KEY,
    student_id INTEGER NOT NULL REFERENCES students (id) ON DELETE CASCADE,
    model_id TEXT NOT NULL,
    embedding BLOB NOT NULL,
    created_at DATETIME NOT NULL
);
";

// Ours, and those that earlier versions of the existing service did not have.
pub(super) const COLUMNS: &[(&str, &str, &str)] = &[
    ("admin_users", "is_active", "BOOLEAN"),
    ("admin_users", "created_at", "DATETIME"),
    ("admin_users", "updated_at", "DATETIME"),
    ("admin_users", "role", "VARCHAR(20) NOT NULL DEFAULT 'admin'"),
    ("students", "roll_no", "VARCHAR(50)"),
    ("students", "face_embedding", "BLOB"),
    ("students", "embedding_vector", "TEXT"),
    ("students", "created_at", "DATETIME"),
    ("students", "updated_at", "DATETIME"),
    ("students", "liveness_verified", "BOOLEAN"),
    ("students", "liveness_verification_date", "DATETIME"),
    ("students", "liveness_confidence_score", "FLOAT"),
    ("students", "model_version", "TEXT"),
    ("liveness_detection_sessions", "center_embedding", "TEXT"),
    ("liveness_detection_sessions", "left_embedding", "TEXT"),
    ("liveness_detection_sessions", "right_embedding", "TEXT"),
    ("liveness_detection_sessions", "center_verified", "BOOLEAN"),
    ("liveness_detection_sessions", "left_verified", "BOOLEAN"),
    ("liveness_detection_sessions", "right_verified", "BOOLEAN"),
    ("liveness_detection_sessions", "movement_verified", "BOOLEAN"),
    ("liveness_detection_sessions", "final_embedding", "TEXT"),
    ("liveness_detection_sessions", "error_message", "TEXT"),
    ("liveness_detection_sessions", "attempts_count", "INTEGER"),
    ("liveness_detection_sessions", "state", "TEXT"),
    ("liveness_detection_sessions", "version", "INTEGER NOT NULL DEFAULT 0"),
    ("liveness_detection_sessions", "consumed_at", "DATETIME"),
    ("attendance_log", "confidence_score", "FLOAT"),
    ("attendance_log", "camera_location", "VARCHAR(100)"),
    ("attendance_log", "created_at", "DATETIME"),
    ("attendance_log", "local_day", "DATE"),
    ("attendance_log", "period", "TEXT"),
];

// The names of the first four are those that the existing service gives them.
pub(super) const AFTER: &str = "
CREATE UNIQUE INDEX IF NOT EXISTS ix_admin_users_username ON admin_users (username);
CREATE UNIQUE INDEX IF NOT EXISTS ix_students_roll_number ON students (roll_number);
CREATE INDEX IF NOT EXISTS ix_students_roll_no ON students (roll_no);
CREATE UNIQUE INDEX IF NOT EXISTS ix_liveness_detection_sessions_session_id ON liveness_detection_sessions (session_id);
CREATE UNIQUE INDEX IF NOT EXISTS uq_attendance_log_student_day_period ON attendance_log (student_id,
local_day, period);
CREATE INDEX IF NOT EXISTS ix_attendance_log_timestamp ON attendance_log (timestamp);
CREATE INDEX IF NOT EXISTS ix_student_templates_student_id ON student_templates (student_id);
CREATE TRIGGER IF NOT EXISTS tr_students_deleted AFTER DELETE ON students BEGIN
    DELETE FROM student_templates WHERE student_id = OLD.id;
END;
CREATE TRIGGER IF NOT EXISTS tr_students_face_changed AFTER UPDATE OF face_embedding, embedding_vector ON students
WHEN NEW.face_embedding IS NOT OLD.face_embedding OR NEW.embedding_vector IS NOT OLD.embedding_vector BEGIN
    DELETE FROM student_templates WHERE student_id = NEW.id;
    UPDATE students SET model_version = NULL, face_embedding =
        CASE WHEN NEW.face_embedding IS OLD.face_embedding THEN NULL ELSE NEW.face_embedding END WHERE id = NEW.id;
END;
";
