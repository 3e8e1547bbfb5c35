//! Databases: held by others, gone for a while, old ones.
