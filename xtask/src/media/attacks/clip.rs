//! One clip: somebody, or something that shows somebody, before a fixed camera.

use image::RgbImage;

use super::super::clip::Noise;
use super::figure::Figure;
use super::hand::{Hand, stand};
use super::held::Held;
use super::lens::Place;
use super::life::{Life, Manner};
use super::sheet::Sheet;
use super::stage::Stage;
use crate::Result;

/// What a clip shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The person.
    Bonafide,
    /// A photograph on paper, in a hand.
    PrintHeld,
    /// The same, swung by 25 to 40 degrees.
    PrintSwung,
    /// The same, bent about its middle.
    PrintBent,
    /// The same on a stand: nothing moves.
    PrintStill,
    /// A photograph on paper, cut along the head.
    Cutout,
    /// A telephone that shows a photograph.
    PhoneStill,
    /// A telephone that plays a person who turns the head and blinks.
    PhoneTurn,
    /// A tablet that plays a person who talks and blinks.
    TabletTalk,
}

impl Kind {
    /// Returns the name, as in the names of files and in the table of labels.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bonafide => "bonafide",
            Self::PrintHeld => "print_held",
            Self::PrintSwung => "print_swung",
            Self::PrintBent => "print_bent",
            Self::PrintStill => "print_still",
            Self::Cutout => "cutout",
            Self::PhoneStill => "phone_still",
            Self::PhoneTurn => "replay_phone",
            Self::TabletTalk => "replay_tablet",
        }
    }

    /// Every kind of attack.
    pub(super) const ATTACKS: [Self; 8] = [
        Self::PrintHeld,
        Self::PrintSwung,
        Self::PrintBent,
        Self::PrintStill,
        Self::Cutout,
        Self::PhoneStill,
        Self::PhoneTurn,
        Self::TabletTalk,
    ];
}

/// A person of whom clips are made.
pub(super) struct Subject {
    pub(super) name: String,
    /// The photograph's file.
    pub(super) picture: String,
    pub(super) photo: RgbImage,
    pub(super) figure: Figure,
}

/// How a clip is made.
#[derive(Clone, Copy)]
pub(super) struct Shot {
    pub(super) kind: Kind,
    pub(super) seconds: f64,
    pub(super) fps: u32,
    /// For what is the clip's own: movements, ink, device, noise.
    pub(super) seed: u64,
}

/// Renders a clip as JPEG files. `holder` is who stands behind what is held to the camera.
///
/// # Errors
/// When a picture cannot be encoded.
pub(super) fn render(stage: &Stage, subject: &Subject, holder: &Subject, shot: Shot) -> Result<Vec<Vec<u8>>> {
    let mut random = Noise::new(shot.seed);
    let held = Held::new(stage, subject, shot, &mut random);
    // Somebody who holds something hides behind it, or reaches in from the side.
    let hides = random.uniform() < 0.5;
    let life = Life::new(&mut random, Manner::Attends, shot.seconds);
    let hand = held.as_ref().map(|held| Hand::new(&mut random, held.cm, held.slim));
    let mut sensor = stage.sensor(shot.seed);
    let frames = (shot.seconds * f64::from(shot.fps)).round() as u32;
    let mut picture = stage.room.clone();
    let mut pictures = Vec::new();
    for i in 0..frames {
        let time = f64::from(i) / f64::from(shot.fps);
        picture.pixels.copy_from_slice(&stage.room.pixels);
        // What stands on a stand is there from the start.
        let stands = held.as_ref().is_some_and(|held| held.hold.stands());
        let (place, moment) = (stage.place(if stands { f64::INFINITY } else { time }), life.at(time));
        match (&held, &hand) {
            (Some(held), Some(hand)) => {
                let center = [0, 1].map(|axis| place.center[axis] - held.offset[axis] * place.scale);
                let place = Place { center, ..place };
                if hides && !held.hold.stands() {
                    // Smaller than what hides the face, and farther away.
                    let place = Place { scale: place.scale * 0.8, ..place };
                    let width = stage.width.min(held.medium.half[0]);
                    holder.figure.draw(&mut picture, &stage.lens, place, width, &moment, stage.light);
                }
                draw(held, hand, &mut picture, stage, place, time);
            }
            _ => {
                let sway = moment.shift.map(|v| v * stage.width * place.scale);
                let place = Place { center: [place.center[0] + sway[0], place.center[1] + sway[1]], ..place };
                subject.figure.draw(&mut picture, &stage.lens, place, stage.width, &moment, stage.light);
            }
        }
        pictures.push(sensor.take(&picture)?);
    }
    Ok(pictures)
}

/// Draws what is held, with the hand or the stand that holds it.
fn draw(held: &Held<'_>, hand: &Hand, picture: &mut Sheet, stage: &Stage, place: Place, time: f64) {
    let (lens, light, pose) = (&stage.lens, stage.light, held.hold.at(time));
    if held.hold.stands() {
        stand(picture, lens, place, &held.medium, &pose, held.cm);
        held.draw(picture, stage, place, &pose, time);
    } else {
        hand.behind(picture, lens, place, &held.medium, &pose, light);
        held.draw(picture, stage, place, &pose, time);
        hand.before(picture, lens, place, &held.medium, &pose, light);
    }
}
