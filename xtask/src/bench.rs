//! The benchmarks: against a Python reference, and stage by stage.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};

use crate::workspace::{cargo, command, output, root, succeed, target};
use crate::{Result, python, setup};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    setup: setup::Options,
    /// Run criterion's benchmarks, a file a stage, instead of the comparison with Python.
    #[arg(long, conflicts_with_all = ["quick", "json", "detector", "embedder"])]
    stages: bool,
    /// Compare the server under load with a FastAPI service on InsightFace's package; needs a detector and an embedder.
    #[arg(long, requires = "embedder", conflicts_with_all = ["stages", "quick"])]
    server: bool,
    /// Measure the models on this device and a search among millions, against InsightFace's package on the same ONNX
    /// Runtime. Everything but `cpu` needs NVIDIA's driver; the rest is installed. `cpu` is a rehearsal.
    #[arg(long, value_name = "DEVICE", requires = "embedder", conflicts_with_all = ["stages", "server", "quick"])]
    device: Option<Device>,
    /// How many people the search on a device has. Ten million take 20 GB of the device and 15 GB of memory.
    #[arg(long, value_name = "N", requires = "device", default_value_t = 10_000_000)]
    people: usize,
    /// Find how many 720p network cameras, up to this many, this machine carries at five analyzed pictures a second,
    /// against a loop over OpenCV with InsightFace's package; needs a detector and an embedder.
    #[arg(long, value_name = "N", requires = "embedder", conflicts_with_all = ["stages", "server", "quick"])]
    cameras: Option<usize>,
    /// Compare the search with NumPy, FAISS and usearch: time, recall, memory, and how long an index takes to build.
    /// The graphs (HNSW) of large galleries take minutes.
    #[arg(long, conflicts_with_all = ["stages", "server", "pages", "detector", "embedder"])]
    search: bool,
    /// Measure the data of the pages Today, Register, Person and Trends and of the lists in a school of 5,000 students
    /// with two years of marks, and the import of a list of as many.
    #[arg(long, conflicts_with_all = ["stages", "server", "quick", "detector", "embedder"])]
    pages: bool,
    /// Measure the pages on this PostgreSQL database, to which the school is copied where it is empty. Copying takes
    /// minutes.
    #[arg(long, value_name = "URL", requires = "pages")]
    database: Option<String>,
    /// Import the list into this PostgreSQL database, which must be empty.
    #[arg(long, value_name = "URL", requires = "pages")]
    list_database: Option<String>,
    /// A short comparison: fewer rounds, and no million people.
    #[arg(long)]
    quick: bool,
    /// Write the comparison's figures here as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compare with this SCRFD detector as well, beside the default pack.
    #[arg(long, value_name = "FILE", requires = "embedder")]
    detector: Option<PathBuf>,
    /// The ArcFace-class embedder that goes with the detector.
    #[arg(long, value_name = "FILE", requires = "detector")]
    embedder: Option<PathBuf>,
    /// Further arguments for criterion, after `--`: a name to choose benchmarks by, `--save-baseline` ...
    #[arg(last = true, requires = "stages")]
    criterion: Vec<String>,
}

/// Where the models of `--device` run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Device {
    Cpu,
    Cuda,
    Tensorrt,
}

/// Compares with the Python reference, or runs criterion's benchmarks.
///
/// # Errors
/// When something does not build, the reference cannot be installed, or both sides do not agree on the answers.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::run(&options.setup)?;
    if options.stages {
        return succeed(
            cargo(&["bench", "--package", "faceattend-benches", "--features", "criterion", "--benches", "--"])
                .args(&options.criterion),
        );
    }
    if options.server {
        return server(options);
    }
    if let Some(device) = options.device {
        return on_device(device, options);
    }
    if let Some(most) = options.cameras {
        return cameras(options, most);
    }
    if options.pages {
        return pages(options);
    }
    compare(options)
}

/// Compares with the Python reference, or our search with other indexes.
fn compare(options: &Options) -> Result<()> {
    let (folder, list, script) = match options.search {
        true => (".cache/bench-search-python", "benches/python/search-requirements.txt", "indexes.py"),
        false => (".cache/bench-python", "benches/python/requirements.txt", "reference.py"),
    };
    let python = python::environment(folder, &[list])?;
    println!("Building (the first time takes some minutes) ...");
    succeed(&mut cargo(&["build", "--release", "--package", "faceattend-benches", "--bin", "compare"]))?;
    let mut compare = command(target()?.join("release/compare"));
    compare.arg("--python").arg(python).arg("--reference").arg(root().join("benches/python").join(script));
    for (name, is_given) in [("--quick", options.quick), ("--search", options.search)] {
        if is_given {
            compare.arg(name);
        }
    }
    options.files(&mut compare)?;
    succeed(&mut compare)
}

