//! What somebody does who has just named the crate: registers three people and recognizes them. The argument is the
//! folder of the sample media. Nothing of the repository but its pictures is used.

use std::path::Path;

use faceattend_core::{Engine, Frame, Gallery, Identification, StudentId, Threshold};

const PEOPLE: [&str; 3] = ["collins", "hopper", "obama"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let media = std::env::args().nth(1).ok_or("name the folder of the sample media")?;
    let picture = |person: &str, name: &str| Frame::open(Path::new(&media).join(person).join(name));
    let engine = Engine::new()?;
    let gallery = Gallery::new(engine.embedder().clone());
    for (number, person) in (1..).zip(PEOPLE) {
        let template = engine.embed(&picture(person, "center.jpg")?)?.into_template()?;
        gallery.insert(StudentId(number), &[template])?;
    }
    for (number, person) in (1..).zip(PEOPLE) {
        let probe = engine.embed(&picture(person, "yaw+15.jpg")?)?.into_embedding().ok_or("no face")?;
        match gallery.identify(&probe, Threshold::DOCUMENTED)? {
            Identification::Known { best, .. } if best.student == StudentId(number) => {}
            _ => return Err(format!("{person} is not recognized").into()),
        }
    }
    println!("registered and recognized {}", PEOPLE.len());
    Ok(())
}
