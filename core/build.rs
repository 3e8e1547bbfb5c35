//! Fetches ONNX Runtime's library, if the feature `fetch-runtime` asks for it.

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "fetch-runtime")]
    fetch()?;
    Ok(())
}

/// Puts the pinned library into the user's cache, where the program looks for it when it runs.
#[cfg(feature = "fetch-runtime")]
fn fetch() -> Result<(), String> {
    use std::env::{consts, var, var_os};

    println!("cargo::rerun-if-env-changed=ORT_DYLIB_PATH");
    // The documentation is built without a network.
    if var_os("DOCS_RS").is_some() {
        return Ok(());
    }
    let target = ["CARGO_CFG_TARGET_OS", "CARGO_CFG_TARGET_ARCH"].map(|name| var(name).unwrap_or_default());
    if target != [consts::OS, consts::ARCH] {
        let [os, arch] = target;
        println!(
            "cargo::warning=fetch-runtime serves programs that run on the machine that builds them; this one is for \
             {os} on {arch}, so put ONNX Runtime's library beside it there"
        );
        return Ok(());
    }
    let library = faceattend_runtime::Library::for_this_machine()?;
    // Where it is taken away, it is fetched again.
    println!("cargo::rerun-if-changed={}", library.path().display());
    if !library.is_installed() {
        library.install("python3".as_ref())?;
        // A build script that downloads something says so.
        println!("cargo::warning=fetched {library}, as the feature fetch-runtime asks");
    }
    Ok(())
}
