//! No way to hold a flat picture makes it alive.

use proptest::prelude::*;

use super::tests::{PICTURE, at};
use super::*;
use crate::embedding::Calibration;
use crate::geometry::Point;

/// A pinhole camera's view of a point of a picture that is tilted, moved and turned.
#[derive(Debug, Clone, Copy)]
struct Hold {
    tilt_x: f32,
    tilt_y: f32,
    roll: f32,
    near: f32,
    shift: (f32, f32),
}

impl Hold {
    fn see(self, point: Point) -> Point {
        // The picture's middle is the turning point; 500 pixels away at `near` 1.
        let (x, y) = (point.x - 300.0, point.y - 200.0);
        let (sr, cr) = self.roll.sin_cos();
        let (x, y) = (x * cr - y * sr, x * sr + y * cr);
        let (sx, cx) = self.tilt_x.sin_cos();
        let (y, z) = (y * cx, y * sx);
        let (sy, cy) = self.tilt_y.sin_cos();
        let (x, z) = (x * cy + z * sy, z * cy - x * sy);
        let scale = 500.0 / (500.0 / self.near + z);
        Point::new(300.0 + self.shift.0 + x * scale, 200.0 + self.shift.1 + y * scale)
    }
}

fn hold() -> impl Strategy<Value = Hold> {
    (-0.9f32..0.9, -0.9f32..0.9, -0.5f32..0.5, 0.5f32..2.0, (-100.0f32..100.0, -100.0f32..100.0))
        .prop_map(|(tilt_x, tilt_y, roll, near, shift)| Hold { tilt_x, tilt_y, roll, near, shift })
}

proptest! {
    #[test]
    fn no_sequence_of_views_of_one_flat_thing_is_alive(
        holds in prop::collection::vec(hold(), 5..40), every in 60i64..400, lids in 0.3f32..1.5,
    ) {
        let mut evidence = LifeEvidence::default();
        let picture = tests::Head { lids, ..PICTURE };
        for (n, hold) in (0..).zip(&holds) {
            let mut view = picture.view(n * every);
            view.skull.iter_mut().for_each(|point| *point = hold.see(*point));
            view.lids.iter_mut().flatten().for_each(|point| *point = hold.see(*point));
            evidence.add(&view, &Calibration::arcface(), &GateOptions::default());
            let life = evidence.life(&GateOptions::default());
            prop_assert_ne!(life.verdict, LifeVerdict::Live, "{:?}", evidence.signs());
        }
        prop_assert!(evidence.signs().lid_dip.unwrap_or(0.0) < 0.02, "{:?}", evidence.signs());
        prop_assert!(evidence.signs().residual < 0.004, "{:?}", evidence.signs());
    }

    #[test]
    fn any_numbers_give_a_verdict_and_no_panic(
        points in prop::collection::vec((any::<f32>(), any::<f32>()), 200), passive in any::<f32>(), n in 1i64..50,
    ) {
        let mut evidence = LifeEvidence::default();
        for shown in 0..n {
            let mut view = PICTURE.view(0);
            for (point, (x, y)) in view.skull.iter_mut().zip(&points) {
                *point = Point::new(*x, *y);
            }
            (view.passive, view.at) = (Some(passive), at(shown * 37));
            evidence.add(&view, &Calibration::arcface(), &GateOptions::default());
            prop_assert_ne!(evidence.life(&GateOptions::default()).verdict, LifeVerdict::Live);
        }
    }
}
