//! `faceattend._native`: the core's types and calls for Python, one file for each of the core's own.
//!
//! Each call does the same: it takes the arguments apart, releases the interpreter, calls the core, and wraps the
//! answer. No rule of the domain is here. See `gil` for panics, `per_process` for forks, `frame` for pictures.

#![allow(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod attendance;
mod camera;
mod embedding;
mod engine;
mod enrolment;
mod error;
mod face;
mod frame;
mod gallery;
mod gil;
mod guardians;
mod liveness;
mod models;
mod orders;
mod per_process;
mod pil;
mod recognition;
mod records;
mod rosters;
mod runtime;
mod second_look;
mod store;
mod time;

use pyo3::prelude::*;

/// The native part of the package `faceattend`. Import that package instead.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<frame::Frame>()?;
    module.add_class::<face::Pose>()?;
    module.add_class::<face::Quality>()?;
    module.add_class::<face::Face>()?;
    module.add_class::<embedding::Embedding>()?;
    module.add_class::<engine::Engine>()?;
    module.add_class::<gallery::Match>()?;
    module.add_class::<gallery::Identification>()?;
    module.add_class::<gallery::Gallery>()?;
    module.add_class::<liveness::Outcome>()?;
    module.add_class::<liveness::Verification>()?;
    module.add_class::<liveness::LivenessSession>()?;
    module.add_class::<liveness::Receipt>()?;
    module.add_class::<liveness::ReceiptKey>()?;
    enrolment::register(module)?;
    module.add_class::<attendance::AttendancePolicy>()?;
    module.add_class::<attendance::Marking>()?;
    module.add_class::<attendance::AttendanceBook>()?;
    module.add_class::<recognition::RecognizedFace>()?;
    module.add_class::<recognition::Sighting>()?;
    module.add_class::<recognition::CameraProblem>()?;
    module.add_class::<recognition::Recognition>()?;
    module.add_class::<recognition::Recognizer>()?;
    module.add_class::<camera::CameraReader>()?;
    module.add_class::<records::Student>()?;
    module.add_class::<records::AttendanceRecord>()?;
    module.add_class::<records::Erasure>()?;
    module.add_class::<records::Merged>()?;
    module.add_class::<second_look::SecondLook>()?;
    module.add_class::<second_look::SecondLooking>()?;
    module.add_class::<store::Store>()?;
    rosters::register(module)?;
    module.add_function(wrap_pyfunction!(camera::has_opencv, module)?)?;
    module.add_function(wrap_pyfunction!(camera::usual_gate, module)?)?;
    module.add_function(wrap_pyfunction!(embedding::similarity, module)?)?;
    module.add_function(wrap_pyfunction!(frame::decode_image, module)?)?;
    module.add_function(wrap_pyfunction!(models::list_packs, module)?)?;
    module.add_function(wrap_pyfunction!(models::pull_pack, module)?)?;
    module.add_function(wrap_pyfunction!(models::add_file, module)?)?;
    module.add_function(wrap_pyfunction!(models::verify_pack, module)?)?;
    module.add_function(wrap_pyfunction!(models::models_folder, module)?)?;
    module.add_function(wrap_pyfunction!(runtime::fetch_runtime, module)?)?;
    Ok(())
}
