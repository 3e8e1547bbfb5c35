//! Cameras: slow ones, turned ones, mistyped addresses.
