//! Names, roll numbers and the search for them.