/// Compares the server under load.
fn server(options: &Options) -> Result<()> {
    let python = python::environment(".cache/bench-server-python", &["benches/python/server-requirements.txt"])?;
    println!("Building (the first time takes some minutes) ...");
    succeed(&mut cargo(&["build", "--release", "--package", "faceattend-server", "--bin", "faceattend"]))?;
    succeed(&mut cargo(&["build", "--release", "--package", "faceattend-benches", "--bin", "load"]))?;
    let folder = target()?.join("release");
    let mut load = command(folder.join("load"));
    load.arg("--python").arg(python).arg("--peer").arg(root().join("benches/python/server.py"));
    load.arg("--server").arg(folder.join("faceattend"));
    options.files(&mut load)?;
    succeed(&mut load)
}

/// Measures an accelerator.
fn on_device(device: Device, options: &Options) -> Result<()> {
    let name = device.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let mut build = cargo(&["build", "--release", "--package", "faceattend-benches", "--bin", "device"]);
    let python = if device == Device::Cpu {
        python::environment(".cache/bench-server-python", &["benches/python/server-requirements.txt"])?
    } else {
        build.args(["--features", &name]);
        python::environment(".cache/bench-device-python", &["benches/python/device-requirements.txt"])?
    };
    println!("Building (the first time takes some minutes) ...");
    succeed(&mut build)?;
    let mut bench = command(target()?.join("release/device"));
    if device != Device::Cpu {
        // Both sides load the same ONNX Runtime, and CUDA and cuDNN from the wheels that came with it.
        let found = output(command(&python).args(["-c", LIBRARIES]))?;
        let (runtime, folders) = found.trim().split_once('\n').ok_or("Python does not say where CUDA is")?;
        bench.env("ORT_DYLIB_PATH", runtime).env("LD_LIBRARY_PATH", folders);
    }
    bench.arg("--python").arg(python).arg("--peer").arg(root().join("benches/python/device.py"));
    bench.args(["--device", &name, "--people", &options.people.to_string()]);
    options.files(&mut bench)?;
    succeed(&mut bench)
}

/// Prints the file of ONNX Runtime and the folders of NVIDIA's libraries in a virtual environment.
const LIBRARIES: &str = "
import glob, os, onnxruntime
package = os.path.dirname(onnxruntime.__file__)
print(glob.glob(os.path.join(package, 'capi', 'libonnxruntime.so.*'))[0])
print(':'.join(glob.glob(os.path.join(os.path.dirname(package), 'nvidia', '*', 'lib'))))
";

/// Finds how many cameras this machine carries. The clip is encoded once and kept in the target folder.
fn cameras(options: &Options, most: usize) -> Result<()> {
    let python = python::environment(".cache/bench-server-python", &["benches/python/server-requirements.txt"])?;
    println!("Building (the first time takes some minutes) ...");
    let packages =
        ["--package", "faceattend-server", "--package", "faceattend-benches", "--package", "faceattend-opencv"];
    succeed(cargo(&["build", "--release", "--bin", "faceattend", "--bin", "cameras", "--lib"]).args(packages))?;
    let (folder, scripts) = (target()?.join("release"), root().join("benches/python"));
    let mut cameras = command(folder.join("cameras"));
    cameras.arg("--cameras").arg(most.to_string()).arg("--python").arg(python);
    for (name, path) in [
        ("--peer", scripts.join("cameras.py")),
        ("--stream", scripts.join("stream.py")),
        ("--clip", root().join("examples/media/class.avi")),
        ("--encoded", target()?.join("bench-cameras")),
        ("--server", folder.join("faceattend")),
    ] {
        cameras.arg(name).arg(path);
    }
    options.files(&mut cameras)?;
    succeed(&mut cameras)
}

/// Measures the pages of a large school. Its database is made once and kept in the target folder.
fn pages(options: &Options) -> Result<()> {
    println!("Building (the first time takes some minutes) ...");
    // Together, so that core is built once.
    let packages = ["--package", "faceattend-server", "--package", "faceattend-benches"];
    succeed(cargo(&["build", "--release", "--bin", "faceattend", "--bin", "pages"]).args(packages))?;
    let folder = target()?.join("release");
    let mut pages = command(folder.join("pages"));
    pages.arg("--server").arg(folder.join("faceattend")).arg("--data-dir").arg(target()?.join("bench-school"));
    for (name, url) in [("--database", &options.database), ("--list-database", &options.list_database)] {
        if let Some(url) = url {
            pages.args([name, url]);
        }
    }
    options.files(&mut pages)?;
    succeed(&mut pages)
}

impl Options {
    /// Adds the files that were named.
    fn files(&self, command: &mut Command) -> Result<()> {
        for (name, path) in [("--json", &self.json), ("--detector", &self.detector), ("--embedder", &self.embedder)] {
            if let Some(path) = path {
                command.arg(name).arg(absolute(path)?);
            }
        }
        Ok(())
    }
}

/// A path as the user meant it: the comparison runs in the workspace's folder.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()))
}
