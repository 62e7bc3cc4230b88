use std::path::Path;

use fs_err as fs;

use super::*;

#[test]
fn json_is_that_of_python() {
    // Each was made by `json.dumps(json.loads(…), indent=4)`.
    let dump = |text: &str| serde_json::from_str::<Json>(text).unwrap().dump();
    assert_eq!(
        dump(r#"{"b":1,"a":[],"c":{},"b":2}"#),
        "{\n    \"b\": 2,\n    \"a\": [],\n    \"c\": {}\n}"
    );
    assert_eq!(dump("[true,null,-5]"), "[\n    true,\n    null,\n    -5\n]");
    assert_eq!(dump(r#""é\u007f\u0001\/😀\"""#), r#""\u00e9\u007f\u0001/\ud83d\ude00\"""#);
    for (text, expected) in [
        ("1.0", "1.0"),
        ("0.1", "0.1"),
        ("1e3", "1000.0"),
        ("1e16", "1e+16"),
        ("123456789012345680.0", "1.2345678901234568e+17"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("1.5e300", "1.5e+300"),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        assert_eq!(dump(text), expected);
    }
    let list = ["a", "it's", "\"'", "\n\\"].map(str::to_owned);
    assert_eq!(json::repr(&list), r#"['a', "it's", '"\'', '\n\\']"#);
}

#[test]
fn times_are_those_of_python() {
    let time = |text: &str| PythonTime::parse(text, 7).map(|time| (time.to_string(), time.unix()));
    let is = |text: &str, iso: &str, unix| {
        assert_eq!(time(text), Some((iso.to_owned(), unix)), "{text}");
    };
    is("now", "1970-01-01T00:00:07+00:00", Some(7));
    is("2024-02-29", "2024-02-29T00:00:00", Some(1_709_164_800));
    is("2024-02-29 01:00+01:00", "2024-02-29T01:00:00+01:00", Some(1_709_164_800));
    is("1970-01-01T00:00:00.5-00:00:30", "1970-01-01T00:00:00.500000-00:00:30", Some(30));
    is("1969-12-31T23:59:59Z", "1969-12-31T23:59:59+00:00", None);
    for bad in
        ["", "yesterday", "2024-13-01", "2024-01-01T25:00", "2024-01-01T", "2024-01-01T00:00+24:00"]
    {
        assert_eq!(time(bad), None, "{bad}");
    }
}

fn conf(root: &Path, from_image: Option<&str>) -> Conf {
    let store = root.join("nix/store");
    fs::create_dir_all(store.join("c")).unwrap();
    fs::write(store.join("a"), "one file\n").unwrap();
    fs::create_dir_all(store.join("b/d")).unwrap();
    fs::write(store.join("b/d/é"), "x").unwrap();
    std::os::unix::fs::symlink("t".repeat(101), store.join("b/link")).unwrap();
    fs::write(store.join("c/layer.tar"), [0; 1024]).unwrap();
    fs::write(store.join("c/checksum"), format!("{}\n", Digest::of([0; 1024]).encoded())).unwrap();
    for (path, mode) in
        [("a", 0o444), ("b/d/é", 0o444), ("c/layer.tar", 0o444), ("b/d", 0o555), ("b", 0o555)]
    {
        let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode);
        fs::set_permissions(store.join(path), mode).unwrap();
    }
    let conf = serde_json::json!({
        "architecture": "amd64", "config": {"Env": ["A=2", "B=1"], "Healthcheck": {"Test": ["NONE"]}},
        "os": "linux", "variant": "", "store_dir": "/nix/store", "from_image": from_image,
        "store_layers": [["/nix/store/a"], ["/nix/store/b"]], "customisation_layer": "/nix/store/c",
        "repo_tag": "x:1", "created": "1970-01-01T00:00:01Z", "mtime": "1970-01-01T00:00:02Z",
        "uid": "0", "gid": 5, "uname": "root", "gname": "g",
    });
    Conf::parse(conf.to_string().as_bytes()).unwrap()
}

fn run(conf: &Conf, root: &Path) -> Result<Vec<u8>, ConfError> {
    let root = StoreRoot::at(root);
    let options = StreamOptions {
        root: &root,
        repo_tag: None,
        now: 0,
        owner: &|_, _| Owner::default(),
        spool: Path::new("/tmp"),
        log: &|_| (),
    };
    let mut out = Vec::new();
    stream(conf, &options, &mut out).map(|()| out)
}

fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(archive);
    let member = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        (name, bytes)
    };
    archive.entries().unwrap().map(member).collect()
}

#[test]
fn an_archive_holds_layers_config_and_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let archive = run(&conf(dir.path(), None), dir.path()).unwrap();
    assert!(archive.len().is_multiple_of(10_240));
    let members = members(&archive);
    assert_eq!(members.len(), 5);
    for (name, bytes) in &members[..3] {
        assert_eq!(*name, format!("{}/layer.tar", Digest::of(bytes).encoded()));
    }
    // Made by Python 3.11's tarfile of the same files.
    let digests = [
        "af5d9c61d8b25c73a2412840b2555ad7ff4f1f351dc8df8d620b9c962fe03bd9",
        "5ca0bddc405334ce261daad8e019a55f6f2ee0bdcae075374f845bcf07712292",
    ];
    assert!(digests.iter().zip(&members).all(|(digest, member)| member.0.starts_with(digest)));
    let config: serde_json::Value = serde_json::from_slice(&members[3].1).unwrap();
    assert_eq!(config["config"]["Healthcheck"]["Test"][0], "NONE", "unknown keys survive");
    assert_eq!(members[4].0, "manifest.json");
}

#[test]
fn a_base_gives_its_layers_and_variables() {
    let dir = tempfile::tempdir().unwrap();
    let base = run(&conf(dir.path(), None), dir.path()).unwrap();
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("base.tar"), &base).unwrap();
    let mut on_top = conf(other.path(), Some("/base.tar"));
    on_top.config = serde_json::from_str(r#"{"Cmd": ["x"], "Env": ["C=1", "A=3"]}"#).unwrap();
    let archive = run(&on_top, other.path()).unwrap();
    let members = members(&archive);
    let config: serde_json::Value = serde_json::from_slice(&members[6].1).unwrap();
    assert_eq!(config["config"]["Env"], serde_json::json!(["A=3", "B=1", "C=1"]));
    assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 6);
    assert_eq!(members[0].1, self::members(&base)[0].1);
}

#[test]
fn what_is_wrong_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let good = conf(dir.path(), None);
    let fails = |change: &dyn Fn(&mut Conf), text: &str| {
        let mut conf = good.clone();
        change(&mut conf);
        let error = run(&conf, dir.path()).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    };
    fails(&|conf| conf.mtime = "yesterday".into(), "`mtime` is `yesterday`");
    fails(&|conf| conf.created = "x".into(), "`created` is `x`");
    fails(&|conf| conf.uid = Number::Text("me".into()), "`uid` is `me`");
    fails(&|conf| conf.store_layers = vec![vec!["/etc".into()]], "but not below `/nix/store`");
    fails(&|conf| conf.store_layers = vec![vec!["/nix/store/no".into()]], "is not on this machine");
    fails(&|conf| conf.customisation_layer = "/nix/store/b".into(), "cannot read");
    fails(&|conf| conf.from_image = Some("/nix/store/a".into()), "cannot read");
    fs::write(dir.path().join("nix/store/c/checksum"), "short").unwrap();
    fails(&|_| (), "does not hold a SHA-256");
    assert!(matches!(Conf::parse(b"{}"), Err(ConfError::Json(_))));
}
