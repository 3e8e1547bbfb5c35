//! Signs of life of heads and pictures whose points are known exactly.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::antispoof::PassivePad;
use crate::embedding::{Calibration, Embedding};
use crate::engine::Face;
use crate::geometry::Rect;
use crate::landmarks::{MESH_POINTS, Mesh};
use crate::pose::Pose;
use crate::types::{Degrees, ModelId};

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(ms)
}

/// A head as a dome of points, with lids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// Whose it is: the embeddings of different people are at right angles.
    pub(crate) person: usize,
    /// In degrees; a dome that turns shows parallax.
    pub(crate) yaw: f32,
    /// How deep the dome is; 0 is a picture.
    pub(crate) depth: f32,
    /// How far the eyes are open, 1 as usual.
    pub(crate) lids: f32,
    /// How far the embedding has gone from the first one, in radians.
    pub(crate) change: f32,
    pub(crate) passive: Option<f32>,
}

pub(crate) const PICTURE: Head = Head { person: 0, yaw: 0.0, depth: 0.0, lids: 1.0, change: 0.0, passive: None };
/// How many values an embedding has here.
pub(crate) const DIMENSION: usize = 8;

impl Head {
    /// Returns the face as an engine with a mesh sees it, its middle at (300, 200).
    pub(crate) fn face(self) -> Face {
        let (sin, cos) = self.yaw.to_radians().sin_cos();
        let seen = |x: f32, y: f32| {
            let z = self.depth * (1.0 - (x * x + y * y) / 2.0);
            [300.0 + 50.0 * (x * cos + z * sin), 200.0 + 50.0 * y, 0.0]
        };
        let mut points: Vec<[f32; 3]> =
            (0..MESH_POINTS).map(|n| seen((n % 26) as f32 / 12.5 - 1.0, (n / 26) as f32 / 8.5 - 1.0)).collect();
        // The lids: three points above and three below, of each eye.
        let eyes = [(-0.4, [159, 158, 160], [145, 153, 144]), (0.4, [386, 385, 387], [374, 380, 373])];
        for (middle, upper, lower) in eyes {
            for n in 0..3 {
                let x = middle + 0.05 * (n as f32 - 1.0);
                points[upper[n]] = seen(x, -0.3 - 0.06 * self.lids);
                points[lower[n]] = seen(x, -0.3 + 0.06 * self.lids);
            }
        }
        let mut values = [0.0; DIMENSION];
        (values[2 * self.person], values[2 * self.person + 1]) = (self.change.cos(), self.change.sin());
        let mut face = Face::detected(Rect::new(250.0, 150.0, 350.0, 250.0), 0.9, None);
        face.mesh = Mesh::new(points);
        // A flat picture looks where it looked when it was taken, however it is turned.
        let looks = if self.depth > 0.0 { self.yaw } else { 0.0 };
        face.pose = Some(Pose { yaw: Degrees(looks), ..Pose::default() });
        face.embedding = Some(Embedding::from_raw(ModelId::new("m"), &values).unwrap());
        if let Some(real) = self.passive {
            face.antispoof = PassivePad::Scored { real };
        }
        face
    }

    pub(crate) fn view(self, ms: i64) -> LifeView {
        LifeView::of(&self.face(), at(ms)).unwrap()
    }
}

/// Shows ten views a second for three seconds.
pub(super) fn shown(head: impl Fn(f32) -> Head) -> LifeEvidence {
    let mut evidence = LifeEvidence::default();
    for n in 0..30 {
        let view = head(n as f32 / 10.0).view(n * 100);
        evidence.add(&view, &Calibration::arcface(), &GateOptions::default());
    }
    evidence
}

fn verdict(evidence: &LifeEvidence) -> (LifeVerdict, Option<LifeReason>) {
    let life = evidence.life(&GateOptions::default());
    (life.verdict, life.reason)
}

/// A person: turns a little and blinks once.
pub(crate) fn person(second: f32) -> Head {
    Head {
        person: 0,
        yaw: 8.0 * (second * 2.0).sin(),
        depth: 0.8,
        lids: if (1.4..1.6).contains(&second) { 0.3 } else { 1.0 },
        change: 0.25 * (second * 2.0).sin(),
        passive: None,
    }
}

#[test]
fn a_person_is_alive_and_a_picture_is_not() {
    assert_eq!(verdict(&shown(person)), (LifeVerdict::Live, None));
    let picture = shown(|_| PICTURE);
    assert_ne!(verdict(&picture).0, LifeVerdict::Live);
    assert!(verdict(&picture).1.is_some());
}

#[test]
fn each_sign_is_measured_by_itself() {
    let still = *shown(|_| PICTURE).signs();
    assert!(still.residual < 1e-3 && still.stretch < 1e-3 && still.scale < 1e-3, "{still:?}");
    assert_eq!((still.lid_dip, still.passive), (Some(0.0), None));
    assert!(still.change.unwrap() < 1e-3 && (still.seconds - 2.9).abs() < 1e-3, "{still:?}");

    let turns = *shown(|second| Head { yaw: person(second).yaw, depth: 0.8, ..PICTURE }).signs();
    assert!(turns.residual > 0.01 && turns.lid_dip.unwrap() < 0.05, "{turns:?}");
    let blinks = *shown(|second| Head { lids: person(second).lids, ..PICTURE }).signs();
    assert!((blinks.lid_dip.unwrap() - 0.7).abs() < 0.01 && blinks.residual < 1e-3, "{blinks:?}");
    let changes = *shown(|second| Head { change: person(second).change, ..PICTURE }).signs();
    assert!(changes.change.unwrap() > 0.1 && changes.residual < 1e-3, "{changes:?}");
}

