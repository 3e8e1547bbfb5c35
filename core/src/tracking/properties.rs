//! What the rule promises, for views of every kind: strangers who wait, repeated views, views that speak against a
//! name.

use proptest::prelude::*;

use super::tests::{DIMENSION, Site, at, face, gallery, like, of, student};
use super::*;
use crate::embedding::Calibration;
use crate::engine::Embedder;
use crate::types::{ModelId, StudentId};

/// Normal random numbers: the same with every run.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 + 0.5) / (1_u64 << 24) as f32
    }

    /// Box and Muller's.
    fn normal(&mut self) -> f32 {
        let (radius, turn) = ((-2.0 * self.uniform().ln()).sqrt(), std::f32::consts::TAU * self.uniform());
        radius * turn.cos()
    }

    fn values(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal()).collect()
    }
}

fn unit(values: &[f32]) -> Embedding {
    Embedding::from_raw(ModelId::new("m"), values).unwrap()
}

/// Strangers and people in 128 values, where two people's cosine has mean 0 and spread 1 / sqrt(128).
const VALUES: usize = 128;

fn crowd(people: usize, noise: &mut Noise) -> Gallery {
    let embedder = Embedder { model: ModelId::new("m"), dimension: VALUES, calibration: Calibration::arcface() };
    let gallery = Gallery::new(embedder);
    for person in 0..people {
        gallery.insert(StudentId(person as i64), &[unit(&noise.values(VALUES))]).unwrap();
    }
    gallery
}

/// Returns how many of `strangers` are ever named in `views` views, and how many would be by their best single view
/// at the cosine that the same wish asks of one comparison.
fn named(strangers: usize, views: usize, gallery: &Gallery, rate: f32, noise: &mut Noise) -> (usize, usize) {
    let impostors = Impostors::new(0.0, (VALUES as f32).sqrt().recip()).unwrap();
    let options =
        TrackingOptions::default().with_false_names(rate).unwrap().with_impostors(impostors).with_min_margin(0.0);
    let (mut by_rule, mut by_best) = (0, 0);
    for _ in 0..strangers {
        let who = noise.values(VALUES);
        let mut tracker = Tracker::new(options);
        let id = tracker.update(&[face(0.0)], at(0))[0];
        let (mut ever, mut best) = (false, false);
        for _ in 0..views {
            // Two views of one person have a cosine of about 0.7.
            let view: Vec<f32> = who.iter().map(|value| value + 0.65 * noise.normal()).collect();
            let view = unit(&view);
            let lowest = Threshold::new(0.0).unwrap();
            ever |= student(tracker.see(id, &view, 1.0, gallery, lowest, at(0)).unwrap()).is_some();
            let nearest = gallery.search(&view, 1).unwrap()[0];
            // The normal distribution's tail, without the chances of the way.
            let u = impostors.deviations(nearest.cosine);
            best |= 0.5 * u * u + (u * std::f32::consts::TAU.sqrt()).ln() >= bound(gallery.people(), rate);
        }
        by_rule += usize::from(ever);
        by_best += usize::from(best);
    }
    (by_rule, by_best)
}

#[test]
fn strangers_are_named_at_most_at_the_wished_rate_however_long_they_stay() {
    let mut noise = Noise(7);
    let gallery = crowd(60, &mut noise);
    let rate = 0.1;
    for views in [3, 60] {
        let (by_rule, _) = named(400, views, &gallery, rate, &mut noise);
        assert!(by_rule <= 40, "{by_rule} of 400 in {views} views");
    }
    // The wish is not kept for want of strangers who come near.
    let (by_rule, by_best) = named(200, 60, &gallery, rate, &mut noise);
    assert!(by_best > 40 && by_rule <= 20, "{by_best} by their best view, {by_rule}");
}

#[test]
fn a_larger_gallery_asks_for_more() {
    // Cosine 0.5 is enough among three, and not among as many as make it no surprise.
    let view = like(1, 0.5);
    let mut few = Site::default();
    few.see(&view);
    assert_eq!(student(few.see(&view)), Some(1));
    let mut many = Site::with(gallery(&[(1, of(1))]));
    let far = of(DIMENSION - 1);
    many.gallery
        .load((2..20_000).map(|id| (StudentId(id), vec![far.clone()])).chain([(StudentId(1), vec![of(1)])]))
        .unwrap();
    many.see(&view);
    assert_eq!(student(many.see(&view)), None);
}

#[test]
fn a_name_is_lost_when_the_views_speak_against_it() {
    let mut site = Site::new(TrackingOptions::default().with_false_names(1e-9).unwrap());
    site.see(&of(1));
    assert_eq!(student(site.see(&of(1))), Some(1));
    // Each resembles what was seen before, and hardly the student.
    let views = (0..40).map(|_| student(site.see(&like(1, 0.32)))).collect::<Vec<_>>();
    assert_eq!((views[0], views[39]), (Some(1), None), "{views:?}");
    assert!(views.windows(2).all(|pair| pair[0].is_some() || pair[1].is_none()), "it does not flicker: {views:?}");
}

#[test]
fn who_takes_a_track_over_gets_their_own_name() {
    let mut site = Site::default();
    site.see(&of(1));
    assert_eq!(student(site.see(&of(1))), Some(1));
    let names: Vec<_> = (0..5).map(|_| student(site.see(&of(2)))).collect();
    assert_eq!(names, [Some(1), Some(1), Some(2), Some(2), Some(2)]);
}

proptest! {
    #[test]
    fn views_that_repeat_each_other_decide_nothing_that_the_first_does_not(
        cosine in 0.0f32..0.9, rate in 1e-6f32..0.1, first in 1usize..4,
    ) {
        let options = TrackingOptions::default().with_false_names(rate).unwrap();
        let mut site = Site::new(TrackingOptions { agreeing: first, agreeing_weight: 0.0, ..options });
        let view = like(1, cosine);
        let mut decision = Decision::Waiting;
        for _ in 0..first {
            decision = site.see(&view);
        }
        let named = student(decision);
        for _ in 0..100 {
            prop_assert_eq!(student(site.see(&view)), named);
        }
    }

    #[test]
    fn who_is_more_alike_is_named_sooner_if_at_all(cosine in 0.0f32..0.9, more in 0.01f32..0.09) {
        let mut sites = [cosine, cosine + more].map(|cosine| (Site::default(), like(1, cosine)));
        for _ in 0..3 {
            let [less, more] = sites.each_mut().map(|(site, view)| student(site.see(view)));
            prop_assert!(less.is_none() || more == less);
        }
    }
}
