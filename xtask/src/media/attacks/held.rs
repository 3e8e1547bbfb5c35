//! What is held to the camera: a print or a screen, with the face where the stage wants it.

use std::borrow::Cow;

use image::imageops::{FilterType, resize};

use super::super::clip::Noise;
use super::clip::{Kind, Shot, Subject};
use super::lens::{Lens, Place};
use super::life::{Life, Manner};
use super::medium::{Grip, Hold, Medium, Pose};
use super::paper::{self, Print};
use super::scene::room;
use super::screen::{Device, Model, displayed, fitted};
use super::sheet::Sheet;
use super::stage::Stage;

/// A print or a device, and how it is held.
pub(super) struct Held<'a> {
    pub(super) medium: Medium,
    pub(super) hold: Hold,
    /// From the middle of the sheet to the middle of the face on it, in pixels at scale 1.
    pub(super) offset: [f64; 2],
    /// A centimeter, in pixels at scale 1.
    pub(super) cm: f64,
    /// A hand goes round the back, as round a telephone.
    pub(super) slim: bool,
    look: Look<'a>,
}

enum Look<'a> {
    Paper { print: Print, sheen: f32 },
    Screen(Box<(Device, Content<'a>)>),
}

/// The pixels across a screen's content: more than the camera sees of it.
const SCREEN: usize = 420;
/// The size of a film, in pixels.
const FILM: [usize; 2] = [360, 480];
/// The width of a photograph on a telephone, in pixels.
const PHOTO: f64 = 480.0;

impl<'a> Held<'a> {
    /// Draws what `shot` shows of `subject`; `None` for the living.
    pub(super) fn new(stage: &Stage, subject: &'a Subject, shot: Shot, random: &mut Noise) -> Option<Self> {
        let (grip, model) = match shot.kind {
            Kind::Bonafide => return None,
            Kind::PrintHeld => (Grip::Steady, None),
            Kind::PrintSwung => (Grip::Swung, None),
            Kind::PrintBent => (Grip::Bent, None),
            Kind::PrintStill => (Grip::Fixed, None),
            // Cut-outs are bent round a face as often as not.
            Kind::Cutout => (if random.uniform() < 0.5 { Grip::Bent } else { Grip::Steady }, None),
            Kind::PhoneStill => {
                (if random.uniform() < 0.3 { Grip::Swung } else { Grip::Steady }, Some(Model::Telephone))
            }
            Kind::PhoneTurn => (Grip::Steady, Some(Model::Telephone)),
            Kind::TabletTalk => (Grip::Steady, Some(Model::Tablet)),
        };
        let hold = Hold::new(random, grip, stage.width);
        Some(match model {
            None => Self::paper(stage, subject, shot.kind, hold, random),
            Some(model) => Self::screen(stage, subject, shot, model, hold.rigid(), random),
        })
    }

    fn paper(stage: &Stage, subject: &'a Subject, kind: Kind, hold: Hold, random: &mut Noise) -> Self {
        let print = if kind == Kind::Cutout {
            paper::cut_out(&subject.figure, random)
        } else {
            paper::print(&subject.photo, subject.figure.face, random)
        };
        let unit = stage.width / print.face;
        let size = [print.sheet.width, print.sheet.height].map(|v| v as f64);
        let medium = Medium { half: size.map(|v| v * unit / 2.0) };
        let sheen = if random.uniform() < 0.4 { random.uniform() as f32 } else { 0.0 };
        Self {
            medium,
            hold,
            offset: [0, 1].map(|axis| (print.center[axis] - size[axis] / 2.0) * unit),
            // A sheet for an office printer, or somewhat less.
            cm: 2.0 * medium.half[0] / 20.0,
            slim: false,
            look: Look::Paper { print, sheen },
        }
    }

    fn screen(stage: &Stage, subject: &'a Subject, shot: Shot, model: Model, hold: Hold, random: &mut Noise) -> Self {
        let device = Device::new(random, model);
        let content = match shot.kind {
            Kind::PhoneTurn => Content::film(subject, &device, Manner::Turns, shot.seconds, random),
            Kind::TabletTalk => Content::film(subject, &device, Manner::Talks, shot.seconds, random),
            _ => Content::still(subject, &device, random),
        };
        let [left, top, width, height] = content.view;
        // Pixels of the picture for the device's own unit.
        let unit = stage.width * width / content.face / 2.0 / device.screen[0];
        let medium = Medium { half: device.body.map(|v| v * unit) };
        let on_screen =
            [2.0 * (content.center[0] - left) / width - 1.0, 2.0 * (content.center[1] - top) / height - 1.0];
        let centimeters = if model == Model::Tablet { 17.0 } else { 7.4 };
        Self {
            medium,
            hold,
            offset: [0, 1].map(|axis| on_screen[axis] * device.screen[axis] * unit),
            cm: 2.0 * medium.half[0] / centimeters,
            slim: true,
            look: Look::Screen(Box::new((device, content))),
        }
    }

    /// Draws it at `time` in seconds, held as `pose` says, its middle at `place`.
    pub(super) fn draw(&self, picture: &mut Sheet, stage: &Stage, place: Place, pose: &Pose, time: f64) {
        match &self.look {
            Look::Paper { print, sheen } => self.medium.draw(picture, &stage.lens, place, pose, |at, light| {
                paper::shown(print, at, light, stage.light, *sheen)
            }),
            Look::Screen(screen) => {
                let (device, content) = &**screen;
                let content = content.at(time, device.aspect());
                let tilt = [pose.tilt[0], pose.tilt[1]];
                self.medium.draw(picture, &stage.lens, place, pose, |at, light| {
                    device.shown(&content, at, light, stage.light, tilt, time)
                });
            }
        }
    }
}

/// What a screen shows.
struct Content<'a> {
    source: Source<'a>,
    /// The part that is on the screen: left, top, width and height.
    view: [f64; 4],
    /// The face in it.
    face: f64,
    center: [f64; 2],
    /// The level of the bars beside it.
    bars: f32,
}

