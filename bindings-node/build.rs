//! Links the library as an addon of Node, and tells the macros where to describe its types.

use std::path::Path;
use std::{env, fs};

/// The variable that `napi-derive` reads. `napi build` sets it to a folder of its own.
const TYPES: &str = "NAPI_TYPE_DEF_TMP_FOLDER";

fn main() {
    napi_build::setup();
    if env::var_os(TYPES).is_some() {
        return;
    }
    // `<target>/<profile>/build/<package>/out`: the types lie in `<target>/<profile>/napi-types`.
    let out = env::var("OUT_DIR").unwrap_or_default();
    let Some(profile) = Path::new(&out).ancestors().nth(3) else { return };
    let folder = profile.join("napi-types");
    if fs::create_dir_all(&folder).is_ok() {
        println!("cargo::rustc-env={TYPES}={}", folder.display());
    }
}
