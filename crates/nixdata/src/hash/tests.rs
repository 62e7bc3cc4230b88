use super::*;
use proptest::prelude::*;

/// `nix-hash --flat` and `nix hash to-sri` of Nix 2.8: algorithm, base 16, nix32, SRI.
const VECTORS: &str = include_str!("../../tests/data/hashes.txt");

fn vectors() -> impl Iterator<Item = [&'static str; 4]> {
    VECTORS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| <[&str; 4]>::try_from(line.split(' ').collect::<Vec<_>>()).unwrap())
}

#[test]
fn reads_and_writes_what_nix_does() {
    let mut seen = 0;
    for [algorithm, base16, nix32, sri] in vectors() {
        let algorithm: Algorithm = algorithm.parse().unwrap();
        let hash: Hash = sri.parse().unwrap();
        assert_eq!(hash.algorithm(), algorithm);
        assert_eq!(hash.sri(), sri);
        assert_eq!(hash.to_string(), sri);
        assert_eq!(hash.bare(Encoding::Base16), base16);
        assert_eq!(hash.bare(Encoding::Nix32), nix32);
        let base64 = sri.split_once('-').unwrap().1;
        assert_eq!(hash.bare(Encoding::Base64), base64);
        for digest in [base16, nix32, base64, base64.trim_end_matches('=')] {
            assert_eq!(Hash::parse_with(digest, algorithm).unwrap(), hash, "{digest}");
            assert_eq!(format!("{algorithm}:{digest}").parse(), Ok(hash), "{digest}");
        }
        assert_eq!(Hash::parse_with(&base16.to_uppercase(), algorithm).unwrap(), hash);
        assert_eq!(sri.trim_end_matches('=').parse(), Ok(hash), "without padding");
        seen += 1;
    }
    assert_eq!(seen, 12);
}

#[test]
fn a_name_in_front_beats_the_default() {
    let hash = Hash::parse_with("md5-1B2M2Y8AsgTpgAmY7PhCfg==", Algorithm::Sha256).unwrap();
    assert_eq!(hash.algorithm(), Algorithm::Md5);
}

#[test]
fn wrong_texts_say_why() {
    let message = |text: &str| text.parse::<Hash>().unwrap_err().to_string();
    assert_eq!(
        message("blake3-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        "`blake3` is not a known hash algorithm (md5, sha1, sha256, sha512)"
    );
    assert_eq!(message("abc"), "`abc` does not name its algorithm; write `sha256-…`");
    assert_eq!(
        message("sha256-abc"),
        "a sha256 digest has 64 base 16, 52 nix32 or 44 base 64 digits, not 3"
    );
    assert_eq!(message(""), "`` does not name its algorithm; write `sha256-…`");
    // The last digit may only set the bits that the digest has.
    let trailing = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=";
    assert!(matches!(trailing.parse::<Hash>(), Err(HashError::Base64 { .. })));
    let unpadded = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV";
    assert!(matches!(unpadded.parse::<Hash>(), Err(HashError::Base64 { .. })));
    let nix32 = format!("sha256:z{}", "0".repeat(51));
    assert!(matches!(nix32.parse::<Hash>(), Err(HashError::Nix32 { .. })));
    // SRI is base 64 alone, even where the digest has the length of another spelling.
    let base16 = format!("sha256-{}", "0".repeat(64));
    assert!(matches!(base16.parse::<Hash>(), Err(HashError::Length { .. })));
}

fn any_hash() -> impl Strategy<Value = Hash> {
    let algorithm = prop::sample::select(vec![
        Algorithm::Md5,
        Algorithm::Sha1,
        Algorithm::Sha256,
        Algorithm::Sha512,
    ]);
    (algorithm, any::<[u8; 32]>()).prop_map(|(algorithm, half)| {
        let bytes = [half, half].concat();
        Hash::new(algorithm, &bytes[..algorithm.digest_len()]).unwrap()
    })
}

proptest! {
    #[test]
    fn every_spelling_reads_back(hash in any_hash()) {
        prop_assert_eq!(hash.sri().parse(), Ok(hash));
        for encoding in [Encoding::Base16, Encoding::Nix32, Encoding::Base64] {
            prop_assert_eq!(hash.typed(encoding).parse(), Ok(hash));
            prop_assert_eq!(Hash::parse_with(&hash.bare(encoding), hash.algorithm()), Ok(hash));
        }
    }

    #[test]
    fn never_panics(text in any::<String>(), digest in "sha256[-:][0-9a-zA-Z+/=]{40,66}") {
        drop(text.parse::<Hash>());
        drop(digest.parse::<Hash>());
        drop(Hash::parse_with(&text, Algorithm::Sha1));
    }
}
