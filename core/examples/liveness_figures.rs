//! The figures of `docs/src/liveness.md`, measured again.
//!
//! ```text
//! cargo run -p faceattend-core --example liveness_figures -- MEDIA [MODELS]
//! ```
//!
//! MEDIA holds `faces/lfw_dev` (a folder a person) and `video/dev` (clips named `*_real.*` and `*_fake.*`); what is
//! absent is left out, and the sample media of this project are always measured. MODELS holds
//! `pad/2.7_80x80_MiniFASNetV2.onnx` and `pad/4_0_0_80x80_MiniFASNetV1SE.onnx` for the passive check, and
//! `detect/scrfd_2.5g_bnkps.onnx` with `embed/arcface_mobilefacenet_paddle_128.onnx` for a second engine.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for the terminal")]
#![allow(unreachable_pub, dead_code, reason = "what the attack suite shares is in both")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]

#[path = "../tests/common/stage.rs"]
mod stage;
#[path = "../tests/common/warp.rs"]
mod warp;

use std::path::{Path, PathBuf};

use faceattend_core::engine::{Antispoof, Engine, Face};
use faceattend_core::frame::Frame;
use faceattend_core::liveness::{LivenessOptions, Order, PadPolicy, Shape, Status};
use stage::{Actor, PEOPLE, Scene, Shot, frames_of, media, picture, still};
use warp::{Held, halved, print_of, recompressed};

fn main() {
    let mut args = std::env::args().skip(1).map(PathBuf::from);
    let shared = args.next().unwrap_or_default();
    let models = args.next();
    let pad = models.as_ref().map(|folder| folder.join("pad")).filter(|folder| folder.is_dir());
    let antispoof = pad.map_or(Antispoof::Off, |folder| {
        let file = |name: &str, scale| (folder.join(name), scale);
        Antispoof::Files(vec![file("2.7_80x80_MiniFASNetV2.onnx", 27), file("4_0_0_80x80_MiniFASNetV1SE.onnx", 40)])
    });
    let builder = || Engine::builder().with_antispoof(antispoof.clone());
    measure("default pack", &builder().build().unwrap(), &shared);
    let detector = models.as_ref().map(|folder| folder.join("detect/scrfd_2.5g_bnkps.onnx")).filter(|f| f.is_file());
    let embedder =
        models.map(|folder| folder.join("embed/arcface_mobilefacenet_paddle_128.onnx")).filter(|f| f.is_file());
    if let (Some(detector), Some(embedder)) = (detector, embedder) {
        let builder = builder().with_detector_file(detector, None).with_embedder_file(embedder, None);
        measure("SCRFD-2.5G, ArcFace MobileFaceNet", &builder.build().unwrap(), &shared);
    }
}

fn measure(name: &str, engine: &Engine, shared: &Path) {
    println!("# {name}\n");
    parallax(engine, &shared.join("faces/lfw_dev"));
    let mut clips: Vec<Clip> = PEOPLE
        .iter()
        .filter_map(|person| Clip::of(engine, &media().join(person).join("turn.avi"), format!("{person}_rendered")))
        .collect();
    for path in entries(&shared.join("video/dev")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        match Clip::of(engine, &path, name) {
            Some(clip) => clips.push(clip),
            None => println!("{} cannot be read: built without OpenCV?", path.display()),
        }
    }
    looks(engine, &clips);
    stillness(&clips);
    passive(&clips);
    genuine(engine, &clips);
    attacks(engine, &clips);
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// A recording at five frames a second.
struct Clip {
    name: String,
    shots: Vec<Shot>,
    /// Every frame up to fifteen a second, for an actor: a person does not repeat a moment.
    dense: Vec<Shot>,
}

impl Clip {
    fn of(engine: &Engine, path: &Path, name: String) -> Option<Self> {
        let analyzed = |per_second| {
            let frames: Vec<Frame<'static>> = frames_of(path, per_second)?;
            Some(frames.iter().map(|frame| Shot::of(engine, frame)).collect::<Vec<_>>())
        };
        let mut clip = Self { name, shots: analyzed(5.0)?, dense: Vec::new() };
        if clip.turns() && !clip.is_fake() {
            clip.dense = analyzed(15.0)?;
        }
        Some(clip)
    }

    fn is_fake(&self) -> bool {
        self.name.contains("_fake")
    }

    fn faces(&self) -> Vec<&Face> {
        self.shots.iter().filter_map(|shot| shot.analysis.faces.first()).collect()
    }

    /// Whether the head turns beyond both gates.
    fn turns(&self) -> bool {
        let yaws: Vec<f32> = self.shots.iter().filter_map(Shot::yaw).collect();
        yaws.iter().any(|yaw| *yaw > 18.0) && yaws.iter().any(|yaw| *yaw < -18.0)
    }
}

fn quantile(values: &[f32], part: f32) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(((sorted.len().max(1) - 1) as f32 * part).round() as usize).copied().unwrap_or(f32::NAN)
}

