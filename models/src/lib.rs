//! The models of [`faceattend-core`](https://docs.rs/faceattend-core): the manifest of every pack, and the default
//! pack's detector and face mesh. The default embedder is in the crate
//! [`faceattend-sface`](https://docs.rs/faceattend-sface).
//!
//! The crate is data alone. Programs use `faceattend-core`, which carries it.

#![no_std]

/// The manifest: for each pack its files, their hashes and licences, and how each model is fed and read. TOML.
pub const MANIFEST: &str = include_str!("../manifest.toml");

/// BlazeFace (back camera, 256) as ONNX: finds faces. Apache-2.0, the MediaPipe authors.
pub static BLAZEFACE: &[u8] = include_bytes!("../default/blazeface.onnx");

/// The face mesh of 468 points as ONNX. Apache-2.0, the MediaPipe authors.
pub static FACE_MESH: &[u8] = include_bytes!("../default/face-mesh.onnx");
