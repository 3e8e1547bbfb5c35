//! People who are enrolled twice.
