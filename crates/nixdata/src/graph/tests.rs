use super::*;
use crate::{Closure, Hash, StoreDir};
use proptest::prelude::*;

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/data/closure/", $name)).as_slice()
    };
}

fn closure(bytes: &[u8]) -> Closure {
    Closure::new(parse_graph(bytes, None).unwrap()).unwrap()
}

fn names(closure: &Closure, order: &[usize]) -> Vec<String> {
    order.iter().map(|index| closure.paths()[*index].path.name().to_owned()).collect()
}

/// What `path-info` of 2.8 says; the other forms say the same or less.
fn reference() -> Closure {
    closure(data!("path-info-2.8.json"))
}

fn without(mut closure: Closure, forget: impl Fn(&mut PathInfo)) -> Closure {
    let mut paths = std::mem::replace(&mut closure, Closure::new(vec![]).unwrap()).into_paths();
    paths.iter_mut().for_each(forget);
    Closure::new(paths).unwrap()
}

#[test]
fn path_info_of_2_8() {
    let closure = reference();
    assert_eq!(names(&closure, &[0, 1, 2, 3]), ["app", "app.conf", "base-1.0", "libdemo-2.1"]);
    assert_eq!(names(&closure, &closure.roots()), ["app"]);
    assert_eq!(
        names(&closure, &closure.topological()),
        ["app.conf", "base-1.0", "libdemo-2.1", "app"]
    );
    let lib = closure.get("/nix/store/rb0ivdi34306yi8mqz0yhkc67fm0v7rk-libdemo-2.1").unwrap();
    assert_eq!(lib.nar_size, Some(224));
    assert_eq!(lib.references.len(), 2, "it refers to itself too");
    assert_eq!(lib.deriver.as_ref().unwrap().name(), "libdemo-2.1.drv");
    let base16 = "sha256:e49d9fe62e4f4e75f2571593536f60a3f26e669b7a4e4b52b96e0ad209e09da9";
    assert_eq!(lib.nar_hash, Some(base16.parse::<Hash>().unwrap()));
    let conf = &closure.paths()[1];
    assert_eq!(
        conf.ca.unwrap().to_string(),
        "text:sha256:113d30b90w3f3aazhqsq9q4xxggcgdi2xl6mb4psiz6p0djh84m5"
    );
    assert_eq!(closure.nar_size_of(&[0, 1, 2, 3]), Some(696));
}

#[test]
fn newer_path_info_says_the_same() {
    assert_eq!(closure(data!("path-info-2.26.json")), reference());
    assert_eq!(closure(data!("path-info-2.34.json")), reference());
    assert_eq!(closure(data!("path-info-2.34-format-1.json")), reference());
    assert_eq!(closure(data!("path-info-2.34-format-2.json")), reference());
}

#[test]
fn other_forms_say_the_same_or_less() {
    let no_deriver = without(reference(), |info| info.deriver = None);
    assert_eq!(closure(data!("attrs-2.8.json")), no_deriver);
    assert_eq!(closure(data!("attrs-2.26.json")), no_deriver);
    let no_ca = without(reference(), |info| info.ca = None);
    assert_eq!(closure(data!("registration.txt")), no_ca);
    let graph_alone = without(reference(), |info| {
        *info = PathInfo::new(info.path.clone(), info.references.clone());
    });
    assert_eq!(closure(data!("references-graph.txt")), graph_alone);
}

#[test]
fn closure_info_writes_prefixed_hashes() {
    let text = "/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0\nsha256:1xga7qa3wjdkhc71mbz9wm36q1nl7z2c95sl9529vindmjnrdn0z\n120\n\n0\n\n";
    let infos = parse_graph(text.as_bytes(), None).unwrap();
    assert_eq!(infos[0].nar_hash, reference().paths()[2].nar_hash);
}

#[test]
fn structured_hashes_of_newer_nix() {
    let text = r#"{"info":{"aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0":{"narHash":{"algorithm":"sha256","format":"base64","hash":"H9iWrazNxp1ESVSXxMQ/1AZsRuXprxoOg7NJPhQ+6vU="},"narSize":120,"references":[]}},"storeDir":"/nix/store","version":3}"#;
    let infos = parse_graph(text.as_bytes(), None).unwrap();
    assert_eq!(infos[0].nar_hash, reference().paths()[2].nar_hash);
}

#[test]
fn absent_paths_are_told() {
    for bytes in [data!("absent-2.8.json"), data!("absent-2.26.json")] {
        let listing = parse_path_info(bytes).unwrap();
        assert!(listing.infos.is_empty());
        assert_eq!(listing.absent[0].name(), "absent");
        assert!(matches!(parse_graph(bytes, None), Err(GraphError::Absent(_))));
    }
}

