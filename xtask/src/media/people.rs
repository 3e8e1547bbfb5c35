//! Whose photographs the sample media are made of, and where they come from. `examples/media/README.md` tells the
//! licences.

use faceattend_runtime::{Form, Package};

/// One person and the photograph of them.
pub(super) struct Person {
    /// The folder's name.
    pub(super) name: &'static str,
    pub(super) full_name: &'static str,
    pub(super) package: Package,
    /// The photograph inside the package.
    pub(super) inside: &'static str,
    pub(super) photo_sha256: &'static str,
    /// The part of the photograph that fills a frame, in its pixels: left, top, width; the height follows from 4:3.
    pub(super) view: [f64; 3],
    /// How far the head is turned in the photograph already, in degrees: the mean of three readings (the nose offset of
    /// SCRFD-2.5G's points, that of the mesh's, and the mesh's own depth across the eyes), which lie within 3 degrees.
    pub(super) own_yaw: f64,
}

/// NASA's portrait of Eileen Collins: `skimage.data.astronaut()`.
const COLLINS: Person = Person {
    name: "collins",
    full_name: "Eileen Collins",
    package: Package {
        name: "scikit-image",
        version: "0.26.0",
        sha256: "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
        form: Form::Wheel("manylinux_2_28_x86_64"),
    },
    inside: "skimage/data/astronaut.png",
    photo_sha256: "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    view: [30.0, 0.0, 400.0],
    own_yaw: -2.0,
};

/// The United States Navy's portrait of Grace Hopper: Matplotlib's sample picture.
const HOPPER: Person = Person {
    name: "hopper",
    full_name: "Grace Hopper",
    package: Package {
        name: "matplotlib",
        version: "3.10.0",
        sha256: "5439f4c5a3e2e8eab18e2f8c3ef929772fd5641876db71f08127eed95ab64683",
        form: Form::Wheel("manylinux2014_x86_64"),
    },
    inside: "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
    photo_sha256: "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
    view: [0.0, 8.0, 512.0],
    own_yaw: 0.5,
};

/// The White House's official portrait of Barack Obama, 2012. The package's other pictures are no portraits.
const OBAMA: Person = Person {
    name: "obama",
    full_name: "Barack Obama",
    package: Package {
        name: "face_recognition",
        version: "1.3.0",
        sha256: "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        form: Form::Source,
    },
    inside: "face_recognition-1.3.0/tests/test_images/obama.jpg",
    photo_sha256: "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
    view: [60.0, 0.0, 850.0],
    own_yaw: 3.0,
};

/// Everybody, in the order in which they appear in the clips.
pub(super) const PEOPLE: &[Person] = &[COLLINS, OBAMA, HOPPER];
