//! Fuzz targets: everything that reads bytes which a stranger may have written.
//!
//! Each module is one target: its `check` takes any bytes, and panics when a property does not hold that its
//! documentation names. The programs of `fuzz_targets` hand the bytes of libFuzzer to it, and the test of this crate
//! the files of `corpus`: what was found once is tried in every `cargo test`.

pub mod avi;
pub mod base64;
pub mod camera_address;
pub mod database_address;
pub mod decode;
pub mod exif;
pub mod http_mjpeg;
pub mod json_input;
pub mod manifest;
mod memory;
pub mod mjpeg;
pub mod naive_time;
pub mod portable_file;
pub mod receipt;
pub mod roster_file;
pub mod sealed_value;
mod secret;
pub mod session_state;

#[cfg(test)]
mod corpus;

pub use memory::run;

/// One target: its name, its check, and the inputs that it starts from.
#[cfg(test)]
struct Target {
    name: &'static str,
    check: fn(&[u8]),
    seeds: fn() -> Vec<(&'static str, Vec<u8>)>,
}

#[cfg(test)]
macro_rules! targets {
    ($($name:ident)*) => {
        [$(Target { name: stringify!($name), check: $name::check, seeds: $name::seeds }),*]
    };
}

#[cfg(test)]
const TARGETS: [Target; 16] = targets! {
    avi base64 camera_address database_address decode exif http_mjpeg json_input manifest mjpeg naive_time portable_file
    receipt roster_file sealed_value session_state
};
