//! Locks that servers of one database share: PostgreSQL frees them when the connection ends, however it ends.

use postgres::Client;

use super::super::LockName;
use super::connection::Pool;
use super::{Outcome, PostgresStore};
use crate::error::Result;

impl PostgresStore {
    /// Takes the lock on a connection of its own; `None` while somebody else holds it.
    ///
    /// # Errors
    /// Those of the connection.
    pub(in crate::store) fn lock(url: &str, name: LockName) -> Result<Option<Box<dyn Send>>> {
        let mut taken = false;
        let client = Pool::open(url)?.connector().connect("lock the database", |client| {
            // It is held while nothing is asked of this connection.
            let setting = "idle_session_timeout";
            client.execute("SELECT set_config(name, '0', false) FROM pg_settings WHERE name = $1", &[&setting])?;
            taken = try_lock(client, "pg_try_advisory_lock", name)?;
            Ok(())
        })?;
        let held = Held(Some(client));
        Ok(taken.then(|| Box::new(held) as Box<dyn Send>))
    }
}

/// Calls a function of PostgreSQL that takes the lock, if it is free. There is one for each schema.
pub(super) fn try_lock(client: &mut Client, function: &str, name: LockName) -> Outcome<bool> {
    let name = match name {
        LockName::Backup => "backup",
        LockName::Restore => "restore",
    };
    let query = format!("SELECT {function}(hashtextextended('faceattend ' || $1::text || ' ' || current_schema(), 0))");
    Ok(client.query_one(&query, &[&name])?.try_get(0)?)
}

/// A connection that holds a lock.
struct Held(Option<Client>);

// A client says goodbye on an executor of its own, which panics where another one is running.
impl Drop for Held {
    fn drop(&mut self) {
        let client = self.0.take();
        if let Ok(thread) = std::thread::Builder::new().name("database-unlock".into()).spawn(move || drop(client)) {
            let _ = thread.join();
        }
    }
}