fn part(values: &[f32], holds: impl Fn(f32) -> bool) -> f32 {
    values.iter().filter(|value| holds(**value)).count() as f32 / values.len().max(1) as f32
}

/// The part of pairs in which the genuine one is larger.
fn auc(genuine: &[f32], attacks: &[f32]) -> f32 {
    let wins: f32 =
        genuine.iter().map(|g| part(attacks, |a| *g > a) + part(attacks, |a| (*g - a).abs() == 0.0) / 2.0).sum();
    wins / genuine.len().max(1) as f32
}

/// Real pictures of one person ahead and turned, against pictures ahead that are held askew as prints.
fn parallax(engine: &Engine, people: &Path) {
    let mut genuine = Vec::new();
    let mut prints = Vec::new();
    let mut beyond = 0;
    // The same prints in every run (a linear congruential generator, Knuth's constants).
    let mut state = 7u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    // Where others are in the picture a session refuses it, and the largest face may be another in each view.
    let read = |shot: &Shot| {
        let [face] = &shot.analysis.faces[..] else { return None };
        face.pose.map(|pose| (pose.yaw.0, pose.nose_offset, Shape::of(face)))
    };
    for person in entries(people) {
        let mut views = Vec::new();
        for file in entries(&person) {
            let frame = picture(&file);
            let Some(view) = read(&Shot::of(engine, &frame)) else { continue };
            if view.0.abs() <= 5.0 {
                for _ in 0..3 {
                    let side = if random() < 0.5 { -1.0 } else { 1.0 };
                    let held = Held {
                        yaw: side * (20.0 + 20.0 * random()),
                        pitch: 20.0 * random() - 10.0,
                        roll: 20.0 * random() - 10.0,
                        distance: 1.0 + 2.0 * random(),
                    };
                    let print = Shot::of(engine, &print_of(&frame, held));
                    if let Some((yaw, nose, shape)) = read(&print) {
                        beyond += usize::from(yaw.abs() > 15.0);
                        prints.push(((nose - view.1).abs(), view.2.relief(&shape).unwrap_or(0.0)));
                    }
                }
            }
            views.push(view);
        }
        for ahead in views.iter().filter(|view| view.0.abs() <= 5.0) {
            for side in views.iter().filter(|view| view.0.abs() > 15.0) {
                genuine.push(((side.1 - ahead.1).abs(), ahead.2.relief(&side.2).unwrap_or(0.0)));
            }
        }
    }
    if genuine.is_empty() || prints.is_empty() {
        return println!("parallax: no pictures of people\n");
    }
    println!(
        "parallax: {} genuine pairs, {} prints turned by 20 to 40 degrees, {beyond} of them read beyond 15",
        genuine.len(),
        prints.len()
    );
    let options = LivenessOptions::default();
    for (name, pick, least) in [
        ("nose shift", (|v| v.0) as fn(&(f32, f32)) -> f32, options.min_nose_shift),
        ("relief", |v| v.1, options.min_relief),
    ] {
        let (g, p): (Vec<f32>, Vec<f32>) = (genuine.iter().map(pick).collect(), prints.iter().map(pick).collect());
        println!(
            "  {name}: AUC {:.4}; at {least} genuine {:.3}, prints {:.3}; at the prints' 99th part ({:.3}) genuine \
             {:.3}; least genuine {:.3}, largest print {:.3}",
            auc(&g, &p),
            part(&g, |v| v >= least),
            part(&p, |v| v >= least),
            quantile(&p, 0.99),
            part(&g, |v| v > quantile(&p, 0.99)),
            quantile(&g, 0.0),
            quantile(&p, 1.0),
        );
    }
    let both = |v: &&(f32, f32)| v.0 >= options.min_nose_shift && v.1 >= options.min_relief;
    let passing = |values: &[(f32, f32)]| values.iter().filter(both).count() as f32 / values.len() as f32;
    println!("  both at their thresholds: genuine {:.3}, prints {:.3}\n", passing(&genuine), passing(&prints));
}

