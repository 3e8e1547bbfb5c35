//! Lists the cameras of this machine.

use std::path::{Path, PathBuf};

use super::source::CameraSource;

/// A camera of this machine.
///
/// ```
/// use faceattend_core::camera::devices;
///
/// for camera in devices() {
///     println!("{}: {} ({})", camera.number, camera.name, camera.source());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CameraDevice {
    /// Its number, as [`CameraSource::device`] takes it.
    pub number: u32,
    /// The name that the camera gives itself.
    pub name: String,
    /// Its device file.
    pub path: PathBuf,
}

impl CameraDevice {
    /// Returns the source that opens it.
    #[must_use]
    pub fn source(&self) -> CameraSource {
        CameraSource::device(self.number)
    }
}

/// Lists the cameras of this machine, by number. The kernel tells them without opening one, which would take it from
/// whoever has it. Linux only: elsewhere there is no such list, and none are returned.
///
/// ```
/// use faceattend_core::camera::devices;
///
/// println!("{} cameras", devices().len());
/// ```
#[must_use]
pub fn devices() -> Vec<CameraDevice> {
    devices_in(Path::new("/sys/class/video4linux"), Path::new("/dev"))
}

fn devices_in(listed: &Path, files: &Path) -> Vec<CameraDevice> {
    let Ok(entries) = std::fs::read_dir(listed) else { return Vec::new() };
    let mut found: Vec<CameraDevice> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            let number = name.strip_prefix("video")?.parse().ok()?;
            let read = |file: &str| std::fs::read_to_string(entry.path().join(file)).ok();
            // A camera has further nodes for what describes its pictures; those of pictures are the first.
            if read("index").is_some_and(|index| index.trim() != "0") {
                return None;
            }
            let path = files.join(name);
            let title = read("name").map(|title| title.trim().to_owned()).filter(|title| !title.is_empty());
            path.exists().then(|| CameraDevice { number, name: title.unwrap_or_else(|| name.to_owned()), path })
        })
        .collect();
    found.sort_by_key(|device| device.number);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_listed_and_their_other_nodes_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (listed, files) = (folder.path().join("sys"), folder.path().join("dev"));
        std::fs::create_dir_all(&files).unwrap();
        for (node, title, index) in
            [("video10", "Lobby\n", "0\n"), ("video2", "Desk", "0"), ("video3", "Desk", "1"), ("radio0", "Radio", "0")]
        {
            std::fs::create_dir_all(listed.join(node)).unwrap();
            std::fs::write(listed.join(node).join("name"), title).unwrap();
            std::fs::write(listed.join(node).join("index"), index).unwrap();
            std::fs::write(files.join(node), "").unwrap();
        }
        // Listed, but not given to this container.
        std::fs::create_dir_all(listed.join("video7")).unwrap();
        let found = devices_in(&listed, &files);
        let told: Vec<_> = found.iter().map(|device| (device.number, device.name.as_str())).collect();
        assert_eq!(told, [(2, "Desk"), (10, "Lobby")]);
        assert!(devices_in(&folder.path().join("none"), &files).is_empty());
    }
}
