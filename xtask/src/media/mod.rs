//! The sample media: head turns of exactly known yaw, rendered from public-domain photographs. And simulated clips of
//! people and attacks before a camera, from any photographs.

#[cfg(feature = "media")]
mod attacks;
#[cfg(feature = "media")]
mod avi;
#[cfg(feature = "media")]
mod clip;
#[cfg(feature = "media")]
mod head;
#[cfg(feature = "media")]
mod people;
#[cfg(feature = "media")]
mod raster;
#[cfg(feature = "media")]
mod render;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::Result;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    /// Render elsewhere and say whether the committed files are the same, byte for byte.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Make simulated clips of people and of attacks before a fixed camera, to measure liveness with.
    Attacks(Attacks),
}

/// Makes simulated clips of living people and of presentation attacks, as a fixed camera would deliver them.
///
/// Everything is made from one photograph of each person. Genuine clips are renderings of the head: they nod, turn a
/// little, blink and talk. Attacks are the photograph on paper (held, swung, bent, on a stand, cut out) or on a
/// telephone, or such a rendering played by a telephone or a tablet. An attack has the room, the camera, the place and
/// the size of a genuine clip. `labels.csv` names every clip: path, label (bonafide or attack), kind of attack,
/// person, origin (always simulated), stage (clips of one stage have the same room and camera), and the photograph
/// that was used: enrol the person by another one. Report figures from these clips apart from those of real ones.
#[derive(Args)]
struct Attacks {
    /// The photographs: a folder with a folder for each person
    #[arg(long, value_name = "DIR")]
    people: PathBuf,
    /// Where the clips go, a folder for each person
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The length of a clip, in seconds
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Pictures a second
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: u32,
    /// At most so many people [default: everybody]
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Genuine clips of each person, and so stages of each
    #[arg(long, value_name = "N", default_value_t = 2)]
    genuine: u32,
    /// Only these kinds of attacks, such as print_held,phone_still
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    only: Vec<String>,
    /// What differs between two sets: the same seed gives the same clips
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The width of a picture, in pixels
    #[arg(long, default_value_t = 640, value_parser = clap::value_parser!(u32).range(160..=3840))]
    width: u32,
    /// The height of a picture, in pixels
    #[arg(long, default_value_t = 480, value_parser = clap::value_parser!(u32).range(120..=2160))]
    height: u32,
    /// People rendered at once
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: u32,
}

/// Renders the media into `examples/media/`, or checks them, or makes simulated clips.
///
/// # Errors
/// When a photograph cannot be fetched or read, or, in a check, a file is not what it should be.
#[cfg(feature = "media")]
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.what {
        Some(What::Attacks(attacks)) => attacks::run(attacks),
        None => render::run(options.check),
    }
}

/// Builds this program again with what rendering needs, and hands over to it.
///
/// # Errors
/// As the other build says.
#[cfg(not(feature = "media"))]
pub(crate) fn run(options: &Options) -> Result<()> {
    use crate::workspace::{cargo, succeed};
    // Thousands of pictures: what works on their pixels is worth optimizing.
    let fast = ["--config", "profile.dev.package.xtask.opt-level=3"];
    let build = ["run", "--quiet", "--package", "xtask", "--features", "media"];
    let mut rebuilt = cargo(&build);
    if options.what.is_some() {
        rebuilt.args(fast);
    }
    rebuilt.args(["--", "media"]);
    if options.check {
        rebuilt.arg("--check");
    }
    if let Some(What::Attacks(attacks)) = &options.what {
        rebuilt.args(attacks.arguments()?);
    }
    succeed(&mut rebuilt)
}

#[cfg(not(feature = "media"))]
impl Attacks {
    /// The arguments that mean the same in the workspace's folder.
    fn arguments(&self) -> Result<Vec<std::ffi::OsString>> {
        let path = |path: &PathBuf| std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()));
        let mut arguments: Vec<std::ffi::OsString> = vec!["attacks".into()];
        let mut say = |name: &str, value: std::ffi::OsString| arguments.extend([format!("--{name}").into(), value]);
        say("people", path(&self.people)?.into());
        say("to", path(&self.to)?.into());
        say("seconds", self.seconds.to_string().into());
        say("fps", self.fps.to_string().into());
        if let Some(count) = self.count {
            say("count", count.to_string().into());
        }
        say("genuine", self.genuine.to_string().into());
        if !self.only.is_empty() {
            say("only", self.only.join(",").into());
        }
        say("seed", self.seed.to_string().into());
        say("width", self.width.to_string().into());
        say("height", self.height.to_string().into());
        say("jobs", self.jobs.to_string().into());
        Ok(arguments)
    }
}
