//! Streams of motion JPEG and pictures behind an address.
