//! Each `<name>.wire.json` is a record as it may arrive, and `<name>.canonical.json` is the same position as
//! this program writes it.

use std::fs;
use std::path::Path;

use processor_codec::RecordCodec;

#[test]
fn all_of_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|file| file.unwrap().file_name().to_str()?.strip_suffix(".wire.json").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 7, "golden samples are missing: {names:?}");
    for name in names {
        let text = |kind| fs::read_to_string(folder.join(format!("{name}.{kind}.json"))).unwrap();
        let position = crate::position(text("wire"));
        let written = RecordCodec::encode(&position);
        assert_eq!(String::from_utf8_lossy(&written), text("canonical").trim_end(), "{name}");
        assert_eq!(crate::position(&written), position, "{name}");
    }
}
