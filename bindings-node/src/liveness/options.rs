//! What a session demands, as JavaScript gives it.

use faceattend_core::Result;
use faceattend_core::liveness::{
    LivenessOptions as CoreOptions, Mirrored, Nods, Order as CoreOrder, PadPolicy as CorePad,
    QualityGate as CoreQuality,
};
use faceattend_core::types::{Cosine, Degrees, Threshold};
use jiff::SignedDuration;
use napi_derive::napi;

use crate::error::invalid;

/// In which order a session asks for the positions: `fixed` is center, left, right; `random` is drawn for each session,
/// so that a prepared video does not fit; with `any` a frame counts for whichever position it is sent for.
#[napi(string_enum = "lowercase")]
pub enum Order {
    Any,
    Fixed,
    Random,
}

/// How scores of the passive check count: `require` a score of every frame that counts, `prefer` scores where there are
/// any, or leave the check `off`.
#[napi(string_enum = "lowercase")]
pub enum PadPolicy {
    Require,
    Prefer,
    Off,
}

/// What becomes of a center view that is too dark, too small, blurred or cut off: `refuse` it, or accept it with a
/// `remark`.
#[napi(string_enum = "lowercase")]
#[derive(Clone, Copy)]
pub enum QualityGate {
    Refuse,
    Remark,
}

/// What a liveness session demands.
#[napi(object, object_to_js = false)]
pub struct LivenessOptions {
    /// Whether the frames arrive flipped, as a mirror shows them: it decides which side is the person's own left. No
    /// default, because a wrong guess swaps left and right. Cameras and recordings are `false`.
    pub mirrored: bool,
    /// For clients that stream and follow `next`: a random order, positions confirmed over three frames of one unbroken
    /// track, and a camera that counts as frozen after five equal frames. What is given beside it goes first. Default
    /// false.
    pub guarded: Option<bool>,
    /// The student to enrol, when there is one already.
    pub student_id: Option<f64>,
    /// Default `fixed`. Ask for `Outcome.next` each time. A client at a distance has to answer each step of a random
    /// order with its `nonce`: see `observeAnswer`.
    pub order: Option<Order>,
    /// Whether a random order also asks for looking `up` and `down`: for clients that can guide the person there.
    /// Default false.
    pub nods: Option<bool>,
    /// How many more steps than three a random order has, up to 5. Default 3.
    pub extra_steps: Option<u32>,
    /// How many turns to the wrong side a random order forgives. Default 1.
    pub wrong_turns: Option<u32>,
    /// After how many frames the session fails. Default 3000.
    pub attempt_limit: Option<u32>,
    /// Over how many frames of one track the yaw is smoothed: 1, 3, 5 or 7. Default 1.
    pub steady_frames: Option<u32>,
    /// After how many frames with the same picture the camera counts as frozen. Default 10.
    pub frozen_frames: Option<u32>,
    /// The least depth that the face has to show between the views, in [0, 1]. Default 0.06.
    pub min_relief: Option<f64>,
    /// What becomes of a poor center view. Default `refuse`.
    pub quality: Option<QualityGate>,
    /// The largest yaw for center, in degrees. Default 5.
    pub center_gate: Option<f64>,
    /// The yaw beyond which the head counts as turned left, in degrees. Default 15.
    pub left_gate: Option<f64>,
    /// The yaw beyond which the head counts as turned right, in degrees. Default 15.
    pub right_gate: Option<f64>,
    /// How long the session lasts, in seconds, up to a day. Default 600.
    pub ttl_seconds: Option<f64>,
    /// After how many suspicious frames the session fails for good. Default 60.
    pub suspicious_limit: Option<u32>,
    /// From which similarity a side view shows the person of the center view, in [0, 1]. Default 0.65.
    pub same_person: Option<f64>,
    /// From which raw cosine two positions show one and the same picture. Default 0.999.
    pub frozen: Option<f64>,
    /// By how much the nose offset must change between center and each side. Default 0.203.
    pub min_nose_shift: Option<f64>,
    /// Default `prefer`.
    pub pad: Option<PadPolicy>,
    /// From which mean probability of a living face the passive check is content, in [0, 1]. Default 0.5.
    pub min_pad_mean: Option<f64>,
    /// How many times larger than any other the face of the person must be. Default 2.
    pub dominance: Option<f64>,
}

/// Returns the core's options. What is given goes before what `guarded` chooses.
#[expect(clippy::cast_possible_truncation, reason = "gates, similarities and shifts need no more than an f32")]
pub(super) fn core_options(options: &LivenessOptions) -> Result<CoreOptions> {
    let mut made = if options.guarded == Some(true) { CoreOptions::guarded() } else { CoreOptions::default() };
    let gates = made.gates;
    let gate = |value: Option<f64>, default: Degrees| value.map_or(default, |degrees| Degrees(degrees as f32));
    made = made.with_mirrored(if options.mirrored { Mirrored::Yes } else { Mirrored::No }).with_gates(
        gate(options.center_gate, gates.center),
        gate(options.left_gate, gates.left),
        gate(options.right_gate, gates.right),
    );
    if let Some(seconds) = options.ttl_seconds {
        let ttl = SignedDuration::try_from_secs_f64(seconds)
            .map_err(|_| invalid("ttlSeconds", format!("{seconds} is no duration")))?;
        made = made.with_ttl(ttl);
    }
    let order = match options.order {
        None => made.order,
        Some(Order::Any) => CoreOrder::Any,
        Some(Order::Fixed) => CoreOrder::Fixed,
        Some(Order::Random) => CoreOrder::Random,
    };
    made = made.with_order(order, options.extra_steps.unwrap_or(made.extra_steps));
    made = made
        .with_nods(if options.nods == Some(true) { Nods::Yes } else { made.nods })
        .with_wrong_turns(options.wrong_turns.unwrap_or(made.wrong_turns))
        .with_attempt_limit(options.attempt_limit.unwrap_or(made.attempt_limit))
        .with_steady_frames(options.steady_frames.unwrap_or(made.steady_frames))
        .with_frozen_frames(options.frozen_frames.unwrap_or(made.frozen_frames))
        .with_min_relief(options.min_relief.map_or(made.min_relief, |relief| relief as f32));
    made = made.with_quality(match options.quality {
        None => made.quality,
        Some(QualityGate::Refuse) => CoreQuality::Refuse,
        Some(QualityGate::Remark) => CoreQuality::Remark,
    });
    if let Some(limit) = options.suspicious_limit {
        made = made.with_suspicious_limit(limit);
    }
    if let Some(similarity) = options.same_person {
        made = made.with_same_person(Threshold::new(similarity as f32)?);
    }
    if let Some(cosine) = options.frozen {
        made = made.with_frozen(Cosine(cosine as f32));
    }
    if let Some(shift) = options.min_nose_shift {
        made = made.with_min_nose_shift(shift as f32);
    }
    let policy = match options.pad {
        None => made.pad,
        Some(PadPolicy::Require) => CorePad::Require,
        Some(PadPolicy::Prefer) => CorePad::Prefer,
        Some(PadPolicy::Off) => CorePad::Off,
    };
    let mean = options.min_pad_mean.map_or(made.min_pad_mean, |mean| mean as f32);
    made = made.with_pad(policy, mean);
    if let Some(factor) = options.dominance {
        made = made.with_dominance(factor as f32);
    }
    made.check()?;
    Ok(made)
}

impl From<CoreOrder> for Order {
    fn from(order: CoreOrder) -> Self {
        match order {
            CoreOrder::Any => Self::Any,
            CoreOrder::Fixed => Self::Fixed,
            CoreOrder::Random => Self::Random,
        }
    }
}
