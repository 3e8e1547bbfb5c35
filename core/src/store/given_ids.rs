//! No row's id is ever given to another row.
//!
//! SQLite gives a new row the id after the largest that is there: when the newest row is deleted, the next one is given
//! its id, and whatever still names the old row (a track, a receipt, a correction, a follower of the notices) names
//! another from then on. `AUTOINCREMENT` would end that, but it cannot be added to a table that is there, and the tables
//! are the existing service's. So three triggers on each table stand for it, whoever writes to the file:
//!
//! - a deletion of the row with the largest id is noted in `ids_given`;
//! - before an insert, where the largest id that is there is smaller than the one noted, a row with the noted id is held
//!   in the table, so that SQLite counts on from it;
//! - after the insert that row is gone again. Nobody sees it: it comes and goes within one statement.
//!
//! The held row is made only where the insert will succeed: an `INSERT OR IGNORE` that is ignored would leave it behind.
//! An id that is given explicitly is taken as it is, so that a back-up can be put back.
//!
//! PostgreSQL's sequences never go back by themselves; only an import could set them back.

/// The statements that make the triggers of `$table`: the columns of a held row, their values, and when a new row is sure
/// to go in.
macro_rules! ids_given_once {
    ($table:literal, $columns:literal, $values:literal, $goes_in:literal) => {
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
            "), 0) AND NEW.id IS NOT (SELECT highest FROM ids_given WHERE of_table = '",
            $table,
            "') AND NOT EXISTS (SELECT 1 FROM ",
            $table,
            " WHERE id = NEW.id) AND ",
            $goes_in,
            " BEGIN
    INSERT INTO ",
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