#[test]
fn a_picture_that_changes_with_the_way_it_is_held_does_not_change() {
    // Tilted further and further, a picture gives other embeddings, and the same ones where it is held alike.
    let swung = shown(|second| Head { yaw: 20.0 * second, change: 0.35 * second, ..PICTURE });
    assert!(swung.signs().stretch > 0.2, "{:?}", swung.signs());
    let whole = 1.0 - 1.0_f32.cos();
    assert!(swung.signs().change.unwrap_or(0.0) < 0.3 * whole, "{:?}", swung.signs());
}

#[test]
fn each_sign_speaks_for_life() {
    let of = |signs: &Signs| Fusion::MEASURED.log_odds(signs);
    let still = *shown(|_| PICTURE).signs();
    let with = |change: fn(&mut Signs)| {
        let mut signs = still;
        change(&mut signs);
        of(&signs)
    };
    type Change = fn(&mut Signs);
    let more: [(&str, Change); 3] = [
        ("residual", |signs| signs.residual = 0.05),
        ("lids", |signs| signs.lid_dip = Some(0.6)),
        ("change", |signs| signs.change = Some(0.6)),
    ];
    for (name, change) in more {
        assert!(with(change) > of(&still) + 0.1, "{name}: {} {}", with(change), of(&still));
    }
    // The passive check decides either way about a person who hardly moves.
    let calm = Signs { residual: 0.012, change: Some(0.1), lid_dip: Some(0.1), seconds: 1.0, ..still };
    let judged = |passive: f32| of(&Signs { passive: Some(passive), passive_views: 5, ..calm });
    assert!(judged(4.0) > GateOptions::default().live_from && judged(-3.0) < GateOptions::default().spoof_below);
    // Something that does not move at all may look like skin, and stays undecided.
    assert!(of(&Signs { passive: Some(4.0), passive_views: 5, ..still }) < GateOptions::default().live_from);
}

#[test]
fn a_wink_or_one_eye_in_shadow_is_no_blink() {
    let mut evidence = LifeEvidence::default();
    for n in 0..30 {
        let mut view = PICTURE.view(n * 100);
        if (12..15).contains(&n) {
            for point in &mut view.lids.as_mut().unwrap()[..6] {
                point.y = 185.0;
            }
        }
        evidence.add(&view, &Calibration::arcface(), &GateOptions::default());
    }
    assert!(evidence.signs().lid_dip.unwrap() < 0.05, "{:?}", evidence.signs());
}

#[test]
fn eyes_that_stay_closed_are_no_blink() {
    let closes = shown(|second| Head { lids: if second > 1.5 { 0.2 } else { 1.0 }, ..PICTURE });
    assert!(closes.signs().lid_dip.unwrap() < 0.05, "{:?}", closes.signs());
}

#[test]
fn the_passive_check_overrules_a_film() {
    // A telephone shows a person who turns and blinks.
    let film = shown(|second| Head { passive: Some(0.05), ..person(second) });
    assert_eq!(verdict(&film), (LifeVerdict::Spoof, Some(LifeReason::PassiveLow)));
    let skin = shown(|second| Head { passive: Some(0.97), ..person(second) });
    assert_eq!(verdict(&skin), (LifeVerdict::Live, None));
    // One view of thirty that looks like skin is an accident.
    let lucky = shown(|second| Head { passive: Some(if second < 0.05 { 0.99 } else { 0.05 }), ..PICTURE });
    assert_eq!(verdict(&lucky).0, LifeVerdict::Spoof);
}

#[test]
fn one_picture_again_and_again_is_frozen() {
    let frozen = shown(|_| Head { passive: Some(0.99), ..PICTURE });
    assert_eq!(verdict(&frozen), (LifeVerdict::Spoof, Some(LifeReason::Frozen)));
}

#[test]
fn too_few_views_decide_nothing() {
    let mut evidence = LifeEvidence::default();
    for n in 0..3 {
        evidence.add(&person(n as f32).view(n * 100), &Calibration::arcface(), &GateOptions::default());
    }
    assert_eq!(verdict(&evidence), (LifeVerdict::Undecided, Some(LifeReason::FewViews)));
}

#[test]
fn who_was_alive_stays_alive_and_memory_is_bounded() {
    let mut evidence = shown(person);
    for n in 30..3000 {
        let still = Head { change: 0.01 * (n % 7) as f32, ..PICTURE };
        evidence.add(&still.view(n * 100), &Calibration::arcface(), &GateOptions::default());
    }
    assert_eq!(verdict(&evidence).0, LifeVerdict::Live);
    assert!(evidence.signs().views <= 41, "{:?}", evidence.signs());
    assert!(evidence.signs().seconds <= 4.0);
}

#[test]
fn a_clock_that_was_set_back_begins_a_new_window() {
    let mut evidence = shown(person);
    evidence.add(&PICTURE.view(-100_000), &Calibration::arcface(), &GateOptions::default());
    assert_eq!((evidence.signs().views, evidence.signs().seconds), (1, 0.0));
}
