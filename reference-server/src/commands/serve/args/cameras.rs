//! Parses the settings of cameras.

use faceattend_core::camera::Orientation;
use faceattend_core::gate::GatePolicy;
use faceattend_core::tracking::Impostors;

use super::parsed;

/// Parses how near strangers come to the students: mean and spread of the similarity, such as `0.12,0.09`.
pub(crate) fn strangers(text: &str) -> std::result::Result<Impostors, String> {
    let number = |text: &str| text.trim().parse::<f32>().ok();
    let read = text.split_once(',').and_then(|(mean, spread)| Some((number(mean)?, number(spread)?)));
    let (mean, spread) = read.ok_or("expected two numbers with a comma between them, such as 0.12,0.09")?;
    Impostors::new(mean, spread).map_err(|error| error.to_string())
}

/// Parses a camera's place and its policy.
pub(super) fn policy_at(text: &str) -> std::result::Result<(String, GatePolicy), String> {
    let (place, policy) = text.rsplit_once('=').ok_or("expected a place and a policy, such as Library=observe")?;
    Ok((place.trim().to_owned(), parsed(policy.trim())?))
}

/// Parses a camera's place and the degrees by which its pictures are turned.
pub(super) fn orientation_at(text: &str) -> std::result::Result<(String, Orientation), String> {
    const EXPECTED: &str = "expected a place and 0, 90, 180 or 270, such as Hall=180";
    let (place, degrees) = text.rsplit_once('=').ok_or(EXPECTED)?;
    let degrees = degrees.trim().parse().map_err(|_| EXPECTED)?;
    Ok((place.trim().to_owned(), Orientation::from_degrees(degrees).map_err(|_| EXPECTED)?))
}

/// Parses a time to wait for signs of life, in seconds.
pub(super) fn gate_wait(text: &str) -> std::result::Result<f32, String> {
    let seconds = text.parse::<f32>().ok().filter(|seconds| (0.5..=60.0).contains(seconds));
    seconds.ok_or_else(|| "expected seconds from 0.5 to 60".to_owned())
}
