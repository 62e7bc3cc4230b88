//! The valid and invalid documents of the image specification's own tests.

use oci::{Descriptor, ImageConfig, Index, Manifest};
use serde_json::Value;

fn is_accepted(schema: &str, bytes: &[u8]) -> Option<bool> {
    let accepted = match schema {
        "config" => ImageConfig::parse(bytes).and_then(|d| d.validate()).is_ok(),
        "descriptor" => Descriptor::parse(bytes).and_then(|d| d.validate()).is_ok(),
        "index" => Index::parse(bytes).and_then(|d| d.validate()).is_ok(),
        "manifest" => Manifest::parse(bytes).and_then(|d| d.validate()).is_ok(),
        "backcompat" => {
            ImageConfig::parse(bytes).and_then(|d| d.validate()).is_ok()
                || Index::parse(bytes).and_then(|d| d.validate()).is_ok()
                || Manifest::parse(bytes).and_then(|d| d.validate()).is_ok()
        }
        _ => return None,
    };
    Some(accepted)
}

#[test]
fn documents_are_accepted_and_refused_as_the_specification_does() {
    let cases = super::folder().join("image-spec/cases");
    let index = fs_err::read(cases.join("INDEX.json")).unwrap();
    let index: Vec<Value> = serde_json::from_slice(&index).unwrap();
    let mut decided = 0;
    let mut wrong = Vec::new();
    for case in index {
        let (file, schema) = (case["file"].as_str().unwrap(), case["schema"].as_str().unwrap());
        let Some(must_fail) = case["must_fail"].as_bool() else { continue };
        let bytes = fs_err::read(cases.join(file)).unwrap();
        let Some(accepted) = is_accepted(schema, &bytes) else { continue };
        decided += 1;
        if accepted == must_fail {
            wrong.push(file.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(decided >= 60, "only {decided} cases were found");
}
