//! SFace, the default face embedder of [`faceattend-core`](https://docs.rs/faceattend-core), as an ONNX file.
//!
//! The crate is data alone. Programs use `faceattend-core`, which carries it with its feature `embedded-models`.

#![no_std]

/// SFace 2021dec: 128 values from a face on ArcFace's template of 112 x 112. Apache-2.0.
pub static SFACE: &[u8] = include_bytes!("../sface.onnx");