/// How alike frames look.
fn looks(engine: &Engine, clips: &[Clip]) {
    let mut again = Vec::new();
    let mut drift = Vec::new();
    for person in PEOPLE {
        for yaw in (-35..=35).step_by(5) {
            let frame = still(person, yaw);
            let original = Shot::of(engine, &frame);
            for copy in [recompressed(&frame, 90), recompressed(&frame, 70), recompressed(&frame, 50), halved(&frame)] {
                let copy = Shot::of(engine, &copy);
                again.push(copy.hash.perceptual.distance(&original.hash.perceptual) as f32);
                drift.extend(copy.yaw().zip(original.yaw()).map(|(a, b)| (a - b).abs()));
            }
        }
    }
    println!(
        "looks: {} pictures compressed again or halved: at most {} bits, yaw moved at most {:.1} degrees",
        again.len(),
        quantile(&again, 1.0),
        quantile(&drift, 1.0)
    );
    for clip in clips {
        let hash = |i: usize| clip.shots[i].hash.perceptual;
        let next: Vec<f32> = (1..clip.shots.len()).map(|i| hash(i - 1).distance(&hash(i)) as f32).collect();
        let apart: Vec<f32> = (10..clip.shots.len())
            .flat_map(|i| (0..=i - 10).map(move |j| (i, j)))
            .map(|(i, j)| hash(i).distance(&hash(j)) as f32)
            .collect();
        println!(
            "  {:18} next frame: median {}, 8 bits or fewer {:.3} of {}; two seconds apart: 8 or fewer {:.4} of {}",
            clip.name,
            quantile(&next, 0.5),
            part(&next, |v| v <= 8.0),
            next.len(),
            part(&apart, |v| v <= 8.0),
            apart.len(),
        );
    }
    println!();
}

