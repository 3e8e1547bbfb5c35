//! The table of the cameras that are kept, in SQLite.

/// The table and its keys. What could be a password lies in `secret` alone. A name is unique by `name_key`, without
/// letter case; an address by its list and by the server that reaches it. Ids are in addresses of the API: none is
/// given twice.
pub(super) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS cameras (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    address TEXT NOT NULL,
    secret TEXT,
    only_at VARCHAR(100) NOT NULL DEFAULT '',
    camera_group VARCHAR(20) NOT NULL DEFAULT 'usual',
    location VARCHAR(255),
    turned INTEGER,
    mirror BOOLEAN,
    gate VARCHAR(20),
    any_place BOOLEAN NOT NULL DEFAULT 0,
    paused BOOLEAN NOT NULL DEFAULT 0,
    created_at DATETIME NOT NULL,
    created_by VARCHAR(255) NOT NULL,
    changed_at DATETIME NOT NULL,
    changed_by VARCHAR(255) NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS uq_cameras_name_key ON cameras (name_key);
CREATE UNIQUE INDEX IF NOT EXISTS uq_cameras_address ON cameras (camera_group, address, only_at);
";
