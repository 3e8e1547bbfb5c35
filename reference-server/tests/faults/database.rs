//! The database under the server, looked at from outside.

use std::path::PathBuf;

use crate::common::schema::Schema;

/// A database of a test's own.
pub(crate) enum Database {
    File(tempfile::TempDir),
    Postgres(Schema),
}

impl Database {
    pub(crate) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    /// A schema in the PostgreSQL that the environment names; `None`, with a word about it, where it names none.
    pub(crate) fn postgres() -> Option<Self> {
        Schema::new().map(Self::Postgres)
    }

    /// How the server is told of it.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::File(_) => self.path().to_str().unwrap().to_owned(),
            Self::Postgres(schema) => schema.url(),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::File(folder) => folder.path().join("face_attendance.db"),
            Self::Postgres(_) => PathBuf::new(),
        }
    }

    /// The single number that a query gives.
    pub(crate) fn number(&self, query: &str) -> i64 {
        match self {
            Self::File(_) => rusqlite::Connection::open(self.path()).unwrap().query_row(query, [], |row| row.get(0)),
            Self::Postgres(schema) => {
                let mut client = postgres::Client::connect(&schema.url(), postgres::NoTls).unwrap();
                Ok(client.query_one(query, &[]).unwrap().get(0))
            }
        }
        .unwrap()
    }

    /// Checks that the file is whole and that no row belongs to a student who is not there: nobody is half erased.
    pub(crate) fn check_whole(&self, when: &str) {
        if let Self::File(_) = self {
            let database = rusqlite::Connection::open(self.path()).unwrap();
            let whole: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(whole, "ok", "{when}");
            let mut check = database.prepare("PRAGMA foreign_key_check").unwrap();
            let dangling = check.query_map([], |_| Ok(())).unwrap().count();
            assert_eq!(dangling, 0, "{when}: rows without the row that they belong to");
        }
        for table in ["attendance_log", "student_templates", "liveness_detection_sessions"] {
            let query = format!(
                "SELECT count(*) FROM {table} t WHERE t.student_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM \
                 students s WHERE s.id = t.student_id)"
            );
            assert_eq!(self.number(&query), 0, "{when}: {table} keeps something of an erased person");
        }
        let faceless = "SELECT count(*) FROM students WHERE liveness_verified AND id NOT IN (SELECT student_id FROM \
                        student_templates)";
        assert_eq!(self.number(faceless), 0, "{when}: enrolled without a face");
    }
}