/// How alike consecutive frames are: by their embeddings, and with the looks of the picture (0.985 and alike) as a
/// camera that stands still is told.
fn stillness(clips: &[Clip]) {
    println!("consecutive frames, five a second:");
    for clip in clips {
        let steps: Vec<(f32, bool)> = clip
            .shots
            .windows(2)
            .filter_map(|pair| {
                let [a, b] = [&pair[0], &pair[1]].map(|shot| shot.analysis.faces.first()?.embedding.as_ref());
                let alike = pair[0].hash.perceptual.is_like(&pair[1].hash.perceptual);
                Some((a?.cosine(b?).ok()?.0, alike))
            })
            .collect();
        let still = |(cosine, alike): &(f32, bool)| *cosine >= 0.999 || (*alike && *cosine >= 0.985);
        let (mut run, mut longest) = (0, 0);
        for step in &steps {
            run = if still(step) { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        let cosines: Vec<f32> = steps.iter().map(|step| step.0).collect();
        println!(
            "  {:18} cosine: median {:.4}, 95th part {:.4}, largest {:.4}; one picture in {} of {}, \
             longest run {longest}",
            clip.name,
            quantile(&cosines, 0.5),
            quantile(&cosines, 0.95),
            quantile(&cosines, 1.0),
            steps.iter().filter(|step| still(step)).count(),
            steps.len()
        );
    }
    println!();
}

/// The passive check a frame, and as a mean over consecutive frames.
fn passive(clips: &[Clip]) {
    let scores = |clip: &Clip| clip.faces().iter().filter_map(|face| face.antispoof.real()).collect::<Vec<_>>();
    if clips.iter().all(|clip| scores(clip).is_empty()) {
        return println!("passive check: no models\n");
    }
    println!("passive check (share of frames, or of windows, on the wrong side of .5):");
    for clip in clips {
        let scores = scores(clip);
        let wrong =
            |score: f32| if clip.is_fake() || clip.name.contains("rendered") { score >= 0.5 } else { score < 0.5 };
        let windows = |length: usize| {
            let means: Vec<f32> = scores.windows(length).map(|w| w.iter().sum::<f32>() / length as f32).collect();
            format!("{:.3} of {}", part(&means, wrong), means.len())
        };
        println!("  {:18} a frame {}; mean of 5 {}; of 15 {}", clip.name, windows(1), windows(5), windows(15));
        let by_yaw = |from: f32, to: f32| {
            let scored =
                clip.faces().into_iter().filter_map(|face| Some((face.pose?.yaw.0.abs(), face.antispoof.real()?)));
            let scores: Vec<f32> = scored.filter(|(yaw, _)| (from..to).contains(yaw)).map(|(_, real)| real).collect();
            format!("{:.3} of {}", part(&scores, wrong), scores.len())
        };
        println!(
            "  {:18} below 10 degrees {}; 10 to 20 {}; beyond {}",
            "",
            by_yaw(0.0, 10.0),
            by_yaw(10.0, 20.0),
            by_yaw(20.0, 90.0)
        );
    }
    println!();
}

/// How long a person takes who does as told.
fn genuine(engine: &Engine, clips: &[Clip]) {
    println!("genuine: a person who does as told, 12 degrees a frame at five frames a second");
    let policies = [
        ("fixed order, single frames", LivenessOptions::default(), 1),
        ("fixed order, three frames", LivenessOptions::default().with_steady_frames(3), 1),
        ("guarded", LivenessOptions::guarded(), 20),
    ];
    for clip in clips.iter().filter(|clip| clip.turns() && !clip.is_fake()) {
        for (name, options, orders) in policies {
            for pad in [PadPolicy::Prefer, PadPolicy::Off] {
                let scenes: Vec<Scene> = (0..orders)
                    .map(|entropy| {
                        let mut scene = Scene::new(engine, options.with_pad(pad, 0.5), entropy);
                        Actor::new(&clip.dense, 12.0).play(&mut scene, 150);
                        scene
                    })
                    .collect();
                let done: Vec<f32> = scenes.iter().filter(|s| s.is_completed()).map(|s| s.frames as f32).collect();
                let seconds: Vec<f32> =
                    scenes.iter().filter(|s| s.is_completed()).map(|s| s.seconds() as f32).collect();
                let codes = scenes.iter().find(|s| !s.is_completed()).map(|s| counted(&s.codes));
                println!(
                    "  {:18} {name}, passive {pad:?}: {} of {} complete; frames median {} (at most {}), \
                     seconds {:.1} (at most {:.1}){}",
                    clip.name,
                    done.len(),
                    scenes.len(),
                    quantile(&done, 0.5),
                    quantile(&done, 1.0),
                    quantile(&seconds, 0.5),
                    quantile(&seconds, 1.0),
                    codes.map_or(String::new(), |c| format!("; one that does not: {c}"))
                );
            }
        }
    }
    println!();
}

fn counted(codes: &[&'static str]) -> String {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for code in codes {
        *counts.entry(code).or_default() += 1;
    }
    counts.iter().map(|(code, count)| format!("{code} {count}")).collect::<Vec<_>>().join(", ")
}

/// What comes of clips that are played to a session over and over.
fn attacks(engine: &Engine, clips: &[Clip]) {
    println!("clips played in a loop for a minute, without and with the passive check:");
    for clip in clips {
        let kind = if clip.is_fake() { "shown on a telephone" } else { "injected" };
        for (name, options, orders) in [
            ("any order", LivenessOptions::default().with_order(Order::Any, 0), 1),
            ("fixed order", LivenessOptions::default(), 1),
            ("guarded", LivenessOptions::guarded(), 100),
        ] {
            let mut told = Vec::new();
            for pad in [PadPolicy::Off, PadPolicy::Prefer] {
                let scenes: Vec<Scene> = (0..orders)
                    .map(|entropy| {
                        let mut scene = Scene::new(engine, options.with_pad(pad, 0.5), entropy);
                        // Every pass is a little different, as a telephone held in a hand is: only the file repeats.
                        for shot in clip.shots.iter().cycle().take(300) {
                            if scene.is_over() {
                                break;
                            }
                            let mut shot = shot.clone();
                            shot.hash.exact ^= u64::from(scene.frames);
                            scene.show(&shot);
                        }
                        scene
                    })
                    .collect();
                let done = scenes.iter().filter(|scene| scene.is_completed()).count();
                let failed = scenes.iter().filter(|scene| scene.session.status_at(scene.at) == Status::Failed).count();
                told.push(format!(
                    "passive {pad:?}: {done} of {orders} complete, {failed} fail ({})",
                    counted(&scenes[0].codes)
                ));
            }
            println!("  {:18} {kind}, {name}: {}", clip.name, told.join("; "));
        }
    }
    println!();
}
