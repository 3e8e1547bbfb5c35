//! A PostgreSQL schema of its own for a test.
//!
//! With PostgreSQL only where `FACEATTEND_TEST_POSTGRES` names a database; `cargo xtask test` starts one.

/// A schema in the database of the tests, gone at the end.
pub(crate) struct Schema {
    /// The address of the database.
    pub(crate) database: String,
    /// The schema's own name.
    pub(crate) name: String,
}

impl Schema {
    /// Makes one; `None`, said on standard error, where no database is named.
    #[allow(clippy::print_stderr, reason = "a test says what it leaves out; not every crate of tests minds")]
    pub(crate) fn new() -> Option<Self> {
        let Ok(database) = std::env::var("FACEATTEND_TEST_POSTGRES") else {
            eprintln!("skipped: FACEATTEND_TEST_POSTGRES names no database; `cargo xtask test` starts one");
            return None;
        };
        let schema = Self { database, name: format!("test_{}", uuid::Uuid::new_v4().simple()) };
        schema.run(&format!("CREATE SCHEMA {}", schema.name));
        Some(schema)
    }

    /// Returns the address of the database with this schema.
    pub(crate) fn url(&self) -> String {
        let sign = if self.database.contains('?') { '&' } else { '?' };
        format!("{}{sign}options=-c%20search_path%3D{}", self.database, self.name)
    }

    /// Runs statements in the database.
    pub(crate) fn run(&self, sql: &str) {
        // The client blocks on an executor of its own, which must not be in asynchronous code.
        let run = || postgres::Client::connect(&self.database, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
        std::thread::scope(|threads| threads.spawn(run).join()).unwrap();
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.run(&format!("SET client_min_messages = warning; DROP SCHEMA {} CASCADE", self.name));
    }
}