#[test]
fn one_graph_of_several() {
    let two = r#"{"exportReferencesGraph":{"a":[],"b":[]},"a":[],"b":[{"path":"/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0","references":[]}]}"#;
    assert_eq!(parse_graph(two.as_bytes(), Some("b")).unwrap().len(), 1);
    let message = |key| parse_graph(two.as_bytes(), key).unwrap_err().to_string();
    assert_eq!(message(None), "these attributes hold several graphs: a, b");
    assert_eq!(message(Some("c")), "no graph `c` in these attributes; there is a, b");
    // A graph cut out with jq keeps no declaration.
    assert!(parse_graph(br#"{"graph":[]}"#, None).unwrap().is_empty());
    let error = parse_graph(br#"{"name":"x"}"#, None).unwrap_err().to_string();
    assert_eq!(error, "no graph `graph` in these attributes");
}

#[test]
fn other_stores() {
    let text = r#"{"info":{"aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0":{"references":["aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0"]}},"storeDir":"/opt/store","version":2}"#;
    let infos = parse_graph(text.as_bytes(), None).unwrap();
    let store: StoreDir = "/opt/store".parse().unwrap();
    assert_eq!(infos[0].path.store_dir(), store);
    assert_eq!(infos[0].references[0], infos[0].path);
}

#[test]
fn wrong_graphs_say_why() {
    let message = |text: &str| parse_graph(text.as_bytes(), None).unwrap_err().to_string();
    assert_eq!(message("hello"), "neither JSON nor a text that begins with a store path");
    assert_eq!(message("[1]"), "not the JSON that `nix path-info` or `.attrs.json` holds");
    assert_eq!(message("[{}]"), "not a store path");
    assert_eq!(message("/x\n\n0\n"), "line 1: not a store path");
    let base = "/nix/store/aqx1rx97yy98x9ga13h0hdgbypa5hgw7-base-1.0";
    assert_eq!(message(base), "the text ends at line 1, in the middle of a record");
    assert_eq!(
        message(&format!("{base}\n\n2\n{base}\n")),
        "the text ends at line 4, in the middle of a record"
    );
    assert_eq!(message(&format!("{base}\n\n-1\n")), "line 3: `-1` is not a number");
    assert_eq!(
        message(&format!("{base}\n\n99999999999\n")),
        "the text ends at line 3, in the middle of a record"
    );
    assert_eq!(
        message(&format!("{base}\nabc\n1\n\n0\n")),
        format!("the NAR hash of `{base}` is broken")
    );
    assert_eq!(
        message(r#"{"info":{},"storeDir":"/nix/store","version":9}"#),
        "path-info JSON of version 9 is not known here (3 is the newest)"
    );
    assert!(matches!(parse_graph(b"/nix/\xff\n\n0\n", None), Err(GraphError::NotUtf8(5))));
    assert!(parse_graph(b" \n", None).unwrap().is_empty());
}

#[test]
fn a_text_cut_anywhere_is_an_error_or_a_prefix() {
    for bytes in [data!("registration.txt"), data!("references-graph.txt")] {
        let whole = parse_graph(bytes, None).unwrap();
        for end in 1..bytes.len() {
            if let Ok(part) = parse_graph(&bytes[..end], None) {
                assert!(part.len() <= whole.len());
            }
        }
    }
    for bytes in [
        data!("path-info-2.8.json"),
        data!("path-info-2.34-format-2.json"),
        data!("attrs-2.26.json"),
    ] {
        for end in 1..bytes.trim_ascii_end().len() {
            assert!(parse_graph(&bytes[..end], None).is_err(), "{end}");
        }
    }
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        drop(parse_graph(&bytes, None));
        drop(parse_graph(text.as_bytes(), Some("x")));
        drop(parse_path_info(&bytes));
        drop(parse_structured_attrs(&bytes, None));
        drop(parse_references_graph(&bytes));
        drop(parse_registration(&bytes));
    }

    #[test]
    fn changed_bytes_never_panic(which in 0..6_usize, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let samples = [
            data!("path-info-2.8.json"), data!("path-info-2.26.json"), data!("path-info-2.34-format-2.json"),
            data!("attrs-2.26.json"), data!("registration.txt"), data!("references-graph.txt"),
        ];
        let mut bytes = samples[which].to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        drop(parse_graph(&bytes, None).map(Closure::new));
    }
}