enum Source<'a> {
    Still(Sheet),
    Film(Box<Film<'a>>),
}

/// A rendered film of a person, as somebody would have taken it with a telephone.
struct Film<'a> {
    subject: &'a Subject,
    room: Sheet,
    lens: Lens,
    life: Life,
    place: Place,
    width: f64,
    light: [f32; 3],
}

impl<'a> Content<'a> {
    fn still(subject: &Subject, device: &Device, random: &mut Noise) -> Self {
        let (photo, face) = (&subject.photo, subject.figure.face);
        let fine = PHOTO / f64::from(photo.width());
        let height = (f64::from(photo.height()) * fine).round() as u32;
        let content = Sheet::of(&resize(photo, PHOTO as u32, height, FilterType::CatmullRom));
        let (width, center) = (face.width * fine, face.center.map(|v| v * fine));
        let fill = random.uniform() < 0.5;
        let view = fitted([PHOTO, f64::from(height)], center, width, device.aspect(), fill);
        let bars = if random.uniform() < 0.7 { 0.0 } else { 245.0 };
        let shown = displayed(&content, view, SCREEN, (SCREEN as f64 / device.aspect()) as usize, bars);
        Self { source: Source::Still(shown), view, face: width, center, bars }
    }

    fn film(subject: &'a Subject, device: &Device, manner: Manner, seconds: f64, random: &mut Noise) -> Self {
        let [w, h] = FILM.map(|v| v as f64);
        let life = Life::new(random, manner, seconds);
        let width = w * (0.36 + 0.14 * random.uniform());
        let place = Place { center: [w * (0.46 + 0.08 * random.uniform()), h * 0.42], scale: 1.0 };
        let room = room(FILM[0], FILM[1], random);
        let light = [0.92 + 0.2 * random.uniform() as f32; 3];
        let view = fitted([w, h], place.center, width, device.aspect(), random.uniform() < 0.5);
        let lens = Lens::new(FILM[0], FILM[1]);
        let film = Film { subject, room, lens, life, place, width, light };
        Self { source: Source::Film(Box::new(film)), view, face: width, center: place.center, bars: 0.0 }
    }

    /// Returns what the screen shows at `time` in seconds.
    fn at(&self, time: f64, aspect: f64) -> Cow<'_, Sheet> {
        match &self.source {
            Source::Still(sheet) => Cow::Borrowed(sheet),
            Source::Film(film) => {
                let moment = film.life.at(time);
                let sway = moment.shift.map(|v| v * film.width);
                let center = [film.place.center[0] + sway[0], film.place.center[1] + sway[1]];
                let mut picture = film.room.clone();
                let place = Place { center, ..film.place };
                film.subject.figure.draw(&mut picture, &film.lens, place, film.width, &moment, film.light);
                let height = (SCREEN as f64 / aspect) as usize;
                Cow::Owned(displayed(&picture, self.view, SCREEN, height, self.bars))
            }
        }
    }
}
