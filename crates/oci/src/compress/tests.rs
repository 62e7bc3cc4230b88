use std::io::Read as _;

use proptest::prelude::*;

use super::cut::MEMBER;
use super::*;

/// An entry of a tar, as small as it can be.
fn entry(name: &str, contents: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_size(contents.len() as u64);
    header.set_mode(0o444);
    header.set_cksum();
    let padding = vec![0; contents.len().next_multiple_of(512) - contents.len()];
    [header.as_bytes().as_slice(), contents, &padding].concat()
}

fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3] & 0x3f
    };
    (0..size).map(|_| next()).collect()
}

fn cut(tar: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut emit = |member: Vec<u8>| -> Result<(), std::convert::Infallible> {
        out.push(member);
        Ok(())
    };
    let mut cutter = Cutter::default();
    for piece in tar.chunks(piece) {
        cutter.add(piece, &mut emit).unwrap();
    }
    cutter.finish(&mut emit).unwrap();
    assert!(out.iter().all(|member| (1..=MEMBER).contains(&member.len())));
    assert_eq!(out.concat(), tar);
    out
}

fn sizes(tar: &[u8]) -> Vec<usize> {
    cut(tar, 70_000).iter().map(Vec::len).collect()
}

#[test]
fn small_segments_share_a_member_and_large_ones_do_not() {
    let end = vec![0; 1024];
    let small = |n: u64| entry(&format!("nix/store/{n}-small/f"), &noise(300 << 10, n));
    let large = entry("nix/store/large/f", &noise(MEMBER + 5000, 9));
    let tar =
        [entry("nix/", b""), small(1), small(2), small(3), small(4), large.clone(), end.clone()]
            .concat();
    let one = (300 << 10) + 512;
    assert_eq!(sizes(&tar), [512 + 3 * one, one, MEMBER, large.len() - MEMBER, 1024]);
    // The large one makes the same members elsewhere.
    let alone = cut(&[large.clone(), end.clone()].concat(), 999);
    let among = cut(&tar, 999);
    assert_eq!(alone[..2], among[2..4]);
    // A segment of exactly one member leaves no empty one behind.
    let exact = entry("nix/store/exact/f", &noise(MEMBER - 512, 3));
    assert_eq!(sizes(&[exact, end].concat()), [MEMBER, 1024]);
}

#[test]
fn files_of_one_path_are_one_segment() {
    let file = |n: u64| entry(&format!("nix/store/a/{n}"), &noise(400 << 10, n));
    let tar = [file(1), file(2), file(3), file(4), entry("etc/x", b"x")].concat();
    let total = 4 * ((400 << 10) + 512);
    assert_eq!(sizes(&tar), [MEMBER, total - MEMBER, 1024]);
}

#[test]
fn what_is_no_tar_is_cut_all_the_same() {
    assert_eq!(sizes(&noise(MEMBER * 2 + 7, 5)), [MEMBER, MEMBER, 7]);
    assert_eq!(sizes(b"short"), [5]);
    assert!(sizes(b"").is_empty());
    let mut liar = entry("a", b"");
    liar[124..136].copy_from_slice(&[0xff; 12]);
    assert_eq!(sizes(&liar), [512]);
}

#[test]
fn the_bytes_are_pinned() {
    // A change here is a change of every digest that was ever pushed: it needs another codec name.
    let tar = [
        entry("nix/store/a/text", &b"likewise ".repeat(50_000)),
        entry("nix/store/b/noise", &noise(1_500_000, 7)),
        vec![0; 1024],
    ]
    .concat();
    let digest =
        |with| compress(&mut &tar[..], with, 2, &mut io::sink()).unwrap().digest.to_string();
    assert_eq!(Compression::Gzip.codec(), "gzip-6-libdeflate-1");
    assert_eq!(
        digest(Compression::Gzip),
        "sha256:8d2f8c314c1ef3bd838be8344c873cad5452486108a83d189aeb9d5a58a7591d"
    );
    assert_eq!(Compression::Zstd.codec(), "zstd-3-libzstd-1");
    assert_eq!(
        digest(Compression::Zstd),
        "sha256:6323b7c006c70057ea04f86fb8f23f479049cbd52d459fb1ff2a51ce2f0895ee"
    );
    assert_eq!(digest(Compression::None), Digest::of(&tar).to_string());
}

fn decode(with: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match with {
        Compression::None => out.extend_from_slice(bytes),
        Compression::Gzip => {
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).map(drop).unwrap();
        }
        Compression::Zstd => {
            zstd::stream::read::Decoder::new(bytes)
                .unwrap()
                .read_to_end(&mut out)
                .map(drop)
                .unwrap();
        }
    }
    out
}

#[test]
fn a_failing_end_is_an_error_and_no_hang() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(buf.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(buf.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let tar = noise(20 * MEMBER, 1);
    for with in Compression::ALL {
        let error = compress(&mut &tar[..], with, 2, &mut Full(3 * MEMBER)).unwrap_err();
        assert!(matches!(error, CompressError::Write { .. }), "{error}");
        let broken = io::Read::chain(&tar[..5 * MEMBER], Broken);
        let mut broken = io::BufReader::new(broken);
        let error = compress(&mut broken, with, 2, &mut io::sink()).unwrap_err();
        assert!(matches!(error, CompressError::Read { .. }), "{error}");
    }
}

struct Broken;

impl io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::TimedOut.into())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn the_result_depends_on_the_tar_alone(
        parts in prop::collection::vec((0_u8..3, 0_usize..900_000), 0..6),
        jobs in 1_usize..5,
        piece in 1_usize..300_000,
    ) {
        let entries = parts.iter().enumerate().map(|(n, (path, size))| {
            entry(&format!("nix/store/{path}/{n}"), &noise(*size, n as u64))
        });
        let tar = entries.collect::<Vec<_>>().concat();
        for with in Compression::ALL {
            let mut out = Vec::new();
            let mut reader = io::BufReader::with_capacity(piece, &tar[..]);
            let made = compress(&mut reader, with, jobs, &mut out).unwrap();
            prop_assert_eq!(&made.digest, &Digest::of(&out));
            prop_assert_eq!((&made.diff_id, made.tar_size), (&Digest::of(&tar), tar.len() as u64));
            prop_assert_eq!(made.size, out.len() as u64);
            prop_assert_eq!(decode(with, &out), tar.clone());
            let alone = compress(&mut &tar[..], with, 1, &mut io::sink()).unwrap();
            prop_assert_eq!(alone, made);
        }
    }
}
